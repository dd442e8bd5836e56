namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Text
open Microsoft.Extensions.DependencyInjection
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// What the service makes of tables in files: the same rows in any format, and the same rows in training,
/// evaluation and prediction.
module TableMeaningTests =
    let private planOf (settings: (string * string) list) : RunConfiguration =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        use host =
            ServiceRegistration.CreateBuilder(CommandLineSettings(values, null)).Build()

        host.Services.GetRequiredService<RunConfiguration>()

    let private load (settings: (string * string) list) : LoadedData<float32> =
        DataFiles.Load<float32>(planOf settings)

    let private refusal (settings: (string * string) list) : string =
        let refused = Assert.Throws<RefusedException>(fun () -> load settings |> ignore)

        String.concat "\n" refused.Reasons

    [<Law>]
    let ``a number in JSON is the same in the format of any table`` (FsCheck.NormalFloat number) =
        let spellings = [
            number.ToString("R", CultureInfo.InvariantCulture)
            number.ToString("E16", CultureInfo.InvariantCulture)
            (1.0 + abs (number % 900.0)).ToString("F3", CultureInfo.InvariantCulture)
        ]

        let table =
            JsonRows.Parse(
                ReadOnlyMemory(Encoding.UTF8.GetBytes($"""[[{String.concat "],[" spellings}]]""")),
                1000000L,
                "rows.json"
            )

        let cells =
            match table.Columns.Head.Cells with
            | Cells.Texts texts -> List.ofSeq texts
            | other -> failwith $"expected texts, found {other}"

        for decimal, thousands in
            [
                '.', ValueNone
                '.', ValueSome ','
                ',', ValueNone
                ',', ValueSome '.'
                ',', ValueSome ' '
            ] do
            let reader =
                CellReader {
                    CellFormat.Default with
                        DecimalSeparator = decimal
                        ThousandsSeparator = thousands
                }

            for spelling, cell in List.zip spellings cells do
                let expected = Double.Parse(spelling, CultureInfo.InvariantCulture)
                Exactly.equal (ValueSome expected) (reader.Number cell)

    let private reportOf (data: LoadedData<float32>) : TableReport =
        match data.Report with
        | null -> failwith "expected the report of a table"
        | report -> report

    let private write (scratch: Scratch) (name: string) (lines: string seq) : string =
        let path = scratch.Sub name
        File.WriteAllLines(path, lines)
        path

    let private inputs (data: Dataset<'T>) =
        (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs.ToColumnMajorArray()

    /// The model's samples of rows, as predict makes them.
    let private predicted (model: Model<float32>) (name: string) (content: string) =
        let file = DataFile.Of(name, ReadOnlyMemory(Encoding.UTF8.GetBytes content))

        SampleFile.Parse(file, model, false, (planOf []).Settings.Data).Data |> inputs

    let private modelOf (data: LoadedData<float32>) : Model<float32> = {
        Model.ofNetwork (
            Architecture.dense Activation.Sigmoid [ data.Train.Features; max 2 data.Train.Classes ]
            |> Network.initialise Initialiser.XavierNormal 1UL
        ) with
            Preprocessing = data.Preprocessing
            Classes = List.ofSeq data.Classes
    }

    /// Rows of a number, a truth value and a label; each format writes them in its way.
    let private rows = [
        for i in 0..59 -> float (i * i) / 4.0, i % 3 = 0, [ "low"; "high" ][i % 2]
    ]

    let private invariant (x: float) = x.ToString CultureInfo.InvariantCulture

    let private csv = [
        "size,small,label"
        for size, small, label in rows do
            $"{invariant size},{small},{label}"
    ]

    let private json = [
        for size, small, label in rows do
            $"""{{"size": {invariant size}, "small": {(string small).ToLowerInvariant()}, "label": "{label}"}}"""
    ]

    [<Fact>]
    let ``the same rows in CSV, with decimal commas, and in JSON make the same samples and split``
        ()
        =
        use scratch = new Scratch()

        let commas = [
            "size;small;label"
            for size, small, label in rows do
                $"{(invariant size).Replace('.', ',')};{(string small).ToUpperInvariant()};{label}"
        ]

        let first = load [ "Data:Train", write scratch "points.csv" csv ]
        Assert.NotEqual(0, first.Test.Count)

        for name, lines in [ "commas.csv", commas; "rows.jsonl", json ] do
            let other = load [ "Data:Train", write scratch name lines ]
            Exactly.bits (inputs first.Train) (inputs other.Train)
            Exactly.bits (inputs first.Test) (inputs other.Test)

    [<Fact>]
    let ``truth values of CSV, JSON and models trained before are the same categories`` () =
        use scratch = new Scratch()
        let model = load [ "Data:Train", write scratch "x.csv" csv ] |> modelOf
        let expected = predicted model "new.csv" "size,small\n4,False\n4,True\n"

        for name, content in
            [
                "new.csv", "size,small\n4,false\n4,TRUE\n"
                "new.json", """[{"size": 4, "small": false}, {"size": 4, "small": true}]"""
            ] do
            Exactly.bits expected (predicted model name content)

        // Models of JSON's truth values took them for the numbers 1 and 0.
        let before = {
            model with
                Preprocessing =
                    Preprocessing.Table {
                        Numbers = [
                            for name in [ "size"; "small" ] ->
                                {
                                    Name = name
                                    Fill = nan
                                    Centre = 0.0
                                    Scale = 1.0
                                }
                        ]
                        Categories = []
                        Format = CellFormat.Default
                    }
        }

        Exactly.bits
            [| 4.0f; 0.0f; 4.0f; 1.0f |]
            (predicted
                before
                "new.json"
                """[{"size": 4, "small": false}, {"size": 4, "small": true}]""")

    [<Fact>]
    let ``a model of decimal commas reads new rows as it read its own`` () =
        use scratch = new Scratch()

        let lines = [
            "x;label"
            for i in 0..29 do
                $"{i},5;{[ 'a'; 'b' ][i % 2]}"
        ]

        let model =
            load [ "Data:Train", write scratch "x.csv" lines; "Data:Scaling", "None" ]
            |> modelOf

        Exactly.bits [| 2.25f |] (predicted model "new.csv" "x;y\n2,25;0\n")
        Exactly.bits [| 2.25f |] (predicted model "new.json" """{"x": 2.25}""")

        let refused =
            Assert.Throws<RefusedException>(fun () ->
                predicted model "new.csv" "x;y\n2.250;0\n" |> ignore)

        Assert.Contains("new.csv, column x, line 2", Assert.Single refused.Reasons)

    [<Fact>]
    let ``a fault names the file and the line that it is in`` () =
        use scratch = new Scratch()

        let lines odd = [
            "x,label"
            for i in 0..29 do
                (if i = 7 then odd else string (i * i)) + "," + string ([ 'a'; 'b' ][i % 2])
        ]

        let good, bad =
            write scratch "good.csv" (lines "49"), write scratch "bad.csv" (lines "3O")

        for train, test in [ bad, good; good, bad ] do
            Assert.StartsWith(
                $"{bad}, column x, line 9: expected a number",
                refusal [ "Data:Train", train; "Data:Test", test ]
            )

        Assert.StartsWith($"{bad}, column x, line 9:", refusal [ "Data:Train", bad ])

        let unknown =
            write
                scratch
                "unknown.csv"
                (List.map (fun (line: string) -> line.Replace(",b", ",c")) (lines "49"))

        Assert.StartsWith(
            $"{unknown}, column label, line 3: expected one of a, b, found 'c' and 14 cells more.",
            refusal [ "Data:Train", good; "Data:Test", unknown ]
        )

    [<Fact>]
    let ``loading says what the label and the columns are, and what was left out or filled in`` () =
        use scratch = new Scratch()

        let lines = [
            ",id,age,colour,constant,species"
            for i in 0..29 do
                let age = if i % 10 = 3 then "NA" else string (20 + i * i % 17)
                $"""{i},{100 + i},{age},{[ "red"; "blue" ][i % 2]},1,{[ "cat"; "dog"; "owl" ][i / 3 % 3]}"""
        ]

        let data =
            load [
                "Data:Train", write scratch "pets.csv" lines
                "Data:Header", "true"
                "Data:Ignored", "constant"
                "Data:Missing", "Median"
            ]

        let report = reportOf data

        Assert.Equal(
            "label species (cat 12, dog 9, owl 9); 2 numeric columns (id, age); 1 categorical column (colour with 2 categories); ignored: constant; ignored: column 'Unnamed: 0', which numbers the rows like an index of pandas; missing: 3 cells of age ('NA') replaced by the median",
            TableReport.describe report
        )

        Assert.Equal(4, data.Train.Features)
        Assert.Contains("Column id looks like an index", Assert.Single report.Warnings)

    [<Fact>]
    let ``whole numbers that double precision cannot tell apart are different classes`` () =
        use scratch = new Scratch()

        let lines = [
            "size,species"
            for i in 0..59 do
                $"{i * i},900719925474099{2 + i % 3}"
        ]

        let json = [
            for i in 0..59 do
                $"{{\"size\": {i * i}, \"species\": 900719925474099{2 + i % 3}}}"
        ]

        for name, lines in [ "big.csv", lines; "big.jsonl", json ] do
            let data =
                load [ "Data:Train", write scratch name lines; "Data:Categorical", "species" ]

            Exactly.equal
                [ "9007199254740992"; "9007199254740993"; "9007199254740994" ]
                (List.ofSeq data.Classes)

    [<Fact>]
    let ``a column that settings give two parts is refused`` () =
        use scratch = new Scratch()

        let path =
            write scratch "x.csv" [
                "size,other,species"
                for i in 0..29 do
                    $"""{i * i},{i % 4},{[ "cat"; "dog" ][i % 2]}"""
            ]

        for settings, says in
            [
                [ "Data:Ignored", "species" ],
                "Data:Ignored names the label species; Data:Label chooses another label"
                [ "Data:Numeric", "other"; "Data:Categorical", "other" ],
                "Data:Numeric and Data:Categorical name the same column (other)"
            ] do
            Assert.Contains(says, refusal (("Data:Train", path) :: settings))

    [<Fact>]
    let ``a setting that a kind of data cannot follow is refused`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let csv = write scratch "x.csv" csv
        let json = write scratch "x.jsonl" json
        let images, numbers = scratch.Sub "images.npz", scratch.Sub "rows.npz"

        let tensor name shape elements = {
            Name = name
            Shape = shape
            Elements = elements
        }

        let labels =
            tensor "y" [ 40 ] (Elements.Integers(Array.init 40 (fun i -> int64 (i % 2))))

        let pixels =
            Elements.Bytes(ReadOnlyMemory(Array.init 160 (fun i -> byte (i * 7 % 256))))

        File.WriteAllBytes(images, NpzFile.Write [ tensor "x" [ 40; 2; 2 ] pixels; labels ])
        File.WriteAllBytes(numbers, NpzFile.Write [ tensor "x" [ 40; 4 ] pixels; labels ])

        let ofCsv = [ "Header", "true"; "Skip", "1"; "Separator", "comma" ]

        let ofTables = [
            "Label", "y"
            "Numeric", "x"
            "Categorical", "x"
            "Ignored", "x"
            "MissingValues", "-"
            "DecimalSeparator", ","
            "ThousandsSeparator", "."
            "Missing", "Mean"
            "Scaling", "MinMax"
        ]

        let encoding = "Encoding", "latin1"

        for source, what, settings in
            [
                ("Directory", folder), "a CSV file", ofCsv
                ("Directory", folder), "a CSV or JSON file", [ encoding ]
                ("Directory", folder), "a table", ofTables
                ("Directory", folder), "a file (Data:Train)", [ "TestShare", "0.5" ]
                ("Train", images), "a CSV file", ofCsv
                ("Train", images), "a CSV or JSON file", [ encoding ]
                ("Train", images), "a table", ofTables
                ("Train", numbers), "a CSV file", ofCsv
                ("Train", numbers), "a CSV or JSON file", [ encoding ]
                ("Train", json), "a CSV file", ofCsv
            ] do
            for name, value in settings do
                let said = refusal [ $"Data:{fst source}", snd source; $"Data:{name}", value ]

                Assert.Contains(
                    $"Data:{name}: expected {what}, as the setting applies to no other data, found ",
                    said
                )

                Assert.Contains(snd source, said)

        // What is as it would be unless set is no fault, and one file of the kind is enough.
        load [ "Data:Train", images; "Data:Missing", "refuse"; "Data:Scaling", "Standard" ]
        |> ignore

        load [ "Data:Train", csv; "Data:Test", json; "Data:Separator", "comma" ]
        |> ignore

        load [ "Data:Train", images; "Data:TestShare", "0.5" ] |> ignore

    [<Fact>]
    let ``Data:Classes that differ from a table's are refused`` () =
        use scratch = new Scratch()
        let csv = write scratch "x.csv" csv
        Assert.Equal(2, (load [ "Data:Train", csv; "Data:Classes", "2" ]).Train.Classes)

        Assert.Contains(
            "Data:Classes: expected 2, as the labels have, or nothing, found 10",
            refusal [ "Data:Train", csv; "Data:Classes", "10" ]
        )

    [<Theory>]
    [<InlineData("1e300")>]
    [<InlineData("9007199254740992")>]
    [<InlineData("0.1")>]
    let ``a column of one number, however large, is no index`` (number: string) =
        use scratch = new Scratch()

        let lines = [
            "size,constant,species"
            for i in 0..29 do
                $"""{i * i},{number},{[ "cat"; "dog"; "owl" ][i % 3]}"""
        ]

        Assert.Empty((load [ "Data:Train", write scratch "x.csv" lines ] |> reportOf).Warnings)

    [<Fact>]
    let ``a column that gives the label away is told of`` () =
        use scratch = new Scratch()

        let warnings columns =
            let lines = [
                "size,other,species"
                for i in 0..29 do
                    $"""{i * i},{columns (i % 3)},{[ "cat"; "dog"; "owl" ][i % 3]}"""
            ]

            (load [ "Data:Train", write scratch "x.csv" lines ] |> reportOf).Warnings

        Assert.Contains(
            "equals the label",
            Assert.Single(warnings (fun k -> [ "cat"; "dog"; "owl" ][k]))
        )

        Assert.Contains("one to one", Assert.Single(warnings (fun k -> [ "7"; "9"; "4" ][k])))
        Assert.Empty(warnings (fun k -> [ "7"; "9"; "9" ][k]))

    [<Fact>]
    let ``NA is a class or a category where settings say that no text means a missing value`` () =
        use scratch = new Scratch()

        let lines = [
            "size,continent,label"
            for i in 0..29 do
                $"""{i * i},{[ "NA"; "EU" ][i % 2]},{[ "NA"; "AS"; "EU" ][i % 3]}"""
        ]

        let path = write scratch "x.csv" lines
        let said = refusal [ "Data:Train", path ]
        Assert.Contains("x.csv, column continent, line ", said)
        Assert.Contains("found 'NA', a missing value by Data:MissingValues", said)
        let data = load [ "Data:Train", path; "Data:MissingValues", "none" ]
        Assert.Equal<string>([ "AS"; "EU"; "NA" ], data.Classes)
        Assert.Equal(3, data.Train.Features)

        // The inputs are size, continent = EU and continent = NA.
        let inputs = predicted (modelOf data) "n.csv" "size,continent\n0,NA\n"
        Exactly.bits [| 0.0f; 1.0f |] inputs[1..]

    [<Law(MaxTest = 50)>]
    let ``evaluate takes rows as predict takes them, whatever the model is``
        (AnyNetwork networkOf)
        (hundredths: int list)
        =
        use scratch = new Scratch()

        let rowsOf preprocessing = [
            for i, n in List.indexed (hundredths @ [ 250; -150 ]) ->
                match preprocessing with
                | Preprocessing.Pixels _ -> [ float (abs n) / 100.0; float i; 2.5 ]
                | _ -> [ float n / 100.0; float i; 0.5 ]
        ]

        let line (cells: float list) =
            cells |> List.map invariant |> String.concat ","

        let network = networkOf 3

        let table =
            Preprocessing.Table {
                Numbers = [
                    for name in [ "c"; "a"; "b" ] ->
                        {
                            Name = name
                            Fill = nan
                            Centre = 2.0
                            Scale = 3.0
                        }
                ]
                Categories = []
                Format = CellFormat.Default
            }

        for preprocessing in
            [ Preprocessing.Numbers; Preprocessing.Pixels(ImageSize.Grey(1, 3)); table ] do
            let numbers = rowsOf preprocessing

            let path =
                write scratch "rows.csv" [
                    "a,b,c,label"
                    for i, row in List.indexed numbers do
                        $"{line row},{i % 2}"
                ]

            let known = KnownData(preprocessing, [||], Head.Softmax, 3)
            let plan = planOf [ "Data:Train", path; "Data:Test", path ]
            let data = DataFiles.Parse(plan).Encode<float> known

            let samples =
                let content = String.concat "\n" ("a,b,c" :: List.map line numbers)
                let file = DataFile.Of("rows.csv", ReadOnlyMemory(Encoding.UTF8.GetBytes content))

                let model = {
                    Model.ofNetwork network with
                        Preprocessing = preprocessing
                }

                SampleFile.Parse(file, model, false, plan.Settings.Data).Data

            Exactly.bits (inputs samples) (inputs data.Test)
