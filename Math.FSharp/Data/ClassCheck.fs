namespace Pipeline.Learning

open System

/// <summary>Whether training samples suffice to distinguish classes.</summary>
[<RequireQualifiedAccess>]
module ClassCheck =
    /// <summary>The labels, or a fault if they are of fewer than two classes.</summary>
    /// <param name="classes">The classes' names.</param>
    /// <param name="labels">Indices of classes, one a training sample.</param>
    [<CompiledName("RequireSeveral")>]
    let requireSeveral (classes: string list) (labels: int[]) : Result<int[], Fault list> =
        let found =
            match Array.distinct labels with
            | [||] -> "none"
            | [| only |] -> $"one, {classes[only]}"
            | _ -> ""

        Fault.check [ found = "", Fault.create "" "labels of 2 classes or more" found ] (fun () ->
            labels)

    /// Whether each class has a sample.
    let private areThere (count: int) (data: Dataset<'T>) : bool[] =
        let isThere = Array.zeroCreate count

        match data.Targets with
        | Targets.Labels labels ->
            for label in labels do
                isThere[label] <- true
        | Targets.Columns _ -> ()

        isThere

    /// <summary>A sentence for each class with test samples but without training samples.</summary>
    /// <param name="classes">The names of the data's classes; none where numbers are predicted.</param>
    /// <param name="train">The training samples.</param>
    /// <param name="test">The test samples.</param>
    [<CompiledName("Untrained")>]
    let untrained
        (classes: string list)
        (train: Dataset<'T>)
        (test: Dataset<'T>)
        : string list when 'T: struct and 'T :> ValueType =
        let isTrained, isTested =
            areThere classes.Length train, areThere classes.Length test

        [
            for place, name in List.indexed classes do
                if isTested[place] && not isTrained[place] then
                    $"The class {name} has no training sample, so that it cannot be learned."
        ]
