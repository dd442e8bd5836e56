/// Pixels.fs: arrays of any dimensions as images.
module Pipeline.Properties.PixelsLaws

open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private count = 3

/// A number for a pixel of a channel, different for its neighbours.
let private number image channel row column =
    byte (61 * image + 37 * channel + 11 * row + 5 * column)

let private channelsFirst (size: ImageSize) : byte[] = [|
    for image in 0 .. count - 1 do
        for channel in 0 .. size.Channels - 1 do
            for row in 0 .. size.Rows - 1 do
                for column in 0 .. size.Columns - 1 -> number image channel row column
|]

let private channelsLast (size: ImageSize) : byte[] = [|
    for image in 0 .. count - 1 do
        for row in 0 .. size.Rows - 1 do
            for column in 0 .. size.Columns - 1 do
                for channel in 0 .. size.Channels - 1 -> number image channel row column
|]

let private tensor (shape: int list) (bytes: byte[]) : Tensor = {
    Name = "x"
    Shape = shape
    Elements = Elements.Bytes(System.ReadOnlyMemory bytes)
}

let private images (tensor: Tensor) =
    let images = Pixels.ofTensor PixelScale.Byte tensor |> orFail
    images.Count, images.Size, images.Pixels.ToArray()

/// Sizes of images without a dimension that could be a number of channels.
let private sizeOf (channels: int) (PositiveInt rows) (PositiveInt columns) : ImageSize = {
    Channels = channels
    Rows = 5 + rows % 5
    Columns = 5 + columns % 4
}

[<Law>]
let ``images of channels are the same with the channels first and last, in every type of number``
    (rows: PositiveInt)
    (columns: PositiveInt)
    (hasOpacity: bool)
    =
    let size = sizeOf (if hasOpacity then 4 else 3) rows columns

    let {
            Channels = channels
            Rows = rows
            Columns = columns
        } =
        size

    let first = tensor [ count; channels; rows; columns ] (channelsFirst size)
    let last = tensor [ count; rows; columns; channels ] (channelsLast size)
    let expected = count, size, channelsFirst size
    Exactly.equal expected (images first)
    Exactly.equal expected (images last)

    for one in [ first; last ] do
        Exactly.equal
            expected
            (images {
                one with
                    Elements = Elements.Singles(Tensor.toDoubles one |> Array.map float32)
            })

        Exactly.equal
            expected
            (images {
                one with
                    Elements = Elements.Integers(Tensor.toDoubles one |> Array.map int64)
            })

    let sentence (tensor: Tensor) =
        match Pixels.dimensions tensor with
        | ValueSome sentence -> sentence
        | ValueNone -> ""

    Assert.Equal(
        $"x: %d{count} × %d{channels} × %d{rows} × %d{columns} are images of {size}.",
        sentence first
    )

    Assert.Contains("the channels in the last dimension", sentence last)

[<Law>]
let ``any number of channels is read if they come first; grey images say nothing``
    (rows: PositiveInt)
    (columns: PositiveInt)
    (PositiveInt channels)
    =
    let size = sizeOf (1 + channels % 9) rows columns

    let one =
        tensor [ count; size.Channels; size.Rows; size.Columns ] (channelsFirst size)

    Exactly.equal (count, size, channelsFirst size) (images one)
    Exactly.equal (size.Channels = 1) (Pixels.dimensions one).IsNone
    let grey = ImageSize.Grey(size.Rows, size.Columns)

    for shape in
        [
            [ count; size.Rows; size.Columns ]
            [ count; size.Rows; size.Columns; 1 ]
            [ count; 1; size.Rows; size.Columns ]
        ] do
        let one = tensor shape (channelsFirst grey)
        Exactly.equal (count, grey, channelsFirst grey) (images one)
        Exactly.equal ValueNone (Pixels.dimensions one)

[<Fact>]
let ``dimensions that could be read in two ways are read with the channels first, and that is said``
    ()
    =
    for shape, size in
        [
            [ count; 3; 5; 3 ], { Channels = 3; Rows = 5; Columns = 3 }
            [ count; 4; 4; 4 ], { Channels = 4; Rows = 4; Columns = 4 }
            [ count; 3; 8; 4 ], { Channels = 3; Rows = 8; Columns = 4 }
            [ count; 3; 8; 1 ], ImageSize.Grey(3, 8)
        ] do
        let one = tensor shape (channelsFirst size)
        Exactly.equal (count, size, channelsFirst size) (images one)

        match Pixels.dimensions one with
        | ValueSome sentence -> Assert.Contains("unambiguous if", sentence)
        | ValueNone -> Assert.Fail "nothing was said"

[<Fact>]
let ``arrays of other dimensions give a fault`` () =
    for shape in [ []; [ 6 ]; [ 2; 3 ]; [ 0; 2; 3 ]; [ 2; 0; 3; 3 ]; [ 2; 1; 1; 1; 3 ] ] do
        Pixels.ofTensor PixelScale.Byte (tensor shape (Array.create (List.fold (*) 1 shape) 2uy))
        |> Exactly.faulted [ "x"; "(images, channels, rows, columns)" ]

[<Law>]
let ``rows and columns are exchanged in each channel`` (rows: PositiveInt) (columns: PositiveInt) =
    let size = sizeOf 3 rows columns

    let exchanged =
        Pixels.transpose {
            Count = count
            Size = size
            Pixels = System.ReadOnlyMemory(channelsFirst size)
        }

    Exactly.equal
        {
            size with
                Rows = size.Columns
                Columns = size.Rows
        }
        exchanged.Size

    Exactly.equal
        [|
            for image in 0 .. count - 1 do
                for channel in 0..2 do
                    for column in 0 .. size.Columns - 1 do
                        for row in 0 .. size.Rows - 1 -> number image channel row column
        |]
        (exchanged.Pixels.ToArray())
