/// Predictor.fs.
module Pipeline.Properties.PredictorLaws

open System
open System.Numerics
open System.Threading.Tasks
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

let private predict (predictor: Predictor<'T>) classes (sample: 'T[]) : 'T[] =
    let probabilities = Array.zeroCreate<'T> classes
    predictor.Predict(ReadOnlySpan<'T> sample, Span<'T> probabilities)
    probabilities

let private predictBytes (predictor: Predictor<'T>) classes (pixels: byte[]) : 'T[] =
    let probabilities = Array.zeroCreate<'T> classes
    predictor.Predict(ReadOnlySpan<byte> pixels, Span<'T> probabilities)
    probabilities

/// A network whose layers fill registers and words of 64 inputs unevenly, and inputs that are often 0.
let private given (ProductShape(width, depth, columns)) (Seed bits as seed) =
    let activation =
        [| Activation.Sigmoid; Activation.Tanh; Activation.Relu; Activation.Identity |][width % 4]

    let architecture =
        Architecture.dense activation [ depth; width; 1 + width / 2; 2 + columns % 19 ]

    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.5) bits architecture

    let inputs =
        (KernelLaws.drawn seed 0L depth columns).Map(fun x -> if abs x < 4.0 then 0.0 else x)

    network, inputs

[<Law>]
let ``a predictor answers as the network does, bit for bit`` shape seed =
    let network, inputs = given shape seed
    let classes = network.Architecture.Outputs
    let predictor = Predictor<float> network
    let expected = Network.predict network inputs

    for s in 0 .. inputs.ColumnCount - 1 do
        Exactly.bits
            ((expected.Column s).ToArray())
            (predict predictor classes ((inputs.Column s).ToArray()))

    let network: Network<float32> = Network.convert network
    let inputs = single inputs
    let predictor = Predictor<float32> network
    let expected = Network.predict network inputs

    for s in 0 .. inputs.ColumnCount - 1 do
        Exactly.bits
            ((expected.Column s).ToArray())
            (predict predictor classes ((inputs.Column s).ToArray()))

[<Law>]
let ``pixels are bytes of 255`` shape seed =
    let network, inputs = given shape seed
    let classes = network.Architecture.Outputs
    let predictor = Predictor<float> network

    for s in 0 .. inputs.ColumnCount - 1 do
        let pixels = (inputs.Column s).ToArray() |> Array.map (fun x -> byte (abs x * 25.0))

        Exactly.bits
            (predict predictor classes (pixels |> Array.map (fun pixel -> float pixel / 255.0)))
            (predictBytes predictor classes pixels)

/// Numbers at which arithmetic is unusual, among usual ones: sums of them are 0, −0, infinite, not a number
/// and so small that they are rounded to zeros of either sign.
let private unusual: float[] = [|
    0.0
    -0.0
    0.5
    -1.5
    1e-30
    -1e-30
    float Single.Epsilon
    -(float Single.Epsilon)
    Double.Epsilon
    -Double.Epsilon
    1e30
    -3e38
    infinity
    -infinity
    nan
|]

/// The same bits, whatever the bits of what is not a number.
let private sameNumbers
    (what: string)
    (expected: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
    (found: 'T[])
    : unit =
    let plain = Array.map (fun x -> if 'T.IsNaN x then 'T.NaN else x)

    try
        Exactly.bits (plain expected) (plain found)
    with :? LawBrokenException as difference ->
        raise (LawBrokenException $"{what}: {difference.Message}")

/// Of a network and images, many of whose bytes are 0: every way to ask gives the same answers.
let private agreesEveryWay (network: Network<'T>) (images: IdxImages) : unit =
    let classes = network.Architecture.Outputs
    let labels = Array.zeroCreate images.Count
    let data: Dataset<'T> = Dataset.ofIdx classes images labels |> orFail
    let all = Dataset.take [| 0 .. images.Count - 1 |] data
    let x = all.Inputs
    let expected = Network.predict network x
    let name = if all.FirstInputs.IsPairs then "pairs" else "bytes"

    sameNumbers
        $"probabilities of {name}"
        (cells expected)
        (cells (Network.probabilities network data))

    Dataset.ofColumns classes x all.Targets
    |> Network.probabilities network
    |> cells
    |> sameNumbers "probabilities of columns" (cells expected)

    sameNumbers $"the loss of {name}" [| Network.loss network (MiniBatch.create x all.Targets) |] [|
        Network.loss network all
    |]

    let predictor = Predictor<'T> network
    let features = network.Architecture.Inputs

    for s in 0 .. images.Count - 1 do
        let column = (expected.Column s).ToArray()

        sameNumbers
            $"a predictor of sample {s}"
            column
            (predict predictor classes ((x.Column s).ToArray()))

        images.Pixels.Slice(s * features, features).ToArray()
        |> predictBytes predictor classes
        |> sameNumbers $"a predictor of the bytes of sample {s}" column

[<Law>]
let ``every way to ask a network gives the same answer, whatever its numbers are``
    (ProductShape(width, depth, count))
    (Seed seed)
    =
    let draw stream i =
        RandomNumbers.uniform seed RandomStream.GradientCheck stream i

    // Few or many unusual weights, with and without those that are not finite.
    let share = [| 0.01; 0.2; 1.0 |][int (seed % 3UL)]

    let kinds =
        if seed % 2UL = 0UL then
            unusual.Length
        else
            unusual.Length - 3

    let number stream i =
        if draw (stream + 100L) i < share then
            unusual[int (draw stream i * float kinds)]
        else
            2.0 * draw stream i - 1.0

    let head = [| Head.Identity; Head.Softmax; Head.Sigmoid |][width % 3]
    // Fewer inputs than a word of 64, and more.
    let features = 1 + 17 * (depth - 1)

    let hidden = [
        if seed % 5UL > 1UL then
            {
                Width = width
                Normalised = false
                Activation = [| Activation.Relu; Activation.Identity; Activation.Tanh |][depth % 3]
                Dropout = 0.0
            }
    ]

    let architecture =
        Architecture.ofHidden head features hidden (2 + count % 19) |> orFail

    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.5) seed architecture

    let network = {
        network with
            Parameters =
                network.Parameters
                |> mapTensors (fun name values ->
                    let number = number (int64 name[0] + int64 name[1])
                    // Where all inputs are 0, the sums are the biases: often zeros of either sign.
                    if name[0] = 'b' && seed % 4UL < 2UL then
                        Array.init values.Length (fun i -> unusual[i % 2])
                    else
                        Array.init values.Length number)
    }

    // No byte, a few or most.
    let filled = [| 0.0; 0.05; 0.9 |][count % 3]
    let samples = 1 + count % 40

    let images = {
        Count = samples
        Size = ImageSize.Grey(1, features)
        Pixels =
            ReadOnlyMemory(
                Array.init (samples * features) (fun i ->
                    if draw 7L i < filled then byte (255.0 * draw 8L i) else 0uy)
            )
    }

    agreesEveryWay network images
    agreesEveryWay (Network.convert network: Network<float32>) images

/// The chapter's network and so many images of noise.
let private chapter count =
    let network: Network<float32> =
        Architecture.dense Activation.Sigmoid [ 784; 50; 10 ]
        |> Network.initialise (Initialiser.Fixed 0.1) 1UL

    Predictor<float32> network,
    Array.init count (fun s ->
        Array.init 784 (fun i ->
            float32 (RandomNumbers.uniform 1UL RandomStream.GradientCheck (int64 s) i)))

[<Fact>]
let ``many threads may ask at once`` () =
    let predictor, samples = chapter 64
    let expected = samples |> Array.map (predict predictor 10)

    Parallel.For(
        0,
        2000,
        ParallelOptions(MaxDegreeOfParallelism = 8),
        fun i -> Exactly.bits expected[i % 64] (predict predictor 10 samples[i % 64])
    )
    |> ignore

[<Fact>]
let ``an answer allocates nothing`` () =
    let overImages: Network<float32> =
        LayerKinds.parse [] [
            "conv2d 6 5 padding 2"
            "relu"
            "maxpool2d 2"
            "conv2d 5 3 stride 2"
            "dense 10"
        ]
        |> orFail
        |> Architecture.create Head.Softmax (Shape.Image(1, 28, 28))
        |> orFail
        |> Network.initialise Initialiser.HeNormal 1UL

    let chapters, samples = chapter 1
    let sample, probabilities = samples[0], Array.zeroCreate<float32> 10
    let pixels = Array.init 784 (fun i -> byte i)

    let allocated (predictor: Predictor<float32>) =
        let before = GC.GetAllocatedBytesForCurrentThread()

        for _ in 1..100 do
            predictor.Predict(ReadOnlySpan<float32> sample, Span<float32> probabilities)
            predictor.Predict(ReadOnlySpan<byte> pixels, Span<float32> probabilities)

        GC.GetAllocatedBytesForCurrentThread() - before

    // The first calls compile; a collection may empty the pool that an answer's memory is lent from.
    for predictor in [ chapters; Predictor overImages ] do
        Assert.Contains(0L, Seq.init 5 (fun _ -> allocated predictor))

[<Fact>]
let ``a sample or a result of another length is refused`` () =
    let predictor, samples = chapter 1

    Exactly.refused [ "784"; "783" ] (fun () ->
        predict predictor 10 (Array.truncate 783 samples[0]))

    Exactly.refused [ "10"; "9" ] (fun () -> predict predictor 9 samples[0])
    Exactly.refused [ "784"; "785" ] (fun () -> predictBytes predictor 10 (Array.zeroCreate 785))

[<Law>]
let ``asking changes neither the sample nor the network`` shape seed =
    let network, inputs = given shape seed
    let before = Array.copy (flat network.Parameters)
    let sample = (inputs.Column 0).ToArray()
    let kept = Array.copy sample
    predict (Predictor<float> network) network.Architecture.Outputs sample |> ignore
    Exactly.bits kept sample
    Exactly.bits before (flat network.Parameters)

[<Law>]
let ``probabilities of a whole data set are those of its parts``
    (SmallRun(settings, data, architecture))
    =
    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.5) settings.Seed architecture
    // More samples than a part has.
    let all = Dataset.take (Array.init 300 (fun i -> i * i % data.Count)) data

    let many = Dataset.ofColumns data.Classes all.Inputs all.Targets

    Exactly.bits
        (cells (Network.predict network all.Inputs))
        (cells (Network.probabilities network many))

[<Fact>]
let ``probabilities of images with wide layers are those of each image`` () =
    // 16 images of the first layers' 18,432 numbers stay in the cache, so each part is computed in several blocks.
    let network: Network<float32> =
        [
            Layers.convolution 32 (Window.Of(Extent.Square 5)) 1
            Layers.activation Activation.Relu
            Layers.residual [ Layers.convolution 32 (Window.Of(Extent.Square 1)) 1 ]
            Layers.flatten
            Layers.dense 3
        ]
        |> Architecture.create Head.Softmax (Shape.Image(1, 28, 28))
        |> orFail
        |> Network.initialise Initialiser.HeNormal 1UL

    let images = {
        Count = 150
        Size = ImageSize.Grey(28, 28)
        Pixels =
            ReadOnlyMemory(
                Array.init (150 * 784) (fun i ->
                    byte (256.0 * RandomNumbers.uniform 2UL RandomStream.GradientCheck 0L i))
            )
    }

    let data: Dataset<float32> =
        Dataset.ofIdx 3 images (Array.init 150 (fun i -> i % 3)) |> orFail

    let found = Network.probabilities network data
    let all = Dataset.take [| 0..149 |] data

    for s in [ 0; 15; 16; 127; 128; 149 ] do
        Exactly.bits
            (cells (Network.predict network (all.Inputs.SubMatrix(0, 784, s, 1))))
            ((found.Column s).ToArray())

    let score = Network.evaluate network data
    let correct = Network.classify found |> Array.mapi (fun i label -> label = i % 3)
    let count = correct |> Array.filter id |> Array.length
    Assert.Equal(float count / 150.0, score.Accuracy, 12)
