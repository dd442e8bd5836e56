namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra

/// The inputs of a data set, in their smallest useful form.
[<RequireQualifiedAccess>]
type Samples<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> =
    /// Bytes, sample after sample, each standing for byte / 255.
    | Bytes of ReadOnlyMemory<byte>
    /// The same without most of the zeros, where many are.
    | Pairs of BytePairs
    /// Numbers as they are: (features, samples), a sample a column.
    | Columns of Matrix<'T>

/// A few samples together, as one step of learning sees them.
type MiniBatch<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = private {
    inputs: Inputs<'T>
    targets: Targets<'T>
} with

    member internal batch.FirstInputs = batch.inputs
    /// The samples as numbers: (features, batch), a sample a column.
    member batch.Inputs = Inputs.columns batch.inputs
    /// How many samples.
    member batch.Count = Targets.count batch.targets
    /// One a sample.
    member batch.Targets = batch.targets

/// Making mini-batches and turning them from one precision to the other.
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
                $"expected as many targets as the {inputs.ColumnCount} samples, found {Targets.count targets}"

        {
            inputs = Inputs.Columns inputs
            targets = targets
        }

    /// <summary>The mini-batch in the other precision, each number rounded to the nearest.</summary>
    [<CompiledName("Convert")>]
    let convert
        (batch: MiniBatch<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        : MiniBatch<'U> when 'U :> IBinaryFloatingPointIeee754<'U> =
        let convert (m: Matrix<'T>) : Matrix<'U> =
            Kernels.values m
            |> Array.map (fun x -> 'U.CreateTruncating x)
            |> Kernels.matrix m.RowCount m.ColumnCount

        {
            inputs =
                match batch.inputs with
                | Inputs.Columns columns -> Inputs.Columns(convert columns)
                // Bytes are the same in both.
                | Inputs.Pairs batch -> Inputs.Pairs batch
            targets =
                match batch.targets with
                | Targets.Labels labels -> Targets.Labels labels
                | Targets.Distributions columns -> Targets.Distributions(convert columns)
        }

/// Samples with what should be said of them.
type Dataset<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = private {
    features: int
    classes: int
    samples: Samples<'T>
    targets: Targets<'T>
} with

    /// How many samples.
    member data.Count = Targets.count data.targets
    /// How many numbers a sample has.
    member data.Features = data.features
    /// How many classes there are.
    member data.Classes = data.classes
    /// What should be said of each.
    member data.Targets = data.targets

/// Making data sets and taking samples from them.
[<RequireQualifiedAccess>]
module Dataset =
    /// <summary>Samples given as columns.</summary>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="inputs">(features, samples).</param>
    /// <param name="targets">One a sample.</param>
    /// <exception cref="T:System.ArgumentException">There are not as many targets as samples, or a
    /// target is not one of the classes.</exception>
    [<CompiledName("OfColumns")>]
    let ofColumns (classes: int) (inputs: Matrix<'T>) (targets: Targets<'T>) : Dataset<'T> =
        if Targets.count targets <> inputs.ColumnCount then
            invalidArg
                (nameof targets)
                $"expected as many targets as the {inputs.ColumnCount} samples, found {Targets.count targets}"

        match targets with
        | Targets.Labels labels when
            labels |> Array.exists (fun label -> label < 0 || label >= classes)
            ->
            invalidArg (nameof targets) $"expected labels of 0 to {classes - 1}"
        | Targets.Distributions columns when columns.RowCount <> classes ->
            invalidArg (nameof targets) $"expected {classes} rows, found {columns.RowCount}"
        | _ -> ()

        {
            features = inputs.RowCount
            classes = classes
            samples = Samples.Columns inputs
            targets = targets
        }

    /// <summary>Images with their labels, each pixel scaled to byte / 255 when it is used.</summary>
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
                    $"one for each of the {images.Count} images"
                    $"{labels.Length}"
                int64 images.Count * int64 images.Rows * int64 images.Columns =
                    int64 images.Pixels.Length,
                Fault.create
                    "images"
                    $"{images.Count} × {images.Rows} × {images.Columns} pixels"
                    $"{images.Pixels.Length}"
                labels |> Array.forall (fun label -> label >= 0 && label < classes),
                Fault.create "labels" $"classes of 0 to {classes - 1}" "another"
            ]
            (fun () -> {
                features = images.Rows * images.Columns
                classes = classes
                samples =
                    match BytePairs.create (images.Rows * images.Columns) images.Pixels with
                    | ValueSome pairs -> Samples.Pairs pairs
                    | ValueNone -> Samples.Bytes images.Pixels
                targets = Targets.Labels labels
            })

    /// The samples at some places as a dense matrix.
    let private dense (features: int) (bytes: ReadOnlyMemory<byte>) (places: int[]) : Matrix<'T> =
        let values = Array.zeroCreate (features * places.Length)
        let table = &Lanes.start ByteScale<'T>.Table
        let pixels = bytes.Span
        let start = &Lanes.start values

        for s in 0 .. places.Length - 1 do
            let source = pixels.Slice(places[s] * features, features)
            let destination = &Unsafe.Add(&start, s * features)

            for i in 0 .. source.Length - 1 do
                let number = &Unsafe.Add(&destination, i)
                number <- Unsafe.Add(&table, int source[i])

        Kernels.matrix features places.Length values

    /// <summary>The samples at some places, in that order.</summary>
    /// <param name="places">Which samples, counted from 0; any may come more than once.</param>
    /// <param name="data">The data set.</param>
    /// <exception cref="T:System.ArgumentException">A place is outside the data set.</exception>
    [<CompiledName("Take")>]
    let take (places: int[]) (data: Dataset<'T>) : MiniBatch<'T> =
        for place in places do
            if place < 0 || place >= data.Count then
                invalidArg
                    (nameof places)
                    $"expected places of 0 to {data.Count - 1}, found {place}"

        let features = data.features

        {
            inputs =
                match data.samples with
                | Samples.Pairs pairs ->
                    Inputs.Pairs {
                        Source = pairs
                        Samples = Array.copy places
                    }
                | Samples.Bytes bytes -> Inputs.Columns(dense features bytes places)
                | Samples.Columns columns ->
                    let source = Kernels.values columns
                    let values = Array.zeroCreate (features * places.Length)

                    for s in 0 .. places.Length - 1 do
                        Array.blit source (places[s] * features) values (s * features) features

                    Inputs.Columns(Kernels.matrix features places.Length values)
            targets =
                match data.targets with
                | Targets.Labels labels ->
                    Targets.Labels(places |> Array.map (fun place -> labels[place]))
                | Targets.Distributions columns ->
                    places
                    |> Array.map (fun place -> columns.Column place)
                    |> Matrix<'T>.Build.DenseOfColumnVectors
                    |> Targets.Distributions
        }

    /// The samples of a part of so many, parts counted from 0; the last may be smaller.
    let internal part (size: int) (i: int) (data: Dataset<'T>) : MiniBatch<'T> =
        let first = i * size
        take [| first .. first + min size (data.Count - first) - 1 |] data

    /// How many such parts there are.
    let internal partCount (size: int) (data: Dataset<'T>) : int =
        if data.Count = 0 then 0 else (data.Count - 1) / size + 1

    /// <summary>All samples in order, in parts of at most <paramref name="size"/>.</summary>
    /// <exception cref="T:System.ArgumentException">The size is below 1.</exception>
    [<CompiledName("Parts")>]
    let parts (size: int) (data: Dataset<'T>) : MiniBatch<'T> seq =
        if size < 1 then
            invalidArg (nameof size) $"expected 1 or more, found {size}"

        seq {
            for i in 0 .. partCount size data - 1 do
                part size i data
        }
