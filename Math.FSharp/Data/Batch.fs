namespace Pipeline.Learning

/// How the samples of a mini-batch are chosen.
[<RequireQualifiedAccess>]
type Sampling =
    /// Each sample drawn from all of them, as in the book: some come twice, some not at all.
    | Replacement
    /// A new order of all samples each epoch, cut into batches: every sample once, the last batch shorter if
    /// the size does not divide their number.
    | Epoch

    /// The case's name.
    override sampling.ToString() =
        match sampling with
        | Replacement -> nameof Replacement
        | Epoch -> nameof Epoch

/// Finding samplings by name.
[<RequireQualifiedAccess>]
module Sampling =
    /// <summary>The sampling of that name, Replacement or Epoch, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Sampling, Fault list> =
        Fault.parseCase "Sampling" [ Sampling.Replacement; Sampling.Epoch ] name

/// <summary>The samples of each iteration, and the numbers of iterations and epochs.</summary>
/// <remarks>Source: Deep Learning from Scratch, ch. 4, mini-batch learning.</remarks>
[<RequireQualifiedAccess>]
module Batch =
    /// <summary>Iterations in an epoch: ⌈samples / size⌉.</summary>
    /// <exception cref="T:System.ArgumentException">Either is below 1.</exception>
    [<CompiledName("IterationsPerEpoch")>]
    let iterationsPerEpoch (samples: int) (size: int) : int =
        NumberRange.require (nameof samples) NumberRange.oneOrMore samples
        NumberRange.require (nameof size) NumberRange.oneOrMore size
        (samples - 1) / size + 1

    /// <summary>Iterations in some epochs.</summary>
    /// <exception cref="T:System.ArgumentException">Samples or size are below 1, or epochs below 0.</exception>
    [<CompiledName("Iterations")>]
    let iterations (samples: int) (size: int) (epochs: int) : int64 =
        NumberRange.require (nameof epochs) (NumberRange.atLeast 0) epochs
        int64 epochs * int64 (iterationsPerEpoch samples size)

    /// <summary>Whole epochs in some iterations, and the iterations left over.</summary>
    /// <exception cref="T:System.ArgumentException">Samples or size are below 1, or iterations below 0.</exception>
    [<CompiledName("Epochs")>]
    let epochs (samples: int) (size: int) (iterations: int64) : struct (int64 * int64) =
        NumberRange.require (nameof iterations) (NumberRange.atLeast 0L) iterations
        let each = int64 (iterationsPerEpoch samples size)
        struct (iterations / each, iterations % each)

    /// <summary>The order of all samples in an epoch.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="samples">How many samples there are.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <returns>The indices 0 … samples − 1, each once.</returns>
    /// <exception cref="T:System.ArgumentException">Samples are below 0.</exception>
    [<CompiledName("Order")>]
    let order (seed: uint64) (samples: int) (epoch: int64) : int[] =
        RandomNumbers.permutation samples seed RandomStream.EpochOrder epoch

    /// <summary>The samples of an iteration, each drawn from all of them.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="samples">How many samples there are.</param>
    /// <param name="size">How many to draw.</param>
    /// <param name="iteration">The iteration, from 0.</param>
    /// <returns>Indices of 0 … samples − 1.</returns>
    /// <exception cref="T:System.ArgumentException">Samples are below 1, or size is below 0.</exception>
    [<CompiledName("Draw")>]
    let draw (seed: uint64) (samples: int) (size: int) (iteration: int64) : int[] =
        RandomNumbers.severalBelow samples seed RandomStream.BatchWithReplacement iteration size

    /// <summary>The samples of an iteration under epoch sampling.</summary>
    /// <param name="order">The epoch's order.</param>
    /// <param name="size">How many samples a batch has.</param>
    /// <param name="iteration">The iteration, from 0, counted over all epochs.</param>
    /// <returns>The batch's part of the order: <paramref name="size"/> indices, fewer at its end.</returns>
    /// <exception cref="T:System.ArgumentException">The order is empty, or size is below 1.</exception>
    let internal slice (order: int[]) (size: int) (iteration: int64) : int[] =
        let each = iterationsPerEpoch order.Length size
        let first = int (iteration % int64 each) * size
        Array.sub order first (min size (order.Length - first))

    /// <summary>The number of samples of an iteration: the batch size, or fewer at the end of an
    /// epoch.</summary>
    /// <param name="sampling">How mini-batches are chosen.</param>
    /// <param name="samples">How many samples there are.</param>
    /// <param name="size">How many samples a batch has.</param>
    /// <param name="iteration">The iteration, from 0.</param>
    /// <exception cref="T:System.ArgumentException">Sampling is by epochs, and samples or size are
    /// below 1; with replacement, neither is checked.</exception>
    [<CompiledName("Count")>]
    let count (sampling: Sampling) (samples: int) (size: int) (iteration: int64) : int =
        match sampling with
        | Sampling.Replacement -> size
        | Sampling.Epoch ->
            let place = int (iteration % int64 (iterationsPerEpoch samples size))
            min size (samples - place * size)
