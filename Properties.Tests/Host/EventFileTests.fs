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

    [<Fact>]
    let ``what waits is written when the run ends, however it does`` () =
        use scratch = new Scratch()

        let logger =
            Microsoft.Extensions.Logging.Abstractions.NullLogger<TrainingWorker>.Instance

        using (new EventFile(DiskFiles(), scratch.Path, TimeProvider.System, logger)) (fun events ->
            for i in 1L .. 3L do
                let mutable step = StepFigures(i, 0L, 0, 0.5, 0.1, 0.0)
                (events :> IRunObserver).Stepped &step)

        let found =
            records (File.ReadAllBytes(Assert.Single(Directory.GetFiles scratch.Path)))

        Assert.Equal<int64>([ 0L; 1L; 2L; 3L ], found |> List.map _.Step)

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
            for event in events.Tail do
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
