namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How much a sample of each class counts.
[<RequireQualifiedAccess>]
type ClassWeights =
    /// All classes count the same in all: a sample counts n / (K·nₖ), where nₖ of the n samples are of its class, one
    /// of K.
    | Balanced
    /// A weight for some classes; the others have 1.
    | Given of (string * float) list

/// <summary>Samples that count differently.</summary>
/// <remarks>The weights are divided by their mean over the samples, so that the learning rate keeps its meaning. A
/// sample of weight k then has the loss and the gradient of k equal samples.</remarks>
[<RequireQualifiedAccess>]
module ClassWeights =
    [<Literal>]
    let private Setting = "ClassWeights"

    /// <summary><c>Balanced</c>, or <c>class=weight</c> for some classes.</summary>
    /// <param name="texts">One text, or one a class.</param>
    [<CompiledName("Parse")>]
    let parse (texts: string list) : Result<ClassWeights, Fault list> =
        let one (text: string) =
            let place = text.LastIndexOf '='

            match
                Double.TryParse(
                    text.AsSpan(place + 1),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture
                )
            with
            | true, weight when place > 0 && Double.IsFinite weight && weight > 0.0 ->
                Ok(text[.. place - 1].Trim(), weight)
            | _ ->
                Error [
                    Fault.create
                        Setting
                        "Balanced, or CLASS=NUMBER with a number above 0"
                        $"'{text}'"
                ]

        match texts with
        | [ balanced ] when balanced.Equals("Balanced", StringComparison.OrdinalIgnoreCase) ->
            Ok ClassWeights.Balanced
        | texts ->
            texts
            |> List.map one
            |> Fault.all
            |> Result.bind (fun weights ->
                Fault.check
                    [
                        for name, same in weights |> List.countBy fst do
                            same = 1, Fault.message Setting $"gives class {name} %d{same} weights"
                    ]
                    (fun () -> ClassWeights.Given weights))

    /// <summary>The weight of each class.</summary>
    /// <param name="classes">The classes' names.</param>
    /// <param name="labels">The samples' classes, 1 or more.</param>
    /// <param name="weights">How much they count.</param>
    /// <returns>A weight for each class; their mean over the samples is 1.</returns>
    [<CompiledName("OfClasses")>]
    let ofClasses
        (classes: string list)
        (labels: int[])
        (weights: ClassWeights)
        : Result<float[], Fault list> =
        let counts = Array.zeroCreate classes.Length

        for label in labels do
            counts[label] <- counts[label] + 1

        let normalised (raw: float[]) =
            let mean =
                Array.fold2 (fun sum count weight -> sum + float count * weight) 0.0 counts raw
                / float labels.Length

            raw |> Array.map (fun weight -> weight / mean)

        match weights with
        | ClassWeights.Balanced ->
            counts
            |> Array.map (fun count -> if count = 0 then 1.0 else 1.0 / float count)
            |> normalised
            |> Ok
        | ClassWeights.Given given ->
            Fault.check
                [
                    for name, _ in given do
                        List.contains name classes,
                        Fault.create
                            Setting
                            $"""classes of {String.concat ", " classes}"""
                            $"'{name}'"
                ]
                (fun () ->
                    let known = Map.ofList given

                    classes
                    |> Array.ofList
                    |> Array.map (fun name -> known.TryFind name |> Option.defaultValue 1.0)
                    |> normalised)

    /// <summary>The same samples with weights: the target of a sample is its class, weight times.</summary>
    /// <param name="weights">The weight of each class.</param>
    /// <param name="data">Samples of classes.</param>
    /// <exception cref="T:System.ArgumentException">The targets are not classes, or not as many as the
    /// weights.</exception>
    [<CompiledName("Apply")>]
    let apply
        (weights: float[])
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Dataset<'T> =
        match data.Targets with
        | Targets.Labels labels when weights.Length = data.Classes ->
            let columns: Matrix<'T> = Targets.oneHot data.Classes labels
            let values = Kernels.values columns

            labels
            |> Array.iteri (fun s label ->
                values[s * data.Classes + label] <- 'T.CreateTruncating weights[label])

            Dataset.withTargets (Targets.Columns columns) data
        | Targets.Labels _ ->
            invalidArg
                (nameof weights)
                $"expected %d{data.Classes} weights, found %d{weights.Length}"
        | Targets.Columns _ -> invalidArg (nameof data) "expected classes, found numbers"
