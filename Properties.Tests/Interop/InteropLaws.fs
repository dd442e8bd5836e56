/// Interop.fs: the face shown to C# says what F# says.
module Pipeline.Properties.InteropLaws

open System
open System.Collections.Generic
open System.IO
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Learning.Interop
open Pipeline.CSharp

let private tryGet (result: Result<'V, Fault list>) : bool * 'V * IReadOnlyList<Fault> =
    let mutable value = Unchecked.defaultof<'V>
    let mutable faults = Unchecked.defaultof<IReadOnlyList<Fault>>
    let got = ResultExtensions.TryGet(result, &value, &faults)
    got, value, faults

[<Law>]
let ``TryGet gives the value or the faults, never both``
    (value: int)
    (subjects: FsCheck.NonEmptyArray<int>)
    =
    let got, found, faults = tryGet (Ok value)
    Assert.True got
    Exactly.equal value found
    Assert.Empty faults

    let expected = [ for subject in subjects.Get -> Fault.create $"{subject}" "a" "b" ]
    let got, found, faults = tryGet (Error expected: Result<string, _>)
    Assert.False got
    Assert.Null found
    Exactly.equal expected (List.ofSeq faults)

[<Fact>]
let ``architectures are those of the core`` () =
    Exactly.equal
        (Architecture.dense Activation.Tanh [ 784; 50; 20; 10 ])
        (Architectures.Dense(Activation.Tanh, 784, 50, 20, 10))

    Exactly.equal
        (Ok(Architecture.dense Activation.Relu [ 4; 3; 2 ]))
        (Architectures.Create(Head.Softmax, 4, [| 3 |], false, Activation.Relu, 0.0, 2))

    Exactly.equal
        (Ok(Architecture.dense Activation.Relu [ 4; 2 ]))
        (Architectures.Create(Head.Softmax, 4, [||], false, Activation.Relu, 0.0, 2))

    match
        Architectures.Create(Head.Softmax, 0, ResizeArray [ 0; -1 ], false, Activation.Relu, 0.0, 1)
    with
    | Ok _ -> failwith "expected faults"
    | Error faults -> Exactly.equal 4 faults.Length

    Exactly.refused [ "two sizes" ] (fun () -> Architectures.Dense(Activation.Tanh, 784))

    Exactly.equal
        (Ok(Architecture.dense Activation.Relu [ 4; 3; 2 ]))
        (Architectures.Create(Head.Softmax, Shape.Vector 4, [ "dense 3"; "relu"; "dense 2" ]))

[<Law>]
let ``delegates give what functions give`` (SoftTargets(distributions, logits)) (SameLength(x, a)) =
    let targets = Targets.Columns distributions
    let y = Softmax.apply logits

    for loss in [ Loss.sumSquaredError; Loss.crossEntropyError ] do
        Exactly.equal
            (Loss.ofBatch loss targets y)
            (Losses.OfBatch(Func<_, _, _>(fun t y -> loss t y), targets, y))

    let f (v: Vector<float>) = a * v + v * v

    Exactly.bits
        ((Gradient.numerical 1e-4 f x).ToArray())
        (Gradients.Numerical(1e-4, Func<_, _> f, x).ToArray())

    let expected = Optimizer.descent 0.1 5 (Gradient.numerical 1e-4 f) x

    let path = Optimizers.Descent(0.1, 5, Func<_, _>(Gradient.numerical 1e-4 f), x)

    Exactly.equal expected.Length path.Count

    for one, other in Seq.zip expected path do
        Exactly.bits (one.ToArray()) (other.ToArray())

[<Law>]
let ``NumericalOf gives what numericalOf gives`` (Trainable(network, batch)) =
    Exactly.bits
        (flat (Gradient.numericalOf 1e-4 (fun moved -> Network.loss moved batch) network))
        (flat (
            Gradients.NumericalOf(1e-4, Func<_, _>(fun moved -> Network.loss moved batch), network)
        ))

[<Law>]
let ``a model made of a dictionary and an array is the model made of lists``
    (Trainable(network, _))
    =
    let notes = Dictionary(dict [ "note", "x"; "seed", "1" ])
    let names = [| for k in 1 .. network.Architecture.Outputs -> $"class {k}" |]

    let model = {
        Network = network
        Preprocessing = Preprocessing.Pixels(ImageSize.Grey(1, network.Architecture.Inputs))
        Classes = List.ofArray names
        Decision = ValueNone
        Conformal = ValueNone
        Statistics = ValueNone
        Notes = [ "note", "x"; "seed", "1" ]
    }

    Exactly.bits
        (Safetensors.write model)
        (Safetensors.write (Models.Create(network, model.Preprocessing, names, notes)))

[<Fact>]
let ``a delegate that is none is refused by name`` () =
    let x: Vector<float> = Vector<float>.Build.Dense 2
    let m: Matrix<float> = Matrix<float>.Build.Dense(2, 1)

    let network: Network<float> =
        Network.initialise (Initialiser.Fixed 0.1) 1UL (Architecture.dense Activation.Tanh [ 1; 2 ])

    Exactly.refused [ "loss" ] (fun () ->
        Losses.OfBatch(Unchecked.defaultof<_>, Targets.Labels [| 0 |], m))

    Exactly.refused [ "f" ] (fun () -> Gradients.Numerical(1e-4, Unchecked.defaultof<_>, x))

    Exactly.refused [ "objective" ] (fun () ->
        Gradients.NumericalOf(1e-4, Unchecked.defaultof<_>, network))

    Exactly.refused [ "gradient" ] (fun () -> Optimizers.Descent(0.1, 1, Unchecked.defaultof<_>, x))

[<Fact>]
let ``a run written in C# learns what its data say`` () =
    let data = Training.Images()
    let mutable settings = Hyperparameters.Default
    Assert.Empty(Training.Settings("Adam", 0.05, &settings))
    Exactly.equal (60L, 4, 7UL) (Runs.Iterations(settings, 6), settings.BatchSize, settings.Seed)
    // What was not said is the book's.
    Exactly.equal Hyperparameters.Default.Options.Sampling settings.Options.Sampling

    let struct (network, losses) = Training.Run(settings, data, 3)
    Exactly.equal 60 losses.Count
    Assert.True(losses[59] < 0.5 * losses[0], $"{losses[0]}, then {losses[59]}")
    Exactly.equal 1.0 (Network.evaluate network data).Accuracy
    let struct (sizes, goes) = Training.Plan(settings, 6)
    Exactly.equal [| 4; 4; 4 |] sizes
    Assert.True goes

    let mutable settings = Hyperparameters.Default
    let problems = Training.Settings("Adamant", 1e-60, &settings)
    Exactly.equal 2 problems.Count
    Assert.Contains("Adamant", problems[0])
    Assert.StartsWith("settings, LearningRate: expected", problems[1])

[<Fact>]
let ``a column of a Parquet file whose pages nothing unpacks is a fault of that column`` () =
    let file =
        Path.Combine(AppContext.BaseDirectory, "Fixtures", "arrow-pages-1.parquet")
        |> File.ReadAllBytes

    let plain = set [ "column flag runs"; "column flag bits"; "column decimal plain" ]
    let packed = Training.PackedColumns file
    Exactly.equal 12 packed.Count
    Assert.Empty(Set.intersect plain (set packed))

    let _, _, faults =
        Tables.OfParquet(1439L, Func<_, _, _, _>(fun _ _ _ -> false), ReadOnlyMemory file)
        |> tryGet

    Assert.Contains("at most 1439 bytes", string (Assert.Single faults))

    Exactly.refused [ "unpack" ] (fun () ->
        Tables.OfParquet(1L, Unchecked.defaultof<_>, ReadOnlyMemory file))

[<Law>]
let ``an optimizer written in C# takes the core's steps`` (Trainable(network, batch)) =
    let own = Training.Steps(Training.Momentum 0.9, 0.1, 5, network, batch)
    let core = Training.Steps(Optimizer.momentum 0.9, 0.1, 5, network, batch)

    flat own.Parameters
    |> Approximately.equal Approximately.rounding (flat core.Parameters)

    [| Training.CutLength(network.Parameters, 0.5) |]
    |> Approximately.equal Approximately.rounding [|
        flat network.Parameters |> Array.sumBy (fun x -> min 0.25 (x * x)) |> sqrt
    |]

[<Law>]
let ``a line search from C# is the core's`` (Trainable(network, batch)) =
    let optimizer: Optimizer<float> = Optimizer.lbfgs 4

    let objective parameters =
        Gradient.backward { network with Parameters = parameters } batch

    let expected =
        List.scan
            (fun struct (_, at, state) _ -> Optimizer.step optimizer 1.0 objective state at)
            struct (nan, network.Parameters, optimizer.Init network.Parameters)
            [ 1..5 ]
        |> List.tail
        |> List.map (fun struct (loss, _, _) -> loss)

    Training.Search(optimizer, 1.0, 5, network, batch)
    |> Array.ofSeq
    |> Exactly.bits (Array.ofList expected)

    Exactly.refused [ "objective" ] (fun () ->
        Optimizers.Step(
            optimizer,
            1.0,
            (Unchecked.defaultof<Func<Parameters<float>, struct (float * Parameters<float>)>>),
            optimizer.Init network.Parameters,
            network.Parameters
        ))

[<Fact>]
let ``choices are found by name from C#, and refusals are sentences`` () =
    Exactly.equal
        "Relu, Softmax, Epoch, Double, Numerical, Fixed 0.01, Cosine 0.1, Adam, Epochs 3"
        (Training.Choices("relu", "softmax", "epoch", "double"))

    Exactly.equal "Momentum, Nesterov" (Mathematics.Having "Momentum")
    Exactly.equal "Step, Exponential" (Mathematics.Having "ScheduleEvery")

    Assert.Contains("Rely", Training.Choices("Rely", "softmax", "epoch", "double"))
    Exactly.equal "x.csv, Rows: expected 2 or more, found 1." (Mathematics.Refusal("x.csv", "1"))
    Exactly.equal "Age does not exist (Data:Label)." (Mathematics.Missing("Age", "Data:Label"))

[<Law>]
let ``the chapter's mathematics from C#``
    activation
    (SameShape(target, prediction))
    (Trainable(network, batch))
    =
    Mathematics.Slope(3.0, 4.0).ToArray() |> Approximately.equal 1e-8 [| 6.0; 8.0 |]

    Mathematics.Descend(0.1, 100, -3.0, 4.0).ToArray()
    |> Approximately.equal 1e-8 [| 0.0; 0.0 |]

    let expected =
        List.map2
            (fun t y -> Array.map2 (fun t y -> abs (y - t)) t y |> Array.max)
            (columns target)
            (columns prediction)
        |> List.average

    [| Mathematics.LargestError(Targets.Columns target, prediction) |]
    |> Approximately.equal Approximately.rounding [| expected |]

    Exactly.bits
        (cells (Softmax.apply (Activation.apply activation prediction)))
        (cells (Mathematics.Probabilities(activation, prediction)))

    Assert.True((Mathematics.Judge(activation, prediction)).Passed)
    let struct (_, gradient) = Gradient.backward network batch
    let struct (own, given) = Mathematics.Judge(network, batch, gradient)
    Assert.True(own.Passed && given.Passed)
    Assert.NotNull(Mathematics.SlopeOfAccuracy(network, batch).Layers)
    let model = Mathematics.Named(3UL, [| 4; 3; 2 |], "cat", "dog")
    Exactly.equal ([ "cat"; "dog" ], [ "seed", "3" ]) (model.Classes, model.Notes)

[<Law>]
let ``heads, schedules and optimizers by name are those of the core`` (SmallMatrix logits) =
    for head in [ Head.Softmax; Head.Sigmoid; Head.Identity ] do
        Exactly.bits
            (cells (Head.apply head logits))
            (cells (Mathematics.Predictions(head, logits)))

    // The last iteration has the last rate.
    let expected = Schedule.cosine 8L (0.1 * 0.1) 0.1 |> Schedule.warmUp 3L

    Exactly.bits
        [| for i in 0L .. 8L -> expected i |]
        (Mathematics.Rates(ScheduleKind.Cosine 0.1, 9, 0.1, 3L))

    let adam: Optimizer<float> = Optimizer.adam 0.9 0.999 1e-8

    let gradient = {
        Layers = [ LayerParameters.dense logits (logits.Column 0) ]
    }

    let named = Training.OptimizerOf "adam"

    let moved (optimizer: Optimizer<float>) =
        let struct (next, _) =
            optimizer.Update 0.1 gradient (optimizer.Init gradient) gradient

        flat next

    Exactly.bits (moved adam) (moved named)

[<Law>]
let ``the gradients of several matrices are compared from C#``
    (Affine(weights, biases, inputs, _))
    =
    let biases =
        Matrix<float>.Build.Dense(weights.RowCount, inputs.ColumnCount, biases[0])

    let check = Mathematics.JudgeSum(weights, biases, inputs)
    Assert.True(check.Passed, string check)
    Exactly.equal [ "W"; "b" ] (check.Tensors |> List.map _.Name)

[<Fact>]
let ``images are mirrored and rows are encoded from C#`` () =
    let image = Matrix<float>.Build.Dense(4, 1, [| 0.1; 0.2; 0.3; 0.4 |])

    cells (Training.Mirrored(image, 2, 2))
    |> Approximately.equal Approximately.followsDouble [| 0.2; 0.1; 0.4; 0.3 |]

    let options = Tables.Options(label = "Rooms", scaling = Scaling.None)

    Exactly.equal
        {
            TableOptions.Default with
                Label = ValueSome "Rooms"
                Scaling = Scaling.None
        }
        options

    let struct (column, inputs) =
        Training.Encoded(
            [ {| Area = 1.0; Rooms = 3 |}; {| Area = 2.0; Rooms = 4 |} ],
            options,
            "Rooms"
        )

    Exactly.equal "Rooms" column.Name
    Exactly.bits [| 1.0; 2.0 |] (cells inputs)

[<Fact>]
let ``functions written in C# are proved, and a slip is caught`` () =
    OwnCode.Prove 100
    let broken = Assert.Throws<LawBrokenException>(fun () -> OwnCode.ProveSlip())
    Assert.Contains("the derivative is the definition's", broken.Message)
