namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open Pipeline.Learning
open Pipeline.Learning.Formats

/// Arrays of files.
[<AbstractClass; Sealed>]
type Tensors =
    /// <summary>The shape in words: 60000 × 28 × 28.</summary>
    static member ShapeText(tensor: Tensor) : string = Tensor.shapeTextOf tensor

    /// <summary>The elements' bytes, little-endian.</summary>
    static member ToBytes(tensor: Tensor) : byte[] = Tensor.toBytes tensor

    /// <summary>The elements in double precision.</summary>
    static member ToDoubles(tensor: Tensor) : float[] = Tensor.toDoubles tensor

/// Samples of classes that count differently.
[<AbstractClass; Sealed>]
type WeightedClasses =
    /// <summary><c>Balanced</c>, or <c>class=weight</c> for some classes.</summary>
    static member Parse(texts: string seq) : Result<ClassWeights, Fault list> =
        ClassWeights.parse (List.ofSeq texts)

    /// <summary>The samples with their weights times those of their classes, or what is wrong with these.</summary>
    /// <param name="weights">How much a sample of each class counts.</param>
    /// <param name="classes">The classes' names.</param>
    /// <param name="data">The samples.</param>
    static member Apply
        (weights: ClassWeights, classes: string seq, data: Dataset<'T>)
        : Result<Dataset<'T>, Fault list> =
        ClassWeights.apply (List.ofSeq classes) weights data

/// Splits of samples into training, validation and test samples.
[<AbstractClass; Sealed; Extension>]
type DataSplits =
    /// <summary>The split, or everything that is wrong with it.</summary>
    /// <param name="samples">How many training samples to use; null for all.</param>
    /// <param name="testShare">The share for the test set.</param>
    /// <param name="validation">The share of the training samples for validation.</param>
    /// <param name="seed">The run's seed.</param>
    static member Create
        (samples: Nullable<int>, testShare: float, validation: float, seed: uint64)
        : Result<DataSplit, Fault list> =
        DataSplit.create samples testShare validation seed

    /// <summary>The training samples to learn from, and those for validation.</summary>
    /// <param name="split">The split.</param>
    /// <param name="all">The training samples.</param>
    /// <param name="createException">Makes the exception where one of both would be empty.</param>
    /// <returns>Both; null for validation where the split has no share for it.</returns>
    [<Extension>]
    static member Training
        (split: DataSplit, all: Dataset<'T>, createException: Func<IReadOnlyList<Fault>, exn>)
        : struct (Dataset<'T> * (Dataset<'T> | null)) =
        let struct (train, validation) =
            ResultExtensions.OrThrow(DataSplit.training split all, createException)

        struct (train, validation.OrNull())
