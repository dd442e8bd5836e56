namespace Pipeline.Learning

open System
open System.Numerics

/// Some inputs of an embedding layer, one after the other.
[<RequireQualifiedAccess>]
type EmbeddingBlock =
    /// Inputs that are outputs too.
    | Unchanged of inputs: int
    /// Inputs x that become the outputs E·x: the column of E for a category, where x is 1 for that and 0 for the
    /// others.
    | Embedded of inputs: int * outputs: int

    /// How many inputs.
    member block.Inputs =
        match block with
        | Unchanged inputs
        | Embedded(inputs, _) -> inputs

    /// How many outputs.
    member block.Outputs =
        match block with
        | Unchanged inputs -> inputs
        | Embedded(_, outputs) -> outputs

    /// 3, or 990:16.
    override block.ToString() =
        match block with
        | Unchanged inputs -> string inputs
        | Embedded(inputs, outputs) -> $"%d{inputs}:%d{outputs}"

/// A block at its place in the inputs and outputs of an embedding layer.
[<Struct>]
type internal PlacedBlock = {
    Block: EmbeddingBlock
    /// Its first input.
    Input: int
    /// Its first output.
    Output: int
    /// How many blocks below have a matrix: the number of its own, if it has one.
    Matrix: int
} with

    member place.IsEmbedded = place.Block.IsEmbedded

/// The blocks of an embedding layer, from the first input on.
type internal PlacedBlocks = {
    Places: PlacedBlock[]
    /// How many inputs they have in all.
    Inputs: int
    /// How many outputs they have in all.
    Outputs: int
}

/// Loops over the blocks for sample s of a mini-batch.
[<RequireQualifiedAccess>]
module internal EmbeddingLoops =
    /// A sample's outputs: E·x, or x.
    let forward
        (blocks: PlacedBlocks)
        (e: 'T[][] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (x: 'T[])
        (y: 'T[])
        (s: int)
        : unit =
        for place in blocks.Places do
            let from, into = s * blocks.Inputs + place.Input, s * blocks.Outputs + place.Output
            let count = place.Block.Outputs

            if place.IsEmbedded then
                Array.Clear(y, into, count)
                let until = from + place.Block.Inputs
                let mutable at = WeightedColumns.nextNonZero x from until

                while at < until do
                    WeightedColumns.add e[place.Matrix] ((at - from) * count) count x[at] y into
                    at <- WeightedColumns.nextNonZero x (at + 1) until
            else
                Array.blit x from y into count

    /// Adds a sample's part of the gradient in each matrix: δ·xᵀ.
    let addGradients
        (blocks: PlacedBlocks)
        (x: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (upstream: 'T[])
        (gradients: 'T[][])
        (s: int)
        : unit =
        for place in blocks.Places do
            if place.IsEmbedded then
                let from, into = s * blocks.Inputs + place.Input, s * blocks.Outputs + place.Output
                let count = place.Block.Outputs
                let until = from + place.Block.Inputs
                let mutable at = WeightedColumns.nextNonZero x from until

                while at < until do
                    let column = (at - from) * count
                    WeightedColumns.add upstream into count x[at] gradients[place.Matrix] column
                    at <- WeightedColumns.nextNonZero x (at + 1) until

    /// A sample's gradient in the inputs: Eᵀ·δ.
    let inputGradient
        (blocks: PlacedBlocks)
        (e: 'T[][] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (upstream: 'T[])
        (result: 'T[])
        (s: int)
        : unit =
        for place in blocks.Places do
            let into, from = s * blocks.Inputs + place.Input, s * blocks.Outputs + place.Output
            let count = place.Block.Outputs

            if place.IsEmbedded then
                let matrix = e[place.Matrix]

                for input in 0 .. place.Block.Inputs - 1 do
                    let column = input * count
                    let mutable sum = 'T.Zero

                    for i in 0 .. count - 1 do
                        sum <- 'T.FusedMultiplyAdd(matrix[column + i], upstream[from + i], sum)

                    result[into + input] <- sum
            else
                Array.blit upstream from result into count
