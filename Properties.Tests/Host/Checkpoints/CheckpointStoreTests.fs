namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Text
open Pipeline.Learning
open Pipeline.Training
open Xunit

/// Checkpoints on the disk: each whole or absent, whatever call fails and wherever the process dies.
module CheckpointStoreTests =
    let private hashes: IReadOnlyDictionary<string, string> =
        Dictionary [ KeyValuePair("a", "b") ]

    /// Bytes that only this iteration has.
    let private bytesOf (iteration: int64) =
        Array.init 300 (fun i -> byte (int64 i * iteration + iteration))

    let private save (store: CheckpointStore) (iteration: int64) =
        let bytes = bytesOf iteration

        store.Save(
            CheckpointManifest.Create(iteration, TimeSpan.FromSeconds 1.5, bytes, "s", hashes),
            bytes,
            iteration
        )

    /// The iterations of the checkpoints that are whole, newest first, each held to its bytes; and what
    /// is said of others.
    let private load (folder: string) =
        let damaged = List<string>()
        let store = CheckpointStore(DiskFiles(), folder, 2)

        let found = [
            for checkpoint in store.Load(fun fault -> damaged.Add fault) do
                Assert.Equal<byte>(bytesOf checkpoint.Manifest.Iteration, checkpoint.Bytes)
                checkpoint.Manifest.Iteration
        ]

        found, List.ofSeq damaged

    [<Fact>]
    let ``the newest few are kept`` () =
        use scratch = new Scratch()
        let store = CheckpointStore(DiskFiles(), scratch.Path, 2)

        for iteration in [ 100L..100L..500L ] do
            save store iteration

        Assert.Equal(([ 500L; 400L ], []), load scratch.Path)
        Assert.Equal(4, Directory.GetFiles(scratch.Path).Length)

    [<Fact>]
    let ``whatever call of a save fails or is the process's last, the checkpoint before it is whole``
        ()
        =
        let saveOver faultOf =
            use scratch = new Scratch()
            // One left by a process that was killed.
            File.WriteAllText(scratch.Sub "000000007.safetensors.tmp", "half")
            let store = CheckpointStore(DiskFiles(), scratch.Path, 2)
            save store 100L
            save store 200L
            let files = FaultyFiles faultOf

            let ended =
                try
                    save (CheckpointStore(files, scratch.Path, 2)) 300L
                    true
                with
                | Died
                | :? IOException
                | :? UnauthorizedAccessException -> false

            let found, damaged = load scratch.Path
            Assert.Empty damaged
            // The new one is whole once the save has ended; before, it is whole or absent.
            Assert.True((not ended || found.Head = 300L), $"%A{found}")
            Assert.Contains(200L, found)
            // What is left of a failed save is cleared away by the next.
            save (CheckpointStore(DiskFiles(), scratch.Path, 2)) 400L
            Assert.Equal(4, Directory.GetFiles(scratch.Path).Length)
            files.Calls

        let calls = saveOver (fun _ _ -> None)
        Assert.True(calls > 6)

        for call in 0 .. calls - 1 do
            for fault in
                [
                    DiskFault.Full
                    DiskFault.Broken
                    DiskFault.ReadOnly
                    DiskFault.Vanished
                    DiskFault.ShortWrite
                ] do
                saveOver (fun number _ -> if number = call then Some fault else None) |> ignore

    [<Fact>]
    let ``a full disk is given room by all but the newest good checkpoint, and the write tried again``
        ()
        =
        use scratch = new Scratch()

        let path iteration =
            scratch.Sub $"{iteration:D9}.safetensors"

        for iteration in [ 100L; 200L; 300L ] do
            save (CheckpointStore(DiskFiles(), scratch.Path, 3)) iteration

        // The newest is not good: it must not be the one that is left.
        File.WriteAllText(path 300, "damaged")
        let mutable tries = 0

        let store = CheckpointStore(DiskFiles(), scratch.Path, 3)

        let good = store.Load(fun _ -> ()) |> Seq.head
        Assert.Equal(200L, good.Manifest.Iteration)

        store.FreeingSpace(fun () ->
            tries <- tries + 1

            if tries = 1 then
                raise (IOException("No space left on device", 28)))

        Assert.Equal(2, tries)
        Assert.Equal(([ 200L ], []), load scratch.Path)

        // Where that is not enough it says so, and the last good one stays.
        let full () =
            store.FreeingSpace(fun () -> raise (IOException("No space left on device", 28)))

        Assert.Throws<IOException> full |> ignore
        Assert.Equal(([ 200L ], []), load scratch.Path)

    [<Fact>]
    let ``a damaged checkpoint is named, and the one before it is taken`` () =
        let manifest name = $"000000200.{name}"

        for file, change, says in
            [
                manifest "safetensors", (fun (bytes: byte[]) -> bytes[..100]), "expected 300 bytes"
                manifest "safetensors", (fun bytes -> Array.append bytes [| 1uy |]), "found 301"
                manifest "safetensors",
                (fun bytes -> Array.mapi (fun i b -> if i = 33 then b ^^^ 1uy else b) bytes),
                "expected SHA-256"
                manifest "json", (fun bytes -> bytes[..60]), "a checkpoint's manifest"
                manifest "json", (fun _ -> [||]), "a checkpoint's manifest"
                manifest "json", (fun _ -> "null"B), "a checkpoint's manifest"
                manifest "json", (fun _ -> "{}"B), "a checkpoint's manifest"
                manifest "json",
                (fun bytes ->
                    Encoding.UTF8.GetString(bytes).Replace("\"version\"", "\"venison\"")
                    |> Encoding.UTF8.GetBytes),
                "venison"
            ] do
            use scratch = new Scratch()
            let store = CheckpointStore(DiskFiles(), scratch.Path, 2)
            save store 100L
            save store 200L
            let path = scratch.Sub file
            File.WriteAllBytes(path, change (File.ReadAllBytes path))
            let found, damaged = load scratch.Path
            Assert.Equal<int64>([ 100L ], found)
            Assert.Contains(says, Assert.Single damaged)
            Assert.StartsWith(path, damaged.Head)

    [<Fact>]
    let ``a checkpoint without a manifest is none`` () =
        use scratch = new Scratch()
        let store = CheckpointStore(DiskFiles(), scratch.Path, 2)
        save store 100L
        save store 200L
        File.Delete(scratch.Sub "000000200.json")
        Assert.Equal(([ 100L ], []), load scratch.Path)
        Assert.Equal(([], []), load (scratch.Sub "nowhere"))

    [<Fact>]
    let ``a checkpoint is due after so many iterations, and after so many seconds`` () =
        let architecture = Architecture.dense Activation.Relu [ 1; 2 ]

        let position =
            RunPosition<float32>(Trainer.start Hyperparameters.Default architecture, TimeSpan.Zero)

        let dues every seconds =
            let clock = StandingClock()
            let settings = RunSettings(CheckpointEvery = every, CheckpointSeconds = seconds)

            let cadence =
                CheckpointScheduler<float32>(
                    Unchecked.defaultof<CheckpointWriter<float32>>,
                    settings,
                    clock
                )

            [
                for iteration in 1L .. 12L do
                    clock.Move(TimeSpan.FromSeconds 2.0)

                    if cadence.IsDue iteration then
                        // Of the seconds, it is the last one's that count.
                        cadence.Offer position
                        iteration
            ]

        Assert.Equal<int64>([ 4L; 8L; 12L ], dues 4L 0.0)
        Assert.Equal<int64>([ 3L; 6L; 9L; 12L ], dues 0L 5.0)
        Assert.Equal<int64>([ 3L; 5L; 8L; 10L ], dues 5L 5.0)
        Assert.Equal<int64>([], dues 0L 0.0)
