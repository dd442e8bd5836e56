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
open Microsoft.Extensions.Logging
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Spectre.Console

/// Runs that cannot be resumed: other data, damaged checkpoints, logs and settings, folders in use.
module ResumeRefusalTests =
    open ResumedRuns

    [<Fact>]
    let ``other data are refused, file by file`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let labels = Path.Combine(scratch.Sub "data", "train-labels-idx1-ubyte")
        let bytes = File.ReadAllBytes labels
        bytes[20] <- (bytes[20] + 1uy) % 10uy
        File.WriteAllBytes(labels, bytes)
        let came = run onDisk (plan settings) -1L
        let reason = Assert.Single came.Refusals
        Assert.StartsWith("train-labels-idx1-ubyte: expected the data of the run in", reason)

    [<Fact>]
    let ``a damaged newest checkpoint is named and the one before taken; with none the run begins again``
        ()
        =
        for damaged in [ 1; 2; 10 ] do
            use scratch = new Scratch()
            let settings = stopped scratch []
            let checkpoints = Path.Combine(folderOf scratch "runs", "checkpoints")

            let payloads =
                Directory.GetFiles(checkpoints, "*.safetensors")
                |> Array.sortDescending
                |> Array.truncate damaged

            Assert.EndsWith("30.safetensors", payloads[0])

            for path in payloads do
                let bytes = File.ReadAllBytes path
                bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 4uy
                File.WriteAllBytes(path, bytes)

            let came = run onDisk (plan settings) -1L
            Assert.Equal(Outcome.Completed, came.Outcome)

            for path in payloads do
                Assert.Contains(
                    came.Logged,
                    fun line -> line.Contains "Skipped a damaged checkpoint" && line.Contains path
                )

            Assert.Equal(whole [], Left.behind (folderOf scratch "runs"))

    [<Fact>]
    let ``a whole checkpoint of another run or a later version is refused, and nothing is deleted``
        ()
        =
        let checkpoints scratch =
            Path.Combine(folderOf scratch "runs", "checkpoints")

        let ofAnother (folder: string) =
            use other = new Scratch()
            stopped other [ "Training:Seed", "7" ] |> ignore

            for path in Directory.GetFiles(checkpoints other, "*30.*") do
                File.Copy(path, Path.Combine(folder, string (Path.GetFileName path)), true)

        let ofLater (folder: string) =
            let payload = Path.Combine(folder, "000000030.safetensors")
            let manifest = Path.Combine(folder, "000000030.json")
            let latin = Text.Encoding.Latin1
            let text = latin.GetString(File.ReadAllBytes payload)

            let later =
                latin.GetBytes(text.Replace("\"checkpoint\":\"2\"", "\"checkpoint\":\"9\""))

            let hash (bytes: byte[]) =
                Convert.ToHexStringLower(Security.Cryptography.SHA256.HashData bytes)

            let said = File.ReadAllText manifest
            let before = hash (File.ReadAllBytes payload)
            Assert.Contains(before, said)
            File.WriteAllText(manifest, said.Replace(before, hash later))
            File.WriteAllBytes(payload, later)

        for change, says in
            [
                ofAnother, "expected a checkpoint of this run, found one of another run"
                ofLater, "checkpoint: expected version 2 or below, found '9'"
            ] do
            use scratch = new Scratch()
            let settings = stopped scratch []
            change (checkpoints scratch)
            let files = Directory.GetFiles(checkpoints scratch).Length
            let came = run onDisk (plan settings) -1L
            Assert.Contains(says, Assert.Single came.Refusals)
            Assert.Equal(files, Directory.GetFiles(checkpoints scratch).Length)

    [<Fact>]
    let ``logs that lack what should be in them are refused`` () =
        for name, change, says in
            [
                "progress.csv", (fun (lines: string[]) -> Array.removeAt 9 lines), "line 10: "
                "progress.csv", (fun lines -> lines[..20]), "found the end of the file"
                "progress.csv", (fun lines -> Array.removeAt 0 lines), "line 1: "
                "progress.csv",
                (fun lines -> Array.updateAt 5 "5,0,none,0.1,1" lines),
                "line 6: expected the 5 numbers of iteration 5, found '5,0,none,0.1,1'"
                "epochs.csv", (fun lines -> Array.removeAt 2 lines), "the 9 numbers of epoch 1"
            ] do
            use scratch = new Scratch()
            let settings = stopped scratch []
            let path = Path.Combine(folderOf scratch "runs", name)
            File.WriteAllLines(path, change (File.ReadAllLines path))
            let came = run onDisk (plan settings) -1L
            let reason = Assert.Single came.Refusals
            Assert.StartsWith(path, reason)
            Assert.Contains(says, reason)

    [<Fact>]
    let ``a run folder whose settings are gone or damaged is refused`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let path = Path.Combine(folderOf scratch "runs", "settings.json")

        for text, place, found in
            [
                "", ", line 1, column 1", "an empty file."
                "null", "", "null."
                "{}", ", line 1, column 3", "JSON of another form."
                "[]", ", line 1, column 2", "JSON of another form."
                "{\"settings\": 3}", ", line 1, column 15", "another value at settings."
                "{\"settings\": {}}", ", line 1, column 17", "JSON of another form."
                "{\n\"settings\": {},}", ", line 2, column 16", "'}', which is not valid JSON here."
            ] do
            File.WriteAllText(path, text)
            let refused = Assert.Throws<RefusedException>(fun () -> plan settings |> ignore)

            Assert.Equal(
                $"{path}{place}: expected a run's settings, found {found}",
                Assert.Single refused.Reasons
            )

        File.Delete path
        let refused = Assert.Throws<RefusedException>(fun () -> plan settings |> ignore)
        Assert.StartsWith("Run:Resume: expected a run folder", Assert.Single refused.Reasons)

    [<Fact>]
    let ``a checkpoint of a later version is refused, and nothing of it is lost`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let checkpoints = Path.Combine(folderOf scratch "runs", "checkpoints")

        for path in Directory.GetFiles(checkpoints, "*.json") do
            let text = File.ReadAllText(path).Replace("\"version\": 2", "\"version\": 3")
            File.WriteAllText(path, text.Replace("{\n", "{\n  \"new\": [],\n"))

        let kept = Directory.GetFiles checkpoints
        let came = run onDisk (plan settings) -1L
        let reason = Assert.Single came.Refusals
        Assert.EndsWith("version 3, of a later program.", reason)
        Assert.Equal<string>(kept, Directory.GetFiles checkpoints)

    [<Fact>]
    let ``a log that is gone is told, and the checkpoints stay`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        let folder = folderOf scratch "runs"
        File.Delete(Path.Combine(folder, "progress.csv"))
        let kept = Directory.GetFiles(Path.Combine(folder, "checkpoints"))
        let came = run onDisk (plan settings) -1L
        Assert.Contains("the log of the run to resume", Assert.Single came.Refusals)
        Assert.Equal<string>(kept, Directory.GetFiles(Path.Combine(folder, "checkpoints")))

    [<Fact>]
    let ``runs are listed by when they began, newest first, whatever else lies beside them`` () =
        use scratch = new Scratch()

        for name in
            [
                "20300101T000000Z-a"
                "20300101T000000Z-a-2"
                "20300101T000000Z-a-10"
                "20291231T235959Z-z"
                "best"
                "zz-20310101T000000Z"
            ] do
            Directory.CreateDirectory(scratch.Sub name) |> ignore

            File.WriteAllText(
                Path.Combine(scratch.Sub name, "settings.json"),
                """{"settings": {}, "data_sha256": {}}"""
            )

        Assert.Equal<string | null>(
            [
                "20300101T000000Z-a-10"
                "20300101T000000Z-a-2"
                "20300101T000000Z-a"
                "20291231T235959Z-z"
            ],
            StoredRun.Folders scratch.Path
            |> Seq.map (fun (path: string) -> Path.GetFileName path)
        )

    [<Fact>]
    let ``two cannot work on one folder`` () =
        use scratch = new Scratch()
        let settings = stopped scratch []
        use _ = RunFolder.Open(onDisk, folderOf scratch "runs")
        let came = run onDisk (plan settings) -1L
        Assert.Contains("no other process works on", Assert.Single came.Refusals)

    [<Fact>]
    let ``runs that start at one moment have a folder each`` () =
        use scratch = new Scratch()

        let settings =
            PipelineSettings(Run = RunSettings(Directory = scratch.Path, Name = "same"))

        let mutable faults: IReadOnlyList<string> = []
        let plan = nonNull (RunConfiguration.Create(settings, &faults))
        use start = new Barrier(8)

        let folders =
            Array.init 8 (fun _ ->
                let create () =
                    start.SignalAndWait()

                    RunFolder.Create(
                        onDisk,
                        plan,
                        plan.ArchitectureFor(Shape.Vector 4, 2, Preprocessing.Numbers),
                        StandingClock()
                    )

                Tasks.Task.Factory.StartNew(create, Tasks.TaskCreationOptions.LongRunning))
            |> Array.map _.Result

        for folder in folders do
            folder.Dispose()

        Assert.Equal(8, (folders |> Array.distinctBy _.Path).Length)
        Assert.Equal(8, Directory.GetDirectories(scratch.Path).Length)
