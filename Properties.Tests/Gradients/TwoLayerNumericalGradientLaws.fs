/// TwoLayerNumericalGradient.fs: the chapter's network, whose numerical gradient takes a short cut.
module Pipeline.Properties.TwoLayerNumericalGradientLaws

open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// A network of one hidden layer of sigmoids, and a batch of images of which two thirds are empty.
let private drawn seed inputs units count : Network<float> * MiniBatch<float> =
    let classes = 2 + units % 4

    let pixels =
        (KernelLaws.drawn seed 0L inputs count)
            .Map(fun x -> if x < 3.0 then 0.0 else round (25.0 * x) / 255.0)

    let (Seed number) = seed

    Network.initialise
        (Initialiser.Fixed 0.8)
        number
        (Architecture.dense Activation.Sigmoid [ inputs; units; classes ]),
    MiniBatch.create pixels (Targets.Labels(Array.init count (fun s -> s % classes)))

let private structured step network batch =
    match TwoLayerNumericalGradient.tryFind step network batch with
    | ValueSome(struct (loss, gradient)) ->
        Assert.Equal(Network.loss network batch, loss)
        (Parameters.toVector gradient).ToArray()
    | ValueNone -> failwith "the chapter's network was not taken for one"

[<Law>]
let ``the short cut finds the gradient that the definition does``
    (ProductShape(units, inputs, count))
    seed
    =
    let network, batch = drawn seed inputs units count
    let found = structured 1e-4 network batch

    let defined =
        Gradient.numericalOf 1e-4 (fun moved -> Network.loss moved batch) network
        |> Parameters.toVector

    // What two losses of some nats lose when they are subtracted and divided by 2h.
    found |> Array.iteri (fun i x -> Assert.InRange(x - defined[i], -2e-10, 2e-10))

[<Law>]
let ``the short cut is backpropagation's gradient but for terms in h²``
    (ProductShape(units, inputs, count))
    seed
    =
    let network, batch = drawn seed inputs units count
    let struct (_, gradient) = Gradient.backward network batch
    let exact = Parameters.toVector gradient
    let far = structured 4e-4 network batch
    let near = structured 1e-4 network batch

    // A quarter of the step leaves a sixteenth of the error: neither more nor less.
    for i in 0 .. far.Length - 1 do
        Assert.InRange((far[i] - exact[i]) - 16.0 * (near[i] - exact[i]), -1e-11, 1e-11)

[<Law>]
let ``every width of register gives the short cut the same bits``
    (ProductShape(_, inputs, count))
    seed
    =
    let network, batch = drawn seed inputs 11 count

    let loops =
        Registers.forDouble 11
        |> List.map (fun run ->
            let labels = Array.init count (fun s -> s % 5)
            let struct (_, loop) = TwoLayerNumericalGradient.loop 1e-4 network batch labels
            run loop
            Array.concat [ loop.Weights1; loop.Biases1; loop.Weights2; loop.Biases2 ])

    for other in loops.Tail do
        Exactly.bits loops.Head other

[<Fact>]
let ``any other network goes the long way`` () =
    let network, batch = drawn (Seed 1UL) 3 4 5

    let other activation sizes : Network<float> =
        Network.initialise (Initialiser.Fixed 0.5) 1UL (Architecture.dense activation sizes)

    let taken network batch =
        (TwoLayerNumericalGradient.tryFind 1e-4 network batch).IsSome

    Assert.True(taken network batch)
    Assert.False(taken (other Activation.Tanh [ 3; 4; 2 ]) batch)
    Assert.False(taken (other Activation.Sigmoid [ 3; 2 ]) batch)
    Assert.False(taken (other Activation.Sigmoid [ 3; 4; 4; 2 ]) batch)

    // Inputs so large that a step is not small.
    Assert.False(
        taken network (MiniBatch.create (batch.Inputs.Multiply 1000.0 + 100.0) batch.Targets)
    )
