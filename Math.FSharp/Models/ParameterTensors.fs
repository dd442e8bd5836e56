namespace Pipeline.Learning

open System.Numerics
open Pipeline.Learning.Formats

/// Texts, tensors and parameters in a file of tensors.
[<RequireQualifiedAccess>]
module internal ParameterTensors =
    /// A text of the metadata; of a name that comes twice, the last.
    let metadata (name: string) (file: TensorFile) : string voption =
        match file.Metadata |> List.tryFindBack (fst >> (=) name) with
        | Some(_, text) -> ValueSome text
        | None -> ValueNone

    /// A tensor's numbers, once its type and shape are right.
    let numbers (file: TensorFile) (name: string) (shape: int list) : Result<'T[], Fault list> =
        match file.Tensors |> List.tryFind (fun tensor -> tensor.Name = name) with
        | None -> Error [ Fault.message name "is missing" ]
        | Some tensor ->
            let found: 'T[] voption = Tensor.numbers tensor

            Fault.check
                [
                    found.IsSome,
                    Fault.create name (Tensor.precisionText<'T>()) (Tensor.kindText tensor)
                    tensor.Shape = shape,
                    Fault.create
                        name
                        $"the shape {Tensor.shapeText shape}"
                        (Tensor.shapeText tensor.Shape)
                ]
                (fun () -> found.Value)

    /// The same, once they are finite too.
    let finite
        (file: TensorFile)
        (name: string)
        (shape: int list)
        : Result<'T[], Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        numbers file name shape
        |> Result.bind (fun values ->
            match values |> Array.tryFindIndex (fun value -> not ('T.IsFinite value)) with
            | None -> Ok values
            | Some place ->
                let found =
                    if 'T.IsNaN values[place] then
                        "one that is not a number (NaN)"
                    else
                        "an infinite one"

                Error [ Fault.create name "finite numbers" found ])

    /// The tensors of some layers, each name between the prefix and the layer's suffix. Matrices have the book's
    /// shape, (inputs, outputs).
    let private ofLayers
        (prefix: string)
        (suffixes: string list)
        (layers: LayerParameters<'T> list)
        : Tensor list = [
        for suffix, layer in List.zip suffixes layers do
            for name, matrix in layer.Matrices do
                Kernels.values matrix
                |> Tensor.ofNumbers (prefix + name + suffix) [ matrix.ColumnCount; matrix.RowCount ]

            for name, vector in layer.Vectors do
                Kernels.elements vector
                |> Tensor.ofNumbers (prefix + name + suffix) [ vector.Count ]
    ]

    /// Parameters as W1, b1, W2, b2, …, every name after the prefix.
    let ofParameters (prefix: string) (parameters: Parameters<'T>) : Tensor list =
        ofLayers prefix (Parameters.suffixes parameters) parameters.Layers

    /// Running statistics as mean1, variance1, …, every name after the prefix.
    let ofRunning (prefix: string) (network: Network<'T>) : Tensor list =
        ofLayers prefix (Architecture.runningSuffixes network.Architecture) network.Running

    /// Layers of these shapes, as <c>ofLayers</c> names them.
    let private layers
        (read: string -> int list -> Result<'T[], Fault list>)
        (prefix: string)
        (suffixes: string list)
        (shapes: ParameterShapes list)
        : Result<LayerParameters<'T> list, Fault list> =
        List.zip suffixes shapes
        |> List.map (fun (suffix, shapes) ->
            [
                for name, rows, columns in shapes.MatrixShapes do
                    read (prefix + name + suffix) [ columns; rows ]
                for name, size in shapes.VectorSizes do
                    read (prefix + name + suffix) [ size ]
            ]
            |> Fault.all
            |> Result.map (fun arrays ->
                let struct (layer, _) = LayerParameters.ofArrays shapes arrays
                layer))
        |> Fault.all

    /// Parameters of such an architecture, as <c>ofParameters</c> names them.
    let parameters
        (read: string -> int list -> Result<'T[], Fault list>)
        (prefix: string)
        (architecture: Architecture)
        : Result<Parameters<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let shapes = architecture.ParameterShapes

        layers read prefix (TensorNames.ofParameters shapes) shapes
        |> Result.map (fun layers -> { Layers = layers })

    /// Running statistics of such an architecture, as <c>ofRunning</c> names them.
    let running
        (read: string -> int list -> Result<'T[], Fault list>)
        (prefix: string)
        (architecture: Architecture)
        : Result<LayerParameters<'T> list, Fault list> =
        layers read prefix (Architecture.runningSuffixes architecture) architecture.RunningShapes

    /// A network of such an architecture, as <c>ofParameters</c> and <c>ofRunning</c> name its tensors.
    let network
        (read: string -> int list -> Result<'T[], Fault list>)
        (prefix: string)
        (architecture: Architecture)
        : Result<Network<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> = validation {
        let! parameters = parameters read prefix architecture
        and! running = running read prefix architecture

        return {
            Architecture = architecture
            Parameters = parameters
            Running = running
        }
    }
