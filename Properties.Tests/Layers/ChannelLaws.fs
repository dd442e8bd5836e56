/// ChannelLoops.fs: batch normalisation of images, whose channels are summed over places and samples.
module Pipeline.Properties.ChannelLaws

open System
open System.Numerics
open Xunit
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Laws

/// What batch normalisation of channels gives, its running statistics and its gradients: in the inputs, in the shifts and in
/// the gains.
type private Normalised<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    Output: Matrix<'T>
    Mean: 'T[]
    Variance: 'T[]
    InInputs: Matrix<'T>
    InShift: 'T[]
    InGain: 'T[]
}

let private numbersOf (size: int) (samples: int) : int = size * samples

/// The places of a channel's numbers in a sample, and the channel of a place.
let private placesOf (size: int) (channel: int) : int list = [
    channel * size .. (channel + 1) * size - 1
]

let private channelOf (size: int) (place: int) : int = place / size

/// The factor from the variance of `count` numbers to the unbiased variance, count / (count − 1).
let private unbiased (count: int) : float = float count / float (max 1 (count - 1))

/// Arithmetic of two numbers of one type.
module private Numbers =
    let (+) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Addition (x, y)
    let (-) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Subtraction (x, y)
    let (*) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Multiply (x, y)
    let (/) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Division (x, y)

open Numbers

