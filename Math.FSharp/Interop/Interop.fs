namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// <summary>What comes from outside, for C#: a value or faults, as a Try-method.</summary>
[<AbstractClass; Sealed; Extension>]
type ResultExtensions =
    /// <summary>The value, or every fault.</summary>
    /// <param name="result">What a parser or a <c>Create</c> returned.</param>
    /// <param name="value">The value, where there is one.</param>
    /// <param name="faults">The faults; none where there is a value.</param>
    /// <returns>Whether there is a value.</returns>
    [<Extension>]
    static member TryGet
        (
            result: Result<'V, Fault list>,
            [<Out>] value: byref<'V>,
            [<Out>] faults: byref<IReadOnlyList<Fault>>
        ) : bool =
        match result with
        | Ok good ->
            value <- good
            faults <- []
            true
        | Error found ->
            faults <- found
            false

/// Faults, whose module C# would know as FaultModule.
[<AbstractClass; Sealed>]
type Faults =
    /// <summary>A fault: where, what would have been right, what was there.</summary>
    static member Create(subject: string, expected: string, found: string) : Fault =
        Fault.create subject expected found

    /// <summary>A fault in free words, which go on after the subject.</summary>
    static member Message(subject: string, text: string) : Fault = Fault.message subject text

    /// <summary>The same fault of another subject.</summary>
    static member Of(subject: string, fault: Fault) : Fault = Fault.ofSubject subject fault

    /// <summary>The same fault with a remark in parentheses: where the value came from, for
    /// example.</summary>
    static member Remark(remark: string, fault: Fault) : Fault = Fault.remark remark fault

    /// <summary>The same fault of something inside a place, a file for example.</summary>
    static member Within(place: string, fault: Fault) : Fault = Fault.within place fault

/// What settings can choose by name.
[<AbstractClass; Sealed>]
type Choices =
    /// <summary>The optimizers, with the numbers that apply to each.</summary>
    static member Optimizers: IReadOnlyList<ChoiceDefinition> = OptimizerSpec.choices

    /// <summary>The schedules, with the numbers that apply to each.</summary>
    static member Schedules: IReadOnlyList<ChoiceDefinition> = Schedule.choices

/// Choices by their names, as settings spell them.
[<AbstractClass; Sealed>]
type Parse =
    /// <summary>Sigmoid, Tanh, Relu, …</summary>
    static member Activation(name: string) : Result<Activation, Fault list> = Activation.parse name

    /// <summary>Softmax, Sigmoid or Identity.</summary>
    static member Head(name: string) : Result<Head, Fault list> = Head.parse name

    /// <summary>Replacement or Epoch.</summary>
    static member Sampling(name: string) : Result<Sampling, Fault list> = Batch.parseSampling name

    /// <summary>Backpropagation or Numerical.</summary>
    static member Gradient(name: string) : Result<GradientMethod, Fault list> =
        Gradient.parseMethod name

    /// <summary>An optimizer with its numbers and transforms.</summary>
    static member Optimizer(choice: OptimizerOptions) : Result<OptimizerSpec, Fault list> =
        OptimizerSpec.create choice

    /// <summary>An optimizer of that name with its usual numbers.</summary>
    static member Optimizer(name: string) : Result<OptimizerSpec, Fault list> =
        OptimizerSpec.create (OptimizerSpec.named name)

    /// <summary>A schedule with its numbers.</summary>
    static member Schedule(choice: ScheduleOptions) : Result<ScheduleKind, Fault list> =
        Schedule.parse choice

    /// <summary>Fixed, with that deviation, XavierNormal, HeNormal, …</summary>
    static member Initialiser(name: string, deviation: float) : Result<Initialiser, Fault list> =
        Initialiser.parse deviation name

    /// <summary>Single or Double.</summary>
    static member Precision(name: string) : Result<Precision, Fault list> = Precision.parse name

