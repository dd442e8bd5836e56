namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How much a network relies on a column of a table, or on any group of inputs.
type Importance = {
    /// The column.
    Name: string
    /// How much the loss rises where the column's values are shuffled among the samples; the mean over the
    /// repetitions. 0 for a column that the network does not use.
    Loss: float
    /// The standard deviation of that over the repetitions.
    LossDeviation: float
    /// How much the accuracy falls, likewise; NaN where numbers are predicted.
    Accuracy: float
}

/// <summary>Permutation importance: how much worse a network does once a column says nothing about its
/// samples.</summary>
/// <remarks>Columns that say the same share their importance: where one is shuffled, the network still has the other.
/// Source: Breiman, Random forests, 2001, section 10; Fisher, Rudin and Dominici, All models are wrong, but many are
/// useful, 2019.</remarks>
[<RequireQualifiedAccess>]
module Importance =
    /// <summary>The importance of every column of an encoding, in the order of its columns.</summary>
    /// <param name="encoding">The encoding of the samples.</param>
    /// <returns>Each column's name and its inputs.</returns>
    [<CompiledName("ColumnsOf")>]
    let columnsOf (encoding: TableEncoding) : (string * int list) list =
        let numbers =
            encoding.Numbers |> List.mapi (fun input column -> column.Name, [ input ])

        let categories, _ =
            encoding.Categories
            |> List.mapFold
                (fun first column ->
                    let next = first + column.Values.Length
                    (column.Name, [ first .. next - 1 ]), next)
                encoding.Numbers.Length

        numbers @ categories

    /// The samples at some indices with the values of some inputs taken from other samples.
    let private shuffled
        (order: int[])
        (inputs: int list)
        (data: Dataset<'T>)
        (indices: int[])
        : MiniBatch<'T> =
        let others = (Dataset.take (indices |> Array.map (Array.get order)) data).Inputs

        Dataset.take indices data
        |> MiniBatch.revise (fun own ->
            let moved = own.Clone()

            for input in inputs do
                for s in 0 .. indices.Length - 1 do
                    moved[input, s] <- others[input, s]

            moved)

    /// <summary>The permutation importance of some groups of inputs.</summary>
    /// <param name="seed">The seed of the permutations.</param>
    /// <param name="repetitions">How often each group is shuffled, 1 or more.</param>
    /// <param name="groups">Names, and the inputs of each.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">Samples that it did not learn from, 1 or more.</param>
    /// <returns>One for each group, in their order.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size, or repetitions are
    /// below 1.</exception>
    [<CompiledName("OfColumns")>]
    let ofColumns
        (seed: uint64)
        (repetitions: int)
        (groups: (string * int list) list)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (data: Dataset<'T>)
        : Importance list =
        NumberRange.require (nameof repetitions) NumberRange.oneOrMore repetitions
        let score = Network.evaluate network data

        let orders =
            Array.init repetitions (fun repetition ->
                RandomNumbers.permutation
                    data.Count
                    seed
                    RandomStream.Permutation
                    (int64 repetition))

        groups
        |> List.map (fun (name, inputs) ->
            let losses, accuracies =
                orders
                |> Array.map (fun order ->
                    let moved = Network.evaluateTaken (shuffled order inputs data) network data

                    moved.Loss - score.Loss, score.Accuracy - moved.Accuracy)
                |> Array.unzip

            let mean = Array.average losses

            {
                Name = name
                Loss = mean
                LossDeviation = Spread.deviation mean (ReadOnlySpan losses)
                Accuracy = Array.average accuracies
            })
