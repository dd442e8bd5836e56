/// Calls of the public functions of Formats that are given something changeable.
module internal Pipeline.Properties.FormatsCalls

open System
open Pipeline.Learning
open Pipeline.Learning.Formats

let calls (given: PurityGiven) : PureCall list =
    let bytes = ReadOnlyMemory given.File

    [
        "Idx.ParseImages", fun () -> Idx.parseImages bytes
        "Idx.DeclaredLength", fun () -> Idx.declaredLength bytes
        "Idx.ParseLabels", fun () -> Idx.parseLabels 10 bytes
        "Idx.ParseImageTensor",
        fun () -> Idx.parseImageTensor (ReadOnlyMemory(Idx.writeImages given.Images)) |> sure
        "Idx.ParseLabelTensor",
        fun () -> Idx.parseLabelTensor (ReadOnlyMemory(Idx.writeLabels given.Labels)) |> sure
        "Tensor.ShapeText", fun () -> Tensor.shapeTextOf given.Tensor
        "Idx.WriteImages", fun () -> Idx.writeImages given.Images
        "Idx.WriteLabels", fun () -> Idx.writeLabels given.Labels
        "Tensor.ToBytes", fun () -> Array.sort (Tensor.toBytes given.Tensor)
        "Tensor.ToDoubles", fun () -> Array.sort (Tensor.toDoubles given.Tensor)
        "Npy.DeclaredLength", fun () -> Npy.declaredLength bytes
        "Npy.Parse", fun () -> Npy.parse "x" (ReadOnlyMemory(Npy.write given.Tensor)) |> sure
        "Npy.Write", fun () -> Npy.write given.Tensor
        "Parquet.Parse",
        fun () -> Parquet.parse 10_000L (fun _ _ _ -> false) (ReadOnlyMemory given.Parquet)
        "Table.OfTensor", fun () -> Table.ofTensor given.Tensor
        "Table.Find", fun () -> Table.find "texts" given.Table
        "Table.WithLineNumbers",
        fun () -> Table.withLineNumbers [| 1 .. given.Table.Rows |] given.Table
        "Table.WithIndexNames", fun () -> Table.withIndexNames given.Table
    ]
