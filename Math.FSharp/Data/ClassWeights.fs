namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How much a sample of each class counts.
[<RequireQualifiedAccess>]
type ClassWeights =
    /// All classes count the same in all: a sample counts n / (K·nₖ), where nₖ of the n samples are of its class, one
    /// of K. Samples with weights count as these say.
    | Balanced
    /// A weight for some classes; the others have 1.
    | Given of (string * float) list

/// <summary>Samples that count differently, class by class.</summary>
[<RequireQualifiedAccess>]
module ClassWeights =
    [<Literal>]
    let private Setting = "ClassWeights"

    /// <summary><c>Balanced</c>, or <c>class=weight</c> for some classes.</summary>
    /// <param name="texts">One text, or one a class.</param>
    [<CompiledName("Parse")>]
    let parse (texts: string list) : Result<ClassWeights, Fault list> =
        let weight (text: string) =
            match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
            | true, weight when Double.IsFinite weight && weight > 0.0 -> ValueSome weight
            | _ -> ValueNone

        match texts with
        | [ balanced ] when balanced.Equals("Balanced", StringComparison.OrdinalIgnoreCase) ->
            Ok ClassWeights.Balanced
        | texts ->
            texts
            |> NamedValues.parse
                Setting
                "Balanced, or CLASS=NUMBER with a number above 0"
                (fun name count -> invariant $"gives class {name} {count} weights")
                weight
            |> Result.map ClassWeights.Given

    /// The weight of each class, apart from a common factor.
    let private ofClasses
        (classes: string list)
        (labels: int[])
        (counts: float[])
        (weights: ClassWeights)
        : Result<float[], Fault list> =
        match weights with
        | ClassWeights.Balanced ->
            let totals = Array.zeroCreate classes.Length
            Array.iter2 (fun label count -> totals[label] <- totals[label] + count) labels counts

            totals
            |> Array.map (fun total -> if total = 0.0 then 1.0 else 1.0 / total)
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
                    |> Array.map (fun name -> known.TryFind name |> Option.defaultValue 1.0))

    /// <summary>The same samples with their weights times those of their classes, or what is wrong with
    /// these.</summary>
    /// <param name="classes">The classes' names.</param>
    /// <param name="weights">How much a sample of each class counts.</param>
    /// <param name="data">Samples of classes, 1 or more.</param>
    /// <returns>As <c>Dataset.withWeights</c>: the mean weight is 1.</returns>
    [<CompiledName("Apply")>]
    let apply
        (classes: string list)
        (weights: ClassWeights)
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Result<Dataset<'T>, Fault list> =
        match data.Targets with
        | Targets.Labels labels ->
            let own = Dataset.weights data

            ofClasses classes labels own weights
            |> Result.map (fun factors ->
                let all = Array.map2 (fun label weight -> weight * factors[label]) labels own
                Dataset.withWeights all data)
        | Targets.Columns _ ->
            Error [ Fault.message Setting "applies to classes, and numbers are predicted" ]
