/// Convolution.fs and its loops: what they compute, and in which order they sum.
module Pipeline.Properties.ConvolutionLaws

open System
open System.Numerics
open Xunit
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Laws

let private layerOf (shape: ConvolutionShape) =
    Layers.convolution shape.Outputs shape.Input.Window shape.Groups

[<Law>]
let ``the layer keeps the laws of a convolution`` () =
    ConvolutionLaw.All(
        (fun shape weights biases inputs ->
            (OverImages.pass
                (layerOf shape)
                (OverImages.imageOf shape.Input)
                (LayerParameters.dense weights biases)
                inputs)
                .Output),
        (fun shape weights biases inputs upstream ->
            let struct (_, inInputs, found) =
                OverImages.both
                    (layerOf shape)
                    (OverImages.imageOf shape.Input)
                    (LayerParameters.dense weights biases)
                    inputs
                    upstream

            {
                Weights = found.Weights
                Biases = found.Biases
                Inputs = inInputs
            })
    )
    |> Law.Together

/// For each place the input at each tap of a group; −1 for padding.
let private taps (shape: ConvolutionShape) (group: int) : int[][] =
    let channels = shape.Input.Channels / shape.Groups

    OverImages.seen shape.Input
    |> Array.map (fun window -> [|
        for channel in 0 .. channels - 1 do
            for inside in window do
                if inside < 0 then
                    -1
                else
                    (group * channels + channel) * OverImages.size shape.Input.Image + inside
    |])

/// A convolution's outputs and gradients in the order in which the core sums.
let private ordered
    (shape: ConvolutionShape)
    (w: Matrix<'T>)
    (b: Vector<'T>)
    (x: Matrix<'T>)
    (upstream: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
    : struct (Matrix<'T> * Matrix<'T> * Matrix<'T> * Vector<'T>) =
    let samples = x.ColumnCount
    let places = OverImages.size shape.Input.Places
    let ofGroup = shape.Outputs / shape.Groups
    let taps = Array.init shape.Groups (taps shape)
    let input i s = if i < 0 then 'T.Zero else x[i, s]

    let outputs =
        Matrix<'T>
            .Build.Dense(
                shape.Outputs * places,
                samples,
                fun i s ->
                    let o, p = i / places, i % places
                    let mutable sum = b[o]

                    taps[o / ofGroup].[p]
                    |> Array.iteri (fun k i -> sum <- 'T.FusedMultiplyAdd(w[o, k], input i s, sum))

                    sum + 'T.Zero
            )

    let inInputs = Matrix<'T>.Build.Dense(x.RowCount, samples)

    for group in 0 .. shape.Groups - 1 do
        for p in 0 .. places - 1 do
            taps[group].[p]
            |> Array.iteri (fun k i ->
                if i >= 0 then
                    for s in 0 .. samples - 1 do
                        let mutable given = 'T.Zero

                        for o in group * ofGroup .. (group + 1) * ofGroup - 1 do
                            given <-
                                'T.FusedMultiplyAdd(w[o, k], upstream[o * places + p, s], given)

                        inInputs[i, s] <- inInputs[i, s] + given)

    let inWeights =
        Matrix<'T>
            .Build.Dense(
                shape.Outputs,
                shape.Taps,
                fun o k ->
                    OverImages.overLanes samples (fun sum s ->
                        (sum, Seq.init places id)
                        ||> Seq.fold (fun sum p ->
                            'T
                                .FusedMultiplyAdd(
                                    upstream[o * places + p, s],
                                    input (taps[o / ofGroup].[p].[k]) s,
                                    sum
                                )))
            )

    let inBiases =
        Vector<'T>
            .Build.Dense(
                shape.Outputs,
                fun o ->
                    OverImages.overLanes samples (fun sum s ->
                        (sum, Seq.init places id)
                        ||> Seq.fold (fun sum p -> sum + upstream[o * places + p, s]))
            )

    struct (outputs, inInputs, inWeights, inBiases)

let private holdsOrder<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (samples: int)
    (shape: ConvolutionShape)
    : unit =
    let outputs = shape.Outputs * OverImages.size shape.Input.Places
    let w: Matrix<'T> = OverImages.numbers seed 0 shape.Outputs shape.Taps
    let b = (OverImages.numbers seed 1 shape.Outputs 1: Matrix<'T>).Column 0
    let x: Matrix<'T> = OverImages.numbers seed 2 shape.Input.Features samples
    let upstream: Matrix<'T> = OverImages.numbers seed 3 outputs samples

    let struct (y, inInputs, inWeights, inBiases) = ordered shape w b x upstream

    for threads in 1..2 do
        KernelLaws.withThreads threads (fun () ->
            let struct (foundY, foundInInputs, found) =
                OverImages.both
                    (layerOf shape)
                    (OverImages.imageOf shape.Input)
                    (LayerParameters.dense w b)
                    x
                    upstream

            Exactly.bits (cells y) (cells foundY)
            Exactly.bits (cells inInputs) (cells foundInInputs)
            Exactly.bits (cells inWeights) (cells found.Weights)
            Exactly.bits (inBiases.ToArray()) (found.Biases.ToArray()))

[<Law(MaxTest = 40)>]
let ``a convolution sums in its order, bit for bit, in both precisions`` (Seed seed) =
    Prop.forAll
        (Arb.zip (Arb.fromGen Small.convolution, OverImages.samples))
        (fun (shape, samples) ->
            holdsOrder<float> seed samples shape
            holdsOrder<float32> seed samples shape)

/// As much work as threads share.
let private large: ConvolutionShape = {
    Input = {
        Channels = 4
        Image = { Rows = 11; Columns = 9 }
        Window = {
            Window.Of { Rows = 3; Columns = 5 } with
                Padding = { Rows = 1; Columns = 2 }
        }
    }
    Outputs = 14
    Groups = 2
}

[<Fact>]
let ``so does one that threads share`` () =
    holdsOrder<float> 1UL 40 large
    holdsOrder<float32> 1UL 40 large

[<Fact>]
let ``a convolution sees what is not a number in its window alone`` () =
    let shape = {
        large with
            Input.Window.Stride = { Rows = 2; Columns = 3 }
    }

    let w: Matrix<float> =
        Matrix<float>.Build.Dense(shape.Outputs, shape.Taps, (fun i j -> float (i + j) + 1.0))

    let x: Matrix<float> = OverImages.numbers 1UL 2 shape.Input.Features 2
    x[5, 1] <- nan

    let y =
        (OverImages.pass
            (layerOf shape)
            (OverImages.imageOf shape.Input)
            (LayerParameters.dense w (Vector<float>.Build.Dense shape.Outputs))
            x)
            .Output

    let places = OverImages.size shape.Input.Places
    let ofGroup = shape.Outputs / shape.Groups

    for i in 0 .. y.RowCount - 1 do
        let seesIt = (taps shape (i / places / ofGroup))[i % places] |> Array.contains 5
        Assert.False(Double.IsNaN y[i, 0])
        Assert.Equal(seesIt, Double.IsNaN y[i, 1])
