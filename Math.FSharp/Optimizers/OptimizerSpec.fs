namespace Pipeline.Learning

open System
open System.Numerics

/// A rule of <c>Optimizer</c> with its numbers.
[<RequireQualifiedAccess>]
type OptimizerRule =
    /// <c>Optimizer.gradientDescent</c>.
    | GradientDescent
    /// <c>Optimizer.momentum</c>.
    | Momentum of momentum: float
    /// <c>Optimizer.nesterov</c>.
    | Nesterov of momentum: float
    /// <c>Optimizer.adaGrad</c>.
    | AdaGrad of epsilon: float
    /// <c>Optimizer.rmsProp</c>.
    | RmsProp of decay: float * epsilon: float
    /// <c>Optimizer.adam</c>.
    | Adam of beta1: float * beta2: float * epsilon: float
    /// <c>Optimizer.lion</c>.
    | Lion of beta1: float * beta2: float

/// What a person may say of an optimizer. A number left out is PyTorch's or, of a transform, leaves the
/// transform out.
type OptimizerOptions = {
    /// GradientDescent, Momentum, Nesterov, AdaGrad, RmsProp, Adam, AdamW or Lion.
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
    /// λ of <c>Transform.decay</c>; 0.01 of AdamW.
    WeightDecay: Nullable<float>
    /// λ of <c>Transform.penaltyL1</c>.
    PenaltyL1: Nullable<float>
    /// λ of <c>Transform.penaltyL2</c>.
    PenaltyL2: Nullable<float>
    /// The limit of <c>Transform.clipByValue</c>.
    ClipValue: Nullable<float>
    /// The limit of <c>Transform.clipByNorm</c>.
    ClipNorm: Nullable<float>
    /// The count of <c>Transform.accumulate</c>.
    Accumulate: Nullable<int>
    /// d of <c>Transform.average</c>.
    AverageDecay: Nullable<float>
}

/// An optimizer as a run is told to use it, every number checked.
type OptimizerSpec = private {
    rule: OptimizerRule
    transforms: Transform list
} with

    /// The rule.
    member plan.Rule = plan.rule
    /// What is around it, the innermost first.
    member plan.Transforms = plan.transforms

