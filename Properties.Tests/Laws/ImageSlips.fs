/// Slips that people make in convolution and pooling, each beside the right function: the library's laws must catch every
/// one, and must pass what is right.
module Pipeline.Properties.ImageSlips

open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

type private M = Matrix<float>
type private V = Vector<float>

/// A place of the window, and a number of the window.
[<Struct>]
type private At = {
    PlaceRow: int
    PlaceColumn: int
    Row: int
    Column: int
}

/// How a convolution finds its numbers.
type private Reading = {
    /// The input that a window sees in a channel of a group; −1 for a zero.
    Input: ConvolutionShape -> int -> int -> At -> int
    /// The weight's place in its row, from the channel of the group.
    Tap: ConvolutionShape -> int -> At -> int
    /// The bias of an output channel and place; −1 for none.
    Bias: ConvolutionShape -> int -> int -> int
}

module private Own =
    /// A number of the image, or a zero around it.
    let number (shape: WindowShape) channel y x : int =
        let image = shape.Image

        if y < 0 || y >= image.Rows || x < 0 || x >= image.Columns then
            -1
        else
            (channel * image.Rows + y) * image.Columns + x

    let row (window: Window) (at: At) =
        at.PlaceRow * window.Stride.Rows + at.Row * window.Dilation.Rows
        - window.Padding.Rows

    let column (window: Window) (at: At) =
        at.PlaceColumn * window.Stride.Columns + at.Column * window.Dilation.Columns
        - window.Padding.Columns

    let channels (shape: ConvolutionShape) = shape.Input.Channels / shape.Groups

    let right = {
        Input =
            fun shape group channel at ->
                number
                    shape.Input
                    (group * channels shape + channel)
                    (row shape.Input.Window at)
                    (column shape.Input.Window at)
        Tap =
            fun shape channel at ->
                let size = shape.Input.Window.Size
                (channel * size.Rows + at.Row) * size.Columns + at.Column
        Bias = fun _ output _ -> output
    }

    /// The places of a window, and for each its numbers.
    let places (shape: WindowShape) : At list list = [
        for placeRow in 0 .. shape.Places.Rows - 1 do
            for placeColumn in 0 .. shape.Places.Columns - 1 do
                [
                    for row in 0 .. shape.Window.Size.Rows - 1 do
                        for column in 0 .. shape.Window.Size.Columns - 1 do
                            {
                                PlaceRow = placeRow
                                PlaceColumn = placeColumn
                                Row = row
                                Column = column
                            }
                ]
    ]

    /// The output channel, tap, output and input of every product.
    let products (reading: Reading) (shape: ConvolutionShape) = [
        for output in 0 .. shape.Outputs - 1 do
            let group = output / (shape.Outputs / shape.Groups)
            let places = places shape.Input

            for place, numbers in List.indexed places do
                for channel in 0 .. channels shape - 1 do
                    for at in numbers do
                        let input = reading.Input shape group channel at

                        if input >= 0 then
                            struct (output,
                                    reading.Tap shape channel at,
                                    output * places.Length + place,
                                    input)
    ]

    let placeCount (shape: ConvolutionShape) =
        shape.Input.Places.Rows * shape.Input.Places.Columns

    let forward (reading: Reading) (shape: ConvolutionShape) (w: M) (b: V) (x: M) : M =
        let places = placeCount shape

        let bias i =
            match reading.Bias shape (i / places) (i % places) with
            | -1 -> 0.0
            | at -> b[at]

        let y = M.Build.Dense(shape.Outputs * places, x.ColumnCount, (fun i _ -> bias i))

        for struct (channel, tap, output, input) in products reading shape do
            y.SetRow(output, y.Row output + w[channel, tap] * x.Row input)

        y

    let inputGradient reading shape (w: M) (x: M) (upstream: M) : M =
        let result = M.Build.Dense(x.RowCount, x.ColumnCount)

        for struct (channel, tap, output, input) in products reading shape do
            result.SetRow(input, result.Row input + w[channel, tap] * upstream.Row output)

        result

    let weightGradient reading shape (w: M) (x: M) (upstream: M) : M =
        let result = M.Build.Dense(w.RowCount, w.ColumnCount)

        for struct (channel, tap, output, input) in products reading shape do
            result[channel, tap] <- result[channel, tap] + upstream.Row output * x.Row input

        result

    let biasGradient (reading: Reading) shape (b: V) (upstream: M) : V =
        let places = placeCount shape
        let result = V.Build.Dense b.Count

        for i in 0 .. upstream.RowCount - 1 do
            let at = reading.Bias shape (i / places) (i % places)

            if at >= 0 then
                result[at] <- result[at] + upstream.Row(i).Sum()

        result

    let backward (reading: Reading) (shape: ConvolutionShape) (w: M) (b: V) (x: M) (upstream: M) = {
        Weights = weightGradient reading shape w x upstream
        Biases = biasGradient reading shape b upstream
        Inputs = inputGradient reading shape w x upstream
    }

    /// The inputs of each window, padding left out, with the place of its output.
    let windows (shape: WindowShape) : (int * int list) list = [
        let places = places shape

        for channel in 0 .. shape.Channels - 1 do
            for place, numbers in List.indexed places do
                channel * places.Length + place,
                [
                    for at in numbers do
                        let input =
                            number shape channel (row shape.Window at) (column shape.Window at)

                        if input >= 0 then
                            input
                ]
    ]

    let pool (ofWindow: WindowShape -> float list -> float) (shape: WindowShape) (x: M) : M =
        let windows = Map.ofList (windows shape)

        M.Build.Dense(
            windows.Count,
            x.ColumnCount,
            fun output s -> windows[output] |> List.map (fun i -> x[i, s]) |> ofWindow shape
        )

    let poolGradient
        (shares: WindowShape -> float list -> float list)
        (shape: WindowShape)
        (x: M)
        (upstream: M)
        : M =
        let result = M.Build.Dense(x.RowCount, x.ColumnCount)

        for output, inputs in windows shape do
            for s in 0 .. x.ColumnCount - 1 do
                let shares = inputs |> List.map (fun i -> x[i, s]) |> shares shape

                for input, share in List.zip inputs shares do
                    result[input, s] <- result[input, s] + share * upstream[output, s]

        result

    let sizeOf (shape: WindowShape) =
        float (shape.Window.Size.Rows * shape.Window.Size.Columns)

    let greatest (_: WindowShape) (numbers: float list) = List.max numbers

    let toFirst (_: WindowShape) (numbers: float list) =
        let first = numbers |> List.findIndex ((=) (List.max numbers))
        numbers |> List.mapi (fun i _ -> if i = first then 1.0 else 0.0)

    let mean shape (numbers: float list) = List.sum numbers / sizeOf shape

    let equalParts shape (numbers: float list) =
        numbers |> List.map (fun _ -> 1.0 / sizeOf shape)

