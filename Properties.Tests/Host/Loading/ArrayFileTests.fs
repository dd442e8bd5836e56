namespace Pipeline.Properties.Host

open System
open System.IO
open System.IO.Compression
open System.Text
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// Samples in NumPy's archives, in the layouts that other programs write.
module ArrayFileTests =
    let private planOf
        (classes: int)
        (head: string)
        (train: string)
        (test: string | null)
        : RunConfiguration =
        let settings =
            PipelineSettings(
                Data =
                    DataSettings(
                        Train = train,
                        Test = test,
                        Classes = Nullable classes,
                        TestShare = 0.25
                    ),
                Model = ModelSettings(Head = head)
            )

        let mutable faults: Collections.Generic.IReadOnlyList<string> = []

        match RunConfiguration.Create(settings, &faults) with
        | null -> failwith (String.concat "\n" faults)
        | plan -> plan

    let private save (path: string) (tensors: Tensor list) =
        File.WriteAllBytes(path, NpzFile.Write tensors)

    /// The data of an archive of these arrays.
    let private load (tensors: Tensor list) : LoadedData<float32> =
        use scratch = new Scratch()
        let path = scratch.Sub "x.npz"
        save path tensors
        DataFiles.Load<float32>(planOf 3 "Softmax" path null, null)

    let private array name shape elements = {
        Name = name
        Shape = shape
        Elements = elements
    }

    let private integers (values: int[]) =
        Elements.Integers(Array.map int64 values)

    /// Inputs, labels and pictures, as bits, of the training and of the test samples.
    let private samples (data: LoadedData<float32>) =
        let half (set: Dataset<float32>) =
            let batch = Dataset.take [| 0 .. set.Count - 1 |] set

            batch.Inputs.ToColumnMajorArray(),
            (match set.Targets with
             | Targets.Labels labels -> labels
             | Targets.Columns _ -> failwith "expected labels"),
            set.ImageSize

        half data.Train, half data.Test

    /// Images of two by three pixels, at least one of them above 1, and labels of three classes.
    type private Digits = { Pixels: int[]; Labels: int[] }

    let private digits (count: int) (seed: int) : Digits =
        let random = Random seed

        {
            Pixels = Array.init (6 * count) (fun i -> if i = 0 then 255 else random.Next 256)
            Labels = Array.init count (fun i -> i % 3)
        }

    let private bytes (pixels: int[]) =
        Elements.Bytes(ReadOnlyMemory(Array.map byte pixels))

    /// The arrays of both halves in the plain layout: bytes (images, rows, columns), labels of 64 bits.
    let private plain (train: Digits) (test: Digits) = [
        for half, digits in [ "train", train; "test", test ] do
            array $"x_{half}" [ digits.Labels.Length; 2; 3 ] (bytes digits.Pixels)
            array $"y_{half}" [ digits.Labels.Length ] (integers digits.Labels)
    ]

    /// Other ways to write images.
    let private imageLayouts: (string * (int[] -> int -> int list * Elements)) list = [
        "a channel behind", (fun pixels n -> [ n; 2; 3; 1 ], bytes pixels)
        "a channel before", (fun pixels n -> [ n; 1; 2; 3 ], bytes pixels)
        "whole numbers", (fun pixels n -> [ n; 2; 3 ], integers pixels)
        "0 to 1 in single",
        (fun pixels n ->
            [ n; 2; 3 ], Elements.Singles(pixels |> Array.map (fun p -> float32 p / 255f)))
        "0 to 1 in double",
        (fun pixels n ->
            [ n; 2; 3; 1 ], Elements.Doubles(pixels |> Array.map (fun p -> float p / 255.0)))
        "0 to 255 in single",
        (fun pixels n -> [ n; 1; 2; 3 ], Elements.Singles(Array.map float32 pixels))
    ]

    /// Other ways to write labels.
    let private labelLayouts: (string * (int[] -> int list * Elements)) list = [
        "a column", (fun labels -> [ labels.Length; 1 ], integers labels)
        "bytes", (fun labels -> [ labels.Length ], bytes labels)
        "floating point",
        (fun labels -> [ labels.Length ], Elements.Singles(Array.map float32 labels))
        "one-hot",
        (fun labels ->
            [ labels.Length; 3 ],
            Elements.Singles [|
                for label in labels do
                    for k in 0..2 -> if k = label then 1f else 0f
            |])
        "one-hot truth values",
        (fun labels ->
            [ labels.Length; 3 ],
            bytes [|
                for label in labels do
                    for k in 0..2 -> if k = label then 1 else 0
            |])
    ]

    [<Law(MaxTest = 15)>]
    let ``images are the same samples in whatever layout they and their labels are``
        (FsCheck.PositiveInt count)
        (seed: int)
        =
        let train, test = digits (3 + count % 20) seed, digits (3 + count % 7) (seed + 1)
        let expected = samples (load (plain train test))

        for _, images in imageLayouts do
            for _, labels in labelLayouts do
                for x, y in
                    [
                        (fun half -> $"x_{half}"), (fun half -> $"y_{half}")
                        (fun half -> $"{half}_images"), (fun half -> $"{half}_labels")
                    ] do
                    load [
                        array "feature_names" [ 2 ] (Elements.Doubles [| 1.0; 2.0 |])
                        for half, digits in [ "train", train; "test", test ] do
                            let shape, elements = images digits.Pixels digits.Labels.Length
                            array (x half) shape elements
                            let shape, elements = labels digits.Labels
                            array (y half) shape elements
                    ]
                    |> samples
                    |> Exactly.equal expected

    [<Fact>]
    let ``what is assumed of an archive is told`` () =
        let train, test = digits 9 1, digits 6 2

        for x, scale, y, says in
            [
                float32, 255f, [ 9 ], [ "pixels are taken for 0 to 1"; "multiplied by 255" ]
                float32, 1f, [ 9 ], [ "pixels are taken for 0 to 255 and rounded" ]
            ] do
            let notes =
                (load [
                    for half, digits in [ "train", train; "test", test ] do
                        array
                            $"x_{half}"
                            [ digits.Labels.Length; 2; 3 ]
                            (Elements.Singles(digits.Pixels |> Array.map (fun p -> x p / scale)))

                        array $"y_{half}" [ digits.Labels.Length ] (integers digits.Labels)
                    array "val_images" y (integers [| 1..9 |])
                ])
                    .Notes
                |> String.concat "\n"

            for part in "not used: val_images" :: "x_train" :: "x_test" :: says do
                Assert.Contains(part, notes)

        Assert.Empty((load (plain train test)).Notes)

    [<Fact>]
    let ``images of truth values are taken for 0 and 255`` () =
        let truth = digits 9 1
        let pixels = truth.Pixels |> Array.map (fun p -> if p > 127 then 1 else 0)

        let loaded (factor: int) =
            load (
                plain
                    {
                        truth with
                            Pixels = pixels |> Array.map ((*) factor)
                    }
                    (digits 6 2
                     |> fun d -> {
                         d with
                             Pixels = Array.map (fun p -> if p > 127 then factor else 0) d.Pixels
                     })
            )

        Exactly.equal (samples (loaded 255)) (samples (loaded 1))
        Assert.Contains("0 to 1", String.concat "\n" (loaded 1).Notes)

    [<Fact>]
    let ``images without a test half are shared out, the same share of every class`` () =
        let all = digits 60 1

        let data =
            load [
                array "x" [ 60; 2; 3 ] (bytes all.Pixels)
                array "y" [ 60 ] (integers all.Labels)
            ]

        let (train, trainLabels, _), (test, testLabels, size) = samples data
        Exactly.equal (ValueSome(ImageSize.Grey(2, 3))) size
        Exactly.equal [| 0, 15; 1, 15; 2, 15 |] (trainLabels |> Array.countBy id |> Array.sort)
        Exactly.equal [| 0, 5; 1, 5; 2, 5 |] (testLabels |> Array.countBy id |> Array.sort)

        // Every image is in one of the halves, with its label.
        let pairs (inputs: float32[]) (labels: int[]) =
            Array.zip (Array.chunkBySize 6 inputs) labels

        let expected =
            pairs (all.Pixels |> Array.map (fun p -> float32 p / 255f)) all.Labels

        Exactly.equal
            (Array.sort expected)
            (Array.sort (Array.append (pairs train trainLabels) (pairs test testLabels)))

    [<Fact>]
    let ``rows are the same samples under the names of both halves as in two files`` () =
        use scratch = new Scratch()
        let random = Random 3

        let rows count : Elements =
            Elements.Doubles(Array.init (4 * count) (fun _ -> random.NextDouble()))

        let train, test = rows 12, rows 6

        let labels count =
            integers (Array.init count (fun i -> i % 3))

        save (scratch.Sub "both.npz") [
            array "x_train" [ 12; 4 ] train
            array "y_train" [ 12 ] (labels 12)
            array "x_test" [ 6; 4 ] test
            array "y_test" [ 6; 1 ] (labels 6)
        ]

        save (scratch.Sub "train.npz") [ array "x" [ 12; 4 ] train; array "y" [ 12 ] (labels 12) ]

        save (scratch.Sub "test.npz") [ array "X" [ 6; 4 ] test; array "Y" [ 6 ] (labels 6) ]

        let load train (test: string | null) =
            samples (DataFiles.Load<float32>(planOf 3 "Softmax" train test, null))

        Exactly.equal
            (load (scratch.Sub "train.npz") (scratch.Sub "test.npz"))
            (load (scratch.Sub "both.npz") null)

    /// An archive that another program may write, of the bytes of its members.
    let private archive (path: string) (members: (string * byte[]) list) =
        use archive = new ZipArchive(File.Create path, ZipArchiveMode.Create)

        for name, bytes in members do
            use stream = (archive.CreateEntry $"{name}.npy").Open()
            stream.Write(ReadOnlySpan bytes)

    let private header descr shape (data: byte[]) =
        let text = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"

        Array.concat [
            [| 0x93uy; yield! "NUMPY"B; 1uy; 0uy; byte text.Length; 0uy |]
            Encoding.ASCII.GetBytes text
            data
        ]

    [<Fact>]
    let ``labels may be texts, and an array that cannot be read matters where it is used`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "x.npz"
        let names = [| "owl"; "ant"; "bee" |]
        let texts = Array.init 12 (fun i -> names[i % 3])
        let wide = texts |> Array.collect (UTF32Encoding(false, false).GetBytes)
        let objects = header "|O" "(2,)" [| 1uy; 2uy; 3uy |]
        let pixels = digits 12 1

        for x in
            [
                Npy.write (array "x" [ 12; 2 ] (Elements.Doubles(Array.init 24 float)))
                Npy.write (array "x" [ 12; 2; 3 ] (bytes pixels.Pixels))
            ] do
            archive path [ "notes", objects; "x", x; "y", header "<U3" "(12,)" wide ]
            let data = DataFiles.Load<float32>(planOf 3 "Softmax" path null, null)
            Assert.Equal<string>([ "ant"; "bee"; "owl" ], data.Classes)
            Assert.Contains("not used: notes", String.concat "\n" data.Notes)
            Assert.Equal(12, data.Train.Count + data.Test.Count)

            // The class of a row of the training samples is that of its text.
            let (inputs, labels, size), _ = samples data

            if size.IsSome then
                let all =
                    pixels.Pixels |> Array.map (fun p -> float32 p / 255f) |> Array.chunkBySize 6

                for image, label in Seq.zip (Array.chunkBySize 6 inputs) labels do
                    Assert.Equal(
                        texts[Array.IndexOf(all, Array.find ((=) image) all)],
                        data.Classes[label]
                    )

        for name, members in
            [
                "x", [ "x", objects; "y", header "<U3" "(12,)" wide ]
                "y",
                [
                    "x", Npy.write (array "x" [ 2 ] (Elements.Doubles [| 1.0; 2.0 |]))
                    "y", objects
                ]
            ] do
            archive path members

            let said =
                refusal (fun () -> DataFiles.Load<float32>(planOf 3 "Softmax" path null, null))

            Assert.Contains($"x.npz, {name}: expected whole numbers", said)
            Assert.Contains("Python objects", said)

    [<Fact>]
    let ``what an archive lacks, or has of another form, is refused in a sentence`` () =
        let digits = digits 9 1

        let x name =
            array name [ 9; 2; 3 ] (bytes digits.Pixels)

        let y name =
            array name [ 9 ] (integers digits.Labels)

        let doubles shape =
            Elements.Doubles(Array.create (List.reduce (*) shape) 0.5)

        for tensors, says in
            [
                [ x "a"; y "b" ], "expected arrays x_train and y_train"
                [ x "x"; y "b" ], "expected an array y beside x, found x, b"
                [ x "x_train"; y "y" ], "expected an array y_train beside x_train"
                [ x "x"; x "X"; y "y" ], "expected one array x, found x, X"
                [ x "x"; array "y" [ 8 ] (integers [| 0..7 |]) ],
                "y: expected 9 labels, one for each sample of x, found 8"
                [ x "x"; array "y" [ 9 ] (integers [| 0..8 |]) ],
                "label 3: expected a class of 0 to 2, found 3: labels of 0 to 8 take Data:Classes 9"
                [ x "x"; array "y" [ 9 ] (integers [| for i in 0..8 -> 1 + i % 3 |]) ],
                "found 3: labels of 1 to 3 (there is no 0) take Data:Classes 4"
                [ x "x"; array "y" [ 9; 3 ] (doubles [ 9; 3 ]) ], "one-hot"
                [ array "x" [ 9; 2; 3; 3; 1 ] (doubles [ 9; 2; 3; 3; 1 ]); y "y" ],
                "x: expected images, (images, rows, columns) or (images, channels, rows, columns)"
                [
                    array "x" [ 9; 2; 3 ] (Elements.Doubles(Array.init 54 (fun i -> float i - 1.0)))
                    y "y"
                ],
                "x: expected pixels of 0 to 1 or of 0 to 255, found numbers of -1 to 52"
                [ array "x" [ 9; 2; 3 ] (Elements.Doubles(Array.create 54 nan)); y "y" ],
                "x: expected pixels of 0 to 1 or of 0 to 255, found one that is not a number (NaN)"
                [
                    x "x_train"
                    y "y_train"
                    array "x_test" [ 9; 6 ] (bytes digits.Pixels)
                    y "y_test"
                ],
                "x_test: expected images, as the training samples are"
                [
                    array "x_train" [ 9; 2; 3 ] (doubles [ 9; 2; 3 ])
                    y "y_train"
                    array "x_test" [ 9; 2; 3 ] (Elements.Doubles(Array.create 54 7.0))
                    y "y_test"
                ],
                "x_test: expected pixels of 0 to 1, like the training images"
                [
                    array "x_train" [ 9; 2; 3 ] (Elements.Doubles(Array.create 54 7.0))
                    y "y_train"
                    array "x_test" [ 9; 2; 3 ] (Elements.Doubles(Array.create 54 0.5))
                    y "y_test"
                ],
                "x_test: expected pixels of 0 to 255, like the training images, found none above 1"
            ] do
            let said = refusal (fun () -> load tensors)
            Assert.Contains(says, said)

            for name in [ "x"; "y"; "x_test" ] do
                Assert.DoesNotContain($"{name}, {name}", said)
                Assert.DoesNotContain($"{name}: {name}", said)

    [<Fact>]
    let ``images of one class are refused, and a class that is only tested is told of`` () =
        let train, test = digits 9 1, digits 6 2

        let relabelled label (digits: Digits) = {
            digits with
                Labels = Array.map label digits.Labels
        }

        Assert.Contains(
            "x.npz, y_train: expected labels of 2 classes or more, found one, 1.",
            refusal (fun () -> load (plain (relabelled (fun _ -> 1) train) test))
        )

        Assert.Contains(
            "x.npz, y: expected labels of 2 classes or more, found one, 2.",
            refusal (fun () ->
                load [
                    array "x" [ 9; 2; 3 ] (bytes train.Pixels)
                    array "y" [ 9 ] (integers (Array.create 9 2))
                ])
        )

        let data = load (plain (relabelled (fun label -> label % 2) train) test)

        Assert.Equal(
            "The class 2 has no training sample, so that it cannot be learned.",
            Assert.Single data.Warnings
        )

        Assert.Empty((load (plain train test)).Warnings)
        // Of a class that nothing has, nothing need be said.
        let few = relabelled (fun label -> label % 2)
        Assert.Empty((load (plain (few train) (few test))).Warnings)

    [<Fact>]
    let ``labels of texts are spelled and told of as those of a table`` () =
        let images = digits 12 1

        let data (names: string list) =
            use scratch = new Scratch()
            let path = scratch.Sub "x.npz"

            let wide =
                [| for i in 0..11 -> names[i % 4].PadRight(4, '\000') |]
                |> Array.collect (UTF32Encoding(false, false).GetBytes)

            archive path [
                "x", Npy.write (array "x" [ 12; 2; 3 ] (bytes images.Pixels))
                "y", header "<U4" "(12,)" wide
            ]

            DataFiles.Load<float32>(planOf 3 "Softmax" path null, null)

        let spaced = data [ "owl"; "owl "; "ant"; "bee" ]
        Assert.Equal<string>([ "ant"; "bee"; "owl" ], spaced.Classes)

        Assert.Contains(
            "Label y: 'owl' (3 cells) and 'owl ' (3 cells) are taken for one value, owl.",
            spaced.Warnings
        )

        Assert.Contains(
            "y, row 1: expected a label",
            refusal (fun () -> data [ ""; "owl"; "ant"; "bee" ])
        )

    [<Fact>]
    let ``labels that are numbers are said to be places of a model's classes, unless these are the numbers``
        ()
        =
        use scratch = new Scratch()
        let path = scratch.Sub "x.npz"
        let images = digits 12 1

        archive path [
            "x", Npy.write (array "x" [ 12; 2; 3 ] (bytes images.Pixels))
            "y", Npy.write (array "y" [ 12 ] (bytes (Array.init 12 (fun i -> i % 3))))
        ]

        let notes (classes: string list) =
            let known =
                KnownData(
                    Preprocessing.Pixels(ImageSize.Grey(2, 3)),
                    ResizeArray classes,
                    Head.Softmax,
                    6
                )

            (DataFiles.Parse(planOf 3 "Softmax" path null).Encode<float32> known).Notes
            |> Seq.filter _.Contains("is taken for")
            |> List.ofSeq

        Assert.Empty(notes [ "0"; "1"; "2" ])

        Assert.Contains(
            "the labels are numbers, so 0 is taken for cat, 1 for dog and so on",
            Assert.Single(notes [ "cat"; "dog"; "emu" ])
        )

    [<Fact>]
    let ``one-hot labels say how many classes there are`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "x.npz"
        let train, test = digits 9 1, digits 6 2

        let oneHot width (labels: int[]) =
            bytes [|
                for label in labels do
                    for k in 0 .. width - 1 -> if k = label then 1 else 0
            |]

        let save trainWidth testWidth =
            save path [
                array "x_train" [ 9; 2; 3 ] (bytes train.Pixels)
                array "y_train" [ 9; trainWidth ] (oneHot trainWidth train.Labels)
                array "x_test" [ 6; 2; 3 ] (bytes test.Pixels)
                array "y_test" [ 6; testWidth ] (oneHot testWidth test.Labels)
            ]

        let load (classes: Nullable<int>) =
            let settings =
                PipelineSettings(Data = DataSettings(Train = path, Classes = classes))

            let mutable faults: Collections.Generic.IReadOnlyList<string> = []
            DataFiles.Load<float32>(nonNull (RunConfiguration.Create(settings, &faults)), null)

        for width in [ 3; 4; 12 ] do
            save width width
            Assert.Equal(width, (load (Nullable())).Train.Classes)
            Assert.Equal(width, (load (Nullable width)).Test.Classes)

        Assert.Contains(
            "y_train: expected one-hot labels of 10 columns, as Data:Classes says, found 12 columns.",
            refusal (fun () -> load (Nullable 10))
        )

        save 3 4

        Assert.Contains(
            "y_test: expected one-hot labels of 3 columns, as the training labels are, found 4 columns.",
            refusal (fun () -> load (Nullable()))
        )

    [<Fact>]
    let ``an array that is longer than its header claims is refused before it is unpacked`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "bomb.npz"

        // 200 MB in 200 kB.
        archive path [
            "x",
            Array.append
                (Npy.write (array "x" [ 1 ] (Elements.Doubles [| 1.0 |])))
                (Array.zeroCreate 200_000_000)
            "y", Npy.write (array "y" [ 1 ] (integers [| 0 |]))
        ]

        let before = GC.GetTotalAllocatedBytes true

        let said =
            refusal (fun () -> DataFiles.Load<float32>(planOf 3 "Softmax" path null, null))

        Assert.Contains("x: expected 136 bytes, as its header claims, found 200000136", said)
        Assert.InRange(GC.GetTotalAllocatedBytes true - before, 0L, 20_000_000L)

    [<FactWithPython("numpy")>]
    let ``what NumPy saves is read: either order, any type, texts`` () =
        use scratch = new Scratch()
        let data = digits 12 5

        let script =
            "import sys, numpy as np\n"
            + $"""p = np.array([{String.Join(',', data.Pixels)}]).reshape(12, 2, 3);"""
            + $"""l = np.array([{String.Join(',', data.Labels)}]);"""
            + "kinds = [p.astype('u1'), np.asfortranarray(p.astype('>i4')), (p / 255).astype('f4'),"
            + " p.astype('>f8').reshape(12, 2, 3, 1), p.astype('u2').reshape(12, 1, 2, 3)]\n"
            + "labels = [l, l.astype('u1'), l.astype('>i2').reshape(12, 1), np.eye(3)[l],"
            + " np.eye(3, dtype=bool)[l], l.astype(str), l.astype('S1')]\n"
            + "for i, x in enumerate(kinds):\n"
            + "  for j, y in enumerate(labels):\n"
            + "    np.savez_compressed(f'{sys.argv[1]}/{i}-{j}.npz', x_train=x, y_train=y, x_test=x, y_test=y,"
            + " info=np.array([{'a': 1}], dtype=object), when=np.array(['2020-01-01'], dtype='M8[D]'))\n"

        let ended =
            Tools.run (Tools.python "numpy").Value [ "-c"; script; scratch.Path ]
            |> Option.get

        Assert.Equal("", ended.Errors)
        let expected = samples (load (plain data data))
        let files = Directory.GetFiles(scratch.Path, "*.npz")
        Assert.Equal(35, files.Length)

        for path in files do
            DataFiles.Load<float32>(planOf 3 "Softmax" path null, null)
            |> samples
            |> Exactly.equal expected
