namespace Pipeline.Learning

open System
open Pipeline.Learning.Formats

/// The range of the pixels of images in a file.
[<RequireQualifiedAccess>]
type PixelScale =
    /// 0 is background, 255 full ink.
    | Byte
    /// 0 is background, 1 full ink.
    | Unit

    /// The case's name.
    override scale.ToString() =
        match scale with
        | Byte -> nameof Byte
        | Unit -> nameof Unit

/// <summary>Images in arrays of any numbers.</summary>
/// <remarks>Arrays are (images, rows, columns) or (images, channels, rows, columns). An array with the channels last is
/// converted if its last dimension is 3 or 4, and the second is not 1, 3 or 4.</remarks>
[<RequireQualifiedAccess>]
module Pixels =
    /// Where an array has the channels of its images.
    [<RequireQualifiedAccess; Struct>]
    type private ChannelOrder =
        | First
        | Last
        /// First, but the array could have them last.
        | Unclear

    /// How many images an array holds, their size, and where it has the channels.
    let private layout
        (images: Tensor)
        : Result<struct (int * ImageSize * ChannelOrder), Fault list> =
        let size channels rows columns = {
            Channels = channels
            Rows = rows
            Columns = columns
        }

        let isNumberOfChannels number = number = 1 || number = 3 || number = 4

        match images.Shape with
        | shape when shape.IsEmpty || List.exists (fun size -> size <= 0) shape -> ValueNone
        | [ count; rows; columns ] ->
            ValueSome(struct (count, size 1 rows columns, ChannelOrder.First))
        | [ count; first; second; 1 ] ->
            // Grey images have the same bytes either way.
            let order =
                if first <> 1 && isNumberOfChannels first then
                    ChannelOrder.Unclear
                else
                    ChannelOrder.First

            ValueSome(struct (count, size 1 first second, order))
        | [ count; rows; columns; channels ] when
            isNumberOfChannels channels && not (isNumberOfChannels rows)
            ->
            ValueSome(struct (count, size channels rows columns, ChannelOrder.Last))
        | [ count; channels; rows; columns ] ->
            let order =
                if channels <> 1 && isNumberOfChannels columns then
                    ChannelOrder.Unclear
                else
                    ChannelOrder.First

            ValueSome(struct (count, size channels rows columns, order))
        | _ -> ValueNone
        |> function
            | ValueSome layout -> Ok layout
            | ValueNone ->
                Error [
                    Fault.create
                        images.Name
                        "images, (images, rows, columns) or (images, channels, rows, columns), one or more"
                        (Tensor.shapeText images.Shape)
                ]

    /// <summary>A sentence that says what the dimensions of an array are taken for; nothing for grey images that can be
    /// nothing else.</summary>
    [<CompiledName("Dimensions")>]
    let dimensions (images: Tensor) : string voption =
        let shape = Tensor.shapeText images.Shape

        match layout images with
        | Error _ -> ValueNone
        | Ok(struct (_, size, ChannelOrder.First)) when size.Channels = 1 -> ValueNone
        | Ok(struct (_, size, ChannelOrder.First)) ->
            ValueSome(invariant $"{images.Name}: {shape} are images of {size}.")
        | Ok(struct (_, size, ChannelOrder.Last)) ->
            ValueSome(
                invariant
                    $"{images.Name}: {shape} are taken for images of {size} with the channels in the last dimension, which becomes the second."
            )
        | Ok(struct (_, size, ChannelOrder.Unclear)) ->
            ValueSome(
                invariant
                    $"{images.Name}: {shape} are taken for images of {size}; (images, channels, rows, columns) is unambiguous if only the second dimension is 1, 3 or 4."
            )

    /// Numbers of images whose channels come first, of those whose channels come last.
    let private channelsFirst (size: ImageSize) (numbers: 'V[]) : 'V[] =
        Array.init numbers.Length (fun place ->
            let image, inside = place / size.Count, place % size.Count
            let channel, pixel = inside / size.Area, inside % size.Area
            numbers[image * size.Count + pixel * size.Channels + channel])

    /// The least and the greatest number; both are NaN if one number is.
    let private range (numbers: float[]) : struct (float * float) =
        let mutable least = infinity
        let mutable greatest = -infinity

        for number in numbers do
            least <- Math.Min(least, number)
            greatest <- Math.Max(greatest, number)

        struct (least, greatest)

    /// <summary>The range of pixels: 0 to 1 if no number is above 1, otherwise 0 to 255.</summary>
    /// <param name="images">The training images; their range is used for all others.</param>
    [<CompiledName("ScaleOf")>]
    let scaleOf (images: Tensor) : Result<PixelScale, Fault list> =
        match images.Elements with
        | Elements.Texts _ -> Error [ Fault.create images.Name "pixels" "texts" ]
        | Elements.Bytes bytes ->
            let isUnit =
                bytes.Span.Contains 1uy && not (bytes.Span.ContainsAnyExceptInRange(0uy, 1uy))

            Ok(if isUnit then PixelScale.Unit else PixelScale.Byte)
        | _ ->
            let struct (least, greatest) = range (Tensor.toDoubles images)

            if least >= 0.0 && greatest <= 255.0 then
                Ok(
                    if greatest > 1.0 || greatest = 0.0 then
                        PixelScale.Byte
                    else
                        PixelScale.Unit
                )
            else
                Error [
                    Fault.create
                        images.Name
                        "pixels of 0 to 1 or of 0 to 255"
                        (if Double.IsNaN least then
                             "one that is not a number (NaN)"
                         else
                             $"numbers of {string least} to {string greatest}")
                ]

    /// Whether images of the range found can have another range too.
    let private canBe (scale: PixelScale) (found: PixelScale) (images: Tensor) : bool =
        found = scale
        || match images.Elements with
           | Elements.Bytes bytes -> not (bytes.Span.ContainsAnyExcept 0uy)
           | _ -> Array.forall ((=) 0.0) (Tensor.toDoubles images)

    /// <summary>A sentence that says how the pixels are understood and converted; nothing for whole numbers of
    /// 0 to 255.</summary>
    [<CompiledName("Assumption")>]
    let assumption (scale: PixelScale) (images: Tensor) : string voption =
        match scale, images.Elements with
        | PixelScale.Unit, _ ->
            ValueSome
                $"{images.Name}: no number is above 1, so pixels are taken for 0 to 1: each is multiplied by 255 and rounded."
        | PixelScale.Byte, (Elements.Singles _ | Elements.Doubles _) ->
            ValueSome $"{images.Name}: pixels are taken for 0 to 255 and rounded."
        | _ -> ValueNone

    /// <summary>Images as bytes, each number rounded to the nearest of 0 to 255.</summary>
    /// <param name="scale">What the numbers mean.</param>
    /// <param name="images">The images; bytes that mean 0 to 255 are kept, not copied.</param>
    [<CompiledName("OfTensor")>]
    let ofTensor (scale: PixelScale) (images: Tensor) : Result<IdxImages, Fault list> =
        Fault.both (layout images) (scaleOf images)
        |> Result.bind (fun (struct (count, size, order), found) ->
            let ordered numbers =
                if order = ChannelOrder.Last then
                    channelsFirst size numbers
                else
                    numbers

            Fault.check
                [
                    canBe scale found images,
                    match scale with
                    | PixelScale.Unit ->
                        Fault.create
                            images.Name
                            "pixels of 0 to 1, like the training images"
                            "greater ones"
                    | PixelScale.Byte ->
                        Fault.create
                            images.Name
                            "pixels of 0 to 255, like the training images"
                            "none above 1"
                ]
                (fun () -> {
                    Count = count
                    Size = size
                    Pixels =
                        match scale, images.Elements with
                        | PixelScale.Byte, Elements.Bytes bytes when order <> ChannelOrder.Last ->
                            bytes
                        | PixelScale.Byte, Elements.Bytes bytes ->
                            ReadOnlyMemory(ordered (bytes.ToArray()))
                        | _ ->
                            let factor = if scale = PixelScale.Unit then 255.0 else 1.0

                            Tensor.toDoubles images
                            |> Array.map (fun number -> byte (Math.Round(factor * number)))
                            |> ordered
                            |> ReadOnlyMemory
                }))

    /// <summary>Images with rows and columns exchanged: EMNIST's files have them so.</summary>
    [<CompiledName("Transpose")>]
    let transpose (images: IdxImages) : IdxImages =
        let size = images.Size
        let pixels: byte[] = Array.zeroCreate images.Pixels.Length
        let source = images.Pixels.Span

        for i in 0 .. pixels.Length - 1 do
            let place = i % size.Area
            let row, column = place / size.Columns, place % size.Columns
            pixels[i - place + column * size.Rows + row] <- source[i]

        {
            images with
                Size = {
                    size with
                        Rows = size.Columns
                        Columns = size.Rows
                }
                Pixels = ReadOnlyMemory pixels
        }

    /// <summary>Images and their labels in two: to learn from, and to test with, which has the same share of
    /// every class.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="fraction">The fraction for the test, 0 to 1.</param>
    /// <param name="images">The images.</param>
    /// <param name="labels">One an image.</param>
    [<CompiledName("Split")>]
    let split
        (seed: uint64)
        (fraction: float)
        (images: IdxImages)
        (labels: int[])
        : Result<struct (struct (IdxImages * int[]) * struct (IdxImages * int[])), Fault list> =
        let isTest = StratifiedSample.choose seed RandomStream.Test fraction labels
        let size = images.Size.Count

        let where test =
            let places =
                [| 0 .. labels.Length - 1 |] |> Array.filter (fun i -> isTest[i] = test)

            struct ({
                        images with
                            Count = places.Length
                            Pixels =
                                places
                                |> Array.collect (fun i ->
                                    images.Pixels.Slice(i * size, size).ToArray())
                                |> ReadOnlyMemory
                    },
                    places |> Array.map (fun i -> labels[i]))

        Fault.check
            [
                Array.contains true isTest && Array.contains false isTest,
                Fault.create
                    "TestShare"
                    "a share that leaves images on both sides"
                    (invariant $"{string fraction} of {labels.Length}")
            ]
            (fun () -> struct (where false, where true))
