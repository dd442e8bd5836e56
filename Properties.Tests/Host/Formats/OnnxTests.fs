namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open MathNet.Numerics.LinearAlgebra
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// Exported graphs say what the network says: ONNX Runtime, made by others, is asked both.
module OnnxTests =
    let private options =
        lazy
            (new SessionOptions(
                IntraOpNumThreads = 1,
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR
            ))

    let private value name (values: 'V[]) (shape: int list) : NamedOnnxValue =
        NamedOnnxValue.CreateFromTensor(
            name,
            DenseTensor<'V>(Memory values, ReadOnlySpan(Array.ofList shape))
        )

    /// ONNX's own checker accepts all of the graphs in a folder, as many as are expected.
    let internal requireSound (folder: string) (count: int) : unit =
        let script =
            "import glob, sys, onnx\n"
            + "files = glob.glob(sys.argv[1] + '/*.onnx')\n"
            + "for f in files: onnx.checker.check_model(onnx.load(f), full_check=True)\n"
            + "print(len(files))"

        let ended =
            Tools.run (Tools.python "onnx").Value [ "-c"; script; folder ] |> Option.get

        Assert.Equal("", ended.Errors)
        Assert.Equal(string count, ended.Output.Trim())

    /// What the runtime makes of a model's file.
    let private asked (bytes: byte[]) (inputs: NamedOnnxValue list) : 'T[] =
        use session = new InferenceSession(bytes, options.Value)
        use results = session.Run inputs
        (Seq.exactlyOne results).AsTensor<'T>() |> Array.ofSeq

    /// Ours in single within 10⁻⁵, in double within 10⁻⁹.
    let private agree
        (preprocessing: Preprocessing)
        (network: Network<float>)
        (said: Network<float> -> Matrix<float>)
        (saidSingle: Network<float32> -> Matrix<float32>)
        (inputs: bool -> NamedOnnxValue list)
        =
        let model network = {
            Model.ofNetwork network with
                Preprocessing = preprocessing
        }

        let found: float[] = asked (OnnxFile.Write(model network)) (inputs false)
        Approximately.equal 1e-9 (cells (said network)) found
        let single: Network<float32> = Network.convert network
        let found: float32[] = asked (OnnxFile.Write(model single)) (inputs true)

        Approximately.equal
            1e-5
            (cells (saidSingle single) |> Array.map float)
            (found |> Array.map float)

    [<Law>]
    let ``numbers: any network says the same in ONNX Runtime, for any batch``
        (AnyNetwork network)
        (SmallMatrix inputs)
        =
        let single = inputs.Map(fun x -> float32 x)

        agree
            Preprocessing.Numbers
            (network inputs.RowCount)
            (fun network -> Network.predict network inputs)
            (fun network -> Network.predict network single)
            (fun isSingle ->
                let shape = [ inputs.ColumnCount; inputs.RowCount ]

                if isSingle then
                    [ value "numbers" (cells single) shape ]
                else
                    [ value "numbers" (cells inputs) shape ])

    [<Fact>]
    let ``a leaky unit far below 0 keeps the digits of its slope in double`` () =
        let architecture = Architecture.dense Activation.LeakyRelu [ 1; 3; 2 ]
        let network = Network.initialise (Initialiser.Fixed 1.0) 1UL architecture
        let inputs = Matrix<float>.Build.DenseOfColumnArrays([| -1000.0 |], [| 1000.0 |])
        let model = Model.ofNetwork (network: Network<float>)

        let found: float[] =
            asked (OnnxFile.Write model) [ value "numbers" (cells inputs) [ 2; 1 ] ]

        Approximately.equal 1e-9 (cells (Network.predict network inputs)) found

    [<Law>]
    let ``images: bytes enter the graph, which scales them`` (AnyNetwork network) (Images images) =
        let data () : Dataset<'T> =
            Dataset.ofIdx 1 images (Array.zeroCreate images.Count) |> orFail

        agree
            (Preprocessing.Pixels(images.Size))
            (network (images.Size.Count))
            (fun network -> Network.probabilities network (data ()))
            (fun network -> Network.probabilities network (data ()))
            (fun _ -> [
                value "pixels" (images.Pixels.ToArray()) [
                    images.Count
                    images.Size.Rows
                    images.Size.Columns
                ]
            ])

    [<Law>]
    let ``tables: numbers and texts enter the graph, which fills, scales and encodes them``
        (AnyNetwork network)
        (AnyTable table)
        =
        let usable =
            table.Columns
            |> List.filter (fun column -> Cells.texts column.Cells |> Array.exists ((<>) ""))
            |> Table.create
            |> orFail

        if usable.Columns.Length > 1 then
            let encoding =
                usable
                |> TableEncoding.fit {
                    SmallTables.plainChoice with
                        Missing = Missing.Median
                        Scaling = Scaling.Standard
                }
                |> orFail

            let texts (name: string) =
                (usable.Columns |> List.find (fun column -> column.Name = name)).Cells
                |> Cells.texts

            agree
                (Preprocessing.Table encoding)
                (network encoding.Features)
                (fun network ->
                    Network.predict network (TableEncoding.encode encoding usable |> orFail))
                (fun network ->
                    Network.predict network (TableEncoding.encode encoding usable |> orFail))
                (fun _ -> [
                    if not encoding.Numbers.IsEmpty then
                        let columns =
                            encoding.Numbers
                            |> List.map (fun column ->
                                texts column.Name
                                |> Array.map (fun text -> if text = "" then nan else float text))

                        value "numbers" [|
                            for row in 0 .. usable.Rows - 1 do
                                for column in columns -> column[row]
                        |] [ usable.Rows; columns.Length ]
                    for column in encoding.Categories do
                        value column.Name (texts column.Name) [ usable.Rows; 1 ]
                ])

    [<Fact>]
    let ``a column of categories that is called like something of the graph's own gives a sound graph``
        ()
        =
        let network =
            Network.initialise
                Initialiser.XavierNormal
                1UL
                (Architecture.dense Activation.Tanh [ 2; 3; 2 ])

        for name in [ "W1"; "E1_1"; "Gemm_2"; "numbers"; "probabilities"; "LabelEncoder_1" ] do
            let model = {
                Model.ofNetwork (network: Network<float>) with
                    Preprocessing =
                        Preprocessing.Table {
                            Numbers = []
                            Categories = [
                                {
                                    Name = name
                                    Values = [ "a"; "b" ]
                                    Fill = ""
                                }
                            ]
                            Format = CellFormat.Default
                        }
            }

            let found: float[] =
                asked (OnnxFile.Write model) [ value (name + "'") [| "b" |] [ 1; 1 ] ]

            Assert.Equal(2, found.Length)

    /// A model of rows that are encoded like that.
    let private ofEncoding (encoding: TableEncoding) : Model<float> = {
        Model.ofNetwork (
            Network.initialise
                Initialiser.XavierNormal
                1UL
                (Architecture.dense Activation.Tanh [ encoding.Features; 3; 2 ])
        ) with
            Preprocessing = Preprocessing.Table encoding
    }

    [<Fact>]
    let ``missing values and other spellings enter the graph as the model reads them`` () =
        let encoding = {
            Numbers = [
                for name, fill in [ "x", 3.0; "y", 4.0 ] ->
                    {
                        Name = name
                        Fill = fill
                        Centre = 1.0
                        Scale = 2.0
                    }
            ]
            Categories = [
                for name, values in
                    [
                        "size", [ "1.5"; "10"; "200" ]
                        "open", [ "false"; "true" ]
                        "kind", [ "T01"; "b" ]
                    ] ->
                    {
                        Name = name
                        Values = values
                        Fill = values.Head
                    }
            ]
            Format = {
                CellFormat.Default with
                    MissingValues = [ "-999"; "none"; "NA" ]
            }
        }

        let model = ofEncoding encoding

        let bytes = OnnxFile.Write model

        for x, y, size, isOpen, kind in
            [
                7.0, 8.0, "10", "true", "b"
                -999.0, 8.0, "10.0", "True", "NA"
                7.0, -999.0, "200.0", "FALSE", "none"
                nan, -999.0, "-999", "", "NONE"
                1.0, 2.0, "1.5", "na", "T01"
            ] do
            let found: float[] =
                asked bytes [
                    value "numbers" [| x; y |] [ 1; 2 ]
                    value "size" [| size |] [ 1; 1 ]
                    value "open" [| isOpen |] [ 1; 1 ]
                    value "kind" [| kind |] [ 1; 1 ]
                ]

            let row =
                Table.create [
                    {
                        Name = "x"
                        Cells = Cells.Numbers [| x |]
                    }
                    {
                        Name = "y"
                        Cells = Cells.Numbers [| y |]
                    }
                    {
                        Name = "size"
                        Cells = Cells.Texts [| size |]
                    }
                    {
                        Name = "open"
                        Cells = Cells.Texts [| isOpen |]
                    }
                    {
                        Name = "kind"
                        Cells = Cells.Texts [| kind |]
                    }
                ]
                |> Result.bind (TableEncoding.encode encoding)
                |> orFail

            Approximately.equal 1e-9 (cells (Network.predict model.Network row)) found

    /// Names that a graph might have for things of its own, that are made of another, or are odd.
    let private nasty =
        FsCheck.FSharp.Gen.oneof [
            FsCheck.FSharp.Gen.elements [
                ""
                "'"
                "''"
                "numbers"
                "numbers'"
                "numbers''"
                "pixels"
                "predictions"
                "probabilities"
                "probabilities'"
                "W1"
                "W1'"
                "W1''"
                "b1"
                "Gemm_3"
                "integers_2"
                "number_4'"
                "W1\n"
                "a\000b"
                "a\uFFFDb"
                "a\uFFFDb'"
                " "
                "\n"
                "ü 日本"
                "a/b:0"
            ]
            FsCheck.FSharp.ArbMap.defaults
            |> FsCheck.FSharp.ArbMap.generate<FsCheck.NonEmptyString>
            |> FsCheck.FSharp.Gen.map (fun text -> String.filter (Char.IsSurrogate >> not) text.Get)
        ]

    /// A model of columns of categories of these names, beside a column of numbers.
    let private withCategories (names: string list) : Model<float> =
        let encoding = {
            Numbers = [
                {
                    Name = "number beside them"
                    Fill = nan
                    Centre = 1.0
                    Scale = 2.0
                }
            ]
            Categories =
                names
                |> List.map (fun name -> {
                    Name = name
                    Values = [ "a"; "b" ]
                    Fill = ""
                })
            Format = CellFormat.Default
        }

        ofEncoding encoding

    let private distinct (names: string list) =
        names |> List.distinct |> List.filter ((<>) "number beside them")

    [<Law>]
    let ``whatever columns are called, the graph takes them in order and says what the network says``
        ()
        =
        FsCheck.FSharp.Prop.forAll
            (FsCheck.FSharp.Arb.fromGen (FsCheck.FSharp.Gen.listOf nasty))
            (fun names ->
                let names = distinct names
                let model = withCategories names
                let texts = names |> List.mapi (fun i _ -> if i % 3 = 0 then "b" else "a")
                let bytes = OnnxFile.Write model
                use session = new InferenceSession(bytes, options.Value)
                let inputs = List.ofSeq session.InputNames
                Exactly.equal (names.Length + 1) (List.distinct inputs).Length

                // A name that is free is kept.
                for name, input in List.zip names inputs.Tail do
                    if name = "ü 日本" then
                        Exactly.equal name input

                let found: float[] =
                    asked bytes [
                        value inputs.Head [| 3.0 |] [ 1; 1 ]
                        for input, text in List.zip inputs.Tail texts do
                            value input [| text |] [ 1; 1 ]
                    ]

                let row =
                    Table.create [
                        {
                            Name = "number beside them"
                            Cells = Cells.Numbers [| 3.0 |]
                        }
                        for name, text in List.zip names texts do
                            {
                                Name = name
                                Cells = Cells.Texts [| text |]
                            }
                    ]
                    |> orFail

                let encoding =
                    match model.Preprocessing with
                    | Preprocessing.Table encoding -> encoding
                    | _ -> failwith "expected a table"

                let inputs: Matrix<float> = TableEncoding.encode encoding row |> orFail
                Approximately.equal 1e-9 (cells (Network.predict model.Network inputs)) found)

    [<FactWithPython("onnx")>]
    let ``ONNX's own checker accepts graphs of any names of columns`` () =
        use scratch = new Scratch()

        let lists =
            FsCheck.FSharp.Gen.sampleWithSize 20 60 (FsCheck.FSharp.Gen.listOf nasty)

        lists
        |> Seq.iteri (fun i names ->
            File.WriteAllBytes(
                scratch.Sub $"{i}.onnx",
                OnnxFile.Write(withCategories (distinct names))
            ))

        requireSound scratch.Path 60

    [<FactWithPython("onnx")>]
    let ``ONNX's own checker accepts every kind of graph`` () =
        use scratch = new Scratch()

        for i in 0..60 do
            let (AnyNetwork network) =
                FsCheck.FSharp.Gen.sampleWithSize 10 1 (Generators.AnyNetwork().Generator)
                |> Array.head

            let table = {
                Numbers = [
                    {
                        Name = "x"
                        Fill = 1.0
                        Centre = 2.0
                        Scale = 3.0
                    }
                ]
                Categories = [
                    {
                        Name = "colour"
                        Values = [ "red"; "blue" ]
                        Fill = "red"
                    }
                ]
                Format = CellFormat.Default
            }

            for name, preprocessing, inputs in
                [
                    "numbers", Preprocessing.Numbers, 2
                    "pixels", Preprocessing.Pixels(ImageSize.Grey(2, 3)), 6
                    "table", Preprocessing.Table table, 3
                ] do
                let model = {
                    Model.ofNetwork (network inputs) with
                        Preprocessing = preprocessing
                }

                let single: Network<float32> = Network.convert model.Network
                File.WriteAllBytes(scratch.Sub $"{name}-{i}.onnx", OnnxFile.Write model)

                File.WriteAllBytes(
                    scratch.Sub $"{name}-{i}-single.onnx",
                    OnnxFile.Write {
                        Model.ofNetwork single with
                            Preprocessing = preprocessing
                    }
                )

        requireSound scratch.Path 366
