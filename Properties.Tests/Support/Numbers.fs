namespace Pipeline.Properties

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// What the laws say of matrices, parameters and model files.
[<AutoOpen>]
module internal Numbers =
    /// A vector of these elements.
    let vector (values: float list) : Vector<float> =
        Vector<float>.Build.Dense(Array.ofList values)

    /// A matrix's cells, column by column.
    let cells (m: Matrix<'T>) : 'T[] = m.ToColumnMajorArray()

    /// A matrix's columns.
    let columns (m: Matrix<'T>) : 'T[] list = [
        for column in m.EnumerateColumns() -> column.ToArray()
    ]

    /// A matrix of the shape of another, with these cells.
    let like (m: Matrix<float>) (cells: float[]) : Matrix<float> =
        Matrix<float>.Build.Dense(m.RowCount, m.ColumnCount, cells)

    /// Every cell rounded to single precision.
    let single (m: Matrix<float>) : Matrix<float32> = m.Map(fun x -> float32 x)

    /// Every element rounded to single precision.
    let singleVector (v: Vector<float>) : Vector<float32> = v.Map(fun x -> float32 x)

    /// All parameters: W1 column by column, b1, W2, b2, …
    let flat (p: Parameters<'T>) : 'T[] = (Parameters.toVector p).ToArray()

    /// The value of what is known to be right.
    let orFail (result: Result<'V, Fault list>) : 'V =
        match result with
        | Ok value -> value
        | Error faults -> failwith (faults |> List.map string |> String.concat " ")

    /// A model file with another text in an entry of its metadata.
    let withMetadata (name: string) (text: string) (file: Formats.TensorFile) : Formats.TensorFile = {
        file with
            Metadata =
                file.Metadata
                |> List.map (fun (entry, value) -> entry, (if entry = name then text else value))
    }
