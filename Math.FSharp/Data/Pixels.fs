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

/// <summary>Grey images in arrays of any numbers.</summary>
[<RequireQualifiedAccess>]
module Pixels =
    /// <summary>How many images an array holds, and their rows and columns: (images, rows, columns), also
    /// with one channel, (images, rows, columns, 1) or (images, 1, rows, columns).</summary>
    let internal size (images: Tensor) : Result<struct (int * int * int), Fault list> =
        match images.Shape with
        | [ count; rows; columns ]
        | [ count; rows; columns; 1 ]
        | [ count; 1; rows; columns ] when count > 0 && rows > 0 && columns > 0 ->
            Ok(struct (count, rows, columns))
        | shape ->
            Error [
                Fault.create
                    images.Name
                    "grey images, (images, rows, columns), (images, rows, columns, 1) or (images, 1, rows, columns), one or more"
                    (Tensor.shapeText shape)
            ]

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
        Fault.both (size images) (scaleOf images)
        |> Result.bind (fun (struct (count, rows, columns), found) ->
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
                    Rows = rows
                    Columns = columns
                    Pixels =
                        match scale, images.Elements with
                        | PixelScale.Byte, Elements.Bytes bytes -> bytes
                        | _ ->
                            let factor = if scale = PixelScale.Unit then 255.0 else 1.0

                            Tensor.toDoubles images
                            |> Array.map (fun number -> byte (Math.Round(factor * number)))
                            |> ReadOnlyMemory
                }))

    /// <summary>Images with rows and columns exchanged: EMNIST's files have them so.</summary>
    [<CompiledName("Transpose")>]
    let transpose (images: IdxImages) : IdxImages =
        let size = images.Rows * images.Columns
        let pixels: byte[] = Array.zeroCreate images.Pixels.Length
        let source = images.Pixels.Span

        for i in 0 .. pixels.Length - 1 do
            let place = i % size
            let row, column = place / images.Columns, place % images.Columns
            pixels[i - place + column * images.Rows + row] <- source[i]

        {
            images with
                Rows = images.Columns
                Columns = images.Rows
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
        let size = images.Rows * images.Columns

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
                    $"{string fraction} of %d{labels.Length}"
            ]
            (fun () -> struct (where false, where true))
