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
        | Embedded(inputs, outputs) -> invariant $"{inputs}:{outputs}"

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
    /// The first input after the block.
    member place.End = place.Input + place.Block.Inputs

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
    /// Calls `act` with each number of sample s and its block.
    let inline private each
        (blocks: PlacedBlocks)
        (samples: FewNumbers<'T>)
        (s: int)
        ([<InlineIfLambda>] act: PlacedBlock -> int -> unit)
        : unit =
        let mutable block = 0

        for n in samples.Starts[s] .. samples.Starts[s + 1] - 1 do
            while samples.Places[n] >= blocks.Places[block].End do
                block <- block + 1

            act blocks.Places[block] n

    /// A sample's outputs, zeros before: E·x, or x.
    let forward
        (blocks: PlacedBlocks)
        (e: 'T[][] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (samples: FewNumbers<'T>)
        (y: 'T[])
        (s: int)
        : unit =
        each blocks samples s (fun place n ->
            let into = s * blocks.Outputs + place.Output
            let input = samples.Places[n] - place.Input
            let count = place.Block.Outputs

            if place.IsEmbedded then
                let column = input * count
                WeightedColumns.add e[place.Matrix] column count samples.Values[n] y into
            else
                y[into + input] <- samples.Values[n])

    /// Adds a sample's part of the gradient in each matrix: δ·xᵀ.
    let addGradients
        (blocks: PlacedBlocks)
        (samples: FewNumbers<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (upstream: 'T[])
        (gradients: 'T[][])
        (s: int)
        : unit =
        each blocks samples s (fun place n ->
            if place.IsEmbedded then
                let from = s * blocks.Outputs + place.Output
                let count = place.Block.Outputs
                let column = (samples.Places[n] - place.Input) * count
                let gradient = gradients[place.Matrix]
                WeightedColumns.add upstream from count samples.Values[n] gradient column)

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
