namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Formats

/// The inputs of a data set, in their smallest useful form.
[<RequireQualifiedAccess>]
type internal Samples<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> =
    /// Bytes, sample after sample, each of which means byte / 255.
    | Bytes of ReadOnlyMemory<byte>
    /// The same without most of the zeros, if there are many.
    | Pairs of SparseBytes
    /// Numbers: (features, samples), a sample a column.
    | Columns of Matrix<'T>
    /// Rows of a table with columns of categories.
    | Encoded of EncodedRows<'T>

/// Samples with their targets.
type Dataset<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = private {
    features: int
    classes: int
    /// <exclude/>
    samples: Samples<'T>
    /// The indices of the data set's samples; all samples without them.
    indices: int[] voption
    /// The size of samples that are images.
    image: ImageSize voption
    targets: Targets<'T>
    /// How much each sample counts; nothing if all count 1.
    weights: 'T[] voption
    /// A hash of each sample before its encoding, by which samples are split; without hashes they are split
    /// by their indices.
    keys: uint64[] voption
} with

    /// How many samples.
    member data.Count = Targets.count data.targets
    /// How many numbers a sample has.
    member data.Features = data.features
    /// How many classes there are.
    member data.Classes = data.classes
    /// The size of a sample, where samples are images.
    member data.ImageSize = data.image

    /// The shape of a sample.
    member data.Shape =
        match data.image with
        | ValueSome size -> Shape.Image(size.Channels, size.Rows, size.Columns)
        | ValueNone -> Shape.Vector data.features

    /// The expected outputs.
    member data.Targets = data.targets
    /// Whether the samples have weights.
    member data.HasWeights = data.weights.IsSome

