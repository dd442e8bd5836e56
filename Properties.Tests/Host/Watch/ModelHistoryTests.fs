namespace Pipeline.Properties.Host

open System
open System.IO
open System.Security.Cryptography
open System.Text.Json
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit
open FsCheck

/// Earlier models, and going back to them.
module ModelHistoryTests =
    let private modelPath (scratch: Scratch) = scratch.Sub "model.safetensors"
    let private recordPath (scratch: Scratch) = scratch.Sub "model.json"

    let private history (scratch: Scratch) (files: IFiles) (kept: int) =
        ModelHistory(files, modelPath scratch, recordPath scratch, kept)

    /// The bytes of a model that differ from one number to the next.
    let private bytesOf (number: int) : byte[] =
        Architecture.dense Activation.Tanh [ 2; 2 ]
        |> Network.initialise (Initialiser.Fixed 1.0) (uint64 number)
        |> (fun (network: Network<float32>) -> Model.ofNetwork network)
        |> Safetensors.write

    let private recordOf (number: int) (considered: string) =
        PublicationRecord(
            $"run %d{number}",
            Nullable(int64 number),
            Nullable(1.0 / float (number + 1)),
            Nullable 0.5,
            considered
        )

    /// What a publisher does: the model in use is kept, then replaced with its record.
    let private publish (scratch: Scratch) (files: IFiles) (kept: int) (number: int) =
        (history scratch files kept).Keep()
        AtomicFile.WriteTo(files, OutputTarget.Of(modelPath scratch), bytesOf number)

        AtomicFile.WriteTo(
            files,
            OutputTarget.Of(recordPath scratch),
            JsonText.Of(recordOf number $"run %d{number}")
        )

    let private hashOf (number: int) =
        Convert.ToHexStringLower(SHA256.HashData(bytesOf number))

    let private hashes (history: ModelHistory) =
        history.Models() |> Seq.map _.Sha256 |> List.ofSeq

    [<Law(MaxTest = 30)>]
    let ``the last models are there, the newest first, each with its record``
        (PositiveInt count)
        (NonNegativeInt kept)
        =
        use scratch = new Scratch()
        let count, kept = 1 + count % 7, kept % 5

        for number in 1..count do
            publish scratch (DiskFiles()) kept number

        let models = (history scratch (DiskFiles()) kept).Models() |> List.ofSeq
        let expected = [ count .. -1 .. max 1 (count - kept) ]
        Exactly.equal (expected |> List.map hashOf) (models |> List.map _.Sha256)

        for number, model in List.zip expected models do
            Exactly.equal $"run %d{number}" (nonNull (nonNull model.Record).Run)

    [<Law(MaxTest = 30)>]
    let ``going back puts a model in use with its record, and loses none, however few are to be kept``
        (PositiveInt count)
        (PositiveInt wanted)
        (NonNegativeInt kept)
        =
        use scratch = new Scratch()
        let count = 2 + count % 4

        for number in 1..count do
            publish scratch (DiskFiles()) 10 number

        let all = history scratch (DiskFiles()) (kept % 11)
        let before = set (hashes all)
        let wanted = 1 + wanted % (count - 1)
        let restored = all.Restore(Nullable wanted)
        Exactly.equal (hashOf wanted) restored.Sha256
        Exactly.equal (bytesOf wanted) (File.ReadAllBytes(modelPath scratch))
        Exactly.equal $"run %d{wanted}" (nonNull (nonNull restored.Record).Run)
        // Watch mode does not judge the last run again.
        Exactly.equal $"run %d{count}" (nonNull restored.Record).Considered
        Exactly.equal before (set (hashes all))
        // The newest other model is the one that was in use.
        Exactly.equal (hashOf count) (all.Restore(Nullable()).Sha256)

    [<Fact>]
    let ``whatever moment is the process's last, one whole model is in use and none is lost`` () =
        let rec attempt (fault: DiskFault) (call: int) =
            use scratch = new Scratch()

            for number in 1..3 do
                publish scratch (DiskFiles()) 5 number

            let files = FaultyFiles(fun number _ -> if number = call then Some fault else None)

            let ended =
                try
                    (history scratch files 5).Restore(Nullable 1) |> ignore
                    true
                with
                | Died
                | :? IOException
                | :? UnauthorizedAccessException -> false

            let used =
                Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(modelPath scratch)))

            Assert.Contains(used, [ hashOf 1; hashOf 3 ])
            let after = hashes (history scratch (DiskFiles()) 5)

            for number in 1..3 do
                Assert.Contains(hashOf number, after)

            // Until a whole restoration has met no fault.
            if not ended || files.Calls > call then
                attempt fault (call + 1)

        for fault in [ DiskFault.Full; DiskFault.Broken; DiskFault.ReadOnly; DiskFault.ShortWrite ] do
            attempt fault 0

    [<Fact>]
    let ``models lists them, and goes back to one`` () =
        use scratch = new Scratch()

        for number in 1..3 do
            publish scratch (DiskFiles()) 5 number

        let models (arguments: string list) =
            Given.host ([ "models"; "--Watch:Model"; modelPath scratch ] @ arguments)

        let listed = models []
        Assert.Equal(0, listed.ExitCode)
        Assert.Matches("(?m)^in use +run 3 +3 +0\\.2500 +0\\.5000 +" + hashOf 3, listed.Output)
        Assert.Matches("(?m)^2 +run 2 +2 +", listed.Output)
        let back = models [ "--rollback"; "1"; "--format"; "json" ]
        Assert.Equal(0, back.ExitCode)
        Assert.Contains($"in use: {modelPath scratch}, {hashOf 1}", back.Errors)
        let first = (JsonDocument.Parse back.Output).RootElement[0]
        Assert.Equal(hashOf 1, first.GetProperty("sha256").GetString())
        Assert.Equal(JsonValueKind.Null, first.GetProperty("number").ValueKind)
        // Without a number: the newest of the others.
        Assert.Contains(hashOf 3, (models [ "--rollback" ]).Errors)

        for arguments, words in
            [
                [ "--rollback"; "9" ], [ "--rollback"; "1, 2"; "found 9" ]
                [ "--rollback"; "x" ], [ "--rollback"; "'x'" ]
            ] do
            let refused = models arguments
            Assert.Equal(2, refused.ExitCode)

            for word in words do
                Assert.Contains(word, refused.Errors)

        Assert.Equal<byte>(bytesOf 3, File.ReadAllBytes(modelPath scratch))
        // A model without a record does not get that of another one.
        File.Delete(Path.Combine(scratch.Sub "model-history", "0002.json"))
        let unknown = models [ "--rollback"; "2"; "--format"; "json" ]
        let used = (JsonDocument.Parse unknown.Output).RootElement[0]
        Assert.Equal(hashOf 2, used.GetProperty("sha256").GetString())
        let record = used.GetProperty "record"
        Assert.Equal(JsonValueKind.Null, record.GetProperty("run").ValueKind)
        Assert.Equal(JsonValueKind.Null, record.GetProperty("loss").ValueKind)
        Assert.Matches("run 3", record.GetProperty("considered").GetString())
        Assert.Equal(0, (models [ "--rollback"; "3" ]).ExitCode)
        File.WriteAllText(Path.Combine(scratch.Sub "model-history", "0001.safetensors"), "damaged")
        let damaged = models [ "--rollback"; "1" ]
        Assert.Equal(2, damaged.ExitCode)
        Assert.Contains("0001.safetensors", damaged.Errors)
        let none = Given.host [ "models"; "--Watch:Model"; scratch.Sub "other.safetensors" ]
        Assert.Equal(2, none.ExitCode)
        Assert.Contains("Watch:Model", none.Errors)
