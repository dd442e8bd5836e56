namespace Pipeline.Learning

open System
open System.Globalization
open System.Text.Json

/// What values of a feature are counted together.
[<RequireQualifiedAccess>]
type FeatureBins =
    /// <summary>Numbers of neighbouring ranges: those up to the first limit, those above it and up to the next one, …,
    /// those above the last one; and the missing numbers.</summary>
    | Numbers of limits: float list
    /// Equal categories; and all others, with the missing ones.
    | Categories of names: string list

/// A feature of samples, and how many training samples have each of its values.
type WatchedFeature = {
    /// The column, the figure of an image, or the answer.
    Name: string
    /// What is counted together.
    Bins: FeatureBins
    /// How many training samples are in each bin, in the order of the bins. The last is that of what is missing or in
    /// no other bin.
    Counts: int64 list
} with

    /// What is in each bin, in words.
    member feature.BinNames =
        match feature.Bins with
        | FeatureBins.Categories names -> names @ [ "others or missing" ]
        | FeatureBins.Numbers [] -> [ "a number"; "missing" ]
        | FeatureBins.Numbers limits ->
            let text (limit: float) =
                limit.ToString("G6", CultureInfo.InvariantCulture)

            [
                $"up to {text limits.Head}"
                for low, high in List.pairwise limits do
                    $"above {text low} and up to {text high}"
                $"above {text (List.last limits)}"
                "missing"
            ]

/// Counting values of features.
[<RequireQualifiedAccess>]
module internal WatchedFeature =
    /// The most ranges of a feature's numbers.
    [<Literal>]
    let private MostBins = 10

    /// The bin of a number; the last one for NaN.
    let binOf (limits: float[]) (x: float) : int =
        if Double.IsNaN x then
            limits.Length + 1
        else
            let mutable bin = 0

            while bin < limits.Length && x > limits[bin] do
                bin <- bin + 1

            bin

    /// The bin of a category's index; the last one for −1.
    let inline categoryBin (categories: int) (index: int) : int =
        if index < 0 then categories else index

    /// The number of bins, that of what is missing or in no other included.
    let binCount (bins: FeatureBins) : int =
        match bins with
        | FeatureBins.Numbers limits -> limits.Length + 2
        | FeatureBins.Categories names -> names.Length + 1

    let private count (bins: int) (binOf: 'V -> int) (values: 'V[]) : int64 list =
        let counts: int64[] = Array.zeroCreate bins

        for value in values do
            let bin = binOf value
            counts[bin] <- counts[bin] + 1L

        List.ofArray counts

    /// Limits between which the numbers are as evenly divided as equal numbers allow.
    let private limitsOf (numbers: float[]) : float list =
        let sorted = numbers |> Array.filter (Double.IsNaN >> not)
        Array.sortInPlace sorted

        if sorted.Length = 0 then
            []
        else
            let last = Array.last sorted

            [
                for bin in 1 .. MostBins - 1 ->
                    sorted[int (int64 bin * int64 sorted.Length / int64 MostBins)]
            ]
            |> List.filter (fun limit -> limit < last && Double.IsFinite limit)
            |> List.distinct

    /// A feature of numbers; NaN is a missing one.
    let ofNumbers (name: string) (numbers: float[]) : WatchedFeature =
        let limits = limitsOf numbers

        {
            Name = name
            Bins = FeatureBins.Numbers limits
            Counts = count (limits.Length + 2) (binOf (Array.ofList limits)) numbers
        }

    /// A feature of categories, given by their indices; −1 is another or a missing one.
    let ofCategories (name: string) (names: string list) (indices: int[]) : WatchedFeature = {
        Name = name
        Bins = FeatureBins.Categories names
        Counts = count (names.Length + 1) (categoryBin names.Length) indices
    }

    /// Writes a feature. The names of categories are those of the column or the classes, and are not written again.
    let write (json: Utf8JsonWriter) (feature: WatchedFeature) : unit =
        json.WriteStartObject()
        json.WriteString("name", feature.Name)

        match feature.Bins with
        | FeatureBins.Numbers limits ->
            json.WriteStartArray "limits"

            for limit in limits do
                json.WriteNumberValue limit

            json.WriteEndArray()
        | FeatureBins.Categories _ -> ()

        json.WriteStartArray "counts"

        for count in feature.Counts do
            json.WriteNumberValue count

        json.WriteEndArray()
        json.WriteEndObject()

    /// A written feature.
    /// <param name="categories">Its categories; nothing if it is one of numbers.</param>
    /// <param name="json">The feature.</param>
    /// <exception cref="T:System.FormatException">The JSON is not a feature.</exception>
    let read (categories: string list voption) (json: JsonElement) : WatchedFeature =
        let name =
            match json.GetProperty("name").GetString() with
            | null -> raise (FormatException())
            | name -> name

        let feature = {
            Name = name
            Bins =
                match categories with
                | ValueSome names -> FeatureBins.Categories names
                | ValueNone ->
                    FeatureBins.Numbers [
                        for limit in json.GetProperty("limits").EnumerateArray() ->
                            limit.GetDouble()
                    ]
            Counts = [
                for count in json.GetProperty("counts").EnumerateArray() -> count.GetInt64()
            ]
        }

        let areAscending =
            match feature.Bins with
            | FeatureBins.Numbers limits ->
                List.forall Double.IsFinite limits
                && limits |> List.pairwise |> List.forall (fun (low, high) -> low < high)
            | FeatureBins.Categories _ -> true

        if
            not areAscending
            || feature.Counts.Length <> binCount feature.Bins
            || feature.Counts |> List.exists (fun count -> count < 0L || count > (1L <<< 53))
        then
            raise (FormatException())

        feature
