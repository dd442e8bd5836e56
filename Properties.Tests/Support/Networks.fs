namespace Pipeline.Properties

open Pipeline.Learning
open Pipeline.Learning.Laws

/// Networks and architectures as tests change them.
[<AutoOpen>]
module internal Networks =
    /// The parameters with other elements: `replace` takes the name and the elements of each tensor.
    let mapTensors (replace: string -> 'T[] -> 'U[]) (parameters: Parameters<'T>) : Parameters<'U> =
        Parameters.tensors parameters
        |> List.map (fun (name, _, values) -> replace name values)
        |> Parameters.ofArrays parameters

    /// The architecture with batch normalisation behind each dense layer but the last, or behind none.
    let normalised (isNormalised: bool) (architecture: Architecture) : Architecture =
        let last = architecture.Layers.Length - 1

        architecture.Layers
        |> List.indexed
        |> List.filter (fun (_, layer) -> layer <> Layers.batchNormalisation)
        |> List.collect (fun (i, layer) -> [
            layer

            if isNormalised && i < last && layer.Name.StartsWith "dense " then
                Layers.batchNormalisation
        ])
        |> Architecture.create architecture.Head architecture.Shape
        |> orFail
