namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// All parameters of a network, or the gradient in them.
type Parameters<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// Those of each layer that has parameters, from the input's side.
    Layers: LayerParameters<'T> list
}

/// The names of tensors in files and reports: W1, b1, W2, b2, …
[<RequireQualifiedAccess>]
module internal TensorNames =
    /// <summary>What follows a name in each layer: the number of matrix layers up to it. Where a layer below has
    /// the same name with the same number, <c>_2</c>, <c>_3</c>, … follows.</summary>
    /// <param name="layers">The layers' numbers and names.</param>
    let suffixes (layers: (int * string list) list) : string list =
        ((Set.empty, []), layers)
        ||> List.fold (fun (taken: Set<string>, found) (number, names) ->
            let suffix =
                // Each name that is taken rules out one suffix at most.
                seq { 0 .. taken.Count }
                |> Seq.map (fun i ->
                    if i = 0 then
                        string number
                    else
                        invariant $"{number}_{i + 1}")
                |> Seq.find (fun suffix ->
                    names |> List.forall (fun name -> not (taken.Contains(name + suffix))))

            (taken, names) ||> List.fold (fun taken name -> taken.Add(name + suffix)),
            suffix :: found)
        |> snd
        |> List.rev

    /// What follows the names of the parameters of each layer.
    let ofParameters (layers: ParameterShapes list) : string list =
        (0, layers)
        ||> List.mapFold (fun below layer ->
            let number = if layer.MatrixShapes.IsEmpty then below else below + 1
            (number, layer.Names), number)
        |> fst
        |> suffixes

