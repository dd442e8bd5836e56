namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic
open Pipeline.Learning.Formats

/// Mean μ and variance σ² of each unit, or of each channel of images.
type internal Moments<'T> = { Mean: 'T[]; Variance: 'T[] }

/// The formulas of batch normalisation: z = γ·û + β with û = (u − μ) / √(σ² + ε).
[<RequireQualifiedAccess>]
module internal Moments =
    let private epsilon = 1e-5

    /// How much a mini-batch's moments count in the running ones.
    let private fraction = 0.1

    /// The sum of each row over a batch, in sample order, divided by the number of samples.
    let means (matrix: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : 'T[] =
        let count = 'T.CreateTruncating matrix.ColumnCount

        Kernels.elements (Kernels.biasGradient matrix)
        |> Array.map (fun sum -> sum / count)

    /// f(row, x, y) of the elements of two matrices of one shape, into an array made for it: either may be
    /// one.
    let mapRows
        (f: int -> 'T -> 'T -> 'T)
        (one: Matrix<'T>)
        (other: Matrix<'T>)
        (result: 'T[])
        : Matrix<'T> =
        let rows, columns = one.RowCount, one.ColumnCount
        let x, y = Kernels.values one, Kernels.values other
        let f = OptimizedClosures.FSharpFunc<_, _, _, _>.Adapt f

        ThreadTeam.run (int64 result.Length * 4L) columns (fun s ->
            for row in 0 .. rows - 1 do
                let i = s * rows + row
                result[i] <- f.Invoke(row, x[i], y[i]))

        Kernels.matrix rows columns result

    /// The moments of a mini-batch.
    let ofBatch (u: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : Moments<'T> =
        let mean = means u

        let squares =
            Kernels.newArray u.RowCount u.ColumnCount
            |> mapRows
                (fun row u _ ->
                    let difference = u - mean[row]
                    difference * difference)
                u
                u

        let variance = means squares
        ArrayReuse.Return(Kernels.values squares)
        { Mean = mean; Variance = variance }

    /// The mean of each channel's numbers in all samples, from their sums.
    let meansOf
        (size: int)
        (x: LaneBlocks<'T>)
        (sums: 'T[])
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let count = 'T.CreateTruncating(int64 size * int64 x.Samples)
        sums |> Array.map (fun sum -> sum / count)

    /// The moments of each channel of a mini-batch, all of the channel's numbers taken together.
    let ofChannels
        (size: int)
        (u: LaneBlocks<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Moments<'T> =
        let mean = ChannelLoops.total size u |> meansOf size u

        {
            Mean = mean
            Variance =
                ChannelLoops.sums (SquaredDifference<'T>()) size mean u u.Values
                |> meansOf size u
        }

    /// The running moments after a mini-batch with that many numbers of a channel, whose variance counts as that of
    /// a sample: times n / (n − 1).
    let follow
        (count: int)
        (own: Moments<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (running: Moments<'T>)
        : Moments<'T> =
        let rest, fraction =
            'T.CreateTruncating(1.0 - fraction), 'T.CreateTruncating fraction

        let unbiased = 'T.CreateTruncating(float count / float (max 1 (count - 1)))

        let blend factor (old: 'T[]) (own: 'T[]) =
            Array.map2 (fun old own -> rest * old + fraction * (factor * own)) old own

        {
            Mean = blend 'T.One running.Mean own.Mean
            Variance = blend unbiased running.Variance own.Variance
        }

    /// 1 / √(σ² + ε) of each unit.
    let scales (moments: Moments<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : 'T[] =
        moments.Variance
        |> Array.map (fun variance -> 'T.One / 'T.Sqrt(variance + 'T.CreateTruncating epsilon))

    let ofRunning (running: LayerParameters<'T>) : Moments<'T> = {
        Mean = Kernels.elements (running.Vector "mean")
        Variance = Kernels.elements (running.Vector "variance")
    }

    let toRunning (moments: Moments<'T>) : LayerParameters<'T> = {
        Matrices = []
        Vectors = [
            "mean", Kernels.vector moments.Mean
            "variance", Kernels.vector moments.Variance
        ]
    }

/// <summary>Batch normalisation: z = γ·(u − μ) / √(σ² + ε) + β for each unit, or for each channel of images, with the
/// mini-batch's mean μ and variance σ² in training and the running ones in evaluation.</summary>
/// <remarks>A channel's mean and variance are those of all its numbers in all samples. Source: Ioffe and Szegedy, Batch normalization, 2015; ε = 10⁻⁵ and the fraction of 0.1 by which
/// running moments follow are PyTorch's.</remarks>
[<Sealed>]
type internal BatchNormalisation() =
    inherit Layer("batchnorm")

    /// Of vectors.
    let forward (pass: LayerPass<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : LayerOutput<'T> =
        let u = pass.Inputs.Numbers
        let rows, columns = u.RowCount, u.ColumnCount
        let running = Moments.ofRunning pass.Running

        let moments, running =
            match pass.Step with
            | ValueSome _ ->
                let own = Moments.ofBatch u
                own, Moments.toRunning (Moments.follow columns own running)
            | ValueNone -> running, pass.Running

        let mean, scales = moments.Mean, Moments.scales moments
        let gain = Kernels.elements (pass.Parameters.Vector "g")
        let shift = Kernels.elements (pass.Parameters.Vector "b")

        let standardised =
            (if pass.MayOverwrite then
                 Kernels.values u
             else
                 Kernels.newArray rows columns)
            |> Moments.mapRows (fun row u _ -> (u - mean[row]) * scales[row]) u u

        let output =
            Kernels.newArray rows columns
            |> Moments.mapRows
                (fun row u _ -> 'T.FusedMultiplyAdd(gain[row], u, shift[row]))
                standardised
                standardised

        let backward (upstream: Matrix<'T>) : LayerGradient<'T> =
            let products =
                Kernels.newArray rows columns
                |> Moments.mapRows (fun _ g u -> g * u) upstream standardised

            let ofShift, ofGain = Kernels.biasGradient upstream, Kernels.biasGradient products
            let gradient = Kernels.values upstream

            let inputs =
                if pass.Step.IsSome then
                    let ofGradient, ofProducts = Moments.means upstream, Moments.means products

                    gradient
                    |> Moments.mapRows
                        (fun row g u ->
                            gain[row] * scales[row] * (g - ofGradient[row] - u * ofProducts[row]))
                        upstream
                        standardised
                else
                    gradient
                    |> Moments.mapRows
                        (fun row g _ -> gain[row] * scales[row] * g)
                        upstream
                        upstream

            ArrayReuse.Return(Kernels.values products)

            {
                Inputs = ValueSome inputs
                Matrices = []
                Vectors = [ ofShift; ofGain ]
            }

        {
            Output = output
            MayOverwrite = true
            Kept = [
                if not pass.MayOverwrite then
                    Kernels.values standardised
            ]
            Running = running
            Backward = backward
        }

    /// β (as b) and γ (as g).
    override _.Parameters(input) = {
        MatrixShapes = []
        VectorSizes = [ "b", input.Channels; "g", input.Channels ]
    }

    override _.Running(input) = {
        MatrixShapes = []
        VectorSizes = [ "mean", input.Channels; "variance", input.Channels ]
    }

    override _.DiffersInTraining = true

    override _.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (_, _, _, input)
        : LayerParameters<'T> =
        LayerParameters.unchanged input.Channels

    override _.InitialiseRunning<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (input)
        : LayerParameters<'T> =
        Moments.toRunning {
            Mean = Array.zeroCreate input.Channels
            Variance = Array.create input.Channels 'T.One
        }

    override layer.Forward(pass) =
        match pass.Shape with
        | Shape.Vector _ -> forward pass
        | Shape.Image _ -> LaneLayer.forward layer pass |> PassOutput.toOutput

    interface ILaneLayer with
        member _.PrefersLanes(shape) = shape.IsImage

        member _.ForwardLanes<'T
            when 'T: struct
            and 'T :> ValueType
            and 'T: (new: unit -> 'T)
            and 'T :> IBinaryFloatingPointIeee754<'T>>
            (pass: LayerPass<'T>, u: LaneBlocks<'T>)
            : PassOutput<'T> =
            let channels = pass.Shape.Channels
            let size = pass.Shape.Size / channels
            let running = Moments.ofRunning pass.Running

            let moments, running =
                match pass.Step with
                | ValueSome _ ->
                    let own = Moments.ofChannels size u
                    own, Moments.toRunning (Moments.follow (size * u.Samples) own running)
                | ValueNone -> running, pass.Running

            let scales = Moments.scales moments
            let gain = Kernels.elements (pass.Parameters.Vector "g")
            let shift = Kernels.elements (pass.Parameters.Vector "b")

            let standardised =
                (if pass.MayOverwrite then
                     u.Values
                 else
                     SampleLanes.room u.Features u.Samples)
                |> ChannelLoops.map
                    (Standardise<'T>())
                    size
                    {
                        A = moments.Mean
                        B = scales
                        C = scales
                    }
                    u
                    u.Values

            let output =
                SampleLanes.room u.Features u.Samples
                |> ChannelLoops.map
                    (ScaleAndShift<'T>())
                    size
                    { A = gain; B = shift; C = shift }
                    standardised
                    standardised.Values

            let backward (upstream: LaneBlocks<'T>) =
                let none = Array.zeroCreate channels

                let ofShift = ChannelLoops.total size upstream

                let ofGain =
                    ChannelLoops.sums (ChannelProduct<'T>()) size none upstream standardised.Values

                let mean (sums: 'T[]) =
                    if pass.Step.IsSome then
                        Moments.meansOf size upstream sums
                    else
                        none

                let inputs =
                    upstream.Values
                    |> ChannelLoops.map
                        (StandardisedGradient<'T>())
                        size
                        {
                            A = mean ofShift
                            B = mean ofGain
                            C = Array.map2 (fun gain scale -> gain * scale) gain scales
                        }
                        upstream
                        standardised.Values

                SampleLanes.clearMissing inputs

                struct (ValueSome inputs,
                        {
                            Inputs = ValueNone
                            Matrices = []
                            Vectors = [ Kernels.vector ofShift; Kernels.vector ofGain ]
                        })

            {
                PassOutput.ofLanes output backward with
                    MayOverwrite = true
                    Running = running
                    Kept = [
                        if not pass.MayOverwrite then
                            standardised.Values
                    ]
            }

    interface IOnnxLayer with
        member _.ToOnnx(draft, parameters, shape, input) =
            match parameters with
            | [ shift; gain; mean; variance ] ->
                OnnxImages.within
                    draft
                    shape
                    (fun image ->
                        draft.Add("BatchNormalization", [ image; gain; shift; mean; variance ]))
                    input
            | _ ->
                invalidArg
                    (nameof parameters)
                    (invariant $"expected the names of 4 tensors, found {parameters.Length}")

    interface IScaleAndShift with
        member _.ScaleAndShift<'T
            when 'T: struct
            and 'T :> ValueType
            and 'T: (new: unit -> 'T)
            and 'T :> IBinaryFloatingPointIeee754<'T>>
            (parameters: LayerParameters<'T>, running: LayerParameters<'T>)
            : struct ('T[] * 'T[]) =
            let moments = Moments.ofRunning running

            let factors =
                Array.map2
                    (fun gain scale -> gain * scale)
                    (Kernels.elements (parameters.Vector "g"))
                    (Moments.scales moments)

            let shifts =
                Kernels.elements (parameters.Vector "b")
                |> Array.mapi (fun row b ->
                    'T.FusedMultiplyAdd(-factors[row], moments.Mean[row], b))

            struct (factors, shifts)
