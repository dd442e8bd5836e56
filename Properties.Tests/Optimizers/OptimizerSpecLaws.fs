/// OptimizerSpec.fs: what a person says of an optimizer, and what is made of it.
module Pipeline.Properties.OptimizerSpecLaws

open System
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private named = OptimizerSpec.named
let private created choice = OptimizerSpec.create choice |> orFail

/// What each name means, by PyTorch's numbers.
let private meant: (string * Optimizer<float> * TransformSpec list) list = [
    "gradientdescent", Optimizer.gradientDescent, []
    "Momentum", Optimizer.momentum 0.9, []
    "Nesterov", Optimizer.nesterov 0.9, []
    "AdaGrad", Optimizer.adaGrad 1e-10, []
    "RmsProp", Optimizer.rmsProp 0.99 1e-8, []
    "Adam", Optimizer.adam 0.9 0.999 1e-8, []
    "adamw", Optimizer.adam 0.9 0.999 1e-8, [ TransformSpec.Decay(Penalised.All, 0.01) ]
    "Lion", Optimizer.lion 0.9 0.99, []
    "Lbfgs", Optimizer.lbfgs 10, []
]

/// Both make the same steps.
let private sameSteps (one: Optimizer<float>) other (parameters: Parameters<float>) seed =
    let gradients = OptimizerLaws.gradients seed 5 parameters

    let steps optimizer =
        OptimizerLaws.steps optimizer 0.01 gradients parameters

    List.iter2 (fun x y -> Exactly.bits (flat x) (flat y)) (steps one) (steps other)

[<Law>]
let ``a name's optimizer is the function of that name with PyTorch's numbers``
    (Trainable(network, _))
    seed
    =
    Exactly.equal
        (OptimizerSpec.choices |> List.map _.Name.ToLowerInvariant())
        (meant |> List.map (fun (name, _, _) -> name.ToLowerInvariant()))

    for name, optimizer, transforms in meant do
        let spec = created (named name)
        Exactly.equal transforms spec.Transforms
        let whole = List.fold Transform.apply optimizer transforms
        sameSteps whole (OptimizerSpec.optimizer spec) network.Parameters seed

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

    Exactly.equal [ "Beta1", 0.5; "Beta2", 0.999; "Epsilon", 1e-3 ] plan.Numbers

    Exactly.equal
        [
            TransformSpec.PenaltyL2(Penalised.All, 0.2)
            TransformSpec.ClipByNorm 1.0
            TransformSpec.ClipByValue 2.0
            TransformSpec.Average 0.99
            TransformSpec.Accumulate 4
        ]
        plan.Transforms

[<Law>]
let ``a plan is its rule with its transforms around it, innermost first``
    (plan: OptimizerSpec)
    (Trainable(network, _))
    seed
    =
    let rule =
        OptimizerSpec.optimizer (
            created {
                named plan.Name with
                    WeightDecay = Nullable 0.0
            }
        )

    let around optimizer transform : Optimizer<float> =
        match transform with
        | TransformSpec.ClipByValue limit -> Transform.clipByValue limit optimizer
        | TransformSpec.ClipByNorm limit -> Transform.clipByNorm limit optimizer
        | TransformSpec.Decay(penalised, strength) ->
            Transform.weightDecayOf penalised strength optimizer
        | TransformSpec.PenaltyL1(penalised, strength) ->
            Transform.penaltyL1Of penalised strength optimizer
        | TransformSpec.PenaltyL2(penalised, strength) ->
            Transform.penaltyL2Of penalised strength optimizer
        | TransformSpec.Accumulate count -> Transform.accumulate count optimizer
        | TransformSpec.Average decay -> Transform.average decay optimizer

    sameSteps
        (List.fold around rule plan.Transforms)
        (OptimizerSpec.optimizer plan)
        network.Parameters
        seed

[<Law>]
let ``every rule keeps the laws of an optimizer, whatever is around it`` (plan: OptimizerSpec) =
    OptimizerLaw.All(OptimizerSpec.optimizer plan) |> Law.Together

[<Fact>]
let ``all faults are reported together`` () =
    Exactly.faulted
        [ "Optimizer"; "AdamW, Lion, Lbfgs"; "'sgd'" ]
        (OptimizerSpec.create (named "sgd"))

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

[<Fact>]
let ``penalties leave biases out where PenaliseBiases is false`` () =
    let adamW =
        created {
            named "AdamW" with
                PenaltyL1 = Nullable 0.1
                PenaltyL2 = Nullable 0.2
                PenaliseBiases = Nullable false
        }

    Exactly.equal
        [
            TransformSpec.Decay(Penalised.Weights, 0.01)
            TransformSpec.PenaltyL1(Penalised.Weights, 0.1)
            TransformSpec.PenaltyL2(Penalised.Weights, 0.2)
        ]
        adamW.Transforms

    Exactly.equal
        (created (named "AdamW"))
        (created {
            named "AdamW" with
                PenaliseBiases = Nullable true
        })

    Exactly.faulted
        [ "PenaliseBiases"; "WeightDecay, PenaltyL1 or PenaltyL2" ]
        (OptimizerSpec.create {
            named "Adam" with
                PenaltyL2 = Nullable 0.0
                ClipNorm = Nullable 1.0
                PenaliseBiases = Nullable false
        })

[<Fact>]
let ``around a line search, what changes steps or gradients is refused`` () =
    let lbfgs = {
        named "Lbfgs" with
            History = Nullable 5
            PenaltyL2 = Nullable 0.1
            AverageDecay = Nullable 0.9
            WeightDecay = Nullable 0.0
            Accumulate = Nullable 1
    }

    Exactly.equal [ "History", 5.0 ] (created lbfgs).Numbers

    let found =
        OptimizerSpec.create {
            lbfgs with
                WeightDecay = Nullable 0.1
                PenaltyL1 = Nullable 0.2
                ClipNorm = Nullable 0.3
                ClipValue = Nullable 0.4
                Accumulate = Nullable 2
        }

    match found with
    | Ok _ -> Assert.Fail "expected faults"
    | Error faults ->
        Exactly.equal
            [
                "WeightDecay does not apply to Lbfgs (found 0.1)."
                "PenaltyL1 does not apply to Lbfgs (found 0.2)."
                "ClipNorm does not apply to Lbfgs (found 0.3)."
                "ClipValue does not apply to Lbfgs (found 0.4)."
                "Accumulate does not apply to Lbfgs (found 2)."
            ]
            (faults |> List.map string)

    for count in [ 0; 101 ] do
        Exactly.faulted
            [ "History"; "1 to 100" ]
            (OptimizerSpec.create {
                named "Lbfgs" with
                    History = Nullable count
            })

    Exactly.faulted
        [ "History"; "does not apply to Adam (found 5)" ]
        (OptimizerSpec.create {
            named "Adam" with
                History = Nullable 5
        })
