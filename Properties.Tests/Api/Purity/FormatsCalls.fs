/// Calls of the public functions of Formats that are given something changeable.
module internal Pipeline.Properties.FormatsCalls

open System
open Pipeline.Learning
open Pipeline.Learning.Formats

let calls (given: PurityGiven) : PureCall list =
    let bytes = ReadOnlyMemory given.File

    [
        "Idx.ParseImages", fun () -> Idx.parseImages bytes
        "Idx.ClaimedLength", fun () -> Idx.claimedLength bytes
        "Idx.ParseLabels", fun () -> Idx.parseLabels 10 bytes
        "Idx.ParseImageNumbers",
        fun () -> Idx.parseImageNumbers (ReadOnlyMemory(Idx.writeImages given.Images)) |> sure
        "Idx.ParseLabelNumbers",
        fun () -> Idx.parseLabelNumbers (ReadOnlyMemory(Idx.writeLabels given.Labels)) |> sure
        "Tensor.ShapeText", fun () -> Tensor.shapeTextOf given.Tensor
        "Idx.WriteImages", fun () -> Idx.writeImages given.Images
        "Idx.WriteLabels", fun () -> Idx.writeLabels given.Labels
        "Tensor.TypeName", fun () -> Tensor.typeName given.Tensor
        "Tensor.Count", fun () -> Tensor.count given.Tensor
        "Tensor.ToBytes", fun () -> Array.sort (Tensor.toBytes given.Tensor)
        "Tensor.ToDoubles", fun () -> Array.sort (Tensor.toDoubles given.Tensor)
        "Npy.ClaimedLength", fun () -> Npy.claimedLength bytes
        "Npy.Parse", fun () -> Npy.parse "x" (ReadOnlyMemory(Npy.write given.Tensor)) |> sure
        "Npy.Write", fun () -> Npy.write given.Tensor
        "Parquet.Parse",
        fun () -> Parquet.parse 10_000L (fun _ _ _ -> false) (ReadOnlyMemory given.Parquet)
        "Table.OfTensor", fun () -> Table.ofTensor given.Tensor
        "Table.Find", fun () -> Table.find "texts" given.Table
        "Table.Take", fun () -> Table.take [| 2; 0 |] given.Table
        "Table.AtLines", fun () -> Table.atLines [| 1 .. given.Table.Rows |] given.Table
        "Table.ByPlace", fun () -> Table.byPlace given.Table
    ]
