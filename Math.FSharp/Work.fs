namespace Pipeline.Learning

open System
open System.Runtime.ExceptionServices
open System.Threading.Tasks
open MathNet.Numerics

/// Sharing work among threads.
[<RequireQualifiedAccess>]
module internal Work =
    /// Fewer multiplications than this are done sooner than a second thread wakes.
    let private worthSharing = 1L <<< 22

    /// How many threads may share work.
    let threads () : int = Control.MaxDegreeOfParallelism

    /// Whether so much work is shared.
    let isShared (multiplications: int64) : bool =
        threads () > 1 && multiplications >= worthSharing

    /// Does every share of the work: on as many threads as Math.NET's Control allows, where there are
    /// enough multiplications to gain. Shares are claimed one after the other, so that a busy core
    /// holds nobody up. They must write to different places, or the same numbers.
    let share (multiplications: int64) (shares: int) (act: int -> unit) : unit =
        if shares > 1 && isShared multiplications then
            let options = ParallelOptions(MaxDegreeOfParallelism = threads ())

            try
                Parallel.For(0, shares, options, act) |> ignore
            with :? AggregateException as several ->
                // The caller learns what one thread alone would have told.
                ExceptionDispatchInfo.Capture(several.InnerExceptions[0]).Throw()
        else
            for i in 0 .. shares - 1 do
                act i
