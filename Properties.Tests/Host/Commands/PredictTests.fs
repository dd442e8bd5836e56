namespace Pipeline.Properties.Host

open System
open System.IO
open System.Text
open System.Text.Json
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// The commands predict, inspect and diff, and the files that they read.
module PredictTests =
    /// Dark ink on light paper, or light ink on dark.
    let private png isDarkInk rows columns (ink: byte[]) : byte[] =
        let ink =
            if isDarkInk then
                ink
            else
                ink |> Array.map (fun x -> 255uy - x)

        PngWriter.OfBytes(ByteImage(ImageSize.Grey(rows, columns), ink))

    let private parse isDarkInk (bytes: byte[]) =
        PngReader.Parse(ReadOnlyMemory bytes, 1, isDarkInk, 1_000_000L, "x.png")

    [<Law>]
    let ``pictures give back the ink that was drawn`` (Images images) =
        let ink = images.Pixels.Slice(0, images.Size.Count).ToArray()

        for isDarkInk in [ true; false ] do
            let image = parse isDarkInk (png isDarkInk images.Size.Rows images.Size.Columns ink)
            Exactly.equal images.Size image.Size
            Exactly.bits ink image.Numbers

    /// PNG files of several kinds, made by zlib: six pixels, 0 255 0 above 255 0 255.
    let private kinds = [
        "grey of one bit",
        "89504e470d0a1a0a0000000d4948445200000003000000020100000000b50f5bb70000000c49444154789c637060580000016400e1913adf2c0000000049454e44ae426082"
        "grey of 16 bits",
        "89504e470d0a1a0a0000000d4948445200000003000000021000000000e88fe5850000001249444154789c636060f8ff9f0142fcff0f0022eb05fbe5c2eb710000000049454e44ae426082"
        "a palette of four bits",
        "89504e470d0a1a0a0000000d49484452000000030000000204030000006f5a7b2900000006504c5445000000ffffffa5d99fdd0000000e49444154789c6360646010100000003b0022b5857f9a0000000049454e44ae426082"
        "colours with transparency",
        "89504e470d0a1a0a0000000d49484452000000030000000208060000009d74661a0000001749444154789c63e0e4e464f80f0427188000c48052ff0196630dd77d4916cc0000000049454e44ae426082"
    ]

    [<Fact>]
    let ``every kind of PNG gives the same ink`` () =
        for kind, hex in kinds do
            let image = parse false (Convert.FromHexString hex)
            Assert.True((image.Size = ImageSize.Grey(2, 3)), kind)
            Assert.Equal<byte>([| 0uy; 255uy; 0uy; 255uy; 0uy; 255uy |], image.Numbers)

    [<Fact>]
    let ``damaged pictures are refused, and never an exception`` () =
        let tried (bytes: byte[]) =
            try
                parse true bytes |> ignore
            with :? RefusedException as refused ->
                Assert.StartsWith("x.png", Assert.Single refused.Reasons)

        for bytes in
            png true 5 7 (Array.init 35 byte)
            :: (kinds |> List.map (snd >> Convert.FromHexString)) do
            for length in 0 .. bytes.Length - 1 do
                tried bytes[.. length - 1]

            for place in 0 .. bytes.Length - 1 do
                for value in [ 0uy; 0xFFuy; bytes[place] ^^^ 1uy; bytes[place] ^^^ 0x40uy ] do
                    let changed = Array.copy bytes
                    changed[place] <- value
                    tried changed

    [<Fact>]
    let ``a picture that claims a great size is refused before it is unpacked`` () =
        let bytes = png true 5 7 (Array.init 35 byte)
        bytes[16] <- 0x7Fuy
        Assert.Contains("at most 1000000 bytes", refusal (fun () -> parse true bytes))

    /// A short run on the small images.
    let private trained (scratch: Scratch) changes =
        let ended = Given.host (Given.options scratch changes)
        Assert.True((ended.ExitCode = 0), ended.Errors)
        Given.runs scratch |> Array.sort |> Array.last

    let private images (scratch: Scratch) =
        Path.Combine(scratch.Sub "data", "t10k-images-idx3-ubyte")

    let private lines (text: string) =
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

    [<Fact>]
    let ``images and rows of their pixels are predicted alike, one and many, in every form`` () =
        use scratch = new Scratch()
        let folder = trained scratch []

        let all =
            Idx.parseImages (ReadOnlyMemory(File.ReadAllBytes(images scratch))) |> orFail

        let pixels i = all.Pixels.Slice(16 * i, 16).ToArray()
        let first, second = scratch.Sub "first.png", scratch.Sub "second.png"
        File.WriteAllBytes(first, png false 4 4 (pixels 0))
        File.WriteAllBytes(second, png false 4 4 (pixels 1))

        let rows = scratch.Sub "rows.csv"
        let row i = String.Join(',', pixels i)
        File.WriteAllLines(rows, [ row 0; row 1 ])

        let probabilities arguments =
            let ended = Given.host ([ "predict"; folder; "--format"; "csv" ] @ arguments)
            Assert.True((ended.ExitCode = 0), ended.Errors)
            let said = lines ended.Output
            Assert.Equal("sample,class,0,1,2,3,4,5,6,7,8,9", said.Head)
            said.Tail |> List.map (fun line -> line.Substring(line.IndexOf ','))

        let expected = probabilities [ images scratch ]
        Assert.Equal(60, expected.Length)
        Assert.Equal<string>(List.take 2 expected, probabilities [ first; second ])
        Assert.Equal<string>(List.take 2 expected, probabilities [ rows ])

        // The model says what the network does.
        let network = ModelFile.Read(folder).ModelOf<float32>().Network
        let data: Dataset<float32> = Dataset.ofIdx 10 all (Array.zeroCreate 60) |> orFail
        let said = Network.probabilities network data
        let cells = expected[7].Split(',')
        Assert.Equal(float said[3, 7], float cells[5])

        let text = Given.host [ "predict"; folder; first; "--top"; "2" ]
        Assert.Matches(@"^first\.png: \d \([01]\.\d{4}\), \d \([01]\.\d{4}\)\n$", text.Output)

        let json = Given.host [ "predict"; folder; first; "--format"; "json" ]
        let sample = JsonDocument.Parse(json.Output).RootElement[0]
        Assert.Equal("first.png", string (sample.GetProperty "sample"))
        Assert.Equal(10, sample.GetProperty("outputs").EnumerateObject() |> Seq.length)

        for arguments, says in
            [
                [ scratch.Sub "none.png" ], "a file that can be read"
                [ first; "--format"; "xml" ], "one of text, csv, json"
                [ Path.Combine(folder, "epochs.csv") ],
                "16 columns, one for each input of the model, found 9"
            ] do
            let ended = Given.host ([ "predict"; folder ] @ arguments)
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(says, ended.Errors)

        File.WriteAllBytes(first, png false 4 5 (Array.zeroCreate 20))
        let ended = Given.host [ "predict"; folder; first ]
        Assert.Contains("images of 4 × 4 pixels, as the model takes them, found", ended.Errors)

    [<FactOnUnix>]
    let ``rows from standard input are encoded as the training rows were`` () =
        use scratch = new Scratch()

        let rows = [
            for i in 0..59 ->
                let colour = [ "red"; "green"; "blue" ][i % 3]
                let size = float (i % 7)
                let label = if colour = "red" || size > 4.0 then "yes" else "no"
                FormattableString.Invariant $"{colour},{size},{label}"
        ]

        File.WriteAllLines(scratch.Sub "rows.csv", "colour,size,label" :: rows)

        let ended =
            Given.host [
                "--preset"
                "small-table"
                "--Data:Train"
                scratch.Sub "rows.csv"
                "--Run:Directory"
                scratch.Sub "runs"
            ]

        Assert.True((ended.ExitCode = 0), ended.Errors)
        let folder = Assert.Single(Given.runs scratch)

        let predict (input: string) (arguments: string list) =
            let file = scratch.Sub "input"
            File.WriteAllText(file, input)
            let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")
            let rest = String.concat " " arguments

            Tools.run "sh" [ "-c"; $"dotnet '{program}' predict '{folder}' - {rest} < '{file}'" ]
            |> Option.get

        let ended = predict "size,colour\n1,red\n1,blue\n" []
        Assert.True((ended.ExitCode = 0), ended.Errors)
        let said = lines ended.Output
        Assert.Contains("standard input row 1: yes", said[0])
        Assert.Contains("row 2: no", said[1])

        let ended = predict """[{"colour": "green", "size": 6}]""" [ "--from"; "json" ]
        Assert.Contains("row 1: yes", ended.Output)

        for json in [ """[{"colour": "green", "size": 6}]"""; "\n{\"size\": 6}\n{\"size\": 7}\n" ] do
            let ended = predict json []
            Assert.Equal(2, ended.ExitCode)

            Assert.Contains(
                "standard input: expected rows as CSV, or --from json, found rows as JSON.",
                ended.Errors
            )

        let ended = predict "size,colour\n1,purple\n" []
        Assert.Equal(2, ended.ExitCode)

        Assert.Contains(
            "standard input, column colour, line 2: expected one of blue, green, red, found 'purple'",
            ended.Errors
        )

    [<Fact>]
    let ``inspect tells what a model is made of and where it is from`` () =
        use scratch = new Scratch()
        let folder = trained scratch [ "Training:Seed", "77" ]
        let ended = Given.host [ "inspect"; folder ]
        Assert.Equal(0, ended.ExitCode)

        for said in
            [
                "Model 16-8-10"
                "4 × 4 pixels"
                "Sigmoid"
                "Softmax (head)"
                "226"
                "77"
                "completed"
            ] do
            Assert.Contains(said, ended.Output)

    [<Fact>]
    let ``diff shows what differs between two runs, and draws their losses`` () =
        use scratch = new Scratch()
        let one = trained scratch []
        let other = trained scratch [ "Training:LearningRate", "0.5"; "Run:Name", "slower" ]
        let picture = scratch.Sub "both.svg"
        let ended = Given.host [ "diff"; one; other; "--output"; picture ]
        Assert.True((ended.ExitCode = 0), ended.Errors)
        Assert.Matches(@"Training:LearningRate +1 +0\.5", ended.Output)
        Assert.DoesNotContain("Training:BatchSize", ended.Output)
        Assert.Contains("final_test_accuracy", ended.Output)
        Assert.Contains("slower", File.ReadAllText picture)

        let same = Given.host [ "diff"; one; one ]
        Assert.DoesNotContain("Training:", same.Output)
        Assert.StartsWith("The settings of both runs are the same.", same.Output)
        Assert.DoesNotContain("Settings that differ", same.Output)
        Assert.DoesNotContain("The data of the runs are different.", same.Output)
        let data = scratch.Sub "other"
        Directory.CreateDirectory data |> ignore

        for file in Directory.GetFiles(scratch.Sub "data") do
            let bytes = File.ReadAllBytes file

            if file.Contains "train-labels" then
                bytes[20] <- (bytes[20] + 1uy) % 10uy

            File.WriteAllBytes(Path.Combine(data, string (Path.GetFileName file)), bytes)

        let again = Given.host [ "diff"; one; trained scratch [ "Data:Directory", data ] ]
        Assert.Contains("The data of the runs are different.", again.Output)

        // A picture takes the place of nothing that a run has left.
        for file in Directory.GetFiles one do
            let before = File.ReadAllBytes file
            let ended = Given.host [ "diff"; other; one; "--output"; file ]

            if Path.GetFileName file <> "curves.svg" then
                Assert.Equal(2, ended.ExitCode)
                Assert.StartsWith($"{file}: expected", ended.Errors)
                Assert.Equal<byte>(before, File.ReadAllBytes file)

        Assert.Equal(2, (Given.host [ "diff"; one; scratch.Sub "nowhere" ]).ExitCode)

    /// The digits of MNIST's test set.
    let private digits: Lazy<ByteImage[]> =
        lazy
            (let path = DefaultPaths.PathOf "data/mnist/t10k-images-idx3-ubyte.gz"

             let file = DataFile.Read(path, 10_000_000L)
             let images = Idx.parseImages file.Content |> orFail
             let size = images.Size.Count

             Array.init images.Count (fun i ->
                 ByteImage(images.Size, images.Pixels.Slice(i * size, size).ToArray())))

    let private inverted (image: ByteImage) =
        ByteImage(image.Size, image.Numbers |> Array.map (fun x -> 255uy - x))

    [<Fact>]
    let ``no digit of MNIST looks inverted, and each does when it is`` () =
        let notes image =
            InkCheck.Notes(image, false, "x.png").Length

        Assert.Equal(0, digits.Value |> Array.sumBy notes)
        Assert.Equal(10_000, digits.Value |> Array.sumBy (inverted >> notes))

    /// Paper is grey, ink is not black, and there is noise: a photograph.
    [<Fact>]
    let ``grey paper with grey ink is told from its inverse`` () =
        let random = Random 1

        for image in digits.Value[..999] do
            let photograph =
                ByteImage(
                    ImageSize.Grey(28, 28),
                    image.Numbers |> Array.map (fun ink -> byte (60 + int ink / 3 + random.Next 20))
                )

            Assert.Empty(InkCheck.Notes(photograph, false, "x.png"))
            Assert.NotEmpty(InkCheck.Notes(inverted photograph, false, "x.png"))

    [<Theory>]
    [<InlineData(0, false, "with --dark-ink dark pixels are ink")>]
    [<InlineData(255, true, "without --dark-ink light pixels are ink")>]
    let ``an image without a drawing is called blank`` (ink: byte, isDarkInk: bool, says: string) =
        let image = ByteImage(ImageSize.Grey(2, 3), Array.create 6 ink)
        let note = Assert.Single(InkCheck.Notes(image, isDarkInk, "x.png"))
        Assert.StartsWith("x.png is blank", note)
        Assert.Contains(says, note)

    [<Fact>]
    let ``predict says that a picture looks inverted, in the way that it is taken`` () =
        use scratch = new Scratch()
        let folder = trained scratch []
        let ink = Array.init 16 (fun i -> if i = 5 || i = 6 then 250uy else 0uy)
        File.WriteAllBytes(scratch.Sub "light.png", png false 4 4 ink)
        File.WriteAllBytes(scratch.Sub "dark.png", png true 4 4 ink)

        let predict arguments =
            let ended = Given.host ("predict" :: folder :: arguments)
            Assert.Equal(0, ended.ExitCode)
            ended

        for name, option, says in
            [
                "light.png", [], ""
                "dark.png", [ "--dark-ink" ], ""
                "dark.png", [], "looks dark on light"
                "light.png", [ "--dark-ink" ], "looks light on dark"
            ] do
            let ended = predict (scratch.Sub name :: option)

            if says = "" then
                Assert.Equal("", ended.Errors)
            else
                Assert.Contains(says, ended.Errors)
                Assert.Contains("--dark-ink", ended.Errors)
                Assert.Contains(name, ended.Errors)

    [<Fact>]
    let ``numbers of JSON keep their spelling in names and in columns that are kept`` () =
        use scratch = new Scratch()
        let rows = scratch.Sub "rows.json"

        let row (id: string) i =
            $"""{{"id": {id}, "a": %d{i % 2}.5, "size": %d{i % 3}.25, "y": {if i % 2 = 0 then "0.5" else "1.50"}}}"""

        File.WriteAllLines(rows, [ for i in 0..59 -> row (string i) i ])

        let trained =
            Given.host [
                "train"
                $"--Data:Train={rows}"
                "--Data:Ignored=id"
                "--Data:Categorical=size,y"
                "--Training:Iterations=5"
                "--Run:Directory=" + scratch.Sub "runs"
            ]

        Assert.True((trained.ExitCode = 0), trained.Errors)
        let run = Assert.Single(Given.runs scratch)
        let model = ModelFile.Read(run).ModelOf<float32>()
        Exactly.equal [ "0.5"; "1.5" ] (List.ofSeq model.Classes)

        match model.Preprocessing with
        | Preprocessing.Table encoding ->
            Exactly.equal [ "0.25"; "1.25"; "2.25" ] (Assert.Single encoding.Categories).Values
        | other -> failwith $"expected a table, found {other}"

        let ids = [ "17.0"; "1.50"; "-0.125"; "3"; "1e5"; "\"12e-3\"" ]
        let asked = scratch.Sub "asked.json"
        File.WriteAllLines(asked, ids |> List.map (fun id -> row id 1))
        let ended = Given.host [ "predict"; run; asked; "--keep"; "id"; "--format"; "csv" ]
        Assert.True((ended.ExitCode = 0), ended.Errors)

        for line, id in List.zip (List.ofArray (ended.Output.Trim().Split('\n'))).Tail ids do
            Assert.Contains("," + id.Trim('"') + ",", line)

    [<Fact>]
    let ``columns that a model does not take by place are named`` () =
        use scratch = new Scratch()
        let rows = scratch.Sub "rows.csv"

        File.WriteAllLines(
            rows,
            [
                for i in 0..39 -> $"%d{i % 7}.5,%d{i % 5}.25,{if i % 2 = 0 then 'a' else 'b'}"
            ]
        )

        let runs = scratch.Sub "runs"

        let trained =
            Given.host [
                "train"
                $"--Data:Train={rows}"
                "--Training:Iterations=5"
                $"--Run:Directory={runs}"
            ]

        Assert.True((trained.ExitCode = 0), trained.Errors)
        let run = Assert.Single(Given.runs scratch)
        let indexed = scratch.Sub "indexed.csv"
        File.WriteAllLines(indexed, [ "1,2.5,0.25"; "2,3.5,1.25" ])
        let labelled = scratch.Sub "labelled.csv"
        File.WriteAllLines(labelled, [ "1,2.5,0.25,a"; "2,3.5,1.25,b" ])

        for command in
            [
                [ "predict"; run; indexed ]
                [ "evaluate"; $"{run}/model.safetensors"; $"--Data:Test={labelled}" ]
            ] do
            let ended = Given.host command
            Assert.Contains("not used: column 2. The model was trained on rows", ended.Errors)

        let own = scratch.Sub "own.csv"
        File.WriteAllLines(own, [ "2.5,0.25"; "3.5,1.25" ])
        let ended = Given.host [ "predict"; run; own ]
        Assert.True((ended.ExitCode = 0), ended.Errors)
        Assert.DoesNotContain("not used", ended.Errors)

    [<Fact>]
    let ``options that have nothing to apply to are refused`` () =
        use scratch = new Scratch()
        let folder = trained scratch []
        File.WriteAllBytes(scratch.Sub "ink.png", png false 4 4 (Array.zeroCreate 16))
        let rows = scratch.Sub "rows.csv"
        File.WriteAllText(rows, String.Join(',', Array.replicate 16 "0") + "\n")

        for arguments, says in
            [
                [ rows; "--dark-ink" ], "--dark-ink: expected PNG images"
                [ rows; "--from"; "json" ], "--from: expected - among the files"
                [ rows; "--top"; "2"; "--format"; "csv" ], "--top: expected the format text"
                [ rows; "--top"; "2"; "--format"; "json" ], "found json"
            ] do
            let ended = Given.host ([ "predict"; folder ] @ arguments)
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(says, ended.Errors)
            Assert.Equal("", ended.Output)

        for arguments in
            [
                [ rows; scratch.Sub "ink.png"; "--dark-ink" ]
                [ rows; "--top"; "2" ]
                [ rows; "--format"; "csv" ]
            ] do
            Assert.Equal(0, (Given.host ([ "predict"; folder ] @ arguments)).ExitCode)

    [<Fact>]
    let ``predict identifies files with the same name by their paths`` () =
        use scratch = new Scratch()
        let folder = trained scratch []

        let image name ink =
            let path = scratch.Sub name
            Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
            File.WriteAllBytes(path, png false 4 4 (Array.create 16 ink))
            path

        let first, second = image "a/1.png" 10uy, image "b/1.png" 200uy
        let third = image "a/2.png" 90uy

        let ended =
            Given.host [ "predict"; folder; first; second; third; "--format"; "csv" ]

        let names =
            (lines ended.Output).Tail
            |> List.map (fun line -> line.Substring(0, line.IndexOf ','))

        Exactly.equal [ first; second; "2.png" ] names

    [<Fact>]
    let ``an image of another size is refused by its header, before its pixels are read`` () =
        use scratch = new Scratch()
        let folder = trained scratch []
        let path = scratch.Sub "large.png"
        let bytes = png false 5 7 (Array.zeroCreate 35)
        // Pixels that cannot be decompressed.
        File.WriteAllBytes(path, Array.append bytes[..60] (Array.zeroCreate 8))
        let ended = Given.host [ "predict"; folder; path ]
        Assert.Equal(2, ended.ExitCode)

        Assert.Contains(
            "expected images of 4 × 4 pixels, as the model takes them, found images of 5 × 7",
            ended.Errors
        )

    [<Fact>]
    let ``numbers that are no pixels of 0 to 255 are refused for a model of images`` () =
        use scratch = new Scratch()
        let folder = trained scratch []
        let rows = scratch.Sub "rows.csv"

        for pixel, found in
            [
                "0.25", "none above 1 (multiply them by 255)"
                "1", "none above 1 (multiply them by 255)"
                "256", "numbers of 0 to 256"
                "-1", "numbers of -1 to 0"
            ] do
            File.WriteAllText(rows, String.Join(',', pixel :: List.replicate 15 "0") + "\n")
            let ended = Given.host [ "predict"; folder; rows ]
            Assert.Equal(2, ended.ExitCode)

            Assert.Contains(
                "expected pixels of 0 to 255, as the model takes them, found " + found,
                ended.Errors
            )

        for pixel in [ "0"; "2"; "255"; "12.5" ] do
            File.WriteAllText(rows, String.Join(',', pixel :: List.replicate 15 "0") + "\n")
            Assert.Equal(0, (Given.host [ "predict"; folder; rows ]).ExitCode)

        // Brighter rows in the same file are no reason to take fractions.
        let row (pixel: string) =
            String.Join(',', pixel :: List.replicate 15 "0")

        File.WriteAllLines(rows, [ row "255"; row "0"; row "0.25" ])
        let ended = Given.host [ "predict"; folder; rows ]
        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("found none above 1 in row 3 (multiply them by 255)", ended.Errors)

        File.WriteAllLines(rows, [ row "255"; row "0"; row "1" ])
        Assert.Equal(0, (Given.host [ "predict"; folder; rows ]).ExitCode)

    [<Fact>]
    let ``columns that are kept never have the name of another column`` () =
        use scratch = new Scratch()
        let rows = scratch.Sub "rows.csv"

        File.WriteAllLines(
            rows,
            "class,a,sample,yes,y"
            :: [
                for i in 0..39 do
                    let answer = if i % 2 = 0 then "yes" else "no"
                    $"%d{i},%d{i % 7}.5,s%d{i},n,{answer}"
            ]
        )

        let trained =
            Given.host [
                "train"
                $"--Data:Train={rows}"
                "--Data:Ignored=class,sample,yes"
                "--Training:Iterations=5"
                $"""--Run:Directory={scratch.Sub "runs"}"""
            ]

        Assert.True((trained.ExitCode = 0), trained.Errors)
        let run = Assert.Single(Given.runs scratch)

        let ended =
            Given.host [ "predict"; run; rows; "--keep"; "class,sample,yes,a"; "--format"; "csv" ]

        Assert.Equal(
            "sample,kept class,kept sample,kept yes,a,class,no,yes",
            (lines ended.Output).Head
        )

        Assert.Contains("rows.csv row 3,2,s2,n,2.5,", ended.Output)
