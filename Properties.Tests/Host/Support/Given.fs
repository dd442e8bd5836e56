namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.IO.Compression
open System.Text.Json
open Pipeline.Learning
open Pipeline.Learning.Formats
open Xunit

/// A folder that is deleted when a test is done with it.
type Scratch private (path: string) =
    new() = new Scratch(Directory.CreateTempSubdirectory("pipeline-").FullName)

    /// A folder in memory, if the system has such folders.
    static member InMemory() =
        let memory = "/dev/shm"

        if Directory.Exists memory then
            let name = $"pipeline-{Path.GetRandomFileName()}"
            new Scratch(Directory.CreateDirectory(Path.Combine(memory, name)).FullName)
        else
            new Scratch()

    member _.Path = path
    member scratch.Sub(name: string) = Path.Combine(path, name)

    interface IDisposable with
        member _.Dispose() = Directory.Delete(path, true)

/// A clock that stands until it is moved.
type StandingClock() =
    inherit TimeProvider()
    let mutable now = 0L
    member _.Move(time: TimeSpan) = now <- now + time.Ticks
    override _.GetTimestamp() = now
    override _.TimestampFrequency = TimeSpan.TicksPerSecond

    override _.GetUtcNow() =
        DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks now

/// How a process of the host ended.
type Ended = {
    ExitCode: int
    Output: string
    Errors: string
}

/// What the tests of the service start from: a small data set, the built program.
[<RequireQualifiedAccess>]
module Given =
    /// Images of 4 × 4 pixels whose class is the brightest of their first ten pixels.
    let private half (seed: uint64) (count: int) : IdxImages * int[] =
        let labels =
            Array.init count (RandomNumbers.below 10 seed RandomStream.GradientCheck 0L)

        let pixels =
            labels
            |> Array.collect (fun label ->
                Array.init 16 (fun i -> if i = label then 250uy else byte (10 * (i % 4))))

        {
            Count = count
            Size = ImageSize.Grey(4, 4)
            Pixels = ReadOnlyMemory pixels
        },
        labels

    /// The four files, plain, of 300 training and 60 test images: others with another seed. `relabel`
    /// changes the training labels.
    let write (folder: string) (seed: uint64) (relabel: int -> int) : unit =
        Directory.CreateDirectory folder |> ignore

        for name, count, seed, relabel in
            [ "train", 300, seed, relabel; "t10k", 60, seed + 1UL, id ] do
            let images, labels = half seed count

            let write kind (bytes: byte[]) =
                File.WriteAllBytes(Path.Combine(folder, $"{name}-{kind}-ubyte"), bytes)

            write "images-idx3" (Idx.writeImages images)
            write "labels-idx1" (Idx.writeLabels (Array.map relabel labels))

    /// Such files in a folder of their own.
    let data (scratch: Scratch) : string =
        let folder = scratch.Sub "data"
        write folder 1UL id
        folder

    /// How often something is tried: what the environment says, else so often.
    let times (variable: string) (unlessSaid: int) : int =
        match Int32.TryParse(Environment.GetEnvironmentVariable variable) with
        | true, count -> count
        | false, _ -> unlessSaid

    /// Puts a file's gzip stream in its place.
    let zip (path: string) : unit =
        use zipped = new GZipStream(File.Create(path + ".gz"), CompressionLevel.Optimal)
        zipped.Write(ReadOnlySpan(File.ReadAllBytes path))
        File.Delete path

    /// The host as a process, its output kept, with these variables in its environment.
    let startWith (environment: (string * string) list) (arguments: string list) : Process =
        let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

        let info =
            ProcessStartInfo(
                "dotnet",
                program :: arguments,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        for name, value in environment do
            info.Environment[name] <- value

        match Process.Start info with
        | null -> failwith "the host did not start"
        | started -> started

    /// The host as a process, its output kept.
    let start (arguments: string list) : Process = startWith [] arguments

    /// Waits for the process and collects what it wrote.
    let finish (started: Process) : Ended =
        let output = started.StandardOutput.ReadToEndAsync()
        let errors = started.StandardError.ReadToEndAsync()

        if not (started.WaitForExit(TimeSpan.FromMinutes 3.0)) then
            started.Kill()
            failwith "the host did not end within three minutes"

        {
            ExitCode = started.ExitCode
            Output = output.Result
            Errors = errors.Result
        }

    /// Runs the host to its end.
    let host (arguments: string list) : Ended = start arguments |> finish

    /// The options of a short run on the small data set, run folders inside the scratch folder.
    let options (scratch: Scratch) (changes: (string * string) list) : string list =
        [
            "Data:Directory", data scratch
            "Run:Directory", scratch.Sub "runs"
            "Model:Hidden", "8"
            "Model:WeightInitStd", "0.5"
            "Training:BatchSize", "20"
            "Training:Iterations", "200"
            "Training:LearningRate", "1"
        ]
        @ changes
        |> Map.ofList
        |> Seq.map (fun setting -> $"--{setting.Key}={setting.Value}")
        |> List.ofSeq

    /// The folders that runs have left.
    let runs (scratch: Scratch) : string[] =
        let parent = scratch.Sub "runs"

        if Directory.Exists parent then
            // Earlier models are in a folder beside the runs.
            Directory.GetDirectories parent
            |> Array.filter (fun folder -> not (folder.EndsWith "-history"))
        else
            [||]

/// What the files of a run folder say.
[<RequireQualifiedAccess>]
module Told =
    /// The one run's summary.
    let summary (scratch: Scratch) : JsonElement =
        let folder = Assert.Single(Given.runs scratch)
        JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "summary.json"))).RootElement

    let text (name: string) (json: JsonElement) : string =
        nonNull (json.GetProperty(name).GetString())

/// What a run must leave whatever happened to it on its way.
[<RequireQualifiedAccess>]
module Left =
    let private without (column: int) (path: string) =
        File.ReadAllLines path
        |> Array.map (fun line -> line.Split ',' |> Array.removeAt column |> String.concat ",")

    /// A run folder's model, and its logs but for the seconds.
    let behind (folder: string) : byte[] * string[] * string[] =
        let path name = Path.Combine(folder, name)

        File.ReadAllBytes(path "model.safetensors"),
        without 4 (path "progress.csv"),
        without 6 (path "epochs.csv")
