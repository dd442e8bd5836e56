namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// A layer's parameters, its inputs and a gradient in what it gives, cells within ±2.
type private LayerCase = {
    Parameters: Matrix<float> list
    Inputs: Matrix<float>
    /// Any matrix of numbers; the layer's outputs take as many as they need.
    Upstream: int -> int -> Matrix<float>
}

/// The functions that the laws are about, and what they are called with.
type private LayerFunctions = {
    Cases: Arbitrary<LayerCase>
    /// Outputs from parameters and inputs.
    Forward: Func<Matrix<float>[], Matrix<float>, Matrix<float>>
    /// Gradients in parameters and inputs, from parameters, inputs and the gradient in the outputs.
    Backward:
        Func<Matrix<float>[], Matrix<float>, Matrix<float>, struct (Matrix<float>[] * Matrix<float>)>
}

/// Laws of a layer: a function of parameters (matrices of any number) and inputs (features, batch) that gives
/// outputs (units, batch), and its way back, which makes of a gradient in the outputs the gradients in
/// every parameter and in the inputs.
[<AbstractClass; Sealed>]
type LayerLaw =
    static member private Cases
        (features: Gen<int>, shapes: Func<int, seq<struct (int * int)>>)
        : Arbitrary<LayerCase> =
        gen {
            let! features = features
            let! count = Small.size

            let! parameters =
                shapes.Invoke features
                |> Seq.map (fun (struct (rows, columns)) ->
                    Small.matrix rows columns (Small.number 2.0))
                |> Gen.sequenceToList

            let! inputs = Small.matrix features count (Small.number 2.0)
            let! seed = Small.bits

            return {
                Parameters = parameters
                Inputs = inputs
                Upstream =
                    fun rows columns ->
                        Matrix<float>
                            .Build.Dense(
                                rows,
                                columns,
                                fun i s ->
                                    4.0
                                    * RandomNumbers.uniform
                                        seed
                                        RandomStream.GradientCheck
                                        (int64 s)
                                        i
                                    - 2.0
                            )
            }
        }
        |> Arb.fromGen

    /// The functions of a layer that takes any number of features.
    static member private OfAnySize(shapes, forward, backward) : LayerFunctions = {
        Cases = LayerLaw.Cases(Small.size, shapes)
        Forward = forward
        Backward = backward
    }

    /// The parameters, what the layer gives, and a gradient in that.
    static member private Outputs
        (forward: Func<Matrix<float>[], Matrix<float>, Matrix<float>>, case: LayerCase)
        : struct (Matrix<float>[] * Matrix<float> * Matrix<float>) =
        let parameters = List.toArray case.Parameters
        let outputs = forward.Invoke(parameters, case.Inputs)
        struct (parameters, outputs, case.Upstream outputs.RowCount outputs.ColumnCount)

    static member private Names(count: int) : string list = [
        for i in 1..count -> $"parameter %d{i}"
    ]

    static member private GradientIsDefinitionOf(layer: LayerFunctions) : Law =
        Laws.create "the gradients are the definition's" layer.Cases (fun case ->
            let struct (parameters, _, upstream) = LayerLaw.Outputs(layer.Forward, case)

            let struct (found, inInputs) =
                layer.Backward.Invoke(parameters, case.Inputs, upstream)

            Laws.require
                (found.Length = parameters.Length)
                $"expected %d{parameters.Length} gradients, found %d{found.Length}"

            let names = LayerLaw.Names parameters.Length @ [ "inputs" ]
            let gradients = List.ofArray found @ [ inInputs ]
            let at = case.Parameters @ [ case.Inputs ]

            List.zip3 names at gradients
            |> List.iter (fun (name, at, gradient) -> Laws.requireShape name at gradient)

            // What the outputs add up to under these weights has the upstream as its gradient in them.
            let weighted (moved: Matrix<float> list) =
                let parameters, inputs = List.splitAt parameters.Length moved

                layer.Forward
                    .Invoke(List.toArray parameters, inputs.Head)
                    .PointwiseMultiply(upstream)
                    .ColumnSums()
                    .Sum()

            GradientCheck.ofMatrices weighted (List.zip names gradients) at
            |> Laws.requireRight)

    /// <summary>The gradients in every parameter and in the inputs are the definition's.</summary>
    /// <param name="shapes">The parameters' shapes, (rows, columns), for a number of features.</param>
    /// <param name="forward">Outputs from parameters and inputs.</param>
    /// <param name="backward">Gradients in parameters and inputs, from parameters, inputs and the gradient in
    /// the outputs.</param>
    static member GradientIsDefinition
        (
            shapes: Func<int, seq<struct (int * int)>>,
            forward: Func<Matrix<float>[], Matrix<float>, Matrix<float>>,
            backward:
                Func<
                    Matrix<float>[],
                    Matrix<float>,
                    Matrix<float>,
                    struct (Matrix<float>[] * Matrix<float>)
                 >
        ) : Law =
        LayerLaw.GradientIsDefinitionOf(LayerLaw.OfAnySize(shapes, forward, backward))

    static member private IsPureOf(layer: LayerFunctions) : Law =
        Laws.create "it is pure" layer.Cases (fun case ->
            let struct (parameters, _, upstream) = LayerLaw.Outputs(layer.Forward, case)

            Laws.requirePure
                (fun () -> [
                    for p in case.Parameters do
                        Laws.cells p

                    Laws.cells case.Inputs
                    Laws.cells upstream
                ])
                (fun () ->
                    let outputs = layer.Forward.Invoke(parameters, case.Inputs)

                    let struct (found, inInputs) =
                        layer.Backward.Invoke(parameters, case.Inputs, upstream)

                    [
                        Laws.cells outputs
                        for g in found do
                            Laws.cells g
                        Laws.cells inInputs
                    ]))

    /// <summary>Nothing that the layer is given is written to, and the same gives the same bits, on both
    /// ways.</summary>
    /// <param name="shapes">The parameters' shapes, (rows, columns), for a number of features.</param>
    /// <param name="forward">Outputs from parameters and inputs.</param>
    /// <param name="backward">Gradients in parameters and inputs.</param>
    static member IsPure
        (
            shapes: Func<int, seq<struct (int * int)>>,
            forward: Func<Matrix<float>[], Matrix<float>, Matrix<float>>,
            backward:
                Func<
                    Matrix<float>[],
                    Matrix<float>,
                    Matrix<float>,
                    struct (Matrix<float>[] * Matrix<float>)
                 >
        ) : Law =
        LayerLaw.IsPureOf(LayerLaw.OfAnySize(shapes, forward, backward))

    static member private SamplesStandAloneOf(layer: LayerFunctions) : Law =
        Laws.create "every sample stands alone" layer.Cases (fun case ->
            let struct (parameters, outputs, upstream) = LayerLaw.Outputs(layer.Forward, case)

            let struct (found, inInputs) =
                layer.Backward.Invoke(parameters, case.Inputs, upstream)

            let column s (m: Matrix<float>) = m.SubMatrix(0, m.RowCount, s, 1)

            let close what expected found =
                Laws.within what (fun () ->
                    Laws.cells found
                    |> Approximately.equal Approximately.rounding (Laws.cells expected))

            let alone = [
                for s in 0 .. case.Inputs.ColumnCount - 1 do
                    let x = column s case.Inputs

                    close
                        $"outputs of sample %d{s}"
                        (layer.Forward.Invoke(parameters, x))
                        (column s outputs)

                    let struct (own, inX) = layer.Backward.Invoke(parameters, x, column s upstream)
                    close $"gradient in the inputs of sample %d{s}" inX (column s inInputs)
                    own
            ]

            for i, name in List.indexed (LayerLaw.Names parameters.Length) do
                let sum = alone |> List.map (fun own -> own[i]) |> List.reduce (+)
                close $"gradient in {name}, against the sum over samples" sum found[i])

    /// <summary>A sample's outputs, and the gradient in its inputs, are those it has alone; the gradient in a
    /// parameter is the sum of the samples'.</summary>
    /// <param name="shapes">The parameters' shapes, (rows, columns), for a number of features.</param>
    /// <param name="forward">Outputs from parameters and inputs.</param>
    /// <param name="backward">Gradients in parameters and inputs.</param>
    static member SamplesStandAlone
        (
            shapes: Func<int, seq<struct (int * int)>>,
            forward: Func<Matrix<float>[], Matrix<float>, Matrix<float>>,
            backward:
                Func<
                    Matrix<float>[],
                    Matrix<float>,
                    Matrix<float>,
                    struct (Matrix<float>[] * Matrix<float>)
                 >
        ) : Law =
        LayerLaw.SamplesStandAloneOf(LayerLaw.OfAnySize(shapes, forward, backward))

    /// <summary>The outputs follow from the inputs and from every parameter: of 100 random cases, at least one
    /// gives other outputs when one of them is changed alone.</summary>
    /// <param name="shapes">The parameters' shapes, (rows, columns), for a number of features.</param>
    /// <param name="forward">Outputs from parameters and inputs.</param>
    static member EverythingMatters
        (
            shapes: Func<int, seq<struct (int * int)>>,
            forward: Func<Matrix<float>[], Matrix<float>, Matrix<float>>
        ) : Law =
        Laws.create
            "inputs and every parameter make a difference"
            (Arb.zip (Arb.fromGen Small.size, Arbitraries.Seed()))
            (fun (features, Seed seed) ->
                let drawn trial which (struct (rows, columns)) : Matrix<float> =
                    let draw =
                        RandomNumbers.uniform
                            seed
                            RandomStream.GradientCheck
                            (int64 (100 * trial + which))

                    Matrix<float>
                        .Build.Dense(rows, columns, fun i j -> 4.0 * draw (i + j * rows) - 2.0)

                // The inputs last.
                let all = List.ofSeq (shapes.Invoke features) @ [ struct (features, 3) ]
                let names = LayerLaw.Names(all.Length - 1) @ [ "the inputs" ]

                let outputs (values: Matrix<float> list) =
                    let parameters, inputs = List.splitAt (all.Length - 1) values
                    Laws.cells (forward.Invoke(List.toArray parameters, inputs.Head))

                let matters place =
                    Seq.init 100 (fun trial ->
                        let values = all |> List.mapi (drawn trial)
                        let other = drawn trial (all.Length + place) all[place]
                        outputs values <> outputs (List.updateAt place other values))
                    |> Seq.exists id

                for place, name in List.indexed names do
                    let struct (rows, columns) = all[place]

                    // Nothing is in an empty matrix that could be changed.
                    if rows * columns > 0 then
                        Laws.require (matters place) $"{name} make no difference to the outputs")

    /// <summary>All of these laws.</summary>
    /// <param name="shapes">The parameters' shapes, (rows, columns), for a number of features.</param>
    /// <param name="forward">Outputs from parameters and inputs.</param>
    /// <param name="backward">Gradients in parameters and inputs, from parameters, inputs and the gradient in
    /// the outputs.</param>
    static member All
        (
            shapes: Func<int, seq<struct (int * int)>>,
            forward: Func<Matrix<float>[], Matrix<float>, Matrix<float>>,
            backward:
                Func<
                    Matrix<float>[],
                    Matrix<float>,
                    Matrix<float>,
                    struct (Matrix<float>[] * Matrix<float>)
                 >
        ) : Law list = [
        LayerLaw.GradientIsDefinition(shapes, forward, backward)
        LayerLaw.IsPure(shapes, forward, backward)
        LayerLaw.SamplesStandAlone(shapes, forward, backward)
        LayerLaw.EverythingMatters(shapes, forward)
    ]

    /// The functions of a layer: parameters come as matrices, a vector as a column.
    static member private Functions
        (
            layer: Layer,
            features: Gen<int>,
            shapeOf: int -> Shape,
            step: TrainingStep voption,
            mayOverwrite: bool
        ) : LayerFunctions =
        let shapesOf features = layer.Parameters(shapeOf features)

        let shapes features = seq {
            let shapes = shapesOf features

            for _, rows, columns in shapes.MatrixShapes do
                struct (rows, columns)

            for _, size in shapes.VectorSizes do
                struct (size, 1)
        }

        let forward (parameters: Matrix<float>[]) (inputs: Matrix<float>) =
            let features = inputs.RowCount
            let names = shapesOf features
            let count = names.MatrixShapes.Length

            let own: LayerParameters<float> = {
                Matrices =
                    List.mapi (fun i (name, _, _) -> name, parameters[i].Clone()) names.MatrixShapes
                Vectors =
                    List.mapi
                        (fun i (name, _) -> name, parameters[count + i].Column 0)
                        names.VectorSizes
            }

            let output =
                layer.Forward {
                    Inputs = Inputs.OfNumbers(inputs.Clone())
                    Shape = shapeOf features
                    Parameters = own
                    Running = layer.InitialiseRunning(shapeOf features)
                    Step = step
                    RandomStream = 0
                    MayOverwrite = mayOverwrite
                    NeedsInputGradient = true
                }

            struct (own, output)

        let backward parameters inputs (upstream: Matrix<float>) =
            let struct (own, output) = forward parameters inputs
            let gradient = output.Backward(upstream.Clone())
            let found = LayerGradient.values own gradient

            struct ([|
                        for _, matrix in found.Matrices do
                            matrix
                        for _, vector in found.Vectors do
                            vector.ToColumnMatrix()
                    |],
                    gradient.Inputs.Value)

        let outputOf parameters inputs =
            let struct (_, output) = forward parameters inputs
            output.Output.Clone()

        {
            Cases = LayerLaw.Cases(features, Func<_, _> shapes)
            Forward = Func<_, _, _> outputOf
            Backward = Func<_, _, _, _> backward
        }

    static member private OverwritesFaithfullyOf
        (layer: Layer, features: Gen<int>, shapeOf: int -> Shape)
        : Law =
        let step = ValueSome { Seed = 5UL; Iteration = 2L }
        let apart = LayerLaw.Functions(layer, features, shapeOf, step, false)
        let inPlace = LayerLaw.Functions(layer, features, shapeOf, step, true)

        Laws.create "an output in its input's place is the same" apart.Cases (fun case ->
            let struct (parameters, outputs, upstream) = LayerLaw.Outputs(apart.Forward, case)

            Exactly.bits
                (Laws.cells outputs)
                (Laws.cells (inPlace.Forward.Invoke(parameters, case.Inputs)))

            let cells (struct (found: Matrix<float>[], inInputs: Matrix<float>)) =
                Array.append [| inInputs |] found |> Array.collect Laws.cells

            Exactly.bits
                (apart.Backward.Invoke(parameters, case.Inputs, upstream) |> cells)
                (inPlace.Backward.Invoke(parameters, case.Inputs, upstream) |> cells))

    /// <summary>An output that takes the place of its input has the same bits, and so have the gradients.</summary>
    /// <param name="layer">The layer.</param>
    static member OverwritesFaithfully(layer: Layer) : Law =
        LayerLaw.OverwritesFaithfullyOf(layer, Small.size, Shape.Vector)

    static member private AllOf
        (layer: Layer, features: Gen<int>, shapeOf: int -> Shape)
        : Law list = [
        for step in [ ValueNone; ValueSome { Seed = 5UL; Iteration = 2L } ] do
            let functions = LayerLaw.Functions(layer, features, shapeOf, step, true)
            LayerLaw.GradientIsDefinitionOf functions
            LayerLaw.IsPureOf functions

            if step.IsNone then
                LayerLaw.SamplesStandAloneOf functions
        LayerLaw.OverwritesFaithfullyOf(layer, features, shapeOf)
    ]

    /// <summary>All laws that hold for any layer of a network: in evaluation and in training its gradients are the
    /// definition's and it is pure, and in evaluation every sample stands alone.</summary>
    /// <param name="layer">The layer, for vectors of any size.</param>
    static member All(layer: Layer) : Law list =
        LayerLaw.AllOf(layer, Small.size, Shape.Vector)

    /// <summary>All laws that hold for any layer of a network, for samples of one shape.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="shape">The shape of a sample.</param>
    static member All(layer: Layer, shape: Shape) : Law list =
        LayerLaw.AllOf(layer, Gen.constant shape.Size, (fun _ -> shape))
