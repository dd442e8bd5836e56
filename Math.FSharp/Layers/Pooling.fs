namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// Which number stands for a window.
type internal PoolingKind =
    | Max
    | Average

/// <summary>Pooling: the greatest number, or the mean, of each place of a window in each channel.</summary>
/// <remarks>The gradient of the greatest number goes to the first of equals. Padding is left out of the greatest number
/// and counts as zeros in the mean, as in PyTorch. Source: Deep Learning from Scratch, ch. 7.</remarks>
[<Sealed>]
type internal Pooling(kind: PoolingKind, dimensions: WindowDimensions, window: Window) =
    inherit
        Layer(
            String.concat " " [
                (invariant
                    $"""{if kind = PoolingKind.Max then "max" else "avg"}pool{int dimensions}d""")
                WindowText.ofWindow dimensions window.Size window
            ]
        )

    let imageOf shape =
        WindowDimensions.imageOf dimensions "pooling" shape

    let requireImage (shape: Shape) : struct (int * Extent) =
        imageOf shape |> Fault.orInvalidArg (nameof shape)

    let plans =
        OfShape(fun shape ->
            let struct (channels, image) = requireImage shape
            PoolingPlan.Of(window, channels, image))

    /// Whether each place of the window has a number of the image in it.
    let seesNumbers (image: Extent) (places: Extent) : bool =
        let along length places size stride padding dilation =
            // The first number at or behind the image's first one.
            let sees place =
                let start = place * stride - padding
                let first = max 0 ((dilation - 1 - start) / dilation)
                first < size && start + first * dilation < length

            // Places that begin before the image, which are few, and the last one.
            let before = min places ((padding + stride - 1) / stride)
            sees (places - 1) && Seq.forall sees (seq { 0 .. before - 1 })

        let {
                Size = size
                Stride = stride
                Padding = padding
                Dilation = dilation
            } =
            window

        along image.Rows places.Rows size.Rows stride.Rows padding.Rows dilation.Rows
        && along
            image.Columns
            places.Columns
            size.Columns
            stride.Columns
            padding.Columns
            dilation.Columns

    member _.Kind = kind

    member _.Window = window

    /// Channels, rows and columns of an image of a shape.
    member _.Image(shape: Shape) : struct (int * Extent) = requireImage shape

    override _.TakesImages = (dimensions = WindowDimensions.Two)

    override layer.OutputShape(input) =
        imageOf input
        |> Result.bind (fun (struct (channels, image)) ->
            Fault.check
                [
                    2 * window.Padding.Rows <= window.Size.Rows
                    && 2 * window.Padding.Columns <= window.Size.Columns,
                    Fault.create
                        ""
                        (invariant $"a padding of at most half the window, {window.Size}")
                        (string window.Padding)
                ]
                ignore
            |> Result.bind (fun () -> WindowDimensions.places window channels image)
            |> Result.bind (fun places ->
                Fault.check
                    [
                        kind = PoolingKind.Average || seesNumbers image places,
                        Fault.create
                            ""
                            "a dilation with which the window has a number of the image at every place"
                            (string window.Dilation)
                    ]
                    (fun () -> Shape.Image(channels, places.Rows, places.Columns))))

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

            let by (pooling: 'P :> IPooling<'T>) : PassOutput<'T> = {
                PassOutput.ofLanes (PoolingLoops.forward pooling plan x) (fun upstream ->
                    struct (ValueSome(PoolingLoops.backward pooling plan x upstream),
                            LayerGradient.none)) with
                    MayOverwrite = true
            }

            match kind with
            | PoolingKind.Max -> by (MaxPooling<'T>())
            | PoolingKind.Average -> by (AveragePooling<'T>())

    interface IOnnxLayer with
        member _.ToOnnx(draft, _, shape, input) =
            let struct (channels, image) = requireImage shape

            let pool (operator: string) attributes =
                draft.Add(
                    operator,
                    [ OnnxImages.reshape draft [ channels; image.Rows; image.Columns ] input ],
                    attributes @ OnnxImages.attributes window
                )
                |> OnnxImages.flatten draft

            match kind with
            | PoolingKind.Max ->
                pool "MaxPool" [
                    "dilations",
                    OnnxAttribute.Integers [
                        int64 window.Dilation.Rows
                        int64 window.Dilation.Columns
                    ]
                ]
            | PoolingKind.Average when draft.IsSingle && window.Dilation = Extent.Square 1 ->
                pool "AveragePool" [ "count_include_pad", OnnxAttribute.Integer 1L ]
            | PoolingKind.Average ->
                let means = [
                    for channel in 0 .. channels - 1 ->
                        draft.Add(
                            "ReduceMean",
                            [ OnnxImages.windows draft window image shape.Size [ channel ] input ],
                            [
                                "axes", OnnxAttribute.Integers [ 2L ]
                                "keepdims", OnnxAttribute.Integer 0L
                            ]
                        )
                ]

                match means with
                | [ only ] -> only
                | _ -> draft.Add("Concat", means, [ "axis", OnnxAttribute.Integer 1L ])