/// What a run is told.
[<AbstractClass; Sealed>]
type Runs =
    /// <summary>The chapter's run.</summary>
    static member Book: Hyperparameters = Hyperparameters.book

    /// <summary>The number, unless the precision turns it into 0 or infinity.</summary>
    static member Hold
        (subject: string, precision: Precision, number: float)
        : Result<float, Fault list> =
        Precision.hold subject precision number

    /// <summary>The length that one of the two gives; the book's where neither does.</summary>
    static member Length
        (iterations: Nullable<int64>, epochs: Nullable<int>)
        : Result<RunLength, Fault list> =
        RunLength.create iterations epochs

    /// <summary>The hyperparameters, or everything that is wrong with the recipe.</summary>
    static member Hyperparameters(recipe: Recipe) : Result<Hyperparameters, Fault list> =
        Hyperparameters.create recipe

    /// <summary>Several steps, as <c>Trainer.Step</c> makes them one by one.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">How many steps at most.</param>
    /// <param name="goesOn">Told each iteration and its loss; says whether another step
    /// follows.</param>
    /// <param name="keeps">Told each state after that; says whether it keeps it.</param>
    /// <param name="state">Where the run stands; left as it was.</param>
    /// <returns>Where it stands after the last step made.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    static member Advance
        (
            settings: Hyperparameters,
            data: Dataset<'T>,
            count: int64,
            goesOn: Func<int64, float, bool>,
            keeps: Func<State<'T>, bool>,
            state: State<'T>
        ) : State<'T> =
        ArgumentNullException.ThrowIfNull(goesOn, nameof goesOn)
        ArgumentNullException.ThrowIfNull(keeps, nameof keeps)

        Trainer.advanceKeeping
            settings
            data
            count
            (fun i loss -> goesOn.Invoke(i, loss))
            keeps.Invoke
            state

    /// <summary>Several steps, as <c>Trainer.Step</c> makes them one by one, no state between them
    /// kept.</summary>
    /// <param name="settings">The run's hyperparameters.</param>
    /// <param name="data">The training data.</param>
    /// <param name="count">How many steps at most.</param>
    /// <param name="goesOn">Told each iteration and its loss; says whether another step
    /// follows.</param>
    /// <param name="state">Where the run stands; left as it was.</param>
    /// <returns>Where it stands after the last step made.</returns>
    /// <exception cref="T:System.ArgumentException">The data do not have the network's
    /// size.</exception>
    static member Advance
        (
            settings: Hyperparameters,
            data: Dataset<'T>,
            count: int64,
            goesOn: Func<int64, float, bool>,
            state: State<'T>
        ) : State<'T> =
        Runs.Advance(settings, data, count, goesOn, (fun _ -> false), state)

    /// <summary>How many samples an iteration, counted from 0, learns from.</summary>
    static member BatchSize(settings: Hyperparameters, samples: int, iteration: int64) : int =
        Batch.count settings.Sampling samples settings.BatchSize iteration

    /// <summary>Whether an iteration's learning rate depends on the length of the run: a longer run then
    /// differs from this one from its beginning.</summary>
    static member DependsOnLength(settings: Hyperparameters) : bool =
        Hyperparameters.dependsOnLength settings

    /// <summary>How many steps a run has on so many samples.</summary>
    static member Iterations(settings: Hyperparameters, samples: int) : int64 =
        Hyperparameters.iterations samples settings

