namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Xunit
open FsCheck
open FsCheck.FSharp
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Interop
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training

/// Models put to use: compared on the same samples, each by its own preprocessing and classes; written so
/// that whatever moment is the process's last, nothing is lost.
module ModelPublisherTests =
    /// A service that watches these data, without a run.
    type private Service(scratch: Scratch, files: IFiles, settings: (string * string) list) =
        let logger = new LogKeeper()

        let host =
            let values = Dictionary<string, string>()

            for key, value in
                [ "Run:Mode", "Watch"; "Run:Directory", scratch.Sub "runs" ] @ settings do
                values[$"Pipeline:{key}"] <- value

            let builder = ServiceRegistration.CreateTrainingBuilder(CommandLineSettings values)

            builder.Services.AddSingleton<IFiles>(files) |> ignore
            logger.Replace builder.Logging

            builder.Build()

        member _.Logged = List.ofSeq logger.Lines
        member _.Plan = host.Services.GetRequiredService<RunConfiguration>()
        member _.ModelPublisher = host.Services.GetRequiredService<ModelPublisher>()

        member _.Load() =
            host.Services
                .GetRequiredService<DataLoader>()
                .LoadAsync<float32>(CancellationToken.None)
                .Result

        interface IDisposable with
            member _.Dispose() = host.Dispose()

    /// A network of random weights for data, with its own seed.
    let private modelOf
        (seed: uint64)
        (classes: string list)
        (data: TrainingData<float32>)
        : Model<float32> =
        let data = data.Loaded

        let architecture =
            Architecture.dense Activation.Tanh [ data.Train.Features; 6; data.Train.Classes ]

        Models.Create(
            Network.initialise (Initialiser.Fixed 1.0) seed architecture,
            data.Preprocessing,
            classes,
            Dictionary<string, string>()
        )

    let private finished (folder: string) (model: Model<float32>) =
        FinishedRun(Outcome.Completed, folder, 7L, model)

    /// Rows of two numbers of that scale and place, and a class of some.
    let private write (path: string) (random: Random) (scale: float) (place: float) classes count =
        File.WriteAllLines(
            path,
            [
                for i in 0 .. count - 1 ->
                    let x = place + scale * random.NextDouble()
                    let y = place - scale * random.NextDouble()

                    FormattableString.Invariant
                        $"{x},{y},{List.item (i % List.length classes) classes}"
            ]
        )

    /// The share of a file's rows that a model's file is right about, by the way that rows to predict take.
    let private rightAbout (model: Model<float32>) (rows: string) : float =
        let file = DataFile.Read(rows, DataFile.UsualLimit)
        let samples = (SampleFile.Parse(file, model, false, DataSettings())).Data
        let outputs = Network.probabilities model.Network samples

        let right =
            File.ReadAllLines rows
            |> Array.indexed
            |> Array.filter (fun (row, line) ->
                let answer = outputs.Column(row).MaximumIndex()
                Model.className model answer = line.Substring(line.LastIndexOf ',' + 1))

        float right.Length / float outputs.ColumnCount

    [<Law(MaxTest = 20)>]
    let ``with a metric, a model gives way to one that is no worse by it``
        (seed: int)
        (firstSeed: uint64)
        (secondSeed: uint64)
        =
        use scratch = new Scratch()
        let random = Random seed
        let train, test = scratch.Sub "train.csv", scratch.Sub "test.csv"
        let classes = [ "a"; "b"; "c" ]
        write train random 1.0 0.0 classes 30
        write test random 2.0 0.0 classes 40
        let margin = float (random.Next 3) / 20.0

        use service =
            new Service(
                scratch,
                DiskFiles(),
                [
                    "Data:Train", train
                    "Data:Test", test
                    "Training:Metric", "AreaUnderRoc"
                    "Watch:Margin", margin.ToString Globalization.CultureInfo.InvariantCulture
                ]
            )

        let data = service.Load()

        let used, candidate =
            modelOf firstSeed classes data, modelOf secondSeed classes data

        Directory.CreateDirectory(scratch.Sub "runs") |> ignore
        let path = service.Plan.PublishedModelPath
        let before = Safetensors.write used
        File.WriteAllBytes(path, before)
        service.ModelPublisher.Publish(finished "the run" candidate, data)

        let area (model: Model<float32>) =
            match Evaluation.create EvaluationOptions.Default model.Network data.Samples.Test with
            | Evaluation.Classification figures -> figures.MacroAreaUnderRoc
            | Evaluation.Regression _ -> failwith "classes were expected"

        let isPublished = not ((File.ReadAllBytes path).AsSpan().SequenceEqual before)
        let difference = area candidate - area used

        if abs (difference + margin) > 1e-9 then
            Exactly.equal (difference > -margin) isPublished

        let line =
            Assert.Single(service.Logged, fun line -> line.Contains "the model of the run")

        Assert.Contains("area under the ROC curve", line)
        Exactly.equal isPublished (line.Contains "ublished")

    let private text (accuracy: float) =
        FormattableString.Invariant $"accuracy {accuracy:F4}"

    [<Law(MaxTest = 30)>]
    let ``the model in use is held to the same rows by its own scales and order of classes``
        (seed: int)
        (firstSeed: uint64)
        (secondSeed: uint64)
        =
        use scratch = new Scratch()
        let random = Random seed

        let first, train, test =
            scratch.Sub "first.csv", scratch.Sub "train.csv", scratch.Sub "test.csv"

        let classes = [ "a"; "b"; "c" ]
        write first random 1.0 0.0 classes 30
        write train random (1.0 + 9.0 * random.NextDouble()) (20.0 * random.NextDouble()) classes 30
        write test random 2.0 0.0 classes 40

        let service data =
            new Service(scratch, DiskFiles(), [ "Data:Train", data; "Data:Test", test ])

        use before = service first
        // Another order of classes is another model's right.
        let order = List.sortBy (fun _ -> random.Next()) classes
        let used = modelOf firstSeed order (before.Load())
        Directory.CreateDirectory(scratch.Sub "runs") |> ignore
        let path = before.Plan.PublishedModelPath
        File.WriteAllBytes(path, Safetensors.write used)
        use now = service train
        let data = now.Load()
        let candidate = modelOf secondSeed classes data
        now.ModelPublisher.Publish(finished "the run" candidate, data)
        let usedScore, score = rightAbout used test, rightAbout candidate test

        let line =
            Assert.Single(now.Logged, fun line -> line.Contains "the model of the run")

        Assert.Contains($": {text score}", line)

        if score >= usedScore then
            Assert.EndsWith($"previous model: {text usedScore}", line)
            Assert.NotEqual<byte>(Safetensors.write used, File.ReadAllBytes path)
        else
            Assert.EndsWith($"model in use: {text usedScore}", line)
            Assert.Equal<byte>(Safetensors.write used, File.ReadAllBytes path)

    [<Fact>]
    let ``a model in use that these samples do not fit is named with the reason, and replaced`` () =
        for oldClasses, oldColumns, newClasses, says in
            [
                // A class that the model in use does not know.
                [ "a"; "b" ], "", [ "a"; "b"; "c" ], "'c'"
                // A column that is not there any more.
                [ "a"; "b" ], "1.5,", [ "a"; "b" ], "column"
            ] do
            use scratch = new Scratch()
            let random = Random 1
            write (scratch.Sub "first.csv") random 1.0 0.0 oldClasses 30

            File.WriteAllLines(
                scratch.Sub "first.csv",
                File.ReadAllLines(scratch.Sub "first.csv")
                |> Array.map (fun line -> oldColumns + line)
            )

            write (scratch.Sub "train.csv") random 1.0 0.0 newClasses 60

            let load data =
                new Service(scratch, DiskFiles(), [ "Data:Train", scratch.Sub data ])

            use before = load "first.csv"
            let used: Model<float32> = modelOf 1UL oldClasses (before.Load())
            Directory.CreateDirectory(scratch.Sub "runs") |> ignore
            File.WriteAllBytes(before.Plan.PublishedModelPath, Safetensors.write used)
            use now = load "train.csv"
            let data = now.Load()
            now.ModelPublisher.Publish(finished "the run" (modelOf 2UL newClasses data), data)

            let line =
                Assert.Single(now.Logged, fun line -> line.Contains "cannot be evaluated")

            Assert.Contains(says, line)
            Assert.Contains(now.Logged, fun line -> line.EndsWith "previous model: none")

    [<Fact>]
    let ``images of another size, numbers instead of classes and the other precision`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch
        use service = new Service(scratch, DiskFiles(), [ "Data:Directory", folder ])
        let data = service.Load()
        Directory.CreateDirectory(scratch.Sub "runs") |> ignore
        let digits = [ for k in 0..9 -> string k ]

        let published (used: byte[]) =
            File.WriteAllBytes(service.Plan.PublishedModelPath, used)
            service.ModelPublisher.Publish(finished "the run" (modelOf 2UL digits data), data)
            List.last service.Logged, List.item (service.Logged.Length - 2) service.Logged

        let model: Model<float32> = modelOf 1UL digits data

        let last, before =
            published (
                Safetensors.write {
                    model with
                        Preprocessing = Preprocessing.Pixels(ImageSize.Grey(2, 8))
                }
            )

        Assert.EndsWith("previous model: none", last)
        Assert.Contains("images of 2 × 8 pixels", before)

        let last, before =
            published (
                let layers = model.Network.Architecture

                let numbers = Architecture.create Head.Identity layers.Shape layers.Layers |> orFail

                Safetensors.write {
                    model with
                        Network = {
                            model.Network with
                                Architecture = numbers
                        }
                }
            )

        Assert.EndsWith("previous model: none", last)
        Assert.Contains("predicts numbers", before)
        let figure (line: string) = line.Substring(line.LastIndexOf ':')
        let single, _ = published (Safetensors.write model)

        let double: Model<float> = {
            Network = Network.convert model.Network
            Preprocessing = model.Preprocessing
            Classes = model.Classes
            Decision = ValueNone
            Conformal = ValueNone
            Statistics = ValueNone
            Notes = model.Notes
        }

        let last, _ = published (Safetensors.write double)
        Assert.StartsWith(": accuracy", figure single)
        Assert.Equal(figure single, figure last)

    [<Fact>]
    let ``whatever moment of a publication is the last, what is recorded as considered is in use``
        ()
        =
        for last in [ "model.safetensors"; "model.json" ] do
            use scratch = new Scratch()
            let settings = [ "Data:Directory", Given.data scratch ]
            let dying = DyingFiles((=) last)
            use service = new Service(scratch, dying, settings)
            let data = service.Load()
            let model = modelOf 2UL [ for k in 0..9 -> string k ] data

            Assert.ThrowsAny<exn>(fun () ->
                service.ModelPublisher.Publish(finished "the run" model, data))
            |> ignore

            use after = new Service(scratch, DiskFiles(), settings)

            match after.ModelPublisher.Current() with
            | null -> ()
            | record ->
                Assert.Equal("the run", record.Considered)
                Assert.True(File.Exists after.Plan.PublishedModelPath)

    [<Fact>]
    let ``the model in use has a name that its record has not`` () =
        use scratch = new Scratch()

        for name in [ "m.json"; "m"; "m.onnx"; "m.safetensors.json" ] do
            let refused =
                Assert.Throws<RefusedException>(fun () ->
                    new Service(scratch, DiskFiles(), [ "Watch:Model", scratch.Sub name ])
                    |> ignore)

            Assert.StartsWith(
                "Watch:Model: expected a name that ends in .safetensors",
                Assert.Single refused.Reasons
            )

    [<FactOnUnix>]
    let ``a model in use may be a link to a file, and nothing that is no file`` () =
        use scratch = new Scratch()
        let sub = scratch.Sub
        File.WriteAllText(sub "target.safetensors", "")

        File.CreateSymbolicLink(sub "link.safetensors", sub "target.safetensors")
        |> ignore

        File.CreateSymbolicLink(sub "new.safetensors", "not-yet.safetensors") |> ignore
        Directory.CreateDirectory(sub "folder.safetensors") |> ignore
        Directory.CreateDirectory(sub "other.json") |> ignore
        Diagnostics.Process.Start("mkfifo", [ sub "pipe.safetensors" ]).WaitForExit()
        File.CreateSymbolicLink(sub "null.safetensors", "/dev/null") |> ignore

        File.CreateSymbolicLink(sub "circle.safetensors", "circle.safetensors")
        |> ignore

        File.CreateSymbolicLink(sub "record.safetensors", "record.json") |> ignore
        let data = Given.data scratch
        let images = Directory.GetFiles data |> Array.head
        File.CreateSymbolicLink(sub "data.safetensors", images) |> ignore
        File.CreateSymbolicLink(sub "beside.json", images) |> ignore

        let service name =
            new Service(scratch, DiskFiles(), [ "Data:Directory", data; "Watch:Model", sub name ])

        for name in [ "folder"; "other"; "pipe"; "null"; "circle"; "record"; "data"; "beside" ] do
            use service = service $"{name}.safetensors"

            let refused =
                Assert.Throws<RefusedException>(fun () -> service.ModelPublisher.Check())

            Assert.StartsWith(sub name, Assert.Single refused.Reasons)

        for name, target in [ "link", "target"; "new", "not-yet" ] do
            use service = service $"{name}.safetensors"
            service.ModelPublisher.Check()
            let data = service.Load()
            let model = modelOf 2UL [ for k in 0..9 -> string k ] data
            service.ModelPublisher.Publish(finished "the run" model, data)
            Assert.NotNull(FileInfo(sub $"{name}.safetensors").LinkTarget)
            Assert.True((FileInfo(sub $"{target}.safetensors").Length > 100L))

    [<Fact>]
    let ``data are looked at until they have stopped changing`` () =
        use scratch = new Scratch()
        let file = scratch.Sub "rows.csv"
        File.WriteAllText(file, "1,2,a\n")

        use service =
            new Service(scratch, DiskFiles(), [ "Data:Train", file; "Watch:Every", "0.002" ])

        let looks = ref 0
        let writes = 5

        // A look begins with a beat of the pulse, which asks the clock.
        let clock = {
            new TimeProvider() with
                override _.GetTimestamp() =
                    if looks.Value >= 0 then
                        looks.Value <- looks.Value + 1

                        if looks.Value <= writes then
                            File.AppendAllText(file, "1,2,a\n")

                    0L
        }

        looks.Value <- -1

        let watch =
            DataFileWatcher(service.Plan, Liveness(service.Plan, clock), DiskFiles(), clock)

        watch.ChangedAsync(CancellationToken.None).Wait()
        looks.Value <- 0
        watch.ChangedAsync(CancellationToken.None).Wait()
        // The last look found what the one before it did.
        Assert.Equal(writes + 1, looks.Value)
