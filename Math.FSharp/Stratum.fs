namespace Pipeline.Learning

open System

/// Choosing the same share of every class.
[<RequireQualifiedAccess>]
module internal Stratum =
    /// Which of some samples are chosen: of each class, so many that their number is nearest to the share.
    let choose (seed: uint64) (stream: Stream) (share: float) (classes: int[]) : bool[] =
        let isChosen: bool[] = Array.zeroCreate classes.Length

        for stratum, members in classes |> Array.indexed |> Array.groupBy snd |> Array.sortBy fst do
            let order = Random.permutation members.Length seed stream (int64 stratum)

            for i in 0 .. int (Math.Round(share * float members.Length)) - 1 do
                isChosen[fst members[order[i]]] <- true

        isChosen