open Own

/// A convolution that reads its numbers so, forward and backward.
let private reading (reading: Reading) =
    ConvolutionLaw.All(
        (fun shape w b x -> forward reading shape w b x),
        (fun shape w b x upstream -> backward reading shape w b x upstream)
    )

/// The right convolution with another gradient.
let private regraded change =
    ConvolutionLaw.All(
        (fun shape w b x -> forward right shape w b x),
        (fun shape w b x upstream ->
            change shape w x upstream (backward right shape w b x upstream))
    )

let private max' forward backward =
    PoolingLaw.Max(
        (fun shape x -> pool forward shape x),
        (fun shape x upstream -> poolGradient backward shape x upstream)
    )

let private average forward backward =
    PoolingLaw.Average(
        (fun shape x -> pool forward shape x),
        (fun shape x upstream -> poolGradient backward shape x upstream)
    )

/// The window of a convolution made another one, for the places that it has.
let private windowed (change: Window -> Window) : Reading = {
    right with
        Input =
            fun shape group channel at ->
                right.Input
                    {
                        shape with
                            Input.Window = change shape.Input.Window
                    }
                    group
                    channel
                    at
}

let private flipped = {
    right with
        Tap =
            fun shape channel at ->
                let size = shape.Input.Window.Size

                right.Tap shape channel {
                    at with
                        Row = size.Rows - 1 - at.Row
                        Column = size.Columns - 1 - at.Column
                }
}

let private inputsOf (change: ConvolutionShape -> int -> int -> At -> int) =
    reading { right with Input = change }

