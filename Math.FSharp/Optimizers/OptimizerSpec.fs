namespace Pipeline.Learning

open System
open System.Numerics

/// The options of an optimizer. A rule's number that is left out has its default; a transform that is
/// left out is not used.
type OptimizerOptions = {
    /// A name of <c>OptimizerSpec.choices</c>: GradientDescent, Adam, …
    Name: string
    /// μ of Momentum and Nesterov; 0.9.
    Momentum: Nullable<float>
    /// α of RmsProp; 0.99.
    SquaresDecay: Nullable<float>
    /// β₁ of Adam, AdamW and Lion; 0.9.
    Beta1: Nullable<float>
    /// β₂: 0.999 of Adam and AdamW, 0.99 of Lion.
    Beta2: Nullable<float>
    /// ε: 10⁻¹⁰ of AdaGrad, 10⁻⁸ of RmsProp, Adam and AdamW.
    Epsilon: Nullable<float>
    /// m of Lbfgs; 10.
    History: Nullable<int>
    /// λ of <c>Transform.weightDecay</c>; 0.01 of AdamW.
    WeightDecay: Nullable<float>
    /// λ of <c>Transform.penaltyL1</c>.
    PenaltyL1: Nullable<float>
    /// λ of <c>Transform.penaltyL2</c>.
    PenaltyL2: Nullable<float>
    /// Whether weight decay and penalties are for biases, and for γ and β of normalisation, too; true.
    PenaliseBiases: Nullable<bool>
    /// The limit of <c>Transform.clipByValue</c>.
    ClipValue: Nullable<float>
    /// The limit of <c>Transform.clipByNorm</c>.
    ClipNorm: Nullable<float>
    /// The count of <c>Transform.accumulate</c>.
    Accumulate: Nullable<int>
    /// d of <c>Transform.average</c>.
    AverageDecay: Nullable<float>
}

/// An optimizer by its name, its numbers and its transforms, all of them checked.
type OptimizerSpec = private {
    name: string
    numbers: (string * float) list
    /// <exclude/>
    transforms: TransformSpec list
} with

    /// The rule's name.
    member spec.Name = spec.name
    /// The rule's numbers, by their names.
    member spec.Numbers = spec.numbers
    /// The transforms around the rule, the innermost first.
    member internal spec.Transforms = spec.transforms