/// Making optimizers from what a person says.
[<RequireQualifiedAccess>]
module OptimizerSpec =
    /// <summary>Gradient descent and nothing else: the chapter's.</summary>
    [<CompiledName("GradientDescent")>]
    let gradientDescent: OptimizerSpec = {
        rule = OptimizerRule.GradientDescent
        transforms = []
    }

    /// <summary>The choice of that name with every number left out.</summary>
    [<CompiledName("Named")>]
    let named (name: string) : OptimizerOptions = {
        Name = name
        Momentum = Nullable()
        SquaresDecay = Nullable()
        Beta1 = Nullable()
        Beta2 = Nullable()
        Epsilon = Nullable()
        WeightDecay = Nullable()
        PenaltyL1 = Nullable()
        PenaltyL2 = Nullable()
        ClipValue = Nullable()
        ClipNorm = Nullable()
        Accumulate = Nullable()
        AverageDecay = Nullable()
    }

    let private rule name numbers make : NamedChoice<OptimizerRule> = {
        Name = name
        Numbers = numbers
        Make = make
    }

    let private rules = [
        rule "GradientDescent" [] (fun _ -> OptimizerRule.GradientDescent)
        rule "Momentum" [ "Momentum", 0.9 ] (fun number ->
            OptimizerRule.Momentum(number "Momentum"))
        rule "Nesterov" [ "Momentum", 0.9 ] (fun number ->
            OptimizerRule.Nesterov(number "Momentum"))
        rule "AdaGrad" [ "Epsilon", 1e-10 ] (fun number -> OptimizerRule.AdaGrad(number "Epsilon"))
        rule "RmsProp" [ "SquaresDecay", 0.99; "Epsilon", 1e-8 ] (fun number ->
            OptimizerRule.RmsProp(number "SquaresDecay", number "Epsilon"))
        for name in [ "Adam"; "AdamW" ] do
            rule name [ "Beta1", 0.9; "Beta2", 0.999; "Epsilon", 1e-8 ] (fun number ->
                OptimizerRule.Adam(number "Beta1", number "Beta2", number "Epsilon"))
        rule "Lion" [ "Beta1", 0.9; "Beta2", 0.99 ] (fun number ->
            OptimizerRule.Lion(number "Beta1", number "Beta2"))
    ]

    /// The number where it is given, with the fault of one that is not in its range.
    let private given
        (subject: string)
        (holds: 'N -> bool)
        (range: string)
        (number: Nullable<'N>)
        : (bool * Fault) list =
        match Option.ofNullable number with
        | None -> []
        | Some number -> [ holds number, Fault.create subject range (string number) ]

    let private isShare x = x >= 0.0 && x < 1.0
    let private isPositive x = x > 0.0 && Double.IsFinite x
    let private isNotNegative x = x >= 0.0 && Double.IsFinite x
    let private share = "0 or greater and less than 1"
    let private positive = "a finite number greater than 0"
    let private notNegative = "a finite number, 0 or greater"

    /// The numbers of rules that are given, by their names.
    let private ruleNumbers (choice: OptimizerOptions) : (string * Nullable<float>) list = [
        "Momentum", choice.Momentum
        "SquaresDecay", choice.SquaresDecay
        "Beta1", choice.Beta1
        "Beta2", choice.Beta2
        "Epsilon", choice.Epsilon
    ]

    let private transformsOf (choice: OptimizerOptions) : Transform list =
        let isAdamW = choice.Name.Equals("AdamW", StringComparison.OrdinalIgnoreCase)

        // The innermost first: gradients are summed, clipped, penalised, in that order.
        [
            match Option.ofNullable choice.WeightDecay with
            | Some strength when strength > 0.0 -> Transform.Decay strength
            | None when isAdamW -> Transform.Decay 0.01
            | _ -> ()
            match Option.ofNullable choice.PenaltyL1 with
            | Some strength when strength > 0.0 -> Transform.PenaltyL1 strength
            | _ -> ()
            match Option.ofNullable choice.PenaltyL2 with
            | Some strength when strength > 0.0 -> Transform.PenaltyL2 strength
            | _ -> ()
            match Option.ofNullable choice.ClipNorm with
            | Some limit -> Transform.ClipByNorm limit
            | None -> ()
            match Option.ofNullable choice.ClipValue with
            | Some limit -> Transform.ClipByValue limit
            | None -> ()
            match Option.ofNullable choice.Accumulate with
            | Some count when count > 1 -> Transform.Accumulate count
            | _ -> ()
            match Option.ofNullable choice.AverageDecay with
            | Some decay -> Transform.Average decay
            | None -> ()
        ]

    /// <summary>The optimizer that is meant, or everything that is wrong: a name that is none, a number
    /// out of its range, a number that the rule does not have.</summary>
    [<CompiledName("Create")>]
    let create (choice: OptimizerOptions) : Result<OptimizerSpec, Fault list> =
        let ranges =
            Fault.check
                [
                    yield! given "Momentum" isShare share choice.Momentum
                    yield! given "SquaresDecay" isShare share choice.SquaresDecay
                    yield! given "Beta1" isShare share choice.Beta1
                    yield! given "Beta2" isShare share choice.Beta2
                    yield! given "Epsilon" isPositive positive choice.Epsilon
                    yield! given "WeightDecay" isNotNegative notNegative choice.WeightDecay
                    yield! given "PenaltyL1" isNotNegative notNegative choice.PenaltyL1
                    yield! given "PenaltyL2" isNotNegative notNegative choice.PenaltyL2
                    yield! given "ClipValue" isPositive positive choice.ClipValue
                    yield! given "ClipNorm" isPositive positive choice.ClipNorm
                    yield! given "Accumulate" (fun n -> n >= 1) "1 or more" choice.Accumulate
                    yield! given "AverageDecay" isShare share choice.AverageDecay
                ]
                ignore

        let rule = NamedChoice.parse "Optimizer" rules (ruleNumbers choice) choice.Name

        Fault.both ranges rule
        |> Result.map (fun (_, rule) -> {
            rule = rule
            transforms = transformsOf choice
        })

    /// <summary>The rule with everything around it.</summary>
    [<CompiledName("Optimizer")>]
    let optimizer (plan: OptimizerSpec) : Optimizer<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        let rule =
            match plan.rule with
            | OptimizerRule.GradientDescent -> Optimizer.gradientDescent
            | OptimizerRule.Momentum momentum -> Optimizer.momentum momentum
            | OptimizerRule.Nesterov momentum -> Optimizer.nesterov momentum
            | OptimizerRule.AdaGrad epsilon -> Optimizer.adaGrad epsilon
            | OptimizerRule.RmsProp(decay, epsilon) -> Optimizer.rmsProp decay epsilon
            | OptimizerRule.Adam(beta1, beta2, epsilon) -> Optimizer.adam beta1 beta2 epsilon
            | OptimizerRule.Lion(beta1, beta2) -> Optimizer.lion beta1 beta2

        List.fold Transform.apply rule plan.transforms
