namespace Pipeline.Learning

open System
open System.Globalization
open Pipeline.Learning.Formats

/// How many dimensions windows move along.
type internal WindowDimensions =
    /// Along sequences.
    | One = 1
    /// Along rows and columns.
    | Two = 2

/// A result that depends on the shape of a layer's samples alone. It is kept, because the shape is the same at every pass.
[<Sealed>]
type internal OfShape<'R when 'R: not struct>(make: Shape -> 'R) =
    // Threads see a shape and its result together, or neither.
    let mutable last: struct (Shape * 'R)[] = [||]

    member _.Get(shape: Shape) : 'R =
        match last with
        | [| struct (known, result) |] when known = shape -> result
        | _ ->
            let result = make shape
            last <- [| struct (shape, result) |]
            result

/// Windows of layers over images and sequences.
[<RequireQualifiedAccess>]
module internal WindowDimensions =
    /// Channels, rows and columns, or what is wrong with a shape. A sequence is an image of one row, and a vector is a
    /// sequence of one channel.
    let imageOf
        (dimensions: WindowDimensions)
        (layer: string)
        (shape: Shape)
        : Result<struct (int * Extent), Fault list> =
        match dimensions, shape with
        | WindowDimensions.Two, Shape.Image(channels, rows, columns) ->
            Ok(struct (channels, { Rows = rows; Columns = columns }))
        | WindowDimensions.Two, Shape.Vector _ ->
            Error [
                Fault.create
                    ""
                    (invariant $"images for {layer} in two dimensions, channels x rows x columns")
                    (invariant $"vectors of {shape} numbers")
            ]
        | _, Shape.Vector size -> Ok(struct (1, { Rows = 1; Columns = size }))
        | _, Shape.Image(channels, 1, columns) ->
            Ok(struct (channels, { Rows = 1; Columns = columns }))
        | _, Shape.Image _ ->
            Error [
                Fault.create
                    ""
                    (invariant $"vectors or images of one row for {layer} in one dimension")
                    (invariant $"images of {shape}")
            ]

    /// The most rows or columns of a window, of its steps and of its padding.
    [<Literal>]
    let private Most = 65536

    /// The places of a window, 1 row and column or more, or what is wrong with it.
    let places (window: Window) (channels: int) (image: Extent) : Result<Extent, Fault list> =
        let isSize (extent: Extent) least =
            extent.Rows >= least
            && extent.Columns >= least
            && extent.Rows <= Most
            && extent.Columns <= Most

        let fault (name: string) least (extent: Extent) =
            isSize extent least,
            Fault.create "" (invariant $"a {name} of {least} to {Most}") (string extent)

        Fault.check
            [
                fault "window" 1 window.Size
                fault "stride" 1 window.Stride
                fault "padding" 0 window.Padding
                fault "dilation" 1 window.Dilation
            ]
            ignore
        |> Result.bind (fun () ->
            let places = window.Places image
            // No integer of 32 bits holds the sizes that a file may claim.
            let padded length padding = int64 length + 2L * int64 padding

            let struct (rows, columns) =
                padded image.Rows window.Padding.Rows, padded image.Columns window.Padding.Columns

            let covered size dilation = int64 dilation * (int64 size - 1L) + 1L

            Fault.check
                [
                    places.Rows >= 1 && places.Columns >= 1,
                    Fault.create
                        ""
                        (invariant
                            $"images of {covered window.Size.Rows window.Dilation.Rows}x{covered window.Size.Columns window.Dilation.Columns} or more with their padding, as the window covers")
                        (invariant $"{rows}x{columns}")
                    Tensor.bytesOf [ int64 channels; rows; columns ] SampleLanes.Count
                    <= bigint Array.MaxLength,
                    Fault.create
                        ""
                        (invariant
                            $"images of at most {Array.MaxLength / SampleLanes.Count} numbers with their padding")
                        (invariant $"{channels}x{rows}x{columns}")
                ]
                (fun () -> places))

/// Windows as settings and model files write them.
[<RequireQualifiedAccess>]
module internal WindowText =
    let private text (dimensions: WindowDimensions) (extent: Extent) : string =
        if dimensions = WindowDimensions.One then
            string extent.Columns
        else
            string extent

    /// <summary><c>5</c>, or <c>5x3 stride 2 padding 1</c>: the size, and what differs from the usual.</summary>
    let ofWindow (dimensions: WindowDimensions) (usualStride: Extent) (window: Window) : string =
        String.concat " " [
            text dimensions window.Size

            for name, extent, usual in
                [
                    "stride", window.Stride, usualStride
                    "padding", window.Padding, Extent.Square 0
                    "dilation", window.Dilation, Extent.Square 1
                ] do
                if extent <> usual then
                    $"{name} {text dimensions extent}"
        ]

    let private wholeNumber (text: string) : int option =
        match Int32.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
        | true, number -> Some number
        | _ -> None

    /// Rows and columns of a text: 5 or 5x3 in two dimensions; in one dimension the text gives the columns, and `rows`
    /// the rows.
    let private extent (dimensions: WindowDimensions) (rows: int) (text: string) : Extent option =
        match dimensions, text.Split 'x' |> List.ofArray |> List.map wholeNumber with
        | WindowDimensions.One, [ Some columns ] -> Some { Rows = rows; Columns = columns }
        | WindowDimensions.Two, [ Some size ] -> Some(Extent.Square size)
        | WindowDimensions.Two, [ Some rows; Some columns ] ->
            Some { Rows = rows; Columns = columns }
        | _ -> None

    /// <summary>The window of some words, its stride where they tell it, and the words that belong to neither: pairs of a name
    /// and a number.</summary>
    let rec private options
        (dimensions: WindowDimensions)
        (words: string list)
        (found: Map<string, Extent>)
        (others: (string * int) list)
        : struct (Map<string, Extent> * (string * int) list) option =
        match words with
        | [] -> Some(struct (found, others))
        | name :: text :: rest ->
            match name.ToLowerInvariant() with
            | "stride"
            | "dilation" as name ->
                extent dimensions 1 text
                |> Option.bind (fun extent ->
                    options dimensions rest (found.Add(name, extent)) others)
            | "padding" ->
                extent dimensions 0 text
                |> Option.bind (fun extent ->
                    options dimensions rest (found.Add("padding", extent)) others)
            | other ->
                wholeNumber text
                |> Option.bind (fun number ->
                    options dimensions rest found ((other, number) :: others))
        | [ _ ] -> None

    /// <summary>The window of words such as <c>5x3</c> <c>stride</c> <c>2</c>, and the other options, each a name and a
    /// number.</summary>
    /// <param name="dimensions">How many dimensions it moves along.</param>
    /// <param name="usualStride">The stride where the words tell none, from the size.</param>
    /// <param name="words">The words.</param>
    let parse
        (dimensions: WindowDimensions)
        (usualStride: Extent -> Extent)
        (words: string list)
        : struct (Window * (string * int) list) option =
        match words with
        | [] -> None
        | size :: words ->
            Option.map2
                (fun size (struct (found: Map<string, Extent>, others)) ->
                    let of' name usual =
                        found.TryFind name |> Option.defaultValue usual

                    struct ({
                                Size = size
                                Stride = of' "stride" (usualStride size)
                                Padding = of' "padding" (Extent.Square 0)
                                Dilation = of' "dilation" (Extent.Square 1)
                            },
                            others))
                (extent dimensions 1 size)
                (options dimensions words Map.empty [])
