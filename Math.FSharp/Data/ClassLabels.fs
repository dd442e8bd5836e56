namespace Pipeline.Learning

open System
open Pipeline.Learning.Formats

/// One label a sample, from an array.
type LabelColumn = {
    /// (samples).
    Labels: Tensor
    /// The number of columns of one-hot labels, one for each class.
    OneHot: int voption
    /// A sentence that says how the array was understood, if it is not one label a sample.
    Note: string voption
}

/// <summary>Labels in arrays: one a sample, or one-hot.</summary>
[<RequireQualifiedAccess>]
module ClassLabels =
    /// The columns of QMNIST's labels: the class, then properties of the digit's writer.
    let private qmnistColumns = 8

    let private column (place: int) (width: int) (elements: Elements) : Elements =
        let pick (values: 'V[]) =
            Array.init (values.Length / width) (fun row -> values[row * width + place])

        match elements with
        | Elements.Bytes bytes -> Elements.Bytes(ReadOnlyMemory(pick (bytes.ToArray())))
        | Elements.Integers integers -> Elements.Integers(pick integers)
        | Elements.Singles singles -> Elements.Singles(pick singles)
        | Elements.Doubles doubles -> Elements.Doubles(pick doubles)
        | Elements.Texts texts -> Elements.Texts(pick texts)

    /// The index of the 1 in each row, if every row has one 1 and zeros otherwise.
    let private places (width: int) (numbers: float[]) : int64[] voption =
        let rows = numbers |> Array.chunkBySize width

        if
            rows
            |> Array.forall (fun row ->
                Array.forall (fun x -> x = 0.0 || x = 1.0) row && Array.sum row = 1.0)
        then
            ValueSome(rows |> Array.map (fun row -> int64 (Array.IndexOf(row, 1.0))))
        else
            ValueNone

    /// <summary>One label a sample: an array of one dimension or one column, the index of the 1 in one-hot
    /// columns, or the first of QMNIST's eight columns.</summary>
    /// <param name="labels">(samples), or (samples, columns).</param>
    [<CompiledName("OfTensor")>]
    let ofTensor (labels: Tensor) : Result<LabelColumn, Fault list> =
        let single elements note = {
            Labels = {
                labels with
                    Shape = [ List.head labels.Shape ]
                    Elements = elements
            }
            OneHot = ValueNone
            Note = note
        }

        let oneHot width =
            match labels.Elements with
            | Elements.Texts _ -> ValueNone
            | _ -> places width (Tensor.toDoubles labels)

        match labels.Shape with
        | [ _ ]
        | [ _; 1 ] -> Ok(single labels.Elements ValueNone)
        | [ _; width ] when width > 1 ->
            match oneHot width, labels.Elements with
            | ValueSome classes, _ ->
                Ok {
                    single
                        (Elements.Integers classes)
                        (ValueSome(
                            invariant
                                $"{labels.Name}: its {width} columns are one-hot: the class is the place of the 1."
                        )) with
                        OneHot = ValueSome width
                }
            | ValueNone, Elements.Integers _ when width = qmnistColumns ->
                Ok(
                    single
                        (column 0 width labels.Elements)
                        (ValueSome(
                            invariant
                                $"{labels.Name}: the first of its {width} columns is taken for the class, as in QMNIST."
                        ))
                )
            | _ ->
                Error [
                    Fault.create
                        labels.Name
                        "one label a sample, or columns with one 1 among zeros (one-hot)"
                        $"{Tensor.shapeText labels.Shape} others"
                ]
        | shape ->
            Error [
                Fault.create
                    labels.Name
                    "one label a sample, or columns with one 1 among zeros (one-hot)"
                    (Tensor.shapeText shape)
            ]

    /// <summary>Labels as indices of classes.</summary>
    /// <param name="classes">How many there are: labels are 0 to classes − 1.</param>
    /// <param name="labels">Numbers, or texts of numbers, one a sample.</param>
    [<CompiledName("Classes")>]
    let classes (classes: int) (labels: Tensor) : Result<int[], Fault list> =
        let numbers =
            match labels.Elements with
            | Elements.Texts texts ->
                texts |> Array.map (Cells.number >> ValueOption.defaultValue nan)
            | _ -> Tensor.toDoubles labels

        let isClass number =
            Double.IsInteger number && number >= 0.0 && number < float classes

        match numbers |> Array.tryFindIndex (isClass >> not) with
        | None -> Ok(Array.map int numbers)
        | Some i ->
            let found =
                match labels.Elements with
                | Elements.Texts texts -> $"'{texts[i]}'"
                | _ -> string numbers[i]

            let least, greatest = Array.min numbers, Array.max numbers

            let hint =
                if Array.forall Double.IsInteger numbers && least >= 0.0 && greatest < 1000.0 then
                    let from = if least = 1.0 then " (there is no 0)" else ""

                    (invariant
                        $": labels of {string least} to {string greatest}{from} take Data:Classes {string (greatest + 1.0)}")
                else
                    ""

            Error [
                Fault.create
                    (invariant $"label {i}")
                    (invariant $"a class of 0 to {classes - 1}")
                    $"{found}{hint}"
            ]
