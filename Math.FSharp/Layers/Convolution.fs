namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// <summary>A convolution: each output channel o is y(o, p) = b(o) + Σₖ W(o, k)·x(p, k) over the numbers x(p, k)
/// that a window sees at its place p, in every channel of its group.</summary>
/// <remarks>As in PyTorch the window is not flipped, which makes it a cross-correlation, and there are zeros around the
/// image. W: (outputs, taps), the taps being channels of the group, rows and columns of the window; that is PyTorch's
/// <c>weight</c> (out, in / groups, rows, columns) with one number for the last three. In one dimension samples are
/// images of one row, or vectors. Source: Deep Learning from Scratch, ch. 7; LeCun et al., Gradient-based learning
/// applied to document recognition, 1998.</remarks>
[<Sealed>]
type internal Convolution
    (dimensions: WindowDimensions, outputs: int, window: Window, groups: int, hasBiases: bool) =
    inherit
        Layer(
            String.concat " " [
                (invariant
                    $"conv{int dimensions}d {outputs} {WindowText.ofWindow dimensions (Extent.Square 1) window}")
                if groups <> 1 then
                    invariant $"groups {groups}"
            ]
        )

    let imageOf (shape: Shape) =
        WindowDimensions.imageOf dimensions "a convolution" shape

    let requireImage (shape: Shape) : struct (int * Extent) =
        imageOf shape |> Fault.orInvalidArg (nameof shape)

    let plans =
        OfShape(fun shape ->
            let struct (channels, image) = requireImage shape
            ConvolutionPlan.Of(window, channels, image, outputs, groups))

    /// The weights of an output channel.
    let taps (channels: int) =
        int64 (channels / groups) * int64 window.Size.Rows * int64 window.Size.Columns

    let tapsOf (shape: Shape) : int =
        let struct (channels, _) = requireImage shape
        int (taps channels)

    let biasesOf (parameters: LayerParameters<'T>) : 'T[] =
        if hasBiases then
            Kernels.elements parameters.Biases
        else
            Array.zeroCreate outputs

    member _.Window = window

    /// How many groups of neighbouring channels are convolved apart.
    member internal _.Groups = groups

    /// Channels, rows and columns of a sample of a shape.
    member _.Image(shape: Shape) : struct (int * Extent) = requireImage shape

    /// Where its numbers stand for samples of a shape.
    member _.Plan(shape: Shape) : ConvolutionPlan = plans.Get shape

    /// Its biases; 0 without any.
    member _.Biases(parameters: LayerParameters<'T>) : 'T[] = biasesOf parameters

    override _.TakesImages = (dimensions = WindowDimensions.Two)

    override layer.OutputShape(input) =
        imageOf input
        |> Result.bind (fun (struct (channels, image)) ->
            let limit = DenseLimits.MaximumOutputs

            Fault.check
                [
                    outputs >= 1 && outputs <= limit,
                    Fault.create "" (invariant $"1 to {limit} output channels") (string outputs)
                    groups >= 1 && channels % (max 1 groups) = 0 && outputs % (max 1 groups) = 0,
                    Fault.create
                        ""
                        "groups that divide the channels and the output channels"
                        (invariant $"{groups} for {channels} and {outputs}")
                ]
                ignore
            |> Result.bind (fun () -> WindowDimensions.places window channels image)
            |> Result.bind (fun places ->
                let numbers = int64 outputs * int64 places.Rows * int64 places.Columns

                Fault.check
                    [
                        int64 outputs * taps channels * int64 SampleLanes.Count
                        <= int64 Array.MaxLength,
                        Fault.create
                            ""
                            (invariant $"at most {Array.MaxLength / SampleLanes.Count} weights")
                            (invariant $"{outputs} × {taps channels}")
                        numbers * int64 SampleLanes.Count <= int64 Array.MaxLength,
                        Fault.create
                            ""
                            (invariant
                                $"outputs of at most {Array.MaxLength / SampleLanes.Count} numbers")
                            (string numbers)
                    ]
                    (fun () -> Shape.Image(outputs, places.Rows, places.Columns))))

    override _.Parameters(input) = {
        MatrixShapes = [ "W", outputs, tapsOf input ]
        VectorSizes = if hasBiases then [ "b", outputs ] else []
    }

    override _.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (initialiser, seed, number, input)
        : LayerParameters<'T> =
        let taps = tapsOf input
        let uses = outputs / groups * window.Size.Rows * window.Size.Columns

        {
            Matrices = [
                "W",
                initialiser
                |> Initialiser.weightsOf seed number outputs taps uses
                |> Kernels.matrix outputs taps
            ]
            Vectors = [
                if hasBiases then
                    "b", Kernels.vector (Array.zeroCreate outputs)
            ]
        }

    override layer.Forward(pass) =
        LaneLayer.forward layer pass |> PassOutput.toOutput

    interface ILaneLayer with
        member _.PrefersLanes(_) = true

        member _.ForwardLanes<'T
            when 'T: struct
            and 'T :> ValueType
            and 'T: (new: unit -> 'T)
            and 'T :> IBinaryFloatingPointIeee754<'T>>
            (pass: LayerPass<'T>, x: LaneBlocks<'T>)
            : PassOutput<'T> =
            let plan = plans.Get pass.Shape
            let weights = Kernels.values pass.Parameters.Weights
            let padded = ConvolutionLoops.padded plan x

            let output =
                ConvolutionLoops.forward plan x.Samples weights (biasesOf pass.Parameters) padded

            {
                PassOutput.ofLanes output (fun upstream ->
                    struct ((if pass.NeedsInputGradient then
                                 ValueSome(ConvolutionLoops.inputGradient plan weights upstream)
                             else
                                 ValueNone),
                            {
                                Inputs = ValueNone
                                Matrices = [
                                    ConvolutionLoops.weightGradient plan padded upstream
                                    |> Kernels.matrix outputs plan.TapCount
                                    |> MatrixGradient.Value
                                ]
                                Vectors = [
                                    if hasBiases then
                                        ChannelLoops.total plan.PixelCount upstream
                                        |> Kernels.vector
                                ]
                            })) with
                    MayOverwrite = true
                    Kept = [
                        if plan.IsPadded then
                            padded
                    ]
            }

    interface IAffine with
        member _.WithoutBiases = Convolution(dimensions, outputs, window, groups, false)

        member _.Absorb<'T
            when 'T: struct
            and 'T :> ValueType
            and 'T: (new: unit -> 'T)
            and 'T :> IBinaryFloatingPointIeee754<'T>>
            (scale: 'T[], shift: 'T[], parameters: LayerParameters<'T>)
            : struct (Layer * LayerParameters<'T>) =
            struct (Convolution(dimensions, outputs, window, groups, true),
                    LayerParameters.scaleOutputs
                        scale
                        shift
                        (biasesOf parameters)
                        parameters.Weights)

    interface IOnnxLayer with
        member _.ToOnnx(draft, parameters, shape, input) =
            let struct (channels, image) = requireImage shape
            let own = channels / groups

            if draft.IsSingle then
                let weights =
                    OnnxImages.transpose draft [ 1L; 0L ] parameters.Head
                    |> OnnxImages.reshape draft [ own; window.Size.Rows; window.Size.Columns ]

                let images = OnnxImages.reshape draft [ channels; image.Rows; image.Columns ] input

                draft.Add(
                    "Conv",
                    images :: weights :: parameters.Tail,
                    ("group", OnnxAttribute.Integer(int64 groups))
                    :: ("dilations",
                        OnnxAttribute.Integers [
                            int64 window.Dilation.Rows
                            int64 window.Dilation.Columns
                        ])
                    :: OnnxImages.attributes window
                )
                |> OnnxImages.flatten draft
            else
                // Runtimes have convolutions in single precision alone.
                let ofGroup group =
                    let seen =
                        OnnxImages.windows
                            draft
                            window
                            image
                            shape.Size
                            [ group * own .. (group + 1) * own - 1 ]
                            input

                    let first = group * (outputs / groups)

                    let ofGroup (input: string) (axis: int64) =
                        draft.Add(
                            "Slice",
                            [
                                input
                                draft.Integers [ int64 first ]
                                draft.Integers [ int64 (first + outputs / groups) ]
                                draft.Integers [ axis ]
                            ]
                        )

                    let product = draft.Add("MatMul", [ seen; ofGroup parameters.Head 1L ])

                    match parameters.Tail with
                    | biases :: _ -> draft.Add("Add", [ product; ofGroup biases 0L ])
                    | [] -> product

                let products = [ for group in 0 .. groups - 1 -> ofGroup group ]

                (match products with
                 | [ only ] -> only
                 | _ -> draft.Add("Concat", products, [ "axis", OnnxAttribute.Integer 2L ]))
                |> OnnxImages.transpose draft [ 0L; 2L; 1L ]
                |> OnnxImages.flatten draft
