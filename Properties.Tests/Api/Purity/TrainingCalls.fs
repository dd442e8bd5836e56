/// Calls of the public functions of Optimizers and Training that are given something changeable.
module internal Pipeline.Properties.TrainingCalls

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

let calls (given: PurityGiven) : PureCall list =
    let network = given.Network
    let batch = given.Batch
    let data = given.Data
    let state = given.State
    let v = given.Vector
    let parameters = network.Parameters
    let double (x: Vector<float>) = x + x
    let memory = given.Memory

    [
        "Optimizer.Descend", fun () -> Optimizer.descend 0.1 parameters parameters
        "Optimizer.Descent", fun () -> Optimizer.descent 0.1 3 double v
        "Optimizer.Step",
        fun () ->
            Optimizer.step
                (Optimizer.lbfgs 2)
                1.0
                (fun _ -> struct (1.0, parameters))
                ((Optimizer.lbfgs 2).Init parameters)
                parameters
        "Parameters.Norm", fun () -> Parameters.norm parameters
        "Transform.Averaged", fun () -> Transform.averaged memory
        "Trainer.Rate", fun () -> Trainer.rate given.Settings data state.Validation 3L
        "Trainer.StartFrom",
        fun () -> Trainer.startFrom given.Settings state.Network.Architecture state
        "Trainer.Observe", fun () -> Trainer.observe given.Settings 0.5 state
        "Trainer.HasStalled", fun () -> Trainer.hasStalled given.Settings state
        "Trainer.FinalNetwork", fun () -> Trainer.finalNetwork given.Settings state
        "Trainer.CurrentNetwork", fun () -> Trainer.currentNetwork state
        "Trainer.Advance", fun () -> Trainer.advance given.Settings data 5L (fun _ _ -> true) state
        "Trainer.Step", fun () -> Trainer.step given.Settings data state
        "Divergence.Health", fun () -> Divergence.health given.Settings data state
        "LearningRateFinder.Sweep",
        fun () -> LearningRateFinder.sweep given.Settings 0.01 0.1 3 data state.Network.Architecture
        "OverfitCheck.Run",
        fun () -> OverfitCheck.run given.Settings 1 2 data state.Network.Architecture
        "Diagnosis.OfNumbers", fun () -> Diagnosis.ofNumbers 1L network batch
        "Diagnosis.OfRun",
        fun () ->
            let probe = Dataset.take [| 0 |] data
            Diagnosis.ofRun [] [] state.Network probe data
        "ThresholdCurve.Points",
        fun () ->
            let probabilities = given.Numbers |> Array.filter (Double.IsNaN >> not)
            ThresholdCurve.points (Array.create probabilities.Length true) probabilities
        "Decision.Fit",
        fun () ->
            match data.Targets with
            | Targets.Labels labels ->
                Decision.fit (DecisionGoal.Cost 2.0) labels[0] state.Network data
            | Targets.Columns _ -> ValueNone
        "Decision.Answer", fun () -> Decision.answer ValueNone given.Numbers
        "Conformal.Fit", fun () -> Conformal.fit 0.5 state.Network data
        "Conformal.Classes",
        fun () -> Conformal.classes { Coverage = 0.5; Margins = [ 0.5 ] } given.Numbers
        "Attribution.OfInputs",
        fun () ->
            let inputs = (Dataset.take [| 0 |] data).Inputs.Column 0
            Attribution.ofInputs 0 state.Network inputs
        "Attribution.OfColumns",
        fun () ->
            let inputs = (Dataset.take [| 0 |] data).Inputs.Column 0
            Attribution.ofColumns 0 [ "x", [ 0 ] ] state.Network inputs
        "FeatureMaps.OfInputs",
        fun () ->
            let inputs = (Dataset.take [| 0 |] data).Inputs.Column 0
            FeatureMaps.ofInputs 2 state.Network inputs
        "Importance.OfColumns",
        fun () -> Importance.ofColumns 1UL 2 [ "x", [ 0 ] ] state.Network data
        "Evaluation.Create",
        fun () -> Evaluation.create EvaluationOptions.Default state.Network data
    ]