/// Recipes with other settings, for which C# has no <c>with</c>.
[<AbstractClass; Sealed; Extension>]
type RecipeExtensions =
    /// <summary>The recipe with what is given in the place of its own:
    /// <c>Runs.Book.Recipe.With(batchSize: 20, learningRate: 0.5)</c>.</summary>
    /// <param name="recipe">The recipe, left as it was.</param>
    /// <param name="length">How long the run is.</param>
    /// <param name="batchSize">Samples in a mini-batch.</param>
    /// <param name="learningRate">η of the optimizer, or the highest of a schedule.</param>
    /// <param name="schedule">How the rate changes.</param>
    /// <param name="warmUp">Iterations in which the rate rises to the schedule's.</param>
    /// <param name="initialiser">How the weights begin.</param>
    /// <param name="sampling">How mini-batches are chosen.</param>
    /// <param name="gradient">How the gradient is found.</param>
    /// <param name="optimizer">What becomes of it.</param>
    /// <param name="augmentation">How training images are varied.</param>
    /// <param name="dropout">The share of hidden units that a step leaves out.</param>
    /// <param name="labelSmoothing">The share of every target that goes to all classes alike.</param>
    /// <param name="validation">The share of the training samples that is kept for validation.</param>
    /// <param name="earlyStopping">Epochs without a lower validation loss after which the run ends.</param>
    /// <param name="seed">What every random number of the run follows from.</param>
    [<Extension>]
    static member With
        (
            recipe: Recipe,
            [<Optional>] length: RunLength | null,
            [<Optional>] batchSize: Nullable<int>,
            [<Optional>] learningRate: Nullable<float>,
            [<Optional>] schedule: ScheduleKind | null,
            [<Optional>] warmUp: Nullable<int64>,
            [<Optional>] initialiser: Initialiser | null,
            [<Optional>] sampling: Sampling | null,
            [<Optional>] gradient: GradientMethod | null,
            [<Optional>] optimizer: OptimizerSpec | null,
            [<Optional>] augmentation: Augmentation | null,
            [<Optional>] dropout: Nullable<float>,
            [<Optional>] labelSmoothing: Nullable<float>,
            [<Optional>] validation: Nullable<float>,
            [<Optional>] earlyStopping: Nullable<int>,
            [<Optional>] seed: Nullable<uint64>
        ) : Recipe =
        let orOwn (own: 'V) (given: 'V | null) : 'V =
            match given with
            | null -> own
            | given -> given

        let orNumber (own: 'V) (given: Nullable<'V>) =
            if given.HasValue then given.Value else own

        {
            Length = orOwn recipe.Length length
            BatchSize = orNumber recipe.BatchSize batchSize
            LearningRate = orNumber recipe.LearningRate learningRate
            Schedule = orOwn recipe.Schedule schedule
            WarmUp = orNumber recipe.WarmUp warmUp
            Initialiser = orOwn recipe.Initialiser initialiser
            Sampling = orOwn recipe.Sampling sampling
            Gradient = orOwn recipe.Gradient gradient
            Optimizer = orOwn recipe.Optimizer optimizer
            Augmentation = orOwn recipe.Augmentation augmentation
            Dropout = orNumber recipe.Dropout dropout
            LabelSmoothing = orNumber recipe.LabelSmoothing labelSmoothing
            Validation = orNumber recipe.Validation validation
            EarlyStopping =
                if earlyStopping.HasValue then
                    ValueSome earlyStopping.Value
                else
                    recipe.EarlyStopping
            Seed = orNumber recipe.Seed seed
        }

/// Architectures from arrays.
[<AbstractClass; Sealed>]
type Architectures =
    /// <summary>Hidden layers of these widths with one activation, or what is wrong.</summary>
    /// <param name="head">What the outputs stand for.</param>
    /// <param name="inputs">Numbers in a sample.</param>
    /// <param name="hidden">Widths, from the input's side.</param>
    /// <param name="normalised">Whether the hidden layers are normalised over the mini-batch.</param>
    /// <param name="activation">The hidden layers' activation.</param>
    /// <param name="outputs">Classes to tell apart, or numbers that come out.</param>
    static member Create
        (
            head: Head,
            inputs: int,
            hidden: int seq,
            normalised: bool,
            activation: Activation,
            outputs: int
        ) : Result<Architecture, Fault list> =
        let layers = [
            for width in hidden ->
                {
                    Width = width
                    Normalised = normalised
                    Activation = activation
                }
        ]

        Architecture.create head inputs layers outputs

    /// <summary>Inputs, hidden widths and classes: <c>Dense(Activation.Sigmoid, 784, 50, 10)</c>.</summary>
    /// <exception cref="T:System.ArgumentException">There are fewer than two sizes, or one is out of
    /// range.</exception>
    static member Dense(activation: Activation, [<ParamArray>] sizes: int[]) : Architecture =
        Architecture.dense activation (List.ofArray sizes)

