/// Work.fs: every share is done once, whoever does it, and a failure reads as one thread's would.
module Pipeline.Properties.WorkLaws

open System
open System.Threading
open System.Threading.Tasks
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// As much as is shared among all threads.
let private much = 1L <<< 40

let private counted (threads: int) (shares: int) : int[] =
    let times: int[] = Array.zeroCreate shares

    KernelLaws.withThreads threads (fun () ->
        Work.share much shares (fun share -> Interlocked.Increment &times[share] |> ignore))

    times

[<Law>]
let ``every share is done once`` (FsCheck.PositiveInt threads) (FsCheck.NonNegativeInt shares) =
    counted (1 + threads % 8) shares = Array.create shares 1

[<Law>]
let ``the first share that fails is the one that is told of``
    (failing: bool list)
    (FsCheck.PositiveInt threads)
    =
    let failing = Array.ofList failing

    let found =
        try
            KernelLaws.withThreads (1 + threads % 8) (fun () ->
                Work.share much failing.Length (fun share ->
                    if failing[share] then
                        invalidOp $"{share}"))

            "none"
        with :? InvalidOperationException as fault ->
            fault.Message

    let expected =
        match Array.tryFindIndex id failing with
        | Some share -> $"{share}"
        | None -> "none"

    Exactly.equal expected found

[<Fact>]
let ``work within a share, and of several callers at once, is done too`` () =
    KernelLaws.withThreads 4 (fun () ->
        let totals: int[] = Array.zeroCreate 6

        Parallel.For(
            0,
            totals.Length,
            fun caller ->
                for _ in 1..200 do
                    Work.share much 5 (fun _ ->
                        Work.share much 7 (fun _ ->
                            Interlocked.Increment &totals[caller] |> ignore))
        )
        |> ignore

        Exactly.equal (Array.create totals.Length (200 * 5 * 7)) totals)
