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

/// Runs on a disk that fails, and runs that an exception ends.
module RunFailureTests =
    open ResumedRuns

    /// A run on a disk that fails where `fails` says so, of the number of a call and the steps done so far;
    /// and whether it did. Whatever came of it, with a sound disk the run goes on to its end.
    let private failing extra fault (fails: int -> int64 -> bool) =
        use scratch = new Scratch()
        let settings = settingsIn scratch "runs" (Given.data scratch) extra
        let step = ref 0L
        let failed = ref false

        let files =
            FaultyFiles(fun call _ ->
                if fails call (Volatile.Read &step.contents) then
                    failed.Value <- true
                    Some fault
                else
                    None)

        let came =
            try
                runTelling
                    (fun i ->
                        Volatile.Write(&step.contents, i)
                        // Time enough for checkpoints on the way.
                        Thread.Sleep 2)
                    files
                    (plan settings)
                    -1L
            with error when AtomicFile.IsDiskError error -> {
                Outcome = Outcome.Failed
                Refusals = []
                Logged = []
            }

        let folder = Directory.GetDirectories(scratch.Sub "runs")

        if folder.Length > 0 && File.Exists(Path.Combine(folder[0], "settings.json")) then
            let settings = settings @ [ "Run:Resume", folder[0] ]
            Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
            Assert.Equal(whole [], Left.behind folder[0])

        came, failed.Value

    let private faults = [
        DiskFault.Full
        DiskFault.Broken
        DiskFault.ReadOnly
        DiskFault.Vanished
    ]

    [<Fact>]
    let ``a disk that fails in the middle of a run costs nothing`` () =
        for fault in faults do
            for extra in [ []; [ "Run:TensorBoard", "true" ] ] do
                let came, _ = failing extra fault (fun _ step -> step >= 10L && step < 45L)
                Assert.Equal(Outcome.Completed, came.Outcome)

                Assert.Equal(
                    not extra.IsEmpty,
                    came.Logged
                    |> List.exists
                        _.Contains("The event file for TensorBoard cannot be written and ends here")
                )

    [<Fact>]
    let ``a disk that fails to the end leaves what was saved before, and the run says so`` () =
        for fault in faults do
            for first in [ 1L; 8L; 20L; 50L ] do
                let came, failed = failing [] fault (fun _ step -> step >= first)
                Assert.True failed
                Assert.Equal(Outcome.Failed, came.Outcome)

                Assert.Contains(
                    came.Logged,
                    fun line -> line.Contains "Some results could not be saved"
                )

    [<Fact>]
    let ``a folder that cannot be begun is told`` () =
        for fault in faults do
            for first in 0..10 do
                let came, failed = failing [] fault (fun call _ -> call >= first)
                Assert.True failed
                Assert.True((came.Outcome = Outcome.Failed || came.Outcome = Outcome.Refused))

    [<Law(MaxTest = 5)>]
    let ``a run that an exception ends is saved as it stands, and goes on from there``
        (PositiveInt step)
        =
        let step = int64 (step % 50 + 1)
        use scratch = new Scratch()

        let settings =
            settingsIn scratch "runs" (Given.data scratch) [
                "Run:CheckpointEvery", "0"
                "Run:Resume", "Auto"
            ]

        let slip iteration =
            if iteration = step then
                failwith "an observer's slip"

        Assert.ThrowsAny<exn>(fun () -> runTelling slip onDisk (plan settings) -1L |> ignore)
        |> ignore

        let folder = folderOf scratch "runs"
        let newest = Path.Combine(folder, "checkpoints", $"{step:D9}.safetensors")
        Assert.True(File.Exists newest)
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Assert.Equal(whole [], Left.behind folder)
