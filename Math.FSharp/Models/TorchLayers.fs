namespace Pipeline.Learning

open System.Numerics
open Pipeline.Learning.Formats

/// What PyTorch's modules with parameters are.
[<RequireQualifiedAccess>]
type internal TorchKind =
    | Convolution
    | Dense
    | BatchNormalisation
    | LayerNormalisation

    /// For "2 convolutions".
    member kind.Plural =
        match kind with
        | Convolution -> "convolutions"
        | Dense -> "dense layers"
        | BatchNormalisation -> "layers of batch normalisation"
        | LayerNormalisation -> "layers of layer normalisation"

/// A layer's parameters and running statistics as a file of PyTorch has them.
type internal TorchLayer<'T
    when 'T: struct
    and 'T :> System.ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> System.IEquatable<'T>
    and 'T :> System.IFormattable> = {
    Parameters: LayerParameters<'T>
    Running: LayerParameters<'T>
    /// Biases that the layer does without, as batch normalisation follows; else empty.
    Unused: 'T[]
}

/// Files of PyTorch's names and shapes, read into layers that are known.
[<RequireQualifiedAccess>]
module internal TorchLayers =
    /// What follows a module's name.
    let private endings = [
        ".weight"
        ".bias"
        ".running_mean"
        ".running_var"
        ".num_batches_tracked"
    ]

    let private kindOfLayer (layer: Layer) : TorchKind voption =
        match layer with
        | :? Convolution -> ValueSome TorchKind.Convolution
        | :? Dense -> ValueSome TorchKind.Dense
        | :? BatchNormalisation -> ValueSome TorchKind.BatchNormalisation
        | :? LayerNormalisation -> ValueSome TorchKind.LayerNormalisation
        | _ -> ValueNone

    let private kindOfModule (tensors: Map<string, Tensor>) (name: string) : TorchKind =
        let shape ending =
            tensors.TryFind(name + ending) |> Option.map _.Shape

        match shape ".weight", shape ".bias" with
        | _ when tensors.ContainsKey(name + ".running_mean") -> TorchKind.BatchNormalisation
        | weight, bias when weight = bias -> TorchKind.LayerNormalisation
        | Some [ _; _ ], _ -> TorchKind.Dense
        | Some [ _ ], _ -> TorchKind.LayerNormalisation
        | _ -> TorchKind.Convolution

    /// The layers with parameters, those in blocks too.
    let rec private leaves (places: PlacedLayer list) : PlacedLayer list =
        places
        |> List.collect (fun place ->
            match place.Layer with
            | :? Residual as block -> leaves (block.Places place.Input)
            | _ when place.Parameters.IsEmpty -> []
            | _ -> [ place ])

    /// Each layer's module: those of one kind in their order.
    let private assign
        (assumed: string list)
        (tensors: Map<string, Tensor>)
        (names: string list)
        (layers: PlacedLayer list)
        : Result<(PlacedLayer * string) list, Fault list> =
        let inOrder =
            if assumed.IsEmpty then
                Ok names
            else
                TensorLayout.torchOrder assumed names

        /// The modules of a kind with the positions of the layers that they are of.
        let ofKind (names: string list) (kind: TorchKind) =
            let own = names |> List.filter (fun name -> kindOfModule tensors name = kind)

            let places =
                layers
                |> List.indexed
                |> List.filter (fun (_, place) -> kindOfLayer place.Layer = ValueSome kind)
                |> List.map fst

            if own.Length <> places.Length then
                let listed = String.concat ", " own

                Error [
                    Fault.create
                        "architecture"
                        (invariant $"as many {kind.Plural} as the file has, {own.Length} ({listed})")
                        (string places.Length)
                ]
            elif assumed.IsEmpty then
                TensorLayout.torchOrder [] own |> Result.map (List.zip places)
            else
                Ok(List.zip places own)

        let unknown = layers |> List.filter (fun place -> (kindOfLayer place.Layer).IsNone)

        if unknown.IsEmpty then
            inOrder
            |> Result.bind (fun names ->
                [
                    TorchKind.Convolution
                    TorchKind.Dense
                    TorchKind.BatchNormalisation
                    TorchKind.LayerNormalisation
                ]
                |> List.map (ofKind names)
                |> Fault.all)
            |> Result.map (List.concat >> List.sortBy fst >> List.map snd >> List.zip layers)
        else
            Error [
                for place in unknown do
                    Fault.create
                        "architecture"
                        "layers that PyTorch's files have parameters of"
                        (string place.Layer)
            ]

    let private weights (file: TensorFile) (name: string) (shape: int list) =
        ParameterTensors.finite file (name + ".weight") shape

    /// The biases of a module; 0 where it has none.
    let private biases
        (file: TensorFile)
        (name: string)
        (count: int)
        : Result<'T[], Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        if file.Tensors |> List.exists (fun tensor -> tensor.Name = name + ".bias") then
            ParameterTensors.finite file (name + ".bias") [ count ]
        else
            Ok(Array.zeroCreate count)

    /// Of a convolution or a dense layer whose weights have a shape, outputs first.
    let private affine
        (file: TensorFile)
        (name: string)
        (place: PlacedLayer)
        (shapeOf: int -> int -> int list)
        : Result<TorchLayer<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let _, outputs, inputs = place.Parameters.MatrixShapes.Head

        Fault.both (weights file name (shapeOf outputs inputs)) (biases file name outputs)
        |> Result.map (fun (weights, biases) ->
            let hasBiases = not place.Parameters.VectorSizes.IsEmpty

            {
                Parameters = {
                    Matrices = [ "W", TensorLayout.ofOutputsFirst outputs inputs weights ]
                    Vectors = if hasBiases then [ "b", Kernels.vector biases ] else []
                }
                Running = LayerParameters.none
                Unused = if hasBiases then [||] else biases
            })

    /// The gains and shifts of a normalisation.
    let private gains
        (shift: Result<'T[], Fault list>)
        (gain: Result<'T[], Fault list>)
        : Result<LayerParameters<'T>, Fault list> =
        Fault.both shift gain
        |> Result.map (fun (shift, gain) -> {
            Matrices = []
            Vectors = [ "b", Kernels.vector shift; "g", Kernels.vector gain ]
        })

    let private read
        (file: TensorFile)
        (place: PlacedLayer, name: string)
        : Result<TorchLayer<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let finite ending shape =
            ParameterTensors.finite file (name + ending) shape

        match place.Layer with
        | :? Convolution as layer ->
            let size = layer.Window.Size

            affine file name place (fun outputs taps -> [
                outputs
                taps / (size.Rows * size.Columns)

                if layer.TakesImages then
                    size.Rows

                size.Columns
            ])
        | :? Dense -> affine file name place (fun outputs inputs -> [ outputs; inputs ])
        | :? BatchNormalisation ->
            let shape = [ place.Input.Channels ]

            Fault.both
                (gains (biases file name shape.Head) (weights file name shape))
                (Fault.both (finite ".running_mean" shape) (finite ".running_var" shape))
            |> Result.map (fun (parameters, (mean, variance)) -> {
                Parameters = parameters
                Running = Moments.toRunning { Mean = mean; Variance = variance }
                Unused = [||]
            })
        | _ ->
            // Of any shape that has as many numbers: (channels, rows, columns), say.
            let shape =
                file.Tensors
                |> List.tryFind (fun tensor -> tensor.Name = name + ".weight")
                |> Option.map _.Shape
                |> Option.filter (fun shape -> List.reduce (*) shape = place.Input.Size)
                |> Option.defaultValue [ place.Input.Size ]

            let shift =
                if file.Tensors |> List.exists (fun tensor -> tensor.Name = name + ".bias") then
                    finite ".bias" shape
                else
                    Ok(Array.zeroCreate place.Input.Size)

            gains shift (weights file name shape)
            |> Result.map (fun parameters -> {
                Parameters = parameters
                Running = LayerParameters.none
                Unused = [||]
            })

    /// Biases that the layer below does without are taken off the running mean.
    let private absorb
        (layers: TorchLayer<'T> list when 'T :> IBinaryFloatingPointIeee754<'T>)
        : TorchLayer<'T> list =
        List.zip layers ({ layers.Head with Unused = [||] } :: layers |> List.take layers.Length)
        |> List.map (fun (layer, below) ->
            if below.Unused.Length = 0 then
                layer
            else
                {
                    layer with
                        Running =
                            layer.Running
                            |> LayerParameters.withVector
                                "mean"
                                (Kernels.elements (layer.Running.Vector "mean")
                                 |> Array.mapi (fun i mean -> mean - below.Unused[i])
                                 |> Kernels.vector)
                })

    /// The parameters and running statistics of each layer, those of blocks joined.
    let rec private gather
        (places: PlacedLayer list)
        (read: TorchLayer<'T> list)
        : (LayerParameters<'T> * LayerParameters<'T>) list * TorchLayer<'T> list =
        (read, places)
        ||> List.mapFold (fun read place ->
            match place.Layer, read with
            | :? Residual as block, _ ->
                let own, rest = gather (block.Places place.Input) read
                (block.Join(List.map fst own), block.Join(List.map snd own)), rest
            | _, own :: rest when not place.Parameters.IsEmpty ->
                (own.Parameters, own.Running), rest
            | _ -> (LayerParameters.none, LayerParameters.none), read)

    /// <summary>The network of an architecture whose parameters a file has under PyTorch's names, or what is wrong with
    /// them.</summary>
    /// <param name="assumed">The names of the modules in order; none for the order that names of each kind tell.</param>
    /// <param name="architecture">The architecture.</param>
    /// <param name="file">The file.</param>
    let network
        (assumed: string list)
        (architecture: Architecture)
        (file: TensorFile)
        : Result<Network<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let tensors =
            file.Tensors |> List.map (fun tensor -> tensor.Name, tensor) |> Map.ofList

        let names = TensorLayout.torchNames file.Tensors

        let known =
            names
            |> List.collect (fun name -> endings |> List.map (fun ending -> name + ending))
            |> Set.ofList

        let others =
            file.Tensors
            |> List.filter (fun tensor ->
                not (known.Contains tensor.Name) && Tensor.count tensor > 0)

        if others.IsEmpty then
            leaves architecture.Places
            |> assign assumed tensors names
            |> Result.bind (List.map (read file) >> Fault.all)
            |> Result.map (fun layers ->
                let some =
                    List.filter (fun (layer: LayerParameters<'T>) ->
                        not (layer.Matrices.IsEmpty && layer.Vectors.IsEmpty))

                let all, _ =
                    gather architecture.Places (if layers.IsEmpty then [] else absorb layers)

                {
                    Architecture = architecture
                    Parameters = { Layers = all |> List.map fst |> some }
                    Running = all |> List.map snd |> some
                })
        else
            Error [
                for other in others do
                    Fault.message
                        other.Name
                        "is not a parameter of a module of PyTorch that is read"
            ]
