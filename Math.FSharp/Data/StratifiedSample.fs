namespace Pipeline.Learning

open System

/// Choosing the same fraction of every class.
[<RequireQualifiedAccess>]
module internal StratifiedSample =
    /// Whether each sample is chosen: of each class, the first in an order of its members, with the nearest whole
    /// number to the fraction.
    let private chooseBy
        (order: int -> int[] -> int[])
        (fraction: float)
        (classes: int[])
        : bool[] =
        let isChosen: bool[] = Array.zeroCreate classes.Length

        for stratum, members in classes |> Array.indexed |> Array.groupBy snd |> Array.sortBy fst do
            let ordered = members |> Array.map fst |> order stratum

            for i in 0 .. int (Math.Round(fraction * float members.Length)) - 1 do
                isChosen[ordered[i]] <- true

        isChosen

    /// Whether each sample is chosen, by its index.
    let choose (seed: uint64) (stream: RandomStream) (fraction: float) (classes: int[]) : bool[] =
        chooseBy
            (fun stratum members ->
                RandomNumbers.permutation members.Length seed stream (int64 stratum)
                |> Array.map (Array.get members))
            fraction
            classes

    /// Whether each sample is chosen, by its key.
    let chooseByKey
        (seed: uint64)
        (stream: RandomStream)
        (fraction: float)
        (keys: uint64[])
        (classes: int[])
        : bool[] =
        chooseBy
            (fun _ -> Array.sortBy (fun index -> KeyedFraction.uniform seed stream keys[index]))
            fraction
            classes
