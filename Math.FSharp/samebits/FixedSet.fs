namespace Pipeline.SameBits

open System
open System.Text
open Pipeline.Learning

/// <summary>The fixed set of training cases: the chapter's network, and every kind of layer, activation, optimizer,
/// transform, schedule, initialiser, head and precision.</summary>
[<RequireQualifiedAccess>]
module FixedSet =
    let private orFail (result: Result<'V, Fault list>) : 'V =
        match result with
        | Ok value -> value
        | Error faults -> invalidOp (String.Join(" ", faults))

    let private optimizer (options: OptimizerOptions) : OptimizerSpec =
        OptimizerSpec.create options |> orFail

    let private options = {
        TrainingOptions.Default with
            BatchSize = 19
            LearningRate = 0.05
            Sampling = Sampling.Epoch
            Initialiser = Initialiser.HeNormal
            Length = RunLength.Iterations 6L
    }

    /// Widths of 21 and 13 fill no register evenly, and 37 samples no batch.
    let private case = {
        Name = ""
        Shape = "98"
        Layers = "dense 21, tanh, dense 13, relu, dense 5"
        Head = Head.Softmax
        Outputs = 5
        Precision = Precision.Single
        Samples = 37
        Steps = 6L
        Options = options
    }

    let private inBoth (case: TrainingCase) : TrainingCase list = [
        {
            case with
                Name = case.Name + "/Single"
                Precision = Precision.Single
        }
        {
            case with
                Name = case.Name + "/Double"
                Precision = Precision.Double
        }
    ]

    /// The chapter's network on made-up digits.
    let private chapter = {
        case with
            Name = "chapter"
            Shape = "1x28x28"
            Layers = "dense 50, sigmoid, dense 10"
            Outputs = 10
            Samples = 300
            Steps = 10L
            Options = TrainingOptions.Default
    }

    let private ofActivation (activation: Activation) : TrainingCase = {
        case with
            Name = "activation/" + string activation
            Layers = "dense 21, " + string activation + ", dense 5"
    }

    /// A network for each kind of layer, by the kind's word in settings.
    let private networks = [
        "dense", "98", case.Layers
        "embedding", "11", "embedding 3 5:2 3:4, tanh, dense 5"
        "conv2d",
        "2x7x7",
        "conv2d 4 3x2 stride 2x1 padding 1, relu, conv2d 6 2 dilation 2 groups 2, flatten, dense 5"
        "conv1d",
        "2x1x31",
        "conv1d 4 3 stride 2 padding 1, tanh, conv1d 6 2 groups 2, flatten, dense 5"
        "maxpool2d", "2x7x7", "conv2d 3 3, maxpool2d 2 stride 1 padding 1, flatten, dense 5"
        "avgpool2d", "2x7x7", "conv2d 3 3, avgpool2d 2x3 stride 2, flatten, dense 5"
        "maxpool1d", "2x1x31", "conv1d 3 3, maxpool1d 3 stride 2, flatten, dense 5"
        "avgpool1d", "2x1x31", "conv1d 3 3, avgpool1d 2, flatten, dense 5"
        "residual",
        "2x7x7",
        "conv2d 4 3 padding 1, residual [conv2d 4 3 padding 1, gelu], flatten, dense 5"
        "globalavgpool", "2x7x7", "conv2d 5 3, relu, globalavgpool, dense 5"
        "flatten", "2x7x7", "flatten, dense 5"
        "batchnorm",
        "2x7x7",
        "conv2d 4 3, batchnorm, relu, flatten, dense 13, batchnorm, tanh, dense 5"
        "layernorm", "2x7x7", "conv2d 4 3, layernorm, relu, flatten, dense 13, layernorm, dense 5"
        "dropout", "98", "dense 21, relu, dropout 0.25, dense 5"
        "dropout2d", "2x7x7", "conv2d 4 3, dropout2d 0.25, flatten, dense 5"
    ]

    let private ofLayer (kind: string, shape: string, layers: string) : TrainingCase = {
        case with
            Name = "layer/" + kind
            Shape = shape
            Layers = layers
    }

    let private ofOptimizer (choice: ChoiceDefinition) : TrainingCase = {
        case with
            Name = "optimizer/" + choice.Name
            Options = {
                options with
                    // Lbfgs takes all samples at each step.
                    BatchSize = case.Samples
                    Optimizer = optimizer (OptimizerSpec.named choice.Name)
            }
    }

    let private transforms =
        let adam = OptimizerSpec.named "Adam"

        [
            "WeightDecay", { adam with WeightDecay = Nullable 0.1 }
            "PenaltyL1", { adam with PenaltyL1 = Nullable 0.01 }
            "PenaltyL2", { adam with PenaltyL2 = Nullable 0.01 }
            "PenaliseBiases",
            {
                adam with
                    WeightDecay = Nullable 0.1
                    PenaltyL1 = Nullable 0.01
                    PenaltyL2 = Nullable 0.01
                    PenaliseBiases = Nullable false
            }
            "ClipValue", { adam with ClipValue = Nullable 0.02 }
            "ClipNorm", { adam with ClipNorm = Nullable 0.3 }
            "Accumulate", { adam with Accumulate = Nullable 2 }
            "AverageDecay",
            {
                adam with
                    AverageDecay = Nullable 0.9
            }
        ]

    let private ofTransform (name: string, given: OptimizerOptions) : TrainingCase = {
        case with
            Name = "transform/" + name
            Options = {
                options with
                    Optimizer = optimizer given
            }
    }

    let private ofSchedule (choice: ChoiceDefinition) : TrainingCase =
        let ifItHas (number: string) value =
            if choice.Numbers |> List.exists (fun each -> each.Name = number) then
                Nullable value
            else
                Nullable()

        {
            case with
                Name = "schedule/" + choice.Name
                Options = {
                    options with
                        WarmUp = 2L
                        Validation = 0.2
                        Schedule =
                            Schedule.parse {
                                Name = choice.Name
                                Every = ifItHas "ScheduleEvery" 2L
                                Factor = ifItHas "ScheduleFactor" 0.5
                                Last = ifItHas "ScheduleLast" 0.1
                                Rise = ifItHas "ScheduleRise" 0.4
                                Patience = ifItHas "SchedulePatience" 1
                            }
                            |> orFail
                }
        }

    let private ofInitialiser (initialiser: string) : TrainingCase = {
        case with
            Name = "initialiser/" + initialiser
            Options = {
                options with
                    Initialiser = Initialiser.parse 0.01 initialiser |> orFail
            }
    }

    let private ofHead (head: string) : TrainingCase = {
        case with
            Name = "head/" + head
            Head = Head.parse head |> orFail
    }

    let private ofSampling (sampling: string) : TrainingCase = {
        case with
            Name = "sampling/" + sampling
            Options = {
                options with
                    Sampling = Sampling.parse sampling |> orFail
            }
    }

    let private ofGradient (method: string) : TrainingCase = {
        case with
            Name = "gradient/" + method
            Shape = "9"
            Layers = "dense 4, sigmoid, dense 5"
            Steps = 2L
            Options = {
                options with
                    Gradient = GradientMethod.parse method |> orFail
            }
    }

    let private augmented = {
        case with
            Name = "augmentation"
            Shape = "1x9x11"
            Layers = "dense 13, relu, dense 5"
            Options = {
                options with
                    LabelSmoothing = 0.1
                    Augmentation = {
                        Shift = 1.5
                        Rotation = 20.0
                        Scale = 0.1
                        Elastic = 3.0
                        Smoothness = 2.0
                        Noise = 0.05
                        Mirror = 0.5
                    }
            }
    }

    /// <summary>Every case, in a fixed order.</summary>
    [<CompiledName("Cases")>]
    let cases: TrainingCase list =
        List.concat [
            [ chapter ]
            List.map ofActivation Activation.all
            List.map ofLayer networks
            List.map ofOptimizer OptimizerSpec.choices
            List.map ofTransform transforms
            List.map ofSchedule Schedule.choices
            List.map ofInitialiser [
                "Fixed"
                "XavierNormal"
                "XavierUniform"
                "HeNormal"
                "HeUniform"
                "LeCunNormal"
                "LeCunUniform"
                "Orthogonal"
            ]
            List.map ofHead [ "Softmax"; "Sigmoid"; "Identity" ]
            List.map ofSampling [ "Replacement"; "Epoch" ]
            List.map ofGradient [ "Backpropagation"; "Numerical" ]
            [ augmented ]
        ]
        |> List.collect inBoth

    /// <summary>What the program prints of a case: its hash and its name.</summary>
    [<CompiledName("Line")>]
    let line (case: TrainingCase) : string =
        TrainingCase.hash case + "  " + case.Name

    /// <summary>The hash of all cases: the SHA-256 of their lines, each of which ends with a line feed.</summary>
    [<CompiledName("Hash")>]
    let hash (lines: string seq) : string =
        lines
        |> Seq.map (fun line -> line + "\n")
        |> String.concat ""
        |> Encoding.UTF8.GetBytes
        |> Sha256.ofBytes
