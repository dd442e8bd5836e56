namespace Pipeline.Properties.Host

open System
open System.IO
open Pipeline.Training
open Pipeline.Training.Formats.TensorBoard
open Xunit

/// What a run leaves for TensorBoard.
module EventFileTests =
    /// CRC-32C bit by bit, as its polynomial has it, masked as record files do.
    let private checksum (bytes: byte[]) : uint32 =
        let mutable crc = UInt32.MaxValue

        for b in bytes do
            crc <- crc ^^^ uint32 b

            for _ in 1..8 do
                crc <- (crc >>> 1) ^^^ (if crc &&& 1u = 1u then 0x82F63B78u else 0u)

        let crc = ~~~crc
        ((crc >>> 15) ||| (crc <<< 17)) + 0xA282EAD8u

    [<Fact>]
    let ``the checksum has its published value`` () =
        let digits = Text.Encoding.ASCII.GetBytes "123456789"
        // CRC-32C of these is E3069283.
        let expected = ((0xE3069283u >>> 15) ||| (0xE3069283u <<< 17)) + 0xA282EAD8u
        Assert.Equal(expected, checksum digits)
        Assert.Equal(expected, EventFile.Checksum(ReadOnlySpan digits))

    /// The records of a file, every length and checksum right.
    let private records (bytes: byte[]) : Event list =
        let mutable place = 0

        [
            while place < bytes.Length do
                let length = int (BitConverter.ToUInt64(bytes, place))

                Assert.Equal(
                    checksum bytes[place .. place + 7],
                    BitConverter.ToUInt32(bytes, place + 8)
                )

                let data = bytes[place + 12 .. place + 11 + length]
                Assert.Equal(checksum data, BitConverter.ToUInt32(bytes, place + 12 + length))
                Event.Parser.ParseFrom data
                place <- place + 16 + length
        ]

    let private logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance

    /// The event files of a folder, in the order in which TensorBoard reads them.
    let private eventFiles (folder: string) : string list =
        Directory.GetFiles(folder, "events.out.tfevents.*")
        |> Array.sortWith (fun one other -> String.CompareOrdinal(one, other))
        |> List.ofArray

    /// The points that TensorBoard shows of a folder: tag, step and value. Where a session starts, points
    /// from its step on are dropped, whatever their tag (event_accumulator.py, from file version 2 on).
    let private shown (folder: string) : (string * int64 * float32) list =
        ([], eventFiles folder |> List.collect (File.ReadAllBytes >> records))
        ||> List.fold (fun shown event ->
            match event.WhatCase with
            | Event.WhatOneofCase.SessionLog when
                event.SessionLog.Status = SessionLog.Types.SessionStatus.Start
                ->
                shown |> List.filter (fun (_, step, _) -> step < event.Step)
            | Event.WhatOneofCase.Summary ->
                shown
                @ [ for value in event.Summary.Value -> value.Tag, event.Step, value.SimpleValue ]
            | _ -> shown)

    /// The points that the run's logs and epochs stand for.
    let private expected (folder: string) =
        let lines (name: string) =
            File.ReadAllLines(Path.Combine(folder, name))[1..] |> Array.map _.Split(',')

        [
            for cells in lines "progress.csv" do
                for tag, cell in [ "loss/mini-batch", 2; "learning_rate", 3 ] do
                    tag, int64 cells[0], float32 cells[cell]
            for cells in lines "epochs.csv" do
                for tag, cell in
                    [ "loss/train", 2; "accuracy/train", 3; "loss/test", 4; "accuracy/test", 5 ] do
                    tag, int64 cells[1], float32 cells[cell]
        ]
        |> List.sort

    let private withoutHistograms points =
        points
        |> List.filter (fun (tag: string, _, _) -> not (tag.StartsWith "parameters/"))
        |> List.sort

    /// Each histogram's steps, which are those of the evaluations.
    let private histogramsAreWhole (folder: string) (points: (string * int64 * float32) list) =
        let evaluated = [
            for tag, step, _ in expected folder do
                if tag = "loss/train" then
                    step
        ]

        for tag in [ "W1"; "b1"; "W2"; "b2" ] do
            let steps = [
                for found, step, _ in points do
                    if found = $"parameters/{tag}" then
                        step
            ]

            Assert.Equal<int64>(evaluated, List.sort steps)

    [<Theory>]
    [<InlineData("at the end of an epoch", 28, 1)>]
    [<InlineData("inside an epoch", 33, 1)>]
    [<InlineData("in the middle of its second epoch", 20, 1)>]
    [<InlineData("where few steps are written down, and an epoch after the last of them", 33, 24)>]
    [<InlineData("where no step was written down", 33, 50)>]
    let ``a run that is killed or has ended, and goes on, shows each step once``
        (_: string, at: int, every: int)
        =
        use scratch = new Scratch()

        let ended =
            Given.host (
                Given.options scratch [
                    "Run:TensorBoard", "true"
                    "Run:CheckpointEvery", "1"
                    "Run:ProgressEvery", $"{every}"
                    "Training:Sampling", "Epoch"
                    "Training:Iterations", $"{at}"
                ]
            )

        Assert.True((ended.ExitCode = 0), ended.Errors)
        let folder = Assert.Single(Given.runs scratch)
        let before = shown folder
        Assert.Equal<(string * int64 * float32) list>(expected folder, withoutHistograms before)

        // What a kill leaves: the newest checkpoint is an earlier one, and the file is cut in a record.
        let checkpoints = Path.Combine(folder, "checkpoints")

        if at = 33 then
            for path in Directory.GetFiles checkpoints do
                if (string (Path.GetFileName path)).Contains "33" then
                    File.Delete path

            File.Delete(Path.Combine(folder, "summary.json"))

        for _ in 1..2 do
            let first = eventFiles folder |> List.map (fun path -> path, File.ReadAllBytes path)

            let resumed =
                Given.host [ "train"; "--resume"; folder; "--Training:Iterations"; "70" ]

            Assert.True((resumed.ExitCode = 0), resumed.Errors)

            for path, bytes in first do
                Assert.Equal<byte>(bytes, File.ReadAllBytes path)

            Assert.Equal(first.Length + 1, (eventFiles folder).Length)
            let points = shown folder
            Assert.Equal<(string * int64 * float32) list>(expected folder, withoutHistograms points)
            histogramsAreWhole folder points

    [<Fact>]
    let ``a file that is begun while the clock stands or goes back is another, and is read after the older ones``
        ()
        =
        use scratch = new Scratch()
        let clock = StandingClock()

        let write (step: int64) =
            using
                (new EventFile(
                    DiskFiles(),
                    scratch.Path,
                    step,
                    StepFigures(step, 0L, 0, 0.5, 0.1, 0.0),
                    clock,
                    logger
                ))
                ignore

        for step in 1L .. 3L do
            write step

        clock.Move(TimeSpan.FromDays -1000.0)
        write 4L

        Assert.Equal<int64>(
            [ 1L; 2L; 3L; 4L ],
            eventFiles scratch.Path
            |> List.map (fun path -> (List.last (records (File.ReadAllBytes path))).Step)
        )

    [<Fact>]
    let ``a checkpoint holds no step that the events lack`` () =
        use scratch = new Scratch()

        use events =
            new EventFile(DiskFiles(), scratch.Path, 0L, Nullable(), TimeProvider.System, logger)

        let mutable step = StepFigures(1L, 0L, 0, 0.5, 0.1, 0.0)
        (events :> IRunObserver).Stepped &step
        (events :> IRunObserver).Saving()
        let path = Assert.Single(eventFiles scratch.Path)
        Assert.Equal(1L, (List.last (records (File.ReadAllBytes path))).Step)

    [<Fact>]
    let ``what waits is written when the run ends, however it does`` () =
        use scratch = new Scratch()

        using
            (new EventFile(DiskFiles(), scratch.Path, 0L, Nullable(), TimeProvider.System, logger))
            (fun events ->
                for i in 1L .. 3L do
                    let mutable step = StepFigures(i, 0L, 0, 0.5, 0.1, 0.0)
                    (events :> IRunObserver).Stepped &step)

        let found =
            records (File.ReadAllBytes(Assert.Single(Directory.GetFiles scratch.Path)))

        Assert.Equal<int64>([ 0L; 0L; 1L; 2L; 3L ], found |> List.map _.Step)

    [<Fact>]
    let ``a run leaves scalars of every step and epoch, and histograms of its parameters`` () =
        use scratch = new Scratch()

        let ended =
            Given.host (
                Given.options scratch [
                    "Run:TensorBoard", "true"
                    "Training:Iterations", "40"
                    "Data:Validation", "0.1"
                ]
            )

        Assert.True((ended.ExitCode = 0), ended.Errors)
        let folder = Assert.Single(Given.runs scratch)
        let file = Assert.Single(Directory.GetFiles(folder, "events.out.tfevents.*"))
        let events = records (File.ReadAllBytes file)
        Assert.Equal("brain.Event:2", events.Head.FileVersion)

        let values = [
            // Behind the version and the start.
            for event in events[2..] do
                for value in event.Summary.Value -> event.Step, value
        ]

        let scalars tag =
            values
            |> List.filter (fun (_, value) -> value.Tag = tag)
            |> List.map (fun (step, value) -> step, value.SimpleValue)

        let progress =
            File.ReadAllLines(Path.Combine(folder, "progress.csv"))[1..]
            |> Array.map (fun line -> int64 (line.Split(',')[0]), float32 (line.Split(',')[2]))
            |> List.ofArray

        Assert.Equal<(int64 * float32) list>(progress, scalars "loss/mini-batch")
        Assert.Equal(40, (scalars "learning_rate").Length)

        // 270 samples in batches of 20 make 14 iterations an epoch.
        for tag in [ "loss"; "accuracy" ] do
            for half in [ "train"; "test"; "validation" ] do
                Assert.Equal<int64>([ 0L; 14L; 28L ], scalars $"{tag}/{half}" |> List.map fst)

        for tag, count in [ "W1", 128.0; "b1", 8.0; "W2", 80.0; "b2", 10.0 ] do
            let histograms =
                values |> List.filter (fun (_, value) -> value.Tag = $"parameters/{tag}")

            Assert.Equal(3, histograms.Length)

            for _, value in histograms do
                Assert.Equal(count, value.Histo.Num)
                Assert.Equal(count, Seq.sum value.Histo.Bucket)
                Assert.Equal(value.Histo.Bucket.Count, value.Histo.BucketLimit.Count)
