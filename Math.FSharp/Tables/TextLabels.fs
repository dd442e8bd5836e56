namespace Pipeline.Learning

open Pipeline.Learning.Formats

/// <summary>Texts as labels of images: they follow the spelling rules of a table's labels, and an empty text is
/// a missing label.</summary>
[<RequireQualifiedAccess>]
module TextLabels =
    let private format: CellFormat = {
        CellFormat.Default with
            MissingValues = []
    }

    let private column (labels: Tensor) : Result<Column * Table, Fault list> =
        Table.ofTensor labels
        |> Result.map (fun table ->
            let column = {
                table.Columns.Head with
                    Name = labels.Name
            }

            column, table)

    /// <summary>The classes of training labels, in order.</summary>
    /// <param name="labels">One text a sample.</param>
    [<CompiledName("Classes")>]
    let classes (labels: Tensor) : Result<string list, Fault list> =
        column labels
        |> Result.bind (fun (column, table) -> TableLabels.classes format column table)

    /// <summary>The labels as indices of classes.</summary>
    /// <param name="classes">The classes' names.</param>
    /// <param name="labels">One text a sample.</param>
    [<CompiledName("Indices")>]
    let indices (classes: string list) (labels: Tensor) : Result<Tensor, Fault list> =
        column labels
        |> Result.bind (fun (column, table) -> TableLabels.labels format classes column table)
        |> Result.map (fun places -> {
            labels with
                Shape = [ places.Length ]
                Elements = Elements.Integers(Array.map int64 places)
        })

    /// <summary>Warnings about labels with several spellings, and about different labels that may mean the
    /// same.</summary>
    /// <param name="name">The name of the labels in warnings.</param>
    /// <param name="labels">Those of the training and of the test samples; numbers have one spelling.</param>
    [<CompiledName("Warnings")>]
    let warnings (name: string) (labels: Tensor list) : string list =
        labels
        |> Seq.collect (fun labels ->
            match labels.Elements with
            | Elements.Texts texts -> texts
            | _ -> [||])
        |> Seq.countBy id
        |> Spelling.warnings (CellReader format) $"Label {name}"
