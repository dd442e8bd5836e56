namespace Pipeline.Learning

open System

/// Choosing the same share of every class.
[<RequireQualifiedAccess>]
module internal StratifiedSample =
    /// Which of some samples are chosen: of each class, so many that their number is nearest to the share,
    /// the first in an order of its members.
    let private chooseBy (order: int -> int[] -> int[]) (share: float) (classes: int[]) : bool[] =
        let isChosen: bool[] = Array.zeroCreate classes.Length

        for stratum, members in classes |> Array.indexed |> Array.groupBy snd |> Array.sortBy fst do
            let ordered = members |> Array.map fst |> order stratum

            for i in 0 .. int (Math.Round(share * float members.Length)) - 1 do
                isChosen[ordered[i]] <- true

        isChosen

    /// Which of some samples are chosen, by their places.
    let choose (seed: uint64) (stream: Stream) (share: float) (classes: int[]) : bool[] =
        chooseBy
            (fun stratum members ->
                Random.permutation members.Length seed stream (int64 stratum)
                |> Array.map (Array.get members))
            share
            classes

    /// Which of some samples are chosen, by their keys.
    let chooseByKey
        (seed: uint64)
        (stream: Stream)
        (share: float)
        (keys: uint64[])
        (classes: int[])
        : bool[] =
        chooseBy
            (fun _ -> Array.sortBy (fun place -> KeyedShare.uniform seed stream keys[place]))
            share
            classes
