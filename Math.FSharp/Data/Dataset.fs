namespace Pipeline.Learning

open System
open System.Numerics
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
    /// Bytes, sample after sample, each standing for byte / 255.
    | Bytes of ReadOnlyMemory<byte>
    /// The same without most of the zeros, where many are.
    | Pairs of SparseBytes
    /// Numbers as they are: (features, samples), a sample a column.
    | Columns of Matrix<'T>

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
    /// Where in them the data set's own stand; all of them where there is none.
    places: int[] voption
    /// Rows and columns, where samples are images.
    image: struct (int * int) voption
    targets: Targets<'T>
    /// A hash of each sample as it was before it was encoded, by which samples are shared out; by their
    /// places where there is none.
    keys: uint64[] voption
} with

    /// How many samples.
    member data.Count = Targets.count data.targets
    /// How many numbers a sample has.
    member data.Features = data.features
    /// How many classes there are.
    member data.Classes = data.classes
    /// Rows and columns of a sample, where samples are images.
    member data.ImageSize = data.image
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
                $"expected as many targets as the %d{inputs.ColumnCount} samples, found %d{Targets.count targets}"

        match targets with
        | Targets.Labels labels when
            labels |> Array.exists (fun label -> label < 0 || label >= classes)
            ->
            invalidArg (nameof targets) $"expected labels of 0 to %d{classes - 1}"
        | Targets.Columns columns when columns.RowCount <> classes ->
            invalidArg (nameof targets) $"expected %d{classes} rows, found %d{columns.RowCount}"
        | _ -> ()

        {
            features = inputs.RowCount
            classes = classes
            samples = Samples.Columns inputs
            places = ValueNone
            image = ValueNone
            targets = targets
            keys = ValueNone
        }

    /// The same samples with a hash of each, by which they are shared out.
    let internal withKeys (keys: uint64[]) (data: Dataset<'T>) : Dataset<'T> = {
        data with
            keys = ValueSome keys
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
                    $"one for each of the %d{images.Count} images"
                    (string labels.Length)
                int64 images.Count * int64 images.Rows * int64 images.Columns =
                    int64 images.Pixels.Length,
                Fault.create
                    "images"
                    $"%d{images.Count} × %d{images.Rows} × %d{images.Columns} pixels"
                    (string images.Pixels.Length)
                labels |> Array.forall (fun label -> label >= 0 && label < classes),
                Fault.create "labels" $"classes of 0 to %d{classes - 1}" "another"
            ]
            (fun () -> {
                features = images.Rows * images.Columns
                classes = classes
                samples =
                    match SparseBytes.create (images.Rows * images.Columns) images.Pixels with
                    | ValueSome pairs -> Samples.Pairs pairs
                    | ValueNone -> Samples.Bytes images.Pixels
                places = ValueNone
                image = ValueSome(struct (images.Rows, images.Columns))
                targets = Targets.Labels labels
                keys = ValueNone
            })

    /// The samples at some places as a dense matrix.
    let private dense (features: int) (bytes: ReadOnlyMemory<byte>) (places: int[]) : Matrix<'T> =
        let values = Kernels.newArray features places.Length

        Simd.run features {
            ScaleLoop.Bytes = bytes
            Size = features
            Places = places
            Scaled = values
        }

        Kernels.matrix features places.Length values

    /// Where the samples at some places of the data set stand: a new array.
    let private find (places: int[]) (data: Dataset<'T>) : int[] =
        for place in places do
            if place < 0 || place >= data.Count then
                invalidArg
                    (nameof places)
                    $"expected places of 0 to %d{data.Count - 1}, found %d{place}"

        match data.places with
        | ValueNone -> Array.copy places
        | ValueSome own -> places |> Array.map (fun place -> own[place])

    /// <summary>A data set of the samples at some places, in that order. Their numbers are held once,
    /// with those of the whole.</summary>
    /// <param name="places">Which samples, counted from 0; any may come more than once.</param>
    /// <param name="data">The whole.</param>
    /// <exception cref="T:System.ArgumentException">A place is outside the data set.</exception>
    [<CompiledName("Select")>]
    let select (places: int[]) (data: Dataset<'T>) : Dataset<'T> = {
        data with
            places = ValueSome(find places data)
            targets = Targets.take places data.targets
            keys = data.keys |> ValueOption.map (fun keys -> places |> Array.map (Array.get keys))
    }

    /// The class of every sample: of a distribution, the most probable.
    let private strata (data: Dataset<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : int[] =
        match data.targets with
        | Targets.Labels labels -> labels
        | Targets.Columns columns -> Targets.mostProbable columns

    /// Those that are chosen, and the others, each in the whole's order.
    let private apart (isChosen: bool[]) (data: Dataset<'T>) =
        let where kept =
            [| 0 .. data.Count - 1 |] |> Array.filter (fun place -> isChosen[place] = kept)

        struct (select (where false) data, select (where true) data)

    let private requireShare (share: float) : unit =
        if not (share >= 0.0 && share <= 1.0) then
            invalidArg (nameof share) $"expected 0 to 1, found {string share}"

    /// <summary>The data set in two: for training, and for validation.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="share">The share for validation, 0 to 1.</param>
    /// <param name="data">The whole.</param>
    /// <returns>Training and validation, each in the whole's order; no sample is in both.</returns>
    /// <exception cref="T:System.ArgumentException">The share is out of range.</exception>
    /// <remarks>Rows of a table are shared out by a hash of the row and the seed: a row stays on its side
    /// whatever other rows there are, equal rows are on the same side, and the number is near the share. Of
    /// other samples, so many of each class are chosen, by their places, that the number is nearest to the
    /// share.</remarks>
    [<CompiledName("Split")>]
    let split
        (seed: uint64)
        (share: float)
        (data: Dataset<'T>)
        : struct (Dataset<'T> * Dataset<'T>) =
        requireShare share

        let isKept =
            match data.keys with
            | ValueSome keys -> KeyedShare.choose seed Stream.Validation share keys
            | ValueNone -> StratifiedSample.choose seed Stream.Validation share (strata data)

        apart isKept data

    /// <summary>A share of the samples: of each class, so many that the number is nearest to it.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="share">The share, 0 to 1.</param>
    /// <param name="data">The whole.</param>
    /// <returns>The chosen samples in the whole's order.</returns>
    /// <exception cref="T:System.ArgumentException">The share is out of range.</exception>
    /// <remarks>Of a table those rows of each class are chosen whose hashes are the smallest: other rows, or
    /// another order, change few of them.</remarks>
    [<CompiledName("Sample")>]
    let sample (seed: uint64) (share: float) (data: Dataset<'T>) : Dataset<'T> =
        requireShare share

        let isKept =
            match data.keys with
            | ValueSome keys ->
                StratifiedSample.chooseByKey seed Stream.Validation share keys (strata data)
            | ValueNone -> StratifiedSample.choose seed Stream.Validation share (strata data)

        let struct (_, chosen) = apart isKept data
        chosen

    /// <summary>The samples at some places, in that order.</summary>
    /// <param name="places">Which samples, counted from 0; any may come more than once.</param>
    /// <param name="data">The data set.</param>
    /// <exception cref="T:System.ArgumentException">A place is outside the data set, or there are more
    /// numbers than an array holds.</exception>
    [<CompiledName("Take")>]
    let take (places: int[]) (data: Dataset<'T>) : MiniBatch<'T> =
        let most = Array.MaxLength / data.features

        if places.Length > most then
            invalidArg
                (nameof places)
                $"expected at most %d{most} samples of %d{data.features} numbers at once, found %d{places.Length}"

        let found = find places data
        let targets = Targets.take places data.targets
        let places = found
        let features = data.features

        {
            inputs =
                match data.samples with
                | Samples.Pairs pairs -> Inputs.Pairs { Source = pairs; Samples = places }
                | Samples.Bytes bytes -> Inputs.Columns(dense features bytes places)
                | Samples.Columns columns ->
                    let source = Kernels.values columns
                    let values = Kernels.newArray features places.Length

                    for s in 0 .. places.Length - 1 do
                        if s + 1 < places.Length then
                            Simd.prefetch (&Simd.start source, places[s + 1] * features, features)

                        Array.blit source (places[s] * features) values (s * features) features

                    Inputs.Columns(Kernels.matrix features places.Length values)
            targets = targets
        }

    /// The samples of a part, parts counted from 0; the last may be smaller than the size.
    let internal part (size: int) (i: int) (data: Dataset<'T>) : MiniBatch<'T> =
        let first = i * size
        take [| first .. first + min size (data.Count - first) - 1 |] data

    /// How many parts of that size there are.
    let internal partCount (size: int) (data: Dataset<'T>) : int =
        if data.Count = 0 then 0 else (data.Count - 1) / size + 1
