namespace Pipeline.Learning

open Pipeline.Learning.Formats

/// Operations of ONNX on images. Layers pass each other (batch, features).
[<RequireQualifiedAccess>]
module internal OnnxImages =
    /// A value in another shape, each sample of these sizes.
    let reshape (draft: OnnxDraft) (sizes: int list) (input: string) : string =
        draft.Add("Reshape", [ input; draft.Integers(-1L :: List.map int64 sizes) ])

    let flatten (draft: OnnxDraft) (input: string) : string =
        draft.Add("Flatten", [ input ], [ "axis", OnnxAttribute.Integer 1L ])

    /// An operation on images, between (batch, features) on both sides; one on vectors as it is.
    let within
        (draft: OnnxDraft)
        (shape: Shape)
        (operation: string -> string)
        (input: string)
        : string =
        match shape with
        | Shape.Vector _ -> operation input
        | Shape.Image(channels, rows, columns) ->
            input |> reshape draft [ channels; rows; columns ] |> operation |> flatten draft

    /// The attributes of an operator whose window moves over images.
    let attributes (window: Window) : (string * OnnxAttribute) list =
        let both (extent: Extent) =
            OnnxAttribute.Integers [ int64 extent.Rows; int64 extent.Columns ]

        let { Rows = rows; Columns = columns } = window.Padding

        [
            "kernel_shape", both window.Size
            "strides", both window.Stride
            "pads", OnnxAttribute.Integers(List.map int64 [ rows; columns; rows; columns ])
        ]

    /// What a window sees at each of its places in some neighbouring channels, by operators that runtimes have in double
    /// precision too: (batch, places, channels · window).
    let windows
        (draft: OnnxDraft)
        (window: Window)
        (image: Extent)
        (features: int)
        (channels: int list)
        (input: string)
        : string =
        let plan = PoolingPlan.Of(window, 1, image)

        let places = [
            for place in 0 .. plan.OutputSize - 1 do
                for channel in channels do
                    for k in 0 .. plan.WindowSize - 1 do
                        match plan.Places[place * plan.WindowSize + k] with
                        // A zero behind the sample's numbers.
                        | -1 -> int64 features
                        | inside -> int64 (channel * plan.InputSize + inside)
        ]

        let padded = draft.Add("Pad", [ input; draft.Integers [ 0L; 0L; 0L; 1L ] ])

        draft.Add("Gather", [ padded; draft.Integers places ], [ "axis", OnnxAttribute.Integer 1L ])
        |> reshape draft [ plan.OutputSize; channels.Length * plan.WindowSize ]

    let transpose (draft: OnnxDraft) (order: int64 list) (input: string) : string =
        draft.Add("Transpose", [ input ], [ "perm", OnnxAttribute.Integers order ])
