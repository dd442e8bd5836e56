namespace Pipeline.Learning.Interop

open System.Collections.Generic
open Pipeline.Learning
open Pipeline.Learning.Formats

/// What settings can choose by name.
[<AbstractClass; Sealed>]
type Choices =
    /// <summary>The activations.</summary>
    static member Activations: IReadOnlyList<ChoiceDefinition> = [
        for activation in Activation.all ->
            {
                Name = string activation
                Numbers = []
            }
    ]

    /// <summary>The optimizers, with the numbers that apply to each.</summary>
    static member Optimizers: IReadOnlyList<ChoiceDefinition> = OptimizerSpec.choices

    /// <summary>The schedules, with the numbers that apply to each.</summary>
    static member Schedules: IReadOnlyList<ChoiceDefinition> = Schedule.choices

/// Parses choices by their names in settings, in any case of letters.
[<AbstractClass; Sealed>]
type Parse =
    /// <summary>Sigmoid, Tanh, Relu, …</summary>
    static member Activation(name: string) : Result<Activation, Fault list> = Activation.parse name

    /// <summary>Softmax, Sigmoid or Identity.</summary>
    static member Head(name: string) : Result<Head, Fault list> = Head.parse name

    /// <summary>784, or 1x28x28: channels, rows and columns.</summary>
    static member Shape(text: string) : Result<Shape, Fault list> = Model.parseShape text

    /// <summary>Replacement or Epoch.</summary>
    static member Sampling(name: string) : Result<Sampling, Fault list> = Sampling.parse name

    /// <summary>Accuracy, BalancedAccuracy, MacroF1, …</summary>
    static member Metric(name: string) : Result<Metric, Fault list> = Metric.parse name

    /// <summary>Backpropagation or Numerical.</summary>
    static member Gradient(name: string) : Result<GradientMethod, Fault list> =
        GradientMethod.parse name

    /// <summary>An optimizer with its numbers and transforms.</summary>
    static member Optimizer(options: OptimizerOptions) : Result<OptimizerSpec, Fault list> =
        OptimizerSpec.create options

    /// <summary>An optimizer of that name with its usual numbers.</summary>
    static member Optimizer(name: string) : Result<OptimizerSpec, Fault list> =
        OptimizerSpec.create (OptimizerSpec.named name)

    /// <summary>A schedule with its numbers.</summary>
    static member Schedule(options: ScheduleOptions) : Result<ScheduleKind, Fault list> =
        Schedule.parse options

    /// <summary>Fixed, with that deviation, XavierNormal, HeNormal, …</summary>
    static member Initialiser(name: string, deviation: float) : Result<Initialiser, Fault list> =
        Initialiser.parse deviation name

    /// <summary>Refuse, Mean or Median.</summary>
    static member Missing(name: string) : Result<Missing, Fault list> = Missing.parse name

    /// <summary>None, Standard or MinMax.</summary>
    static member Scaling(name: string) : Result<Scaling, Fault list> = Scaling.parse name

    /// <summary>How the cells of tables are written.</summary>
    /// <param name="missing">Texts that mean a missing value; null for the default ones.</param>
    /// <param name="decimal">What separates fractions, a point or a comma; null to detect it.</param>
    /// <param name="thousands">What separates thousands: a comma, a point, an apostrophe or a space; null for
    /// none.</param>
    static member CellRules
        (missing: string seq | null, decimal: string | null, thousands: string | null)
        : Result<CellRules, Fault list> =
        CellRules.parse
            (missing |> ValueOption.ofObj |> ValueOption.map List.ofSeq)
            (ValueOption.ofObj decimal)
            (ValueOption.ofObj thousands)

    /// <summary>Single or Double.</summary>
    static member Precision(name: string) : Result<Precision, Fault list> = Precision.parse name
