/// OptimizerSpec.fs: what a person says of an optimizer, and what is made of it.
module Pipeline.Properties.OptimizerSpecLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private named = OptimizerSpec.named
let private created choice = OptimizerSpec.create choice |> orFail

[<Fact>]
let ``names give rules with PyTorch's numbers`` () =
    for name, rule, transforms in
        [
            "gradientdescent", OptimizerRule.GradientDescent, []
            "Momentum", OptimizerRule.Momentum 0.9, []
            "Nesterov", OptimizerRule.Nesterov 0.9, []
            "AdaGrad", OptimizerRule.AdaGrad 1e-10, []
            "RmsProp", OptimizerRule.RmsProp(0.99, 1e-8), []
            "Adam", OptimizerRule.Adam(0.9, 0.999, 1e-8), []
            "adamw", OptimizerRule.Adam(0.9, 0.999, 1e-8), [ Transform.Decay 0.01 ]
            "Lion", OptimizerRule.Lion(0.9, 0.99), []
        ] do
        let plan = created (named name)
        Exactly.equal rule plan.Rule
        Exactly.equal transforms plan.Transforms

    Exactly.equal OptimizerSpec.gradientDescent (created (named "GradientDescent"))

[<Fact>]
let ``numbers replace the defaults, and 0 leaves a transform out`` () =
    let plan =
        created {
            named "AdamW" with
                Beta1 = Nullable 0.5
                Epsilon = Nullable 1e-3
                WeightDecay = Nullable 0.0
                PenaltyL1 = Nullable 0.0
                PenaltyL2 = Nullable 0.2
                ClipNorm = Nullable 1.0
                ClipValue = Nullable 2.0
                Accumulate = Nullable 4
                AverageDecay = Nullable 0.99
        }

    Exactly.equal (OptimizerRule.Adam(0.5, 0.999, 1e-3)) plan.Rule

    Exactly.equal
        [
            Transform.PenaltyL2 0.2
            Transform.ClipByNorm 1.0
            Transform.ClipByValue 2.0
            Transform.Accumulate 4
            Transform.Average 0.99
        ]
        plan.Transforms

[<Law>]
let ``a plan is its rule with its transforms around it, innermost first``
    (plan: OptimizerSpec)
    (Trainable(network, _))
    seed
    =
    let rule: Optimizer<float> =
        match plan.Rule with
        | OptimizerRule.GradientDescent -> Optimizer.gradientDescent
        | OptimizerRule.Momentum momentum -> Optimizer.momentum momentum
        | OptimizerRule.Nesterov momentum -> Optimizer.nesterov momentum
        | OptimizerRule.AdaGrad epsilon -> Optimizer.adaGrad epsilon
        | OptimizerRule.RmsProp(decay, epsilon) -> Optimizer.rmsProp decay epsilon
        | OptimizerRule.Adam(beta1, beta2, epsilon) -> Optimizer.adam beta1 beta2 epsilon
        | OptimizerRule.Lion(beta1, beta2) -> Optimizer.lion beta1 beta2

    let around optimizer transform : Optimizer<float> =
        match transform with
        | Transform.ClipByValue limit -> Transform.clipByValue limit optimizer
        | Transform.ClipByNorm limit -> Transform.clipByNorm limit optimizer
        | Transform.Decay strength -> Transform.decay strength optimizer
        | Transform.PenaltyL1 strength -> Transform.penaltyL1 strength optimizer
        | Transform.PenaltyL2 strength -> Transform.penaltyL2 strength optimizer
        | Transform.Accumulate count -> Transform.accumulate count optimizer
        | Transform.Average decay -> Transform.average decay optimizer

    let gradients = OptimizerLaws.gradients seed 5 network.Parameters

    List.iter2
        (fun x y -> Exactly.bits (flat x) (flat y))
        (OptimizerLaws.steps
            (List.fold around rule plan.Transforms)
            0.01
            gradients
            network.Parameters)
        (OptimizerLaws.steps (OptimizerSpec.optimizer plan) 0.01 gradients network.Parameters)

[<Law>]
let ``every rule keeps the laws of an optimizer, whatever is around it`` (plan: OptimizerSpec) =
    OptimizerLaw.All(OptimizerSpec.optimizer plan) |> Law.Together

[<Fact>]
let ``everything that is wrong is said at once`` () =
    Exactly.faulted [ "Optimizer"; "AdamW, Lion"; "'sgd'" ] (OptimizerSpec.create (named "sgd"))

    Exactly.faulted
        [
            "Momentum"
            "does not apply to Adam (found 0.9)"
            "Beta1"
            "less than 1"
            "ClipNorm"
            "Accumulate"
        ]
        (OptimizerSpec.create {
            named "Adam" with
                Momentum = Nullable 0.9
                Beta1 = Nullable 1.0
                ClipNorm = Nullable 0.0
                Accumulate = Nullable 0
        })