/// Making optimizers from options.
[<RequireQualifiedAccess>]
module OptimizerSpec =
    /// <summary>The names of all optimizers, with the numbers that apply to each.</summary>
    [<CompiledName("Choices")>]
    let choices: ChoiceDefinition list = OptimizerRules.all |> List.map _.Definition

    /// <summary>Gradient descent without any transform, as in the book's chapter 4.</summary>
    [<CompiledName("GradientDescent")>]
    let gradientDescent: OptimizerSpec = {
        name = "GradientDescent"
        numbers = []
        transforms = []
    }

    /// <summary>The options of that name, with every number left out.</summary>
    [<CompiledName("Named")>]
    let named (name: string) : OptimizerOptions = {
        Name = name
        Momentum = Nullable()
        SquaresDecay = Nullable()
        Beta1 = Nullable()
        Beta2 = Nullable()
        Epsilon = Nullable()
        History = Nullable()
        WeightDecay = Nullable()
        PenaltyL1 = Nullable()
        PenaltyL2 = Nullable()
        PenaliseBiases = Nullable()
        ClipValue = Nullable()
        ClipNorm = Nullable()
        Accumulate = Nullable()
        AverageDecay = Nullable()
    }

    let private toFloat (number: Nullable<int>) : Nullable<float> =
        number |> Option.ofNullable |> Option.map float |> Option.toNullable

    /// The rules' numbers that are given, by their names.
    let private ruleNumbers (options: OptimizerOptions) : (string * Nullable<float>) list = [
        "Momentum", options.Momentum
        "SquaresDecay", options.SquaresDecay
        "Beta1", options.Beta1
        "Beta2", options.Beta2
        "Epsilon", options.Epsilon
        "History", toFloat options.History
    ]

    let private ruleChoices: NamedChoice<OptimizerRule * (string * float) list> list =
        OptimizerRules.all
        |> List.map (fun rule -> {
            Definition = rule.Definition
            Make =
                fun number ->
                    rule,
                    rule.Definition.Numbers
                    |> List.map (fun known -> known.Name, number known.Name)
        })

    let private penalised (options: OptimizerOptions) : Penalised =
        if options.PenaliseBiases = Nullable false then
            Penalised.Weights
        else
            Penalised.All

    /// A transform's number: the name of its setting, its range, its value, and the transform if the
    /// value makes one.
    let private transformNumbers
        (options: OptimizerOptions)
        : (string * NumberRange<float> * Nullable<float> * (float -> TransformSpec option)) list =
        let unlessZero make strength =
            if strength > 0.0 then
                Some(make (penalised options, strength))
            else
                None

        // The innermost first: gradients are summed, clipped, penalised, in that order. The mean follows steps, and so has
        // a place within the sum of gradients.
        [
            "WeightDecay",
            NumberRange.notNegative,
            options.WeightDecay,
            unlessZero TransformSpec.Decay
            "PenaltyL1",
            NumberRange.notNegative,
            options.PenaltyL1,
            unlessZero TransformSpec.PenaltyL1
            "PenaltyL2",
            NumberRange.notNegative,
            options.PenaltyL2,
            unlessZero TransformSpec.PenaltyL2
            "ClipNorm", NumberRange.positive, options.ClipNorm, TransformSpec.ClipByNorm >> Some
            "ClipValue", NumberRange.positive, options.ClipValue, TransformSpec.ClipByValue >> Some
            "AverageDecay", NumberRange.share, options.AverageDecay, TransformSpec.Average >> Some
            "Accumulate",
            NumberRange.atLeast 1.0,
            toFloat options.Accumulate,
            fun count ->
                if count > 1.0 then
                    Some(TransformSpec.Accumulate(int count))
                else
                    None
        ]

    /// The transforms of the options with the name and value of each one's setting.
    let private transforms
        (options: OptimizerOptions)
        : Result<(string * float * TransformSpec) list, Fault list> =
        let given = [
            for name, range, value, make in transformNumbers options do
                match Option.ofNullable value with
                | Some value -> name, range, value, make
                | None -> ()
        ]

        Fault.check
            [
                for name, range, value, _ in given do
                    NumberRange.check name range value
            ]
            (fun () ->
                given
                |> List.choose (fun (name, _, value, make) ->
                    make value |> Option.map (fun transform -> name, value, transform)))

    let private isPenalty (transform: TransformSpec) : bool =
        match transform with
        | TransformSpec.Decay _
        | TransformSpec.PenaltyL1 _
        | TransformSpec.PenaltyL2 _ -> true
        | TransformSpec.ClipByValue _
        | TransformSpec.ClipByNorm _
        | TransformSpec.Accumulate _
        | TransformSpec.Average _ -> false

    let private ruleNamed (name: string) : OptimizerRule =
        OptimizerRules.all |> List.find (fun rule -> rule.Definition.Name = name)

    /// The rule with its numbers.
    let private ruleOf
        (rule: OptimizerRule)
        (numbers: (string * float) list)
        : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        rule.Maker.Make(fun name -> numbers |> List.find (fst >> (=) name) |> snd)

    let private hasSearch (rule: OptimizerRule) (numbers: (string * float) list) : bool =
        (ruleOf rule numbers: Optimizer<float>).Search.IsSome

    /// <summary>The optimizer of the options, or all faults: an unknown name, a number out of range, a
    /// number or transform that does not apply to the optimizer.</summary>
    [<CompiledName("Create")>]
    let create (options: OptimizerOptions) : Result<OptimizerSpec, Fault list> = validation {
        let! rule, numbers =
            NamedChoice.parse "Optimizer" ruleChoices (ruleNumbers options) options.Name

        and! given = transforms options

        let chosen = [
            if not options.WeightDecay.HasValue && rule.WeightDecay > 0.0 then
                TransformSpec.Decay(penalised options, rule.WeightDecay)
            for _, _, transform in given do
                transform
        ]

        let! transforms =
            Fault.check
                [
                    for name, value, transform in given do
                        transform.AllowsSearch || not (hasSearch rule numbers),
                        Fault.message
                            name
                            (invariant
                                $"does not apply to {rule.Definition.Name} (found {string value})")
                    penalised options = Penalised.All || List.exists isPenalty chosen,
                    Fault.message
                        "PenaliseBiases"
                        "false applies only with WeightDecay, PenaltyL1 or PenaltyL2"
                ]
                (fun () -> chosen)

        return {
            name = rule.Definition.Name
            numbers = numbers
            transforms = transforms
        }
    }

    /// <summary>The rule with its transforms around it.</summary>
    [<CompiledName("Optimizer")>]
    let optimizer (spec: OptimizerSpec) : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        List.fold Transform.apply (ruleOf (ruleNamed spec.name) spec.numbers) spec.transforms

    /// Whether its steps search along a line, and so learn from all training samples.
    let internal isFullBatch (spec: OptimizerSpec) : bool =
        hasSearch (ruleNamed spec.name) spec.numbers