/// Whole-network arithmetic, and parameters as flat arrays.
[<RequireQualifiedAccess>]
module Parameters =
    /// <summary>The same parameters with other matrices and vectors.</summary>
    /// <param name="matrix">The matrix in the place of each.</param>
    /// <param name="vector">The vector in the place of each.</param>
    /// <param name="parameters">The parameters, left as they were.</param>
    [<CompiledName("Map")>]
    let map
        (matrix: Matrix<'T> -> Matrix<'U>)
        (vector: Vector<'T> -> Vector<'U>)
        (parameters: Parameters<'T>)
        : Parameters<'U> = {
        Layers =
            parameters.Layers
            |> List.map (LayerParameters.map (fun _ -> matrix) (fun _ -> vector))
    }

    /// An exception where two records differ in shape.
    let internal requireSameShape
        (name: string)
        (one: Parameters<'T>)
        (other: Parameters<'T>)
        : unit =
        if one.Layers.Length <> other.Layers.Length then
            invalidArg
                name
                (invariant
                    $"expected as many layers in both, found {one.Layers.Length} and {other.Layers.Length}")

        List.iter2 (LayerParameters.requireSameShape name) one.Layers other.Layers

    /// <summary>Two parameter records combined, partner by partner.</summary>
    /// <param name="matrix">The matrix of two partners.</param>
    /// <param name="vector">The vector of two partners.</param>
    /// <param name="first">One record.</param>
    /// <param name="second">The other, of the same shape.</param>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("Map2")>]
    let map2
        (matrix: Matrix<'T> -> Matrix<'T> -> Matrix<'U>)
        (vector: Vector<'T> -> Vector<'T> -> Vector<'U>)
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'U> =
        requireSameShape (nameof second) first second

        {
            Layers =
                List.map2
                    (fun (one: LayerParameters<'T>) (other: LayerParameters<'T>) -> {
                        Matrices =
                            List.map2
                                (fun (name, one) (_, other) -> name, matrix one other)
                                one.Matrices
                                other.Matrices
                        Vectors =
                            List.map2
                                (fun (name, one) (_, other) -> name, vector one other)
                                one.Vectors
                                other.Vectors
                    })
                    first.Layers
                    second.Layers
        }

    /// The elements of every tensor in their order in memory: of W1, b1, W2, b2, …
    let internal arrays (parameters: Parameters<'T>) : 'T[] list =
        parameters.Layers |> List.collect LayerParameters.arrays

    /// Whether each of `arrays` is a matrix.
    let internal areMatrices (parameters: Parameters<'T>) : bool list = [
        for layer in parameters.Layers do
            for _ in layer.Matrices do
                true

            for _ in layer.Vectors do
                false
    ]

    /// The parameters without vectors.
    let internal matrices (parameters: Parameters<'T>) : Parameters<'T> = {
        Layers = [
            for layer in parameters.Layers do
                { layer with Vectors = [] }
        ]
    }

    /// What follows the names of each layer's tensors.
    let internal suffixes (parameters: Parameters<'T>) : string list =
        parameters.Layers |> List.map LayerParameters.shapes |> TensorNames.ofParameters

    /// Every tensor's name, rows and columns (1 of a vector) and elements.
    let internal tensors (parameters: Parameters<'T>) : (string * struct (int * int) * 'T[]) list = [
        for suffix, layer in List.zip (suffixes parameters) parameters.Layers do
            for name, matrix in layer.Matrices do
                name + suffix, struct (matrix.RowCount, matrix.ColumnCount), Kernels.values matrix

            for name, vector in layer.Vectors do
                name + suffix, struct (vector.Count, 1), Kernels.elements vector
    ]

    /// Parameters of these elements, shaped like others.
    let internal ofArrays (shape: Parameters<'T>) (arrays: 'U[] list) : Parameters<'U> = {
        Layers =
            (arrays, shape.Layers)
            ||> List.mapFold (fun arrays layer ->
                let struct (layer, rest) =
                    LayerParameters.ofArrays (LayerParameters.shapes layer) arrays

                layer, rest)
            |> fst
    }

    /// The parameters with other elements: `replace` takes the position and the elements of each tensor.
    let internal mapArrays
        (replace: int -> 'T[] -> 'U[])
        (parameters: Parameters<'T>)
        : Parameters<'U> =
        arrays parameters |> List.mapi replace |> ofArrays parameters

    /// <summary>Zeros of the parameters' shape.</summary>
    [<CompiledName("Zeros")>]
    let zeros (parameters: Parameters<'T>) : Parameters<'T> =
        parameters |> mapArrays (fun _ values -> Array.zeroCreate values.Length)

    /// <summary>One value from every number, in the order of <c>toVector</c>.</summary>
    /// <param name="folder">The next value from the one so far and a number.</param>
    /// <param name="state">The first value.</param>
    /// <param name="parameters">The parameters.</param>
    [<CompiledName("Fold")>]
    let fold (folder: 'S -> 'T -> 'S) (state: 'S) (parameters: Parameters<'T>) : 'S =
        arrays parameters |> List.fold (Array.fold folder) state

    /// <summary>The norm of all numbers as one vector, √Σx², summed in double precision.</summary>
    /// <param name="parameters">The parameters, or a gradient.</param>
    [<CompiledName("Norm")>]
    let norm (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : float =
        let squares =
            arrays parameters
            |> List.fold (fun sum values -> sum + Kernels.sumOfSquares values) 0.0

        if not (Double.IsPositiveInfinity squares) then
            Math.Sqrt squares
        else
            // The squares of numbers beyond 10¹⁵⁴ overflow; those of shares of the largest number do not.
            let largest =
                parameters
                |> fold (fun most x -> max most (abs (Double.CreateTruncating x))) 0.0

            let squares =
                parameters
                |> fold
                    (fun sum x ->
                        let share = Double.CreateTruncating x / largest
                        sum + share * share)
                    0.0

            if Double.IsInfinity largest then
                largest
            else
                largest * Math.Sqrt squares

    /// The elements of two partner tensors combined.
    let internal mapArrays2
        (combine: 'T[] -> 'T[] -> 'T[])
        (first: Parameters<'T>)
        (second: Parameters<'T>)
        : Parameters<'T> =
        List.map2 combine (arrays first) (arrays second) |> ofArrays first

    /// <summary>The number of numbers.</summary>
    [<CompiledName("Count")>]
    let count (parameters: Parameters<'T>) : int64 =
        arrays parameters |> List.sumBy (fun values -> int64 values.Length)

    /// <summary>All parameters in one vector: W1 column by column, b1, W2, b2, …</summary>
    [<CompiledName("ToVector")>]
    let toVector (parameters: Parameters<'T>) : Vector<'T> =
        arrays parameters |> Array.concat |> Kernels.vector

    /// Numbers in the other precision, each rounded to the nearest.
    let internal convertArray
        (values: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        : 'U[] when 'U :> IBinaryFloatingPointIeee754<'U> =
        match box values with
        | :? ('U[]) as same -> Array.copy same
        | _ -> values |> Array.map (fun x -> 'U.CreateTruncating x)

    /// <summary>The parameters in the other precision, each number rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert
        (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Parameters<'U> when 'U :> IBinaryFloatingPointIeee754<'U> =
        parameters |> mapArrays (fun _ -> convertArray)

    /// <summary>The bytes of all parameters, little-endian, in <c>toVector</c>'s order: what a hash of a
    /// run is taken of.</summary>
    [<CompiledName("ToBytes")>]
    let toBytes (parameters: Parameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : byte[] =
        arrays parameters |> List.map LittleEndian.bytes |> Array.concat
