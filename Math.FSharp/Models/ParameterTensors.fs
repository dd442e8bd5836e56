namespace Pipeline.Learning

open System.Numerics
open Pipeline.Learning.Formats

/// Texts, tensors and parameters in a file of tensors.
[<RequireQualifiedAccess>]
module internal ParameterTensors =
    /// A text of the metadata; of a name that comes twice, the last.
    let said (name: string) (file: TensorFile) : string voption =
        match file.Metadata |> List.tryFindBack (fst >> (=) name) with
        | Some(_, text) -> ValueSome text
        | None -> ValueNone

    /// A tensor's numbers, once its type and shape are right.
    let numbers (file: TensorFile) (name: string) (shape: int list) : Result<'T[], Fault list> =
        match file.Tensors |> List.tryFind (fun tensor -> tensor.Name = name) with
        | None -> Error [ Fault.create name "a tensor of that name" "none" ]
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

    /// Parameters as W1, b1, W2, b2, …, a layer's gain as g1 behind its biases, every name after the
    /// prefix. Weights have the book's shape, (inputs, outputs).
    let ofParameters (prefix: string) (parameters: Parameters<'T>) : Tensor list =
        parameters.Layers
        |> List.mapi (fun i layer -> [
            Kernels.values layer.Weights
            |> Tensor.ofNumbers $"{prefix}W%d{i + 1}" [
                layer.Weights.ColumnCount
                layer.Weights.RowCount
            ]
            Kernels.elements layer.Biases
            |> Tensor.ofNumbers $"{prefix}b%d{i + 1}" [ layer.Biases.Count ]
            match layer.Gain with
            | ValueSome gain ->
                Kernels.elements gain |> Tensor.ofNumbers $"{prefix}g%d{i + 1}" [ gain.Count ]
            | ValueNone -> ()
        ])
        |> List.concat

    /// Parameters of such an architecture, as <c>ofParameters</c> names them.
    let parameters
        (file: TensorFile)
        (prefix: string)
        (architecture: Architecture)
        : Result<Parameters<'T>, Fault list> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let isNormalised i =
            match List.tryItem i architecture.Hidden with
            | Some layer -> layer.Normalised
            | None -> false

        let layer i (inputs, outputs) : Result<Layer<'T>, Fault list> =
            let gain: Result<'T[] voption, Fault list> =
                if isNormalised i then
                    numbers file $"{prefix}g%d{i + 1}" [ outputs ] |> Result.map ValueSome
                else
                    Ok ValueNone

            validation {
                let! weights = numbers file $"{prefix}W%d{i + 1}" [ inputs; outputs ]
                and! biases = numbers file $"{prefix}b%d{i + 1}" [ outputs ]
                and! gain = gain

                return {
                    Weights = Kernels.matrix outputs inputs weights
                    Biases = Kernels.vector biases
                    Gain = ValueOption.map Kernels.vector gain
                }
            }

        architecture.Sizes
        |> List.pairwise
        |> List.mapi layer
        |> Fault.all
        |> Result.map (fun layers -> { Layers = layers })
