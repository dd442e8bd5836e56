namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Losses with functions as delegates.
[<AbstractClass; Sealed>]
type Losses =
    /// <summary>The mean over a batch of a loss of one sample.</summary>
    /// <param name="loss">The loss of one sample, from target and prediction: for example
    /// <c>Loss.SumSquaredError</c>.</param>
    /// <param name="targets">One for each sample.</param>
    /// <param name="predictions">(classes, batch).</param>
    static member OfBatch
        (loss: Func<Vector<'T>, Vector<'T>, 'T>, targets: Targets<'T>, predictions: Matrix<'T>)
        : 'T =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        Loss.ofBatch (fun target prediction -> loss.Invoke(target, prediction)) targets predictions

/// Gradients of functions given as delegates.
[<AbstractClass; Sealed>]
type Gradients =
    /// <summary>The gradient of any function of a vector, by its definition.</summary>
    /// <param name="step">h of the central difference.</param>
    /// <param name="f">The function.</param>
    /// <param name="at">The point.</param>
    static member Numerical(step: 'T, f: Func<Vector<'T>, 'T>, at: Vector<'T>) : Vector<'T> =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        Gradient.numerical step f.Invoke at

    /// <summary>The gradient of any function of a network in every parameter, by its definition.</summary>
    /// <param name="step">h of the central difference.</param>
    /// <param name="objective">The function, called from several threads.</param>
    /// <param name="network">The network.</param>
    static member NumericalOf
        (step: 'T, objective: Func<Network<'T>, 'T>, network: Network<'T>)
        : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(objective, nameof objective)
        Gradient.numericalOf step objective.Invoke network

    /// <summary>Compares the gradient of a function of a matrix with central differences.</summary>
    /// <param name="f">The function; it gets new matrices.</param>
    /// <param name="gradient">The gradient to check.</param>
    /// <param name="at">The point.</param>
    /// <returns>The result; <c>ToString</c> describes it.</returns>
    static member Check
        (f: Func<Matrix<float>, float>, gradient: Matrix<float>, at: Matrix<float>)
        : GradientCheck =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        GradientCheck.ofMatrix f.Invoke gradient at

    /// <summary>Compares the gradient of a function of several matrices with central differences: of a layer's
    /// weights, biases and inputs, for example.</summary>
    /// <param name="f">The function; it gets new matrices.</param>
    /// <param name="gradients">The gradient in each matrix, with the matrix's name in the result.</param>
    /// <param name="at">The point: matrices of the gradients' shapes.</param>
    /// <exception cref="T:System.ArgumentException">Gradients and matrices differ in number or shape, or there
    /// are none.</exception>
    static member Check
        (
            f: Func<IReadOnlyList<Matrix<float>>, float>,
            gradients: struct (string * Matrix<float>) seq,
            at: Matrix<float> seq
        ) : GradientCheck =
        ArgumentNullException.ThrowIfNull(f, nameof f)

        GradientCheck.ofMatrices
            (fun matrices -> f.Invoke matrices)
            [ for struct (name, gradient) in gradients -> name, gradient ]
            (List.ofSeq at)

    /// <summary>Compares a gradient of a function of a network with central differences.</summary>
    /// <param name="loss">The function, called from several threads.</param>
    /// <param name="gradient">The gradient to check, shaped like the parameters.</param>
    /// <param name="network">The network.</param>
    static member Check
        (loss: Func<Network<float>, float>, gradient: Parameters<float>, network: Network<float>)
        : GradientCheck =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        GradientCheck.ofFunction loss.Invoke gradient network

    /// <summary>Compares the gradient of backpropagation with central differences.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">The samples of the loss.</param>
    static member Check(network: Network<float>, batch: MiniBatch<float>) : GradientCheck =
        GradientCheck.ofNetwork network batch

/// Optimizers, and gradient descent on functions given as delegates.
[<AbstractClass; Sealed; Extension>]
type Optimizers =
    /// <summary>The state before the first step.</summary>
    /// <param name="optimizer">For example <c>Optimizer.Adam&lt;float&gt;(0.9, 0.999, 1e-8)</c>.</param>
    /// <param name="parameters">Parameters of the shape of those to optimise.</param>
    [<Extension>]
    static member Start(optimizer: Optimizer<'T>, parameters: Parameters<'T>) : OptimizerState<'T> =
        optimizer.Init parameters

    /// <summary>The next parameters and state.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="gradient">The gradient.</param>
    /// <param name="state">The state of the optimizer.</param>
    /// <param name="parameters">The parameters, which are not changed.</param>
    [<Extension>]
    static member Step
        (
            optimizer: Optimizer<'T>,
            rate: 'T,
            gradient: Parameters<'T>,
            state: OptimizerState<'T>,
            parameters: Parameters<'T>
        ) : struct (Parameters<'T> * OptimizerState<'T>) =
        optimizer.Update rate gradient state parameters

    /// <summary>One step on any function: with the optimizer's line search, if it has one.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="objective">The function: its value and gradient at any parameters.</param>
    /// <param name="state">The state of the optimizer.</param>
    /// <param name="parameters">The parameters, which are not changed.</param>
    /// <returns>The function's value at the parameters, the next parameters and the next state.</returns>
    [<Extension>]
    static member Step
        (
            optimizer: Optimizer<'T>,
            rate: 'T,
            objective: Func<Parameters<'T>, struct ('T * Parameters<'T>)>,
            state: OptimizerState<'T>,
            parameters: Parameters<'T>
        ) : struct ('T * Parameters<'T> * OptimizerState<'T>) =
        ArgumentNullException.ThrowIfNull(objective, nameof objective)
        Optimizer.step optimizer rate objective.Invoke state parameters

    /// <summary>The optimizer of a specification, such as that of <c>Parse.Optimizer</c>.</summary>
    /// <param name="spec">The rule, its numbers and transforms.</param>
    static member Create(spec: OptimizerSpec) : Optimizer<'T> = OptimizerSpec.optimizer spec

    /// <summary>A custom optimizer.</summary>
    /// <param name="memoryNames">The names of its memories: each has a number for every parameter, 0 before the
    /// first step.</param>
    /// <param name="update">Returns the next parameters and memories from rate, gradient, parameters and
    /// memories.</param>
    static member Create
        (
            memoryNames: string seq,
            update:
                Func<
                    'T,
                    Parameters<'T>,
                    Parameters<'T>,
                    Parameters<'T>[],
                    struct (Parameters<'T> * Parameters<'T>[])
                 >
        ) : Optimizer<'T> =
        ArgumentNullException.ThrowIfNull(update, nameof update)

        let memory values =
            Seq.map2 (fun name values -> { Name = name; Values = values }) memoryNames values
            |> List.ofSeq

        {
            Init =
                fun parameters -> {
                    Steps = 0L
                    Memory = memoryNames |> Seq.map (fun _ -> Parameters.zeros parameters) |> memory
                }
            Update =
                fun rate gradient state parameters ->
                    let before = [| for memory in state.Memory -> memory.Values |]
                    let struct (next, after) = update.Invoke(rate, gradient, parameters, before)

                    struct (next,
                            {
                                Steps = state.Steps + 1L
                                Memory = memory after
                            })
            LayerUpdate = ValueNone
            Search = ValueNone
        }

    /// <summary>Gradient descent on any function: the start and the point after every step.</summary>
    /// <param name="rate">Learning rate.</param>
    /// <param name="steps">The number of steps.</param>
    /// <param name="gradient">The function's gradient.</param>
    /// <param name="start">The start.</param>
    static member Descent
        (rate: 'T, steps: int, gradient: Func<Vector<'T>, Vector<'T>>, start: Vector<'T>)
        : IReadOnlyList<Vector<'T>> =
        ArgumentNullException.ThrowIfNull(gradient, nameof gradient)
        Optimizer.descent rate steps gradient.Invoke start

/// Learning rates that change with the iteration.
[<AbstractClass; Sealed>]
type Schedules =
    /// <summary>The learning rate of each iteration of a run, counted from 0. A plateau's factor is not in it, as
    /// that follows from the validation losses.</summary>
    /// <param name="kind">How the rate changes, for example <c>ScheduleKind.NewCosine(0.0)</c>.</param>
    /// <param name="iterations">The iterations of the run.</param>
    /// <param name="learningRate">The learning rate, or the highest of the schedule.</param>
    /// <param name="warmUp">Iterations in which the rate rises to the schedule's; 0 for none.</param>
    /// <exception cref="T:System.ArgumentException">A number is out of range.</exception>
    static member Create
        (
            kind: ScheduleKind,
            iterations: int64,
            learningRate: float,
            [<Optional; DefaultParameterValue(0L)>] warmUp: int64
        ) : Func<int64, float> =
        let schedule = Schedule.ofKind iterations learningRate kind

        let warmed =
            if warmUp = 0L then
                schedule
            else
                Schedule.warmUp warmUp schedule

        Func<int64, float>(fun iteration -> warmed iteration)

/// Training images varied at random.
[<AbstractClass; Sealed>]
type Augmentations =
    /// <summary>Images shifted, turned, scaled, … at random, each in its own way.</summary>
    /// <param name="augmentation">How much of each.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="iteration">The iteration, from 0.</param>
    /// <param name="size">The size of an image.</param>
    /// <param name="images">(channels · rows · columns, batch), an image a column: channel after channel, row after
    /// row.</param>
    /// <returns>A matrix of the same shape.</returns>
    /// <exception cref="T:System.ArgumentException">The images have another size.</exception>
    static member Apply
        (
            augmentation: Augmentation,
            seed: uint64,
            iteration: int64,
            size: ImageSize,
            images: Matrix<'T>
        ) : Matrix<'T> =
        Augmentation.apply augmentation seed iteration size images

/// When a class is answered.
[<AbstractClass; Sealed>]
type Decisions =
    /// <summary>The class and the goal in a text: <c>yes:recall=0.9</c>.</summary>
    static member Parse(text: string) : Result<struct (string * DecisionGoal), Fault list> =
        Decision.parse text

    /// <summary>The index of a class's name, or the fault of a name that is no class's.</summary>
    /// <param name="classes">The classes' names.</param>
    /// <param name="name">The class.</param>
    static member ClassOf(classes: string seq, name: string) : Result<int, Fault list> =
        Decision.classOf (List.ofSeq classes) name

    /// <summary>The decision that meets a goal on samples that the network did not learn from; null where no threshold
    /// reaches a wanted precision.</summary>
    /// <param name="goal">The goal.</param>
    /// <param name="k">The class, from 0.</param>
    /// <param name="network">A network with a Softmax head.</param>
    /// <param name="data">Samples with classes.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size or no classes, or no sample
    /// is of the class.</exception>
    static member Fit
        (goal: DecisionGoal, k: int, network: Network<'T>, data: Dataset<'T>)
        : Decision | null =
        (Decision.fit goal k network data).OrNull()

    /// <summary>The answer for a sample.</summary>
    /// <param name="decision">The decision; null for the most probable class.</param>
    /// <param name="probabilities">The probability of each class.</param>
    static member Answer(decision: Decision | null, probabilities: float[]) : int =
        Decision.answer (ValueOption.ofObj decision) probabilities

/// Sets of classes and intervals of numbers that contain the truth for a wanted share of new samples.
[<AbstractClass; Sealed>]
type ConformalPredictions =
    /// <summary>Whether there are samples enough for a share.</summary>
    /// <param name="coverage">The share, above 0 and below 1.</param>
    /// <param name="count">The number of samples.</param>
    static member CheckSamples(coverage: float, count: int) : Result<unit, Fault list> =
        Conformal.checkSamples coverage count

    /// <summary>The margins that cover a share of new samples.</summary>
    /// <param name="coverage">The share, above 0 and below 1.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">Samples that it did not learn from.</param>
    /// <returns>The margins; a fault if the samples are too few for the share, or a prediction is not a
    /// number.</returns>
    /// <exception cref="T:System.ArgumentException">The coverage is out of range; the data do not have the network's
    /// size; or they have neither classes that it gives probabilities for nor numbers that it predicts.</exception>
    static member Fit
        (coverage: float, network: Network<'T>, data: Dataset<'T>)
        : Result<Conformal, Fault list> =
        Conformal.fit coverage network data

    /// <summary>The classes that a sample may be of: those whose probability is within the margin; if none is, the
    /// most probable one.</summary>
    /// <param name="conformal">The margin.</param>
    /// <param name="probabilities">The probability of each class.</param>
    static member Classes(conformal: Conformal, probabilities: float[]) : IReadOnlyList<int> =
        Conformal.classes conformal probabilities

    /// <summary>The classes that a sample may be of: those whose probability is within the margin, and the
    /// answer.</summary>
    /// <param name="conformal">The margin.</param>
    /// <param name="decision">The decision; null for the most probable class.</param>
    /// <param name="probabilities">The probability of each class.</param>
    static member Classes
        (conformal: Conformal, decision: Decision | null, probabilities: float[])
        : IReadOnlyList<int> =
        Conformal.classesWith (ValueOption.ofObj decision) conformal probabilities

    /// <summary>The interval of a number to predict, its lower and its upper bound.</summary>
    /// <param name="conformal">The margins.</param>
    /// <param name="output">The output, from 0.</param>
    /// <param name="prediction">What is predicted.</param>
    static member Interval
        (conformal: Conformal, output: int, prediction: float)
        : struct (float * float) =
        Conformal.interval conformal output prediction

/// Evaluations and histograms.
[<AbstractClass; Sealed>]
type Evaluations =
    /// <summary>The evaluation of a network on samples.</summary>
    /// <param name="options">How detailed it is.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">The samples.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    static member Create
        (options: EvaluationOptions, network: Network<'T>, data: Dataset<'T>)
        : Evaluation =
        Evaluation.create options network data

    /// <summary>The evaluation of a model on samples, with the model's own decision and margins.</summary>
    /// <param name="options">How detailed it is.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">The samples.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size.</exception>
    static member Create
        (options: EvaluationOptions, model: Model<'T>, data: Dataset<'T>)
        : Evaluation =
        Evaluation.create
            {
                options with
                    Decision = model.Decision
                    Conformal = model.Conformal
            }
            model.Network
            data

    /// <summary>What the sets or intervals of an evaluated model cover; null for a model without them.</summary>
    static member Coverage(evaluation: Evaluation) : CoverageFigures | null =
        match evaluation with
        | Evaluation.Classification figures -> figures.Coverage.OrNull()
        | Evaluation.Regression figures -> figures.Coverage.OrNull()

    /// <summary>The figure of an evaluation; NaN if it is not one of the evaluation's kind.</summary>
    static member Value(metric: Metric, evaluation: Evaluation) : float =
        Metric.value metric evaluation

    /// <summary>Whether the figure is one of numbers to predict; the others are of classes.</summary>
    static member IsOfNumbers(metric: Metric) : bool = Metric.isOfNumbers metric

    /// <summary>The figure as a number that is lower for a better model.</summary>
    static member Deficit(metric: Metric, value: float) : float = Metric.deficit metric value

    /// <summary>Whether a figure is not worse than another by more than a margin.</summary>
    /// <param name="metric">The figure.</param>
    /// <param name="margin">The margin, in the figure's unit, 0 or greater.</param>
    /// <param name="current">The figure to compare with.</param>
    /// <param name="candidate">The figure to judge.</param>
    static member IsNotWorse
        (metric: Metric, margin: float, current: float, candidate: float)
        : bool =
        Metric.isNotWorse metric margin current candidate

    /// <summary>The figures of an evaluation that models can be compared by, in order.</summary>
    static member Metrics(evaluation: Evaluation) : struct (Metric * float)[] =
        Metric.all evaluation
        |> List.map (fun (metric, value) -> struct (metric, value))
        |> Array.ofList

    /// <summary>What each input adds to a prediction; the parts are named by the inputs' indices.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <param name="network">The network.</param>
    /// <param name="inputs">A sample's inputs.</param>
    /// <exception cref="T:System.ArgumentException">There is no such output, or not as many inputs.</exception>
    static member Attribution(output: int, network: Network<'T>, inputs: Vector<'T>) : Attribution =
        Attribution.ofInputs output network inputs

    /// <summary>About how many multiplications a network takes for a sample; attributions take some 800 times as
    /// many.</summary>
    static member Multiplications(network: Network<'T>) : int64 =
        Attribution.multiplications network.Architecture

    /// <summary>The outputs of the first convolutions over images for a sample.</summary>
    /// <param name="most">The largest number of convolutions, 0 or more.</param>
    /// <param name="network">The network.</param>
    /// <param name="inputs">A sample's inputs.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many inputs as the network has.</exception>
    static member FeatureMaps(most: int, network: Network<'T>, inputs: Vector<'T>) : FeatureMaps[] =
        FeatureMaps.ofInputs most network inputs |> Array.ofList

    /// <summary>What each column of a table adds to a prediction.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <param name="encoding">The encoding of the samples.</param>
    /// <param name="network">The network.</param>
    /// <param name="inputs">A sample's inputs.</param>
    /// <exception cref="T:System.ArgumentException">There is no such output, or not as many inputs.</exception>
    static member Attribution
        (output: int, encoding: TableEncoding, network: Network<'T>, inputs: Vector<'T>)
        : Attribution =
        Attribution.ofColumns output (Importance.columnsOf encoding) network inputs

    /// <summary>The permutation importance of a table's columns, the most important first.</summary>
    /// <param name="seed">The seed of the permutations.</param>
    /// <param name="repetitions">How often each column is shuffled, 1 or more.</param>
    /// <param name="encoding">The encoding of the samples.</param>
    /// <param name="network">The network.</param>
    /// <param name="data">Samples that it did not learn from.</param>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's size, or repetitions are
    /// below 1.</exception>
    static member Importance
        (
            seed: uint64,
            repetitions: int,
            encoding: TableEncoding,
            network: Network<'T>,
            data: Dataset<'T>
        ) : Importance[] =
        Importance.ofColumns seed repetitions (Importance.columnsOf encoding) network data
        |> List.sortByDescending _.Loss
        |> Array.ofList

    /// <summary>The histogram of numbers, of which those that are not finite are left out.</summary>
    /// <param name="bins">How many bins, 1 or more.</param>
    /// <param name="numbers">The numbers.</param>
    static member Histogram(bins: int, numbers: float[]) : Histogram = Histogram.create bins numbers