/// Activation functions, whose module C# would know as ActivationModule.
[<AbstractClass; Sealed>]
type Activations =
    /// <summary>The activation of every element.</summary>
    static member Apply(activation: Activation, z: Matrix<'T>) : Matrix<'T> =
        Activation.apply activation z

    /// <summary>Its derivative at every element.</summary>
    static member Derivative(activation: Activation, z: Matrix<'T>) : Matrix<'T> =
        Activation.derivative activation z

    /// <summary>Softmax of every column.</summary>
    static member Softmax(logits: Matrix<'T>) : Matrix<'T> = Activation.softmax logits

/// Networks with other parameters, for which C# has no <c>with</c>.
[<AbstractClass; Sealed; Extension>]
type NetworkExtensions =
    /// <summary>The network with these parameters.</summary>
    [<Extension>]
    static member With(network: Network<'T>, parameters: Parameters<'T>) : Network<'T> = {
        network with
            Parameters = parameters
    }

/// Parameters and gradients number by number.
[<AbstractClass; Sealed; Extension>]
type ParametersExtensions =
    /// <summary>What a function makes of every number.</summary>
    /// <param name="parameters">The parameters, left as they were.</param>
    /// <param name="change">The function.</param>
    [<Extension>]
    static member Map(parameters: Parameters<'T>, change: Func<'T, 'T>) : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(change, nameof change)

        parameters
        |> Parameters.mapTensors (fun _ values -> values |> Array.map change.Invoke)

    /// <summary>What a function makes of every two partners.</summary>
    /// <param name="parameters">The parameters, left as they were.</param>
    /// <param name="others">Of the same shape: a gradient, say.</param>
    /// <param name="combine">The function.</param>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<Extension>]
    static member Zip
        (parameters: Parameters<'T>, others: Parameters<'T>, combine: Func<'T, 'T, 'T>)
        : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(combine, nameof combine)
        Parameters.requireSameShape (nameof others) parameters others

        Parameters.mapTensors2
            (Array.map2 (fun one other -> combine.Invoke(one, other)))
            parameters
            others

    /// <summary>The length of all numbers as one vector.</summary>
    /// <param name="parameters">The parameters, or a gradient.</param>
    [<Extension>]
    static member Norm(parameters: Parameters<'T>) : float = Transform.norm parameters

/// Losses of one sample or a batch, with functions as delegates.
[<AbstractClass; Sealed>]
type Losses =
    /// <summary>The mean over a batch of a loss of one sample.</summary>
    /// <param name="loss">The loss of one sample, from target and prediction:
    /// <c>Loss.SumSquaredError</c>, say.</param>
    /// <param name="targets">One a sample.</param>
    /// <param name="predictions">(classes, batch).</param>
    static member OfBatch
        (loss: Func<Vector<'T>, Vector<'T>, 'T>, targets: Targets<'T>, predictions: Matrix<'T>)
        : 'T =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        Loss.ofBatch (fun target prediction -> loss.Invoke(target, prediction)) targets predictions

/// Tables out of files.
[<AbstractClass; Sealed>]
type Tables =
    /// <summary>The table in the bytes of a Parquet file.</summary>
    /// <param name="limit">The most bytes of all columns, unpacked; a cell counts as eight.</param>
    /// <param name="unpack">Fills the last bytes with what the first hold, and says whether these held
    /// just as much: false, not an exception, for bytes that are damaged.</param>
    /// <param name="bytes">The whole file.</param>
    static member OfParquet
        (
            limit: int64,
            unpack: Func<ParquetCodec, ReadOnlyMemory<byte>, Memory<byte>, bool>,
            bytes: ReadOnlyMemory<byte>
        ) : Result<Table, Fault list> =
        ArgumentNullException.ThrowIfNull(unpack, nameof unpack)
        Parquet.parse limit (fun codec packed page -> unpack.Invoke(codec, packed, page)) bytes

/// Gradients of functions given as delegates.
[<AbstractClass; Sealed>]
type Gradients =
    /// <summary>The gradient of any function of a vector, by its definition.</summary>
    /// <param name="step">h of the central difference.</param>
    /// <param name="f">The function.</param>
    /// <param name="at">Where.</param>
    static member Numerical(step: 'T, f: Func<Vector<'T>, 'T>, at: Vector<'T>) : Vector<'T> =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        Gradient.numerical step f.Invoke at

    /// <summary>The gradient of any function of a network in every parameter, by its
    /// definition.</summary>
    /// <param name="step">h of the central difference.</param>
    /// <param name="objective">The function, called from several threads.</param>
    /// <param name="network">Where.</param>
    static member NumericalOf
        (step: 'T, objective: Func<Network<'T>, 'T>, network: Network<'T>)
        : Parameters<'T> =
        ArgumentNullException.ThrowIfNull(objective, nameof objective)
        Gradient.numericalOf step objective.Invoke network

    /// <summary>Holds the gradient of a function of a matrix to its definition.</summary>
    /// <param name="f">The function; it gets matrices of its own.</param>
    /// <param name="gradient">Its gradient, to be judged.</param>
    /// <param name="at">Where.</param>
    /// <returns>The verdict; <c>ToString</c> says it in sentences.</returns>
    static member Check
        (f: Func<Matrix<float>, float>, gradient: Matrix<float>, at: Matrix<float>)
        : GradientCheck =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        GradientCheck.ofMatrix f.Invoke gradient at

    /// <summary>Holds any gradient of a function of a network to its definition.</summary>
    /// <param name="loss">The function, called from several threads.</param>
    /// <param name="gradient">The gradient to judge, shaped like the parameters.</param>
    /// <param name="network">Where.</param>
    static member Check
        (loss: Func<Network<float>, float>, gradient: Parameters<float>, network: Network<float>)
        : GradientCheck =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        GradientCheck.ofFunction loss.Invoke gradient network

    /// <summary>Holds the gradient that training takes to its definition.</summary>
    /// <param name="network">Where.</param>
    /// <param name="batch">The samples of the loss.</param>
    static member Check(network: Network<float>, batch: MiniBatch<float>) : GradientCheck =
        GradientCheck.ofNetwork network batch

/// Optimizers, and gradient descent on functions given as delegates.
[<AbstractClass; Sealed; Extension>]
type Optimizers =
    /// <summary>The state before the first step.</summary>
    /// <param name="optimizer"><c>Optimizer.Adam&lt;float&gt;(0.9, 0.999, 1e-8)</c>, say.</param>
    /// <param name="parameters">Of the shape that the steps will have.</param>
    [<Extension>]
    static member Start(optimizer: Optimizer<'T>, parameters: Parameters<'T>) : OptimizerState<'T> =
        optimizer.Init parameters

    /// <summary>The next parameters and state.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="gradient">The gradient.</param>
    /// <param name="state">What the optimizer remembers.</param>
    /// <param name="parameters">Where it stands, left as it was.</param>
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

    /// <summary>An optimizer of one's own.</summary>
    /// <param name="names">What it remembers: a number for every parameter under each name, 0 before the
    /// first step.</param>
    /// <param name="update">Makes of rate, gradient, parameters and memories the next parameters and
    /// memories.</param>
    static member Create
        (
            names: string seq,
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
            Seq.map2 (fun name values -> { Name = name; Values = values }) names values
            |> List.ofSeq

        {
            Init =
                fun parameters -> {
                    Steps = 0L
                    Memory = names |> Seq.map (fun _ -> Parameters.zeros parameters) |> memory
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
        }

    /// <summary>Gradient descent on any function: the start and the place after every step.</summary>
    /// <param name="rate">Learning rate.</param>
    /// <param name="steps">How many steps.</param>
    /// <param name="gradient">The function's gradient.</param>
    /// <param name="start">Where to begin.</param>
    static member Descent
        (rate: 'T, steps: int, gradient: Func<Vector<'T>, Vector<'T>>, start: Vector<'T>)
        : IReadOnlyList<Vector<'T>> =
        ArgumentNullException.ThrowIfNull(gradient, nameof gradient)
        Optimizer.descent rate steps gradient.Invoke start

/// Models from dictionaries and sequences.
[<AbstractClass; Sealed>]
type Models =
    /// <summary>A network with what it takes to ask it.</summary>
    /// <param name="network">The network.</param>
    /// <param name="preprocessing">What becomes of a sample before it enters.</param>
    /// <param name="classes">The classes' names, one an output; or none.</param>
    /// <param name="notes">Names and texts to keep beside them.</param>
    static member Create
        (
            network: Network<'T>,
            preprocessing: Preprocessing,
            classes: string seq,
            notes: IReadOnlyDictionary<string, string>
        ) : Model<'T> = {
        Network = network
        Preprocessing = preprocessing
        Classes = List.ofSeq classes
        Notes = [ for pair in notes -> pair.Key, pair.Value ]
    }