/// Making data sets and taking samples from them.
[<RequireQualifiedAccess>]
module Dataset =
    /// A data set of a number of samples, each with a number of features. Refuses targets that do not fit.
    let private ofSamples
        (classes: int)
        (count: int)
        (features: int)
        (samples: Samples<'T>)
        (targets: Targets<'T>)
        : Dataset<'T> =
        if Targets.count targets <> count then
            invalidArg
                (nameof targets)
                (invariant
                    $"expected as many targets as the {count} samples, found {Targets.count targets}")

        match targets with
        | Targets.Labels labels when
            labels |> Array.exists (fun label -> label < 0 || label >= classes)
            ->
            invalidArg (nameof targets) (invariant $"expected labels of 0 to {classes - 1}")
        | Targets.Columns columns when columns.RowCount <> classes ->
            invalidArg
                (nameof targets)
                (invariant $"expected {classes} rows, found {columns.RowCount}")
        | _ -> ()

        {
            features = features
            classes = classes
            samples = samples
            indices = ValueNone
            image = ValueNone
            targets = targets
            weights = ValueNone
            keys = ValueNone
        }

    /// <summary>Samples given as columns.</summary>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="inputs">(features, samples).</param>
    /// <param name="targets">One a sample.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many targets as samples, or a
    /// target is not one of the classes.</exception>
    [<CompiledName("OfColumns")>]
    let ofColumns (classes: int) (inputs: Matrix<'T>) (targets: Targets<'T>) : Dataset<'T> =
        ofSamples classes inputs.ColumnCount inputs.RowCount (Samples.Columns inputs) targets

    /// Samples given as a table's rows: those of `ofColumns` with the rows expanded. Rows without categories are
    /// their own inputs.
    let internal ofRows
        (classes: int)
        (rows: EncodedRows<'T>)
        (targets: Targets<'T>)
        : Dataset<'T> =
        if rows.Sizes.Length = 0 then
            ofColumns classes rows.Columns targets
        else
            ofSamples
                classes
                rows.Columns.ColumnCount
                (EncodedRows.features rows)
                (Samples.Encoded rows)
                targets

    /// The same samples with a hash of each, by which they are split.
    let internal withKeys (keys: uint64[]) (data: Dataset<'T>) : Dataset<'T> = {
        data with
            keys = ValueSome keys
    }

    /// The same samples with other targets, one a sample.
    let internal withTargets (targets: Targets<'T>) (data: Dataset<'T>) : Dataset<'T> = {
        data with
            targets = targets
    }

    /// <summary>The same samples with weights: the loss and the gradient of a sample are multiplied by its
    /// weight.</summary>
    /// <remarks>The weights are divided by their mean, so that the learning rate keeps its meaning. The mean loss of
    /// all samples is Σₛ wₛ·ℓₛ / Σₛ wₛ: a sample of weight k counts like k equal samples. Accuracy and other figures
    /// of predictions count every sample once.</remarks>
    /// <param name="weights">w, one a sample, 0 or greater; not all are 0.</param>
    /// <param name="data">The samples.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many weights as samples, one is negative or not
    /// finite, all are 0, or their sum is not finite.</exception>
    [<CompiledName("WithWeights")>]
    let withWeights
        (weights: float[])
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : Dataset<'T> =
        SampleWeights.require data.Count weights
        let mean = Array.fold (+) 0.0 weights / float weights.Length

        if mean = 0.0 then
            invalidArg (nameof weights) "expected a weight greater than 0, found zeros only"

        if Double.IsInfinity mean then
            invalidArg (nameof weights) "expected weights with a finite sum, found larger ones"

        {
            data with
                weights =
                    weights
                    |> Array.map (fun weight -> 'T.CreateTruncating(weight / mean))
                    |> ValueSome
        }

    /// <summary>The same samples without weights: each counts 1.</summary>
    /// <param name="data">The samples.</param>
    [<CompiledName("WithoutWeights")>]
    let withoutWeights (data: Dataset<'T>) : Dataset<'T> = { data with weights = ValueNone }

    /// <summary>How much each sample counts: 1 without weights.</summary>
    /// <param name="data">The samples.</param>
    [<CompiledName("Weights")>]
    let weights (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : float[] =
        match data.weights with
        | ValueSome weights -> weights |> Array.map Double.CreateTruncating
        | ValueNone -> Array.create data.Count 1.0

    /// <summary>Images with their labels; each pixel is scaled to byte / 255 when it is used.</summary>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="images">The images.</param>
    /// <param name="labels">One an image, below <paramref name="classes"/>.</param>
    /// <returns>The data set, or a fault where the numbers of images and labels differ.</returns>
    [<CompiledName("OfIdx")>]
    let ofIdx (classes: int) (images: IdxImages) (labels: int[]) : Result<Dataset<'T>, Fault list> =
        Fault.check
            [
                images.Count = labels.Length,
                Fault.create
                    "labels"
                    (invariant $"one for each of the {images.Count} images")
                    (string labels.Length)
                Tensor.bytesOf
                    [
                        int64 images.Count
                        int64 images.Size.Channels
                        int64 images.Size.Rows
                        int64 images.Size.Columns
                    ]
                    1 =
                    bigint images.Pixels.Length,
                Fault.create
                    "images"
                    (invariant $"bytes for {images.Count} images of {images.Size}")
                    (string images.Pixels.Length)
                labels |> Array.forall (fun label -> label >= 0 && label < classes),
                Fault.create "labels" (invariant $"classes of 0 to {classes - 1}") "another"
            ]
            (fun () -> {
                features = images.Size.Count
                classes = classes
                samples =
                    match SparseBytes.create images.Size.Count images.Pixels with
                    | ValueSome pairs -> Samples.Pairs pairs
                    | ValueNone -> Samples.Bytes images.Pixels
                indices = ValueNone
                image = ValueSome images.Size
                targets = Targets.Labels labels
                weights = ValueNone
                keys = ValueNone
            })

    /// The samples at those indices as a dense matrix.
    let private dense (features: int) (bytes: ReadOnlyMemory<byte>) (indices: int[]) : Matrix<'T> =
        let values = Kernels.newArray features indices.Length

        Simd.run features {
            ScaleLoop.Bytes = bytes
            Size = features
            Places = indices
            Scaled = values
        }

        Kernels.matrix features indices.Length values

    /// The stored indices of the data set's samples at those indices, in a new array.
    let private find (indices: int[]) (data: Dataset<'T>) : int[] =
        for index in indices do
            if index < 0 || index >= data.Count then
                invalidArg
                    (nameof indices)
                    (invariant $"expected indices of 0 to {data.Count - 1}, found {index}")

        match data.indices with
        | ValueNone -> Array.copy indices
        | ValueSome own -> indices |> Array.map (fun index -> own[index])

    /// What samples at those indices have of something that not all data sets have.
    let private pick (indices: int[]) (values: 'V[] voption) : 'V[] voption =
        values
        |> ValueOption.map (fun values -> indices |> Array.map (Array.get values))

    /// <summary>A data set of the samples at those indices, in that order. It shares their numbers with the
    /// given data set.</summary>
    /// <param name="indices">Which samples, counted from 0; any may come more than once.</param>
    /// <param name="data">The data set.</param>
    /// <exception cref="T:System.ArgumentException">An index is outside the data set.</exception>
    [<CompiledName("Select")>]
    let select (indices: int[]) (data: Dataset<'T>) : Dataset<'T> = {
        data with
            indices = ValueSome(find indices data)
            targets = Targets.take indices data.targets
            weights = pick indices data.weights
            keys = pick indices data.keys
    }

    /// The class of every sample; of a distribution, the most probable one.
    let private strata (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : int[] =
        match data.targets with
        | Targets.Labels labels -> labels
        | Targets.Columns columns -> Targets.argMax columns

    /// The samples that are not chosen, and those that are, both in the data set's order.
    let private apart (isChosen: bool[]) (data: Dataset<'T>) =
        let where kept =
            [| 0 .. data.Count - 1 |] |> Array.filter (fun index -> isChosen[index] = kept)

        struct (select (where false) data, select (where true) data)

    let private requireFraction (fraction: float) : unit =
        NumberRange.require (nameof fraction) (NumberRange.between 0.0 1.0) fraction

    /// <summary>Splits a data set into training and validation samples.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="fraction">The fraction for validation, 0 to 1.</param>
    /// <param name="data">The data set.</param>
    /// <returns>Training and validation samples, both in the data set's order; no sample is in both.</returns>
    /// <exception cref="T:System.ArgumentException">The fraction is out of range.</exception>
    /// <remarks>Rows of a table are split by a hash of the row and the seed: a row stays on its side whatever
    /// other rows there are, equal rows are on the same side, and the number of rows is near the fraction.
    /// Other samples are split by their indices, with the nearest whole number to the fraction in each
    /// class.</remarks>
    [<CompiledName("Split")>]
    let split
        (seed: uint64)
        (fraction: float)
        (data: Dataset<'T>)
        : struct (Dataset<'T> * Dataset<'T>) =
        requireFraction fraction

        let isKept =
            match data.keys with
            | ValueSome keys -> KeyedFraction.choose seed RandomStream.Validation fraction keys
            | ValueNone ->
                StratifiedSample.choose seed RandomStream.Validation fraction (strata data)

        apart isKept data

    /// <summary>A fraction of the samples, with the nearest whole number to it in each class.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="fraction">The fraction, 0 to 1.</param>
    /// <param name="data">The data set.</param>
    /// <returns>The chosen samples in the data set's order.</returns>
    /// <exception cref="T:System.ArgumentException">The fraction is out of range.</exception>
    /// <remarks>Of a table's rows, those with the smallest hashes are chosen in each class: adding rows or
    /// changing their order changes few of them.</remarks>
    [<CompiledName("Sample")>]
    let sample (seed: uint64) (fraction: float) (data: Dataset<'T>) : Dataset<'T> =
        requireFraction fraction

        let isKept =
            match data.keys with
            | ValueSome keys ->
                // Not the stream of split, which would select the same rows for validation.
                StratifiedSample.chooseByKey seed RandomStream.Sample fraction keys (strata data)
            | ValueNone ->
                StratifiedSample.choose seed RandomStream.Validation fraction (strata data)

        let struct (_, chosen) = apart isKept data
        chosen

    /// <summary>The samples at those indices, in that order.</summary>
    /// <param name="indices">Which samples, counted from 0; any may come more than once.</param>
    /// <param name="data">The data set.</param>
    /// <exception cref="T:System.ArgumentException">An index is outside the data set, or there are more
    /// numbers than an array holds.</exception>
    [<CompiledName("Take")>]
    let take (indices: int[]) (data: Dataset<'T>) : MiniBatch<'T> =
        let most = Array.MaxLength / data.features

        if indices.Length > most then
            invalidArg
                (nameof indices)
                (invariant
                    $"expected at most {most} samples of {data.features} numbers at once, found {indices.Length}")

        let found = find indices data
        let targets = Targets.take indices data.targets
        let weights = pick indices data.weights
        let indices = found
        let features = data.features

        {
            inputs =
                match data.samples with
                | Samples.Pairs pairs -> Inputs.Pairs { Source = pairs; Samples = indices }
                | Samples.Bytes bytes -> Inputs.Columns(dense features bytes indices)
                | Samples.Columns columns ->
                    let source = Kernels.values columns
                    let values = Kernels.newArray features indices.Length

                    for s in 0 .. indices.Length - 1 do
                        if s + 1 < indices.Length then
                            Simd.prefetch (&Simd.start source, indices[s + 1] * features, features)

                        Array.blit source (indices[s] * features) values (s * features) features

                    Inputs.Columns(Kernels.matrix features indices.Length values)
                | Samples.Encoded rows when EncodedRows.isSparse rows ->
                    Inputs.Rows(EncodedRows.take indices rows)
                | Samples.Encoded rows -> Inputs.Columns(EncodedRows.expand indices rows)
            targets = targets
            weights = weights
        }

    /// The bytes of a sample, whose numbers are bytes / 255.
    [<MethodImpl(MethodImplOptions.AggressiveOptimization)>]
    let internal writeBytes
        (index: int)
        (bytes: byte[])
        (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : unit =
        let place =
            match data.indices with
            | ValueSome own -> own[index]
            | ValueNone -> index

        match data.samples with
        | Samples.Bytes all ->
            all.Span.Slice(place * data.features, data.features).CopyTo(bytes.AsSpan())
        | Samples.Pairs all ->
            Array.Clear bytes

            for n in all.Starts[place] .. all.Starts[place + 1] - 1 do
                let pair = all.Pairs[n]
                bytes[2 * pair.Key] <- byte pair.First

                if pair.Second <> 0 then
                    bytes[2 * pair.Key + 1] <- byte pair.Second
        | _ ->
            let numbers = Kernels.values (take [| index |] data).Inputs

            for i in 0 .. numbers.Length - 1 do
                bytes[i] <- byte (Math.Round(255.0 * Double.CreateSaturating numbers[i]))

    /// The indices of the samples of a part, parts counted from 0; the last may be smaller than the size.
    let internal part (size: int) (i: int) (data: Dataset<'T>) : int[] =
        let first = i * size
        [| first .. first + min size (data.Count - first) - 1 |]

    /// How many parts of that size there are.
    let internal partCount (size: int) (data: Dataset<'T>) : int =
        if data.Count = 0 then 0 else (data.Count - 1) / size + 1
