namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// The names and shapes of a layer's parameters.
type ParameterShapes = {
    /// Name, rows and columns of each matrix.
    MatrixShapes: (string * int * int) list
    /// Name and length of each vector.
    VectorSizes: (string * int) list
} with

    /// Whether there are no parameters.
    member shapes.IsEmpty = shapes.MatrixShapes.IsEmpty && shapes.VectorSizes.IsEmpty

    /// The number of numbers.
    member shapes.Count =
        (shapes.MatrixShapes
         |> List.sumBy (fun (_, rows, columns) -> int64 rows * int64 columns))
        + (shapes.VectorSizes |> List.sumBy (fun (_, size) -> int64 size))

    /// The names, those of matrices first.
    member shapes.Names = [
        for name, _, _ in shapes.MatrixShapes do
            name
        for name, _ in shapes.VectorSizes do
            name
    ]

    /// W (50, 784), b (50).
    override shapes.ToString() =
        [
            for name, rows, columns in shapes.MatrixShapes do
                (invariant $"{name} ({rows}, {columns})")
            for name, size in shapes.VectorSizes do
                (invariant $"{name} ({size})")
        ]
        |> String.concat ", "

    /// No parameters.
    static member None: ParameterShapes = { MatrixShapes = []; VectorSizes = [] }

