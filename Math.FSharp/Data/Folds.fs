namespace Pipeline.Learning

open System

/// A part of cross-validation: the indices of the samples to learn from and of those to test with, each in ascending
/// order.
type Fold = {
    /// The samples to learn from.
    Training: int[]
    /// The samples to test with.
    Test: int[]
}

/// Dividing samples into the folds of a cross-validation.
[<RequireQualifiedAccess>]
module Folds =
    let private requireFolds (folds: int) (most: int) (what: string) (found: string) =
        Fault.check
            [
                folds >= 2 && folds <= most,
                Fault.create
                    "Folds"
                    (if most < 2 then $"2 %s{what} or more"
                     elif most = 2 then $"2, as there are 2 %s{what}"
                     else invariant $"2 to {most}, as there are {most} {what}")
                    (if most < 2 then found else string folds)
            ]
            ignore

    /// <summary>Folds with about the same number of samples of every class, in which every sample is tested once. The
    /// samples of a group are in one fold.</summary>
    /// <remarks>The largest groups come first, those of the same size class by class in an order that the seed decides.
    /// Each goes to the fold that has the smallest share of its classes so far; of several, to the smallest. Where
    /// every group is one sample, the folds' numbers of samples of a class differ by 1 at most, as do their numbers of
    /// samples.</remarks>
    /// <param name="seed">The seed.</param>
    /// <param name="folds">The number of folds, from 2 to the number of groups.</param>
    /// <param name="groups">The group of each sample.</param>
    /// <param name="classes">The class of each sample, from 0; all 0 if numbers are predicted.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many groups as classes.</exception>
    [<CompiledName("Stratified")>]
    let stratified
        (seed: uint64)
        (folds: int)
        (groups: uint64[])
        (classes: int[])
        : Result<Fold list, Fault list> =
        if groups.Length <> classes.Length then
            invalidArg
                (nameof classes)
                (invariant
                    $"expected as many classes as the {groups.Length} groups, found {classes.Length}")

        let members =
            groups
            |> Array.indexed
            |> Array.groupBy snd
            |> Array.map (fun (key, samples) -> key, Array.map fst samples)

        requireFolds
            folds
            members.Length
            "different samples or groups"
            (invariant $"{members.Length}")
        |> Result.map (fun () ->
            let sizes = Array.zeroCreate<int>(Array.fold max 0 classes + 1)

            for k in classes do
                sizes[k] <- sizes[k] + 1

            let held = Array2D.zeroCreate<int> folds sizes.Length
            let totals = Array.zeroCreate<int> folds
            let foldOf = Array.zeroCreate<int> groups.Length

            let ordered =
                members
                |> Array.sortBy (fun (key, samples) ->
                    struct (-samples.Length,
                            classes[samples[0]],
                            KeyedFraction.uniform seed RandomStream.Folds key,
                            key))

            for _, samples in ordered do
                let own = samples |> Array.countBy (Array.get classes) |> Array.sortBy fst

                let share fold =
                    own
                    |> Array.fold
                        (fun sum (k, count) ->
                            sum + float count * float held[fold, k] / float sizes[k])
                        0.0

                let chosen =
                    [ 0 .. folds - 1 ]
                    |> List.minBy (fun fold -> struct (share fold, totals[fold], fold))

                totals[chosen] <- totals[chosen] + samples.Length

                for k, count in own do
                    held[chosen, k] <- held[chosen, k] + count

                for sample in samples do
                    foldOf[sample] <- chosen

            let samples = [| 0 .. groups.Length - 1 |]

            [
                for fold in 0 .. folds - 1 ->
                    {
                        Training = samples |> Array.filter (fun sample -> foldOf[sample] <> fold)
                        Test = samples |> Array.filter (fun sample -> foldOf[sample] = fold)
                    }
            ])

    /// <summary>Folds forward in time: of one part more than there are folds, each part but the first is tested once,
    /// by what was learned from all parts before it. Samples of the same time are in one part.</summary>
    /// <param name="folds">The number of folds, from 2 to one less than the number of different times.</param>
    /// <param name="times">The time of each sample, in any unit.</param>
    [<CompiledName("Forward")>]
    let forward (folds: int) (times: float[]) : Result<Fold list, Fault list> =
        let distinct = (Array.distinct times).Length

        Fault.check
            [
                not (Array.exists Double.IsNaN times),
                Fault.create "Times" "a number for each sample" "NaN"
            ]
            ignore
        |> Result.bind (fun () ->
            requireFolds
                folds
                (distinct - 1)
                "different times after the first"
                (invariant $"{distinct}"))
        |> Result.map (fun () ->
            let order =
                [| 0 .. times.Length - 1 |] |> Array.sortBy (fun s -> struct (times[s], s))

            let isFirst place =
                place = 0
                || place = order.Length
                || times[order[place - 1]] <> times[order[place]]

            /// Places at which a time begins, and the end.
            let starts = [| 0 .. order.Length |] |> Array.filter isFirst

            // The place nearest to an equal part, at least one time after the part before, with a time left for each
            // part that follows.
            let ends =
                (0, [ 1 .. folds + 1 ])
                ||> List.scan (fun before part ->
                    let wanted = float part * float order.Length / float (folds + 1)

                    [ before + 1 .. starts.Length - 1 - (folds + 1 - part) ]
                    |> List.minBy (fun start ->
                        struct (abs (float starts[start] - wanted), start)))
                |> List.map (Array.get starts)

            [
                for first, next in List.pairwise (List.tail ends) ->
                    {
                        Training = Array.sort order[.. first - 1]
                        Test = Array.sort order[first .. next - 1]
                    }
            ])
