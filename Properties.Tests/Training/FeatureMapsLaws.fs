/// FeatureMaps.fs: the outputs of convolutions inside a network, and attributions of networks over images.
module Pipeline.Properties.FeatureMapsLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private image = { Rows = 8; Columns = 7 }
let private shape = Shape.Image(3, image.Rows, image.Columns)

let private networkOf (seed: uint64) (head: Head) (names: string list) : Network<float> =
    LayerKinds.parse [] names
    |> Result.bind (Architecture.create head shape)
    |> orFail
    |> Network.initialise (Initialiser.Fixed 0.5) seed

let private lenet = [
    "conv2d 4 3x3 padding 1"
    "relu"
    "maxpool2d 2"
    "conv2d 5 2x3"
    "tanh"
    "flatten"
    "dense 3"
]

let private sample (seed: uint64) : Vector<float> =
    Vector<float>
        .Build
        .Dense(shape.Size, fun i -> RandomNumbers.uniform seed RandomStream.GradientCheck 0L i)

let private windowOf rows columns padding : Window = {
    Window.Of { Rows = rows; Columns = columns } with
        Padding = Extent.Square padding
}

[<Law>]
let ``feature maps are what plain loops give, layer by layer`` (Seed seed) =
    let network = networkOf seed Head.Softmax lenet
    let x = sample seed

    let convolve
        outputs
        window
        channels
        size
        (layer: LayerParameters<float>)
        (inputs: Matrix<float>)
        =
        ImageReference.convolve
            {
                Input = {
                    Channels = channels
                    Image = size
                    Window = window
                }
                Outputs = outputs
                Groups = 1
            }
            layer.Weights
            layer.Biases
            inputs

    let first =
        convolve 4 (windowOf 3 3 1) 3 image network.Parameters.Layers[0] (x.ToColumnMatrix())

    let pooled =
        ImageReference.maxPool
            {
                Channels = 4
                Image = image
                Window = {
                    Window.Of(Extent.Square 2) with
                        Stride = Extent.Square 2
                }
            }
            (first.Map(fun number -> max 0.0 number))

    let second =
        convolve 5 (windowOf 2 3 0) 4 { Rows = 4; Columns = 3 } network.Parameters.Layers[1] pooled

    let found = FeatureMaps.ofInputs 9 network x

    Exactly.equal [
        0, "conv2d 4 3 padding 1", { Channels = 4; Rows = 8; Columns = 7 }
        3, "conv2d 5 2x3", { Channels = 5; Rows = 3; Columns = 1 }
    ] [ for maps in found -> maps.Index, maps.Name, maps.Size ]

    for expected, maps in List.zip [ first; second ] found do
        Approximately.equal 1e-12 (expected.ToColumnMajorArray()) maps.Numbers

    // The layers above do not change them, nor does single precision but by its rounding.
    let single =
        FeatureMaps.ofInputs
            1
            (Network.convert network: Network<float32>)
            (x.Map(Func<_, _> float32))

    Approximately.equal 1e-5 found.Head.Numbers (List.exactlyOne single).Numbers

[<Fact>]
let ``a network without convolutions has no feature maps, and another number of inputs is refused``
    ()
    =
    let dense = networkOf 1UL Head.Softmax [ "flatten"; "dense 3" ]
    Assert.Empty(FeatureMaps.ofInputs 2 dense (sample 1UL))
    Assert.Empty(FeatureMaps.ofInputs 0 (networkOf 1UL Head.Softmax lenet) (sample 1UL))

    Assert.Throws<ArgumentException>(fun () ->
        FeatureMaps.ofInputs 2 dense (Vector<float>.Build.Dense 5) |> ignore)
    |> ignore

let private sum (attribution: Attribution) = attribution.Parts |> List.sumBy snd

[<Law(MaxTest = 20)>]
let ``what pixels add sums up to the prediction less that for an image of zeros`` (Seed seed) =
    let smooth = lenet |> List.map (fun name -> if name = "relu" then "silu" else name)

    let averaged =
        smooth |> List.map (fun name -> name.Replace("maxpool2d", "avgpool2d"))

    let x = sample seed

    for names, tolerance in
        [
            averaged, 1e-4
            lenet, 0.05
            [ "flatten"; "dense 9"; "tanh"; "dense 3" ], 1e-4
        ] do
        for head in [ Head.Softmax; Head.Sigmoid; Head.Identity ] do
            let network = networkOf seed head names

            let predicted (x: Vector<float>) =
                (Network.predict network (x.ToColumnMatrix()))[1, 0]

            let found = Attribution.ofInputs 1 network x
            Approximately.equal 1e-12 [| predicted x |] [| found.Prediction |]

            Approximately.equal 1e-12 [| predicted (Vector<float>.Build.Dense x.Count) |] [|
                found.Baseline
            |]

            Assert.True(
                abs (sum found - (found.Prediction - found.Baseline))
                <= tolerance * (1.0 + abs found.Prediction),
                $"{head} {names}: {sum found} for {found.Prediction} less {found.Baseline}"
            )

[<Law(MaxTest = 20)>]
let ``of a linear convolution, a pixel adds what the network gives for it alone`` (Seed seed) =
    let network =
        networkOf seed Head.Identity [
            "conv2d 4 3x3 padding 1"
            "avgpool2d 2"
            "flatten"
            "dense 3"
        ]

    let x = sample seed

    let given (x: Vector<float>) =
        (Network.predict network (x.ToColumnMatrix()))[2, 0]

    let nothing = given (Vector<float>.Build.Dense x.Count)

    let alone =
        Array.init x.Count (fun pixel ->
            given (Vector<float>.Build.Dense(x.Count, fun i -> if i = pixel then x[i] else 0.0))
            - nothing)

    Approximately.equal 1e-10 alone [|
        for _, part in (Attribution.ofInputs 2 network x).Parts -> part
    |]

[<Fact>]
let ``inputs of which few points fit at once add what they should`` () =
    let network: Network<float> =
        Architecture.create Head.Identity (Shape.Vector 12_000) [ Layers.dense 1 ]
        |> orFail
        |> Network.initialise (Initialiser.Fixed 0.5) 1UL

    let x = Vector<float>.Build.Dense(12_000, fun i -> float (i % 7))
    let weights = network.Parameters.Layers.Head.Weights

    Approximately.equal 1e-10 (Array.init x.Count (fun i -> weights[0, i] * x[i])) [|
        for _, part in (Attribution.ofInputs 0 network x).Parts -> part
    |]

[<Fact>]
let ``multiplications are those of each weight at each place`` () =
    let architecture = (networkOf 1UL Head.Softmax lenet).Architecture
    // 4 · 3 · 3 · 3 weights at 8 · 7 places, 5 · 4 · 2 · 3 at 3 · 1, and 3 · 15.
    Exactly.equal (108L * 56L + 120L * 3L + 45L) (Attribution.multiplications architecture)