/// The parameters of a layer by name, or the gradient in them. A dense layer has W (outputs, inputs) and b.
type LayerParameters<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// Each matrix with its name.
    Matrices: (string * Matrix<'T>) list
    /// Each vector with its name.
    Vectors: (string * Vector<'T>) list
} with

    static member private Find(values: (string * 'V) list, name: string) : 'V =
        match values with
        | (other, value) :: rest ->
            if String.Equals(other, name) then
                value
            else
                LayerParameters<'T>.Find(rest, name)
        | [] ->
            invalidArg
                (nameof name)
                $"expected the name of one of the layer's parameters, found {name}"

    /// <summary>The matrix of that name.</summary>
    /// <exception cref="T:System.ArgumentException">The layer has no such matrix.</exception>
    member layer.Matrix(name: string) : Matrix<'T> =
        LayerParameters<'T>.Find(layer.Matrices, name)

    /// <summary>The vector of that name.</summary>
    /// <exception cref="T:System.ArgumentException">The layer has no such vector.</exception>
    member layer.Vector(name: string) : Vector<'T> =
        LayerParameters<'T>.Find(layer.Vectors, name)

    /// W: (outputs, inputs). In memory the book's (inputs, outputs) row by row.
    member layer.Weights: Matrix<'T> = layer.Matrix "W"

    /// b: outputs.
    member layer.Biases: Vector<'T> = layer.Vector "b"

/// The parameters of one layer.
[<RequireQualifiedAccess>]
module LayerParameters =
    /// No parameters.
    [<GeneralizableValue; CompiledName("None")>]
    let none<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IEquatable<'T>
        and 'T :> IFormattable> : LayerParameters<'T> = { Matrices = []; Vectors = [] }

    /// <summary>The parameters of a dense layer.</summary>
    /// <param name="weights">W: (outputs, inputs).</param>
    /// <param name="biases">b: outputs.</param>
    [<CompiledName("Dense")>]
    let dense (weights: Matrix<'T>) (biases: Vector<'T>) : LayerParameters<'T> = {
        Matrices = [ "W", weights ]
        Vectors = [ "b", biases ]
    }

    /// The parameters of scale·(W·x + b) + shift, one of each an output.
    let internal scaleOutputs
        (scale: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        (shift: 'T[])
        (biases: 'T[])
        (weights: Matrix<'T>)
        : LayerParameters<'T> =
        let rows = weights.RowCount
        let w = Kernels.values weights

        dense
            (Array.init w.Length (fun i -> scale[i % rows] * w[i])
             |> Kernels.matrix rows weights.ColumnCount)
            (biases
             |> Array.mapi (fun row b -> 'T.FusedMultiplyAdd(scale[row], b, shift[row]))
             |> Kernels.vector)

    /// <summary>The same parameters with other matrices and vectors.</summary>
    /// <param name="matrix">The matrix in the place of each, from its name and value.</param>
    /// <param name="vector">The vector in the place of each, from its name and value.</param>
    /// <param name="layer">The parameters, left as they were.</param>
    [<CompiledName("Map")>]
    let map
        (matrix: string -> Matrix<'T> -> Matrix<'U>)
        (vector: string -> Vector<'T> -> Vector<'U>)
        (layer: LayerParameters<'T>)
        : LayerParameters<'U> = {
        Matrices = layer.Matrices |> List.map (fun (name, value) -> name, matrix name value)
        Vectors = layer.Vectors |> List.map (fun (name, value) -> name, vector name value)
    }

    /// <summary>The same parameters with another matrix of that name.</summary>
    [<CompiledName("WithMatrix")>]
    let withMatrix
        (name: string)
        (matrix: Matrix<'T>)
        (layer: LayerParameters<'T>)
        : LayerParameters<'T> =
        layer
        |> map (fun other value -> if other = name then matrix else value) (fun _ value -> value)

    /// <summary>The same parameters with another vector of that name.</summary>
    [<CompiledName("WithVector")>]
    let withVector
        (name: string)
        (vector: Vector<'T>)
        (layer: LayerParameters<'T>)
        : LayerParameters<'T> =
        layer
        |> map (fun _ value -> value) (fun other value -> if other = name then vector else value)

    /// <summary>The names and shapes.</summary>
    [<CompiledName("Shapes")>]
    let shapes (layer: LayerParameters<'T>) : ParameterShapes = {
        MatrixShapes =
            layer.Matrices
            |> List.map (fun (name, matrix) -> name, matrix.RowCount, matrix.ColumnCount)
        VectorSizes = layer.Vectors |> List.map (fun (name, vector) -> name, vector.Count)
    }

    /// <summary>Parameters of these shapes that are all 0.</summary>
    [<CompiledName("Zeros")>]
    let zeros (shapes: ParameterShapes) : LayerParameters<'T> = {
        Matrices =
            shapes.MatrixShapes
            |> List.map (fun (name, rows, columns) ->
                name, Kernels.matrix rows columns (Array.zeroCreate (rows * columns)))
        Vectors =
            shapes.VectorSizes
            |> List.map (fun (name, size) -> name, Kernels.vector (Array.zeroCreate size))
    }

    /// β = 0 (as b) and γ = 1 (as g) for each of some numbers, which γ·x + β leaves unchanged.
    let internal unchanged
        (count: int)
        : LayerParameters<'T> when 'T :> IBinaryFloatingPointIeee754<'T> = {
        Matrices = []
        Vectors = [
            "b", Kernels.vector (Array.zeroCreate count)
            "g", Kernels.vector (Array.create count 'T.One)
        ]
    }

    /// The elements of each matrix, column by column, then of each vector.
    let internal arrays (layer: LayerParameters<'T>) : 'T[] list =
        List.foldBack
            (fun (_, matrix) arrays -> Kernels.values matrix :: arrays)
            layer.Matrices
            (layer.Vectors |> List.map (fun (_, vector) -> Kernels.elements vector))

    /// Whether a parameter is in that array.
    let internal refersTo (array: 'T[]) (layer: LayerParameters<'T>) : bool =
        (layer.Matrices
         |> List.exists (fun (_, matrix) -> obj.ReferenceEquals(Kernels.values matrix, array)))
        || (layer.Vectors
            |> List.exists (fun (_, vector) -> obj.ReferenceEquals(Kernels.elements vector, array)))

    /// The first arrays of a list as parameters of these shapes, and the arrays left over.
    let internal ofArrays
        (shapes: ParameterShapes)
        (arrays: 'T[] list)
        : struct (LayerParameters<'T> * 'T[] list) =
        let matrices, rest = List.splitAt shapes.MatrixShapes.Length arrays
        let vectors, rest = List.splitAt shapes.VectorSizes.Length rest

        struct ({
                    Matrices =
                        List.map2
                            (fun (name, rows, columns) values ->
                                name, Kernels.matrix rows columns values)
                            shapes.MatrixShapes
                            matrices
                    Vectors =
                        List.map2
                            (fun (name, _) values -> name, Kernels.vector values)
                            shapes.VectorSizes
                            vectors
                },
                rest)

    /// An exception where two layers' parameters differ in names or shapes.
    let internal requireSameShape
        (name: string)
        (one: LayerParameters<'T>)
        (other: LayerParameters<'T>)
        : unit =
        if shapes one <> shapes other then
            invalidArg
                name
                $"expected a layer of one shape in both, found {string (shapes one)} and {string (shapes other)}"

    let rec private areMatrices
        (expected: (string * int * int) list)
        (found: (string * Matrix<'T>) list)
        : bool =
        match expected, found with
        | [], [] -> true
        | (name, rows, columns) :: expected, (own, matrix) :: found ->
            String.Equals(name, own)
            && matrix.RowCount = rows
            && matrix.ColumnCount = columns
            && areMatrices expected found
        | _ -> false

    let rec private areVectors
        (expected: (string * int) list)
        (found: (string * Vector<'T>) list)
        : bool =
        match expected, found with
        | [], [] -> true
        | (name, size) :: expected, (own, vector) :: found ->
            String.Equals(name, own) && vector.Count = size && areVectors expected found
        | _ -> false

    /// An exception where parameters do not have these names and shapes. Allocates nothing where they do.
    let internal requireShapes
        (name: string)
        (owner: string)
        (expected: ParameterShapes)
        (layer: LayerParameters<'T>)
        : unit =
        if
            not (
                areMatrices expected.MatrixShapes layer.Matrices
                && areVectors expected.VectorSizes layer.Vectors
            )
        then
            invalidArg name (invariant $"{owner}: expected {expected}, found {shapes layer}")