/// Every slip: its name, the laws it is given to, and words of the verdict.
let private slips: (string * Law list * string) list = [
    "the kernel is flipped", reading flipped, "the outputs are the definition's"
    "the stride is one too far",
    reading (
        windowed (fun window -> {
            window with
                Stride = {
                    Rows = window.Stride.Rows + 1
                    Columns = window.Stride.Columns + 1
                }
        })
    ),
    "the outputs, sample"
    "the stride of rows is that of columns",
    reading (
        windowed (fun window -> {
            window with
                Stride.Rows = window.Stride.Columns
        })
    ),
    "the outputs, sample"
    "all padding stands behind",
    reading (
        windowed (fun window -> {
            window with
                Padding = Extent.Square 0
        })
    ),
    "the outputs, sample"
    "padding by the numbers of the edge",
    inputsOf (fun shape group channel at ->
        let { Rows = rows; Columns = columns } = shape.Input.Image

        number
            shape.Input
            (group * channels shape + channel)
            (max 0 (min (rows - 1) (row shape.Input.Window at)))
            (max 0 (min (columns - 1) (column shape.Input.Window at)))),
    "the outputs, sample"
    "a column before the first is the last of the row before",
    inputsOf (fun shape group channel at ->
        let { Rows = rows; Columns = columns } = shape.Input.Image

        let inChannel = row shape.Input.Window at * columns + column shape.Input.Window at

        if inChannel < 0 || inChannel >= rows * columns then
            -1
        else
            (group * channels shape + channel) * rows * columns + inChannel),
    "the outputs, sample"
    "dilation is ignored",
    reading (
        windowed (fun window -> {
            window with
                Dilation = Extent.Square 1
        })
    ),
    "the outputs, sample"
    "groups take every so many-th channel",
    inputsOf (fun shape group channel at ->
        number
            shape.Input
            (channel * shape.Groups + group)
            (row shape.Input.Window at)
            (column shape.Input.Window at)),
    "the outputs, sample"
    "every group sees the first group's channels",
    inputsOf (fun shape _ channel at -> right.Input shape 0 channel at),
    "the outputs, sample"
    "channels and rows of the taps are swapped",
    reading {
        right with
            Tap =
                fun shape channel at ->
                    (at.Row * channels shape + channel) * shape.Input.Window.Size.Columns
                    + at.Column
    },
    "the outputs, sample"
    "rows and columns of the taps are swapped",
    reading {
        right with
            Tap =
                fun shape channel at ->
                    let size = shape.Input.Window.Size
                    (channel * size.Columns + at.Column) * size.Rows + at.Row
    },
    "the outputs, sample"
    "rows and columns of the image are swapped",
    inputsOf (fun shape group channel at ->
        let { Rows = rows; Columns = columns } = shape.Input.Image
        let y, x = row shape.Input.Window at, column shape.Input.Window at

        if y < 0 || y >= rows || x < 0 || x >= columns then
            -1
        else
            ((group * channels shape + channel) * columns + x) * rows + y),
    "the outputs, sample"
    "a bias for each place",
    reading {
        right with
            Bias = fun shape _ place -> place % shape.Outputs
    },
    "the outputs, sample"
    "biases are left out", reading { right with Bias = fun _ _ _ -> -1 }, "the outputs, sample"
    "the biases of the first group for all",
    reading {
        right with
            Bias = fun shape output _ -> output % (shape.Outputs / shape.Groups)
    },
    "the outputs, sample"
    "the gradient in the inputs by the flipped kernel",
    regraded (fun shape w x upstream found -> {
        found with
            Inputs = inputGradient flipped shape w x upstream
    }),
    "the gradient in the inputs"
    "the gradient in the inputs without the stride",
    regraded (fun shape w x upstream found -> {
        found with
            Inputs =
                inputGradient
                    (windowed (fun window -> { window with Stride = Extent.Square 1 }))
                    shape
                    w
                    x
                    upstream
    }),
    "the gradient in the inputs"
    "the gradient in the inputs without the padding",
    regraded (fun shape w x upstream found -> {
        found with
            Inputs =
                inputGradient
                    (windowed (fun window -> {
                        window with
                            Padding = Extent.Square 0
                    }))
                    shape
                    w
                    x
                    upstream
    }),
    "the gradient in the inputs"
    "the gradient in the inputs of the last place that sees them",
    regraded (fun shape w x upstream found ->
        let last = M.Build.Dense(x.RowCount, x.ColumnCount)

        for struct (channel, tap, output, input) in products right shape do
            last.SetRow(input, w[channel, tap] * upstream.Row output)

        { found with Inputs = last }),
    "the gradient in the inputs"
    "the gradient in the weights averaged over places",
    regraded (fun shape _ _ _ found -> {
        found with
            Weights = found.Weights / float (placeCount shape)
    }),
    "the gradient in the weights"
    "the gradient in the weights averaged over samples",
    regraded (fun _ _ x _ found -> {
        found with
            Weights = found.Weights / float x.ColumnCount
    }),
    "the gradient in the weights"
    "the gradient in the weights of the flipped kernel",
    regraded (fun shape w x upstream found -> {
        found with
            Weights = weightGradient flipped shape w x upstream
    }),
    "the gradient in the weights"
    "the gradient in the weights of the first place",
    regraded (fun shape w x upstream found ->
        let first =
            M.Build.Dense(
                upstream.RowCount,
                upstream.ColumnCount,
                fun i s -> if i % placeCount shape = 0 then upstream[i, s] else 0.0
            )

        {
            found with
                Weights = weightGradient right shape w x first
        }),
    "the gradient in the weights"
    "the gradient in the biases of one place",
    regraded (fun shape _ _ upstream found -> {
        found with
            Biases =
                V.Build.Dense(shape.Outputs, fun o -> upstream.Row(o * placeCount shape).Sum())
    }),
    "the gradient in the biases"
    "a convolution that writes to its inputs",
    ConvolutionLaw.All(
        (fun shape w b x ->
            let y = forward right shape w b x
            x.MapInplace(fun x -> max 0.0 x)
            y),
        (fun shape w b x upstream -> backward right shape w b x upstream)
    ),
    "an argument was written to"
    "max pooling: the gradient goes to all equals",
    max' greatest (fun _ numbers ->
        let top = List.max numbers
        numbers |> List.map (fun x -> if x = top then 1.0 else 0.0)),
    "the gradient in the inputs"
    "max pooling: the gradient goes to the last of equals",
    max' greatest (fun _ numbers ->
        let last = numbers |> List.findIndexBack ((=) (List.max numbers))
        numbers |> List.mapi (fun i _ -> if i = last then 1.0 else 0.0)),
    "the gradient in the inputs"
    "max pooling: equals share the gradient",
    max' greatest (fun _ numbers ->
        let top = List.max numbers
        let count = numbers |> List.filter ((=) top) |> List.length |> float
        numbers |> List.map (fun x -> if x = top then 1.0 / count else 0.0)),
    "the gradient in the inputs"
    "max pooling: padding with zeros",
    max'
        (fun shape numbers ->
            if float numbers.Length < sizeOf shape then
                max 0.0 (List.max numbers)
            else
                List.max numbers)
        toFirst,
    "the outputs, sample"
    "max pooling: the greatest in size",
    max' (fun _ numbers -> List.maxBy abs numbers) toFirst,
    "the outputs, sample"
    "max pooling: over all channels",
    PoolingLaw.Max(
        (fun shape x ->
            let own = pool greatest shape x
            let places = own.RowCount / shape.Channels

            M.Build.Dense(
                own.RowCount,
                own.ColumnCount,
                fun i s ->
                    List.max [
                        for channel in 0 .. shape.Channels - 1 ->
                            own[channel * places + i % places, s]
                    ]
            )),
        (fun shape x upstream -> poolGradient toFirst shape x upstream)
    ),
    "the outputs, sample"
    "max pooling: the stride is the window",
    PoolingLaw.Max(
        (fun shape x ->
            // As many places as there are, those beyond the image at its end.
            let window = {
                shape.Window with
                    Stride = shape.Window.Size
            }

            let places = places shape
            let own = { shape with Window = window }

            M.Build.Dense(
                shape.Channels * places.Length,
                x.ColumnCount,
                fun i s ->
                    let seen = [
                        for at in places[i % places.Length] do
                            let input =
                                number own (i / places.Length) (row window at) (column window at)

                            if input >= 0 then
                                x[input, s]
                    ]

                    if seen.IsEmpty then 0.0 else List.max seen
            )),
        (fun shape x upstream -> poolGradient toFirst shape x upstream)
    ),
    "the outputs, sample"
    "max pooling: a number has the gradient of the last window that it is in",
    PoolingLaw.Max(
        (fun shape x -> pool greatest shape x),
        (fun shape x upstream ->
            let result = M.Build.Dense(x.RowCount, x.ColumnCount)

            for output, inputs in windows shape do
                for s in 0 .. x.ColumnCount - 1 do
                    let greatest = inputs |> List.maxBy (fun i -> x[i, s])
                    result[greatest, s] <- upstream[output, s]

            result)
    ),
    "the gradient in the inputs"
    "average pooling: divided by the numbers inside",
    average (fun _ numbers -> List.average numbers) equalParts,
    "the outputs, sample"
    "average pooling: the gradient divided by the numbers inside",
    average mean (fun _ numbers -> numbers |> List.map (fun _ -> 1.0 / float numbers.Length)),
    "the gradient in the inputs"
    "average pooling: a sum for a mean",
    average (fun _ numbers -> List.sum numbers) (fun _ numbers ->
        numbers |> List.map (fun _ -> 1.0)),
    "the outputs, sample"
    "average pooling: the gradient is not divided",
    average mean (fun _ numbers -> numbers |> List.map (fun _ -> 1.0)),
    "the gradient in the inputs"
]

let names () =
    TheoryData<string>(slips |> Seq.map (fun (name, _, _) -> name))

[<Theory>]
[<MemberData(nameof names)>]
let ``a slip over images is caught, and said in words`` (name: string) =
    let _, laws, words = slips |> List.find (fun (other, _, _) -> other = name)
    let broken = Assert.Throws<LawBrokenException>(fun () -> Law.Check laws)
    Assert.Contains(words, broken.Message)

[<Law>]
let ``the right convolution and pooling: each keeps the laws of one`` () =
    Law.Together [
        yield! reading right
        yield! max' greatest toFirst
        yield! average mean equalParts
    ]
