namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// The samples of one step of learning, with their targets.
type MiniBatch<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = private {
    /// <exclude/>
    inputs: Inputs<'T>
    targets: Targets<'T>
    weights: 'T[] voption
} with

    member internal batch.FirstInputs = batch.inputs
    /// The samples as numbers: (features, batch), a sample a column.
    member batch.Inputs = batch.inputs.Numbers
    /// How many samples.
    member batch.Count = Targets.count batch.targets
    /// One a sample.
    member batch.Targets = batch.targets
    /// How much each sample counts; nothing if all count 1.
    member internal batch.Weights = batch.weights

/// Making mini-batches and converting their precision.
[<RequireQualifiedAccess>]
module MiniBatch =
    /// <summary>A mini-batch of samples given as columns.</summary>
    /// <param name="inputs">(features, batch).</param>
    /// <param name="targets">One a sample.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many targets as
    /// samples.</exception>
    [<CompiledName("Create")>]
    let create (inputs: Matrix<'T>) (targets: Targets<'T>) : MiniBatch<'T> =
        if inputs.ColumnCount <> Targets.count targets then
            invalidArg
                (nameof targets)
                (invariant
                    $"expected as many targets as the {inputs.ColumnCount} samples, found {Targets.count targets}")

        {
            inputs = Inputs.Columns inputs
            targets = targets
            weights = ValueNone
        }

    /// <summary>The same samples with weights: the mean loss becomes (1/n) Σₛ wₛ·ℓₛ, where ℓₛ is the loss of a
    /// sample. A sample of weight k then has the loss and the gradient of k equal samples, of n.</summary>
    /// <param name="weights">w, one a sample, 0 or greater.</param>
    /// <param name="batch">n samples.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many weights as samples, or one is negative or
    /// not finite.</exception>
    [<CompiledName("WithWeights")>]
    let withWeights
        (weights: float[])
        (batch: MiniBatch<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : MiniBatch<'T> =
        SampleWeights.require batch.Count weights

        {
            batch with
                weights =
                    weights |> Array.map (fun weight -> 'T.CreateTruncating weight) |> ValueSome
        }

    /// Whether the inputs are in that array.
    let internal refersTo (array: 'T[]) (batch: MiniBatch<'T>) : bool =
        match batch.inputs.Array with
        | ValueSome own -> obj.ReferenceEquals(own, array)
        | ValueNone -> false

    /// Returns the memory of a mini-batch that nothing refers to any more.
    let internal release (batch: MiniBatch<'T>) : unit =
        match batch.inputs with
        | Inputs.Columns columns
        | Inputs.Rows { Columns = columns } -> ArrayReuse.Return(Kernels.values columns)
        | Inputs.Lanes lanes -> ArrayReuse.Return lanes.Values
        | Inputs.Pairs _
        | Inputs.Buckets _ -> ()

    /// The same mini-batch with changed inputs; the memory of the old ones is returned.
    let internal revise (change: Matrix<'T> -> Matrix<'T>) (batch: MiniBatch<'T>) : MiniBatch<'T> =
        let numbers = batch.Inputs
        let changed = change numbers

        if not (obj.ReferenceEquals(changed, numbers)) then
            ArrayReuse.Return(Kernels.values numbers)

        {
            batch with
                inputs = Inputs.Columns changed
        }

    /// The same samples with other targets.
    let internal retarget
        (change: Targets<'T> -> Targets<'T>)
        (batch: MiniBatch<'T>)
        : MiniBatch<'T> = {
        batch with
            targets = change batch.targets
    }

    let private rounded
        (values: 'T[] when 'T :> IBinaryFloatingPointIeee754<'T>)
        : 'U[] when 'U :> IBinaryFloatingPointIeee754<'U> =
        values |> Array.map (fun x -> 'U.CreateTruncating x)

    /// <summary>The mini-batch in the other precision, each number rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert
        (batch: MiniBatch<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : MiniBatch<'U> when 'U :> IBinaryFloatingPointIeee754<'U> =
        let convert (m: Matrix<'T>) : Matrix<'U> =
            Kernels.values m |> rounded |> Kernels.matrix m.RowCount m.ColumnCount

        {
            inputs =
                match batch.inputs with
                | Inputs.Columns columns -> Inputs.Columns(convert columns)
                | Inputs.Lanes lanes ->
                    Inputs.Lanes {
                        Features = lanes.Features
                        Samples = lanes.Samples
                        Values = rounded lanes.Values
                    }
                | Inputs.Rows rows ->
                    Inputs.Rows {
                        Columns = convert rows.Columns
                        Sizes = rows.Sizes
                    }
                // Bytes are the same in both.
                | Inputs.Pairs batch
                | Inputs.Buckets { Batch = batch } -> Inputs.Pairs batch
            targets =
                match batch.targets with
                | Targets.Labels labels -> Targets.Labels labels
                | Targets.Columns columns -> Targets.Columns(convert columns)
            weights =
                match batch.weights with
                | ValueNone -> ValueNone
                | ValueSome weights -> ValueSome(rounded weights)
        }