/// The formulas, number by number, in the order in which the core sums: the places of a sample, the samples of a lane, the lanes.
let private ordered<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (isTraining: bool)
    (size: int)
    (gain: 'T[])
    (shift: 'T[])
    (mean: 'T[])
    (variance: 'T[])
    (x: Matrix<'T>)
    (upstream: Matrix<'T>)
    : Normalised<'T> =
    let channels, samples = gain.Length, x.ColumnCount
    let number: 'T = 'T.CreateTruncating(numbersOf size samples)

    let sum (term: int -> int -> 'T) : 'T[] =
        Array.init channels (fun channel ->
            OverImages.overLanes samples (fun sum s ->
                (sum, placesOf size channel) ||> List.fold (fun (sum: 'T) i -> sum + term i s)))

    let meanOf (sums: 'T[]) : 'T[] =
        sums |> Array.map (fun sum -> sum / number)

    let like (f: int -> int -> 'T) : Matrix<'T> =
        Matrix<'T>.Build.Dense(x.RowCount, samples, f)

    let ownMean: 'T[] =
        if isTraining then
            meanOf (sum (fun i s -> x[i, s]))
        else
            mean

    let square (i: int) (s: int) : 'T =
        let difference: 'T = x[i, s] - ownMean[channelOf size i]
        difference * difference

    let ownVariance: 'T[] = if isTraining then meanOf (sum square) else variance
    let epsilon: 'T = 'T.CreateTruncating 1e-5

    let scaleOf (variance: 'T) : 'T =
        let root: 'T = 'T.Sqrt(variance + epsilon)
        'T.One / root

    let scale: 'T[] = Array.map scaleOf ownVariance

    let standardised =
        like (fun i s ->
            let difference: 'T = x[i, s] - ownMean[channelOf size i]
            difference * scale[channelOf size i])

    let inShift = sum (fun i s -> upstream[i, s])

    let inGain =
        sum (fun i s ->
            let g: 'T = upstream[i, s]
            g * standardised[i, s])

    let rest: 'T = 'T.CreateTruncating 0.9
    let part: 'T = 'T.CreateTruncating 0.1

    let follow (factor: float) (old: 'T[]) (own: 'T[]) : 'T[] =
        let factor: 'T = 'T.CreateTruncating factor
        Array.map2 (fun (old: 'T) (own: 'T) -> rest * old + part * (factor * own)) old own

    let ofShift, ofGain =
        if isTraining then
            meanOf inShift, meanOf inGain
        else
            Array.zeroCreate channels, Array.zeroCreate channels

    let inInputs =
        like (fun i s ->
            let channel = channelOf size i
            let g: 'T = upstream[i, s]
            let factor: 'T = gain[channel] * scale[channel]
            factor * (g - ofShift[channel] - standardised[i, s] * ofGain[channel]))

    {
        Output =
            like (fun i s ->
                'T
                    .FusedMultiplyAdd(
                        gain[channelOf size i],
                        standardised[i, s],
                        shift[channelOf size i]
                    ))
        Mean = if isTraining then follow 1.0 mean ownMean else mean
        Variance =
            if isTraining then
                follow (unbiased (numbersOf size samples)) variance ownVariance
            else
                variance
        InInputs = inInputs
        InShift = inShift
        InGain = inGain
    }

let private holds<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (samples: int)
    (channels: int, rows: int, columns: int)
    : unit =
    let shape = Shape.Image(channels, rows, columns)
    let layer = Layers.batchNormalisation

    let vector which : Vector<'T> =
        (OverImages.numbers seed which channels 1: Matrix<'T>).Column 0

    let gain, shift, mean = vector 0, vector 1, vector 2
    let positive (x: 'T) : 'T = 'T.Abs x + 'T.CreateTruncating 0.25
    let variance: Vector<'T> = (vector 3).Map positive
    let x: Matrix<'T> = OverImages.numbers seed 4 shape.Size samples
    let upstream: Matrix<'T> = OverImages.numbers seed 5 shape.Size samples

    for step in [ ValueNone; ValueSome { Seed = seed; Iteration = 0L } ] do
        let expected =
            ordered
                step.IsSome
                (numbersOf rows columns)
                (gain.ToArray())
                (shift.ToArray())
                (mean.ToArray())
                (variance.ToArray())
                x
                upstream

        for threads in 1..2 do
            for mayOverwrite in [ false; true ] do
                KernelLaws.withThreads threads (fun () ->
                    let output =
                        layer.Forward {
                            Inputs = Inputs.OfNumbers(x.Clone())
                            Shape = shape
                            Parameters = {
                                Matrices = []
                                Vectors = [ "b", shift; "g", gain ]
                            }
                            Running = {
                                Matrices = []
                                Vectors = [ "mean", mean; "variance", variance ]
                            }
                            Step = step
                            RandomStream = 0
                            MayOverwrite = mayOverwrite
                            NeedsInputGradient = true
                        }

                    Exactly.bits (cells expected.Output) (cells output.Output)
                    Exactly.bits expected.Mean ((output.Running.Vector "mean").ToArray())
                    Exactly.bits expected.Variance ((output.Running.Vector "variance").ToArray())
                    let gradient = output.Backward(upstream.Clone())
                    Exactly.bits (cells expected.InInputs) (cells gradient.Inputs.Value)
                    Exactly.bits expected.InShift (gradient.Vectors[0].ToArray())
                    Exactly.bits expected.InGain (gradient.Vectors[1].ToArray()))

[<Law(MaxTest = 30)>]
let ``batch normalisation of channels sums in its order, bit for bit, in both precisions``
    (Seed seed)
    =
    let size = Gen.choose (1, 4)

    Prop.forAll
        (Arb.zip (Arb.fromGen (Gen.zip3 size size size), OverImages.samples))
        (fun (shape, samples) ->
            holds<float> seed samples shape
            holds<float32> seed samples shape)

[<Fact>]
let ``so does that of images which threads share`` () =
    holds<float> 1UL 40 (5, 40, 37)
    holds<float32> 2UL 33 (5, 40, 37)

[<Law>]
let ``channels of one number are normalised as the units of a vector``
    (Seed seed)
    (FsCheck.PositiveInt count)
    =
    let network shape : Network<float> =
        Architecture.create Head.Identity shape [ Layers.batchNormalisation ]
        |> orFail
        |> Network.initialise Initialiser.HeNormal 1UL

    let inputs: Matrix<float> = OverImages.numbers seed 0 6 (1 + count % 40)

    let batch =
        MiniBatch.create inputs (Targets.Columns(OverImages.numbers seed 1 6 inputs.ColumnCount))

    let loss shape =
        let struct (loss, gradient, _) =
            Gradient.backwardInTraining { Seed = 0UL; Iteration = 0L } (network shape) batch

        Array.append [| loss |] (flat gradient)

    Approximately.equal Approximately.rounding (loss (Shape.Vector 6)) (loss (Shape.Image(6, 1, 1)))
