namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// The parameters of a dense layer, or the gradient in them.
type Layer<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// W: (outputs, inputs). In memory the book's (inputs, outputs) row by row.
    Weights: Matrix<'T>
    /// b: outputs.
    Biases: Vector<'T>
    /// γ: outputs, where the layer is normalised.
    Gain: Vector<'T> voption
}

/// All parameters of a network, or the gradient in them: a layer each, from the input's side.
type Parameters<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// From the input's side.
    Layers: Layer<'T> list
}

/// Whole-network arithmetic and the way to and from flat arrays.
[<RequireQualifiedAccess>]
module Parameters =
    /// <summary>Two parameter records made one, partner by partner.</summary>
    /// <param name="weights">What to make of two partner matrices.</param>
    /// <param name="biases">What to make of two partner vectors.</param>
    /// <param name="first">One record.</param>
    /// <param name="second">The other, with as many layers.</param>
    /// <exception cref="T:System.ArgumentException">The numbers of layers differ.</exception>
    [<CompiledName("Map2")>]
    let map2
        (weights: Matrix<'T> -> Matrix<'T> -> Matrix<'U>)
        (biases: Vector<'T> -> Vector<'T> -> Vector<'U>)
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'U> = {
        Layers =
            List.map2
                (fun one other -> {
                    Weights = weights one.Weights other.Weights
                    Biases = biases one.Biases other.Biases
                    Gain =
                        match one.Gain, other.Gain with
                        | ValueSome gain, ValueSome partner -> ValueSome(biases gain partner)
                        | _ -> ValueNone
                })
                first.Layers
                second.Layers
    }

    /// Every tensor's elements in their order in memory: of W1, b1, W2, b2, …; after b1 of g1, where the
    /// layer has a gain.
    let internal arrays (parameters: Parameters<'T>) : 'T[] list = [
        for layer in parameters.Layers do
            Kernels.values layer.Weights
            Kernels.elements layer.Biases

            match layer.Gain with
            | ValueSome gain -> Kernels.elements gain
            | ValueNone -> ()
    ]

    /// The same with the tensors' names.
    let internal tensors (parameters: Parameters<'T>) : (string * 'T[]) list =
        let names =
            parameters.Layers
            |> List.mapi (fun i layer -> [
                $"W%d{i + 1}"
                $"b%d{i + 1}"
                if layer.Gain.IsSome then
                    $"g%d{i + 1}"
            ])
            |> List.concat

        List.zip names (arrays parameters)

    /// Parameters of these elements, shaped like others.
    let internal ofTensors (shape: Parameters<'T>) (tensors: 'U[] list) : Parameters<'U> =
        let rec take (layers: Layer<'T> list) tensors =
            match layers, tensors with
            | layer :: rest, weights :: biases :: others ->
                let struct (gain, others) =
                    match layer.Gain, others with
                    | ValueSome _, gain :: others -> struct (ValueSome(Kernels.vector gain), others)
                    | _ -> struct (ValueNone, others)

                {
                    Weights =
                        weights |> Kernels.matrix layer.Weights.RowCount layer.Weights.ColumnCount
                    Biases = Kernels.vector biases
                    Gain = gain
                }
                :: take rest others
            | _ -> []

        { Layers = take shape.Layers tensors }

    /// The parameters with other elements: `replace` takes each tensor's name and elements.
    let internal mapTensors
        (replace: string -> 'T[] -> 'U[])
        (parameters: Parameters<'T>)
        : Parameters<'U> =
        tensors parameters
        |> List.map (fun (name, values) -> replace name values)
        |> ofTensors parameters

    /// Zeros of the parameters' shape.
    let internal zeros (parameters: Parameters<'T>) : Parameters<'T> =
        arrays parameters
        |> List.map (fun values -> Array.zeroCreate values.Length)
        |> ofTensors parameters

    /// What `combine` makes of every two partner tensors.
    let internal mapTensors2
        (combine: 'T[] -> 'T[] -> 'T[])
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'T> =
        List.map2 combine (arrays first) (arrays second) |> ofTensors first

    /// A caller's slip where two records differ in shape.
    let internal requireSameShape
        (name: string)
        (one: Parameters<'T>)
        (other: Parameters<'T>)
        : unit =
        if one.Layers.Length <> other.Layers.Length then
            invalidArg
                name
                $"expected as many layers in both, found %d{one.Layers.Length} and %d{other.Layers.Length}"

        List.iter2
            (fun one other ->
                Kernels.requireSameShape name one.Weights other.Weights

                if one.Biases.Count <> other.Biases.Count then
                    invalidArg
                        name
                        $"expected two vectors of one length, found %d{one.Biases.Count} and %d{other.Biases.Count}"

                if one.Gain.IsSome <> other.Gain.IsSome then
                    invalidArg name "expected a gain in both or in neither, found one")
            one.Layers
            other.Layers

    /// <summary>How many numbers there are in all.</summary>
    [<CompiledName("Count")>]
    let count (parameters: Parameters<'T>) : int64 =
        arrays parameters |> List.sumBy (fun values -> int64 values.Length)

    /// <summary>All parameters in one vector: W1 column by column, b1, W2, b2, …</summary>
    [<CompiledName("ToVector")>]
    let toVector (parameters: Parameters<'T>) : Vector<'T> =
        arrays parameters |> Array.concat |> Kernels.vector

    /// <summary>The parameters in the other precision, each number rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert
        (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Parameters<'U> when 'U :> IBinaryFloatingPointIeee754<'U> =
        mapTensors
            (fun _ values ->
                match box values with
                | :? ('U[]) as same -> Array.copy same
                | _ -> values |> Array.map (fun x -> 'U.CreateTruncating x))
            parameters

    /// <summary>The bytes of all parameters, little-endian, in <c>toVector</c>'s order: what a hash of a
    /// run is taken of.</summary>
    [<CompiledName("ToBytes")>]
    let toBytes (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : byte[] =
        arrays parameters |> List.map LittleEndian.bytes |> Array.concat
