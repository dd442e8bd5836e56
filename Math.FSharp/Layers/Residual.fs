namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Arithmetic

/// x + y.
[<Struct>]
type internal AddOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V) = 'L.Add(x, y)

/// <summary>A residual block: x + f(x), where f is some layers whose outputs have the shape of their inputs.</summary>
/// <remarks>The parameters of the layer at position i have their own names with i, from 1, behind them: <c>W1_</c>.
/// Source: He et al., Deep residual learning for image recognition, 2016.</remarks>
[<Sealed>]
type internal Residual(layers: Layer list) =
    inherit Layer($"""residual [{layers |> List.map _.Name |> String.concat ", "}]""")

    let placesOn (shape: Shape) : PlacedLayer list =
        PlacedLayers.place shape layers |> Fault.orInvalidArg (nameof shape)

    let nameOf (position: int) (name: string) = invariant $"{name}{position + 1}_"

    /// The shapes of all layers under the block's names.
    let all (shapesOf: PlacedLayer -> ParameterShapes) (shape: Shape) : ParameterShapes =
        let shapes = placesOn shape |> List.map shapesOf |> List.indexed

        {
            MatrixShapes = [
                for i, own in shapes do
                    for name, rows, columns in own.MatrixShapes do
                        nameOf i name, rows, columns
            ]
            VectorSizes = [
                for i, own in shapes do
                    for name, size in own.VectorSizes do
                        nameOf i name, size
            ]
        }

    /// One layer's parameters after the other under the block's names.
    let join (own: LayerParameters<'T> list) : LayerParameters<'T> =
        let own = List.indexed own

        {
            Matrices = [
                for i, parameters in own do
                    for name, matrix in parameters.Matrices do
                        nameOf i name, matrix
            ]
            Vectors = [
                for i, parameters in own do
                    for name, vector in parameters.Vectors do
                        nameOf i name, vector
            ]
        }

    /// Each layer's own parameters.
    let split
        (shapes: ParameterShapes list)
        (parameters: LayerParameters<'T>)
        : LayerParameters<'T> list =
        let rec next (shapes: ParameterShapes list) matrices vectors =
            match shapes with
            | [] -> []
            | own :: rest ->
                let ownMatrices, matrices = List.splitAt own.MatrixShapes.Length matrices
                let ownVectors, vectors = List.splitAt own.VectorSizes.Length vectors

                {
                    Matrices =
                        List.map2
                            (fun (name, _, _) matrix -> name, matrix)
                            own.MatrixShapes
                            ownMatrices
                    Vectors =
                        List.map2 (fun (name, _) vector -> name, vector) own.VectorSizes ownVectors
                }
                :: next rest matrices vectors

        next shapes (List.map snd parameters.Matrices) (List.map snd parameters.Vectors)

    /// The number of a random stream for a layer of the block that belongs to that of the block: those of different blocks
    /// and layers differ. In blocks nested so deep that the number would overflow, it is a hash.
    let streamOf (own: int) (position: int) =
        if own >= 0 && own < (1 <<< 21) - 2 then
            (own + 1) * 1024 + position
        else
            let mixed = (uint64 (uint32 own) <<< 32 ||| uint64 position) * 0x9E3779B97F4A7C15UL
            int (mixed >>> 33) ||| (1 <<< 30)

    let forward (pass: LayerPass<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : PassOutput<'T> =
        let places = placesOn pass.Shape
        let parameters = split (places |> List.map _.Parameters) pass.Parameters
        let running = split (places |> List.map _.Running) pass.Running

        let placed =
            List.zip3 places parameters running
            |> List.mapi (fun i (place, parameters, running) ->
                struct ({
                            place with
                                RandomStream = streamOf pass.RandomStream i
                                NeedsInputGradient =
                                    place.NeedsInputGradient || pass.NeedsInputGradient
                        },
                        parameters,
                        running))

        let add (one: Inputs<'T>) (other: Inputs<'T>) : Inputs<'T> =
            let other = Inputs.inFormOf one other

            match one, other with
            | Inputs.Lanes x, Inputs.Lanes y ->
                let sum = SampleLanes.room x.Features x.Samples
                Kernels.map2Into sum (AddOp<'T>()) x.Values y.Values
                Inputs.Lanes { x with Values = sum }
            | _ -> Inputs.Columns(Kernels.map2 (AddOp<'T>()) one.Numbers other.Numbers)

        let traced = LayerChain.run pass.Step placed pass.Inputs
        let below = List.rev traced

        let backward (upstream: Inputs<'T>) : PassGradient<'T> =
            let struct (gradients, inputs) =
                LayerChain.backward LayerGradient.values pass.Inputs traced (Inputs.copy upstream)

            let rec complete (places: PlacedLayer list) gradients =
                match places with
                | [] -> []
                | place :: rest ->
                    let struct (own, gradients) =
                        LayerChain.take LayerParameters.none place.Parameters gradients

                    own :: complete rest gradients

            let joined = join (complete places gradients)

            {
                Inputs = inputs |> ValueOption.map (add upstream)
                Parameters = {
                    Inputs = ValueNone
                    Matrices = joined.Matrices |> List.map (snd >> MatrixGradient.Value)
                    Vectors = joined.Vectors |> List.map snd
                }
            }

        {
            Output = add pass.Inputs traced.Head.Output.Output
            MayOverwrite = true
            Kept = []
            Running = join (below |> List.map _.Output.Running)
            Backward = backward
        }

    /// The layers at their places for samples of a shape.
    member _.Places(shape: Shape) : PlacedLayer list = placesOn shape

    /// The block's parameters, or its running statistics, from those of each layer.
    member _.Join(own: LayerParameters<'T> list) : LayerParameters<'T> = join own

    override _.TakesImages = layers |> List.exists _.TakesImages

    override _.OutputShape(input) =
        Fault.check
            [
                not layers.IsEmpty, Fault.create "" "a residual block of one layer or more" "none"
            ]
            ignore
        |> Result.bind (fun () -> PlacedLayers.place input layers)
        |> Result.bind (fun places ->
            let output = (List.last places).Output

            Fault.check
                [
                    output = input,
                    Fault.create
                        ""
                        (invariant $"a residual block whose layers keep the shape {input}")
                        (invariant $"the shape {output}")
                ]
                (fun () -> input))

    override _.Parameters(input) = all _.Parameters input
    override _.Running(input) = all _.Running input
    override _.DrawsRandomNumbers = layers |> List.exists _.DrawsRandomNumbers
    override _.DiffersInTraining = layers |> List.exists _.DiffersInTraining

    override _.Initialise(initialiser, seed, number, input) =
        placesOn input
        |> List.mapi (fun i place ->
            place.Layer.Initialise(initialiser, seed, streamOf number i, place.Input))
        |> join

    override _.InitialiseRunning(input) =
        placesOn input
        |> List.map (fun place -> place.Layer.InitialiseRunning place.Input)
        |> join

    override _.Forward(pass) = forward pass |> PassOutput.toOutput

    interface ILaneLayer with
        member _.PrefersLanes(shape) =
            match layers with
            | LaneLayer first :: _ -> first.PrefersLanes shape
            | _ -> false

        member _.ForwardLanes(pass, x) =
            forward { pass with Inputs = Inputs.Lanes x }

    interface IBlock with
        member _.WithoutRandomLayers = Residual(RandomLayers.without layers)

    interface IOnnxLayer with
        member _.ToOnnx(draft, parameters, shape, input) =
            let places = placesOn shape

            let matrices =
                places |> List.map (fun place -> place.Parameters.MatrixShapes.Length)

            let vectors = places |> List.map (fun place -> place.Parameters.VectorSizes.Length)
            let running = places |> List.map (fun place -> place.Running.Names.Length)

            /// The names of each layer among some names.
            let split (counts: int list) (names: string list) : string list list * string list =
                List.mapFold (fun (left: string list) count -> List.splitAt count left) names counts

            let matrices, names = split matrices parameters
            let vectors, names = split vectors names
            let running, _ = split running names

            let output =
                (input,
                 List.zip places (List.map3 (fun a b c -> a @ b @ c) matrices vectors running))
                ||> List.fold (fun input (place, names) ->
                    match place.Layer with
                    | Exported layer -> layer.ToOnnx(draft, names, place.Input, input)
                    | layer ->
                        invalidArg
                            (nameof shape)
                            (invariant $"expected layers that implement IOnnxLayer, found {layer}"))

            draft.Add("Add", [ input; output ])
