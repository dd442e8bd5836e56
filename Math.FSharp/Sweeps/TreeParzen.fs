namespace Pipeline.Learning

open System

/// <summary>Suggestions from earlier results: values that are more likely among the best trials than among the
/// others, setting by setting.</summary>
/// <remarks>Source: Bergstra, Bardenet, Bengio and Kégl, "Algorithms for hyper-parameter optimization" (2011); the
/// widths of the kernels and the number of best trials are those of Optuna.</remarks>
[<RequireQualifiedAccess>]
module internal TreeParzen =
    /// How many results the first suggestion needs; until then, trials are drawn at random.
    let leastResults = 10

    /// How many values are drawn, of which the most promising is suggested.
    let private candidates = 24

    /// How many of the trials count as the best.
    let private bestOf (count: int) : int =
        min 25 (int (Math.Ceiling(0.1 * float count)))

    let private cumulative (x: float) : float =
        NormalDistribution.Cumulative<float, float, Simd1<float>> x

    let private normal (x: float) : float =
        NormalDistribution.Density<float, float, Simd1<float>> x

    /// A normal distribution within 0 to 1.
    [<Struct>]
    type private Kernel = {
        Centre: float
        Width: float
        /// The parts of the whole distribution below 0 and below 1.
        Below: float
        UpTo: float
    }

    let private kernel (centre: float) (width: float) : Kernel = {
        Centre = centre
        Width = width
        Below = cumulative (-centre / width)
        UpTo = cumulative ((1.0 - centre) / width)
    }

    let private density (kernels: Kernel list) (x: float) : float =
        let sum =
            kernels
            |> List.sumBy (fun each ->
                normal ((x - each.Centre) / each.Width)
                / (each.Width * (each.UpTo - each.Below)))

        sum / float kernels.Length

    /// A wide kernel for what is not known yet, and one for each position, as wide as the larger distance to its
    /// neighbours.
    let private kernels (positions: float list) : Kernel list =
        let prior = 0.5
        let sorted = prior :: positions |> List.sort |> Array.ofList
        let last = sorted.Length - 1
        let narrowest = 1.0 / float (min 100 (positions.Length + 2))

        kernel prior 1.0
        :: [
            for centre in positions ->
                let place = Array.IndexOf(sorted, centre)
                let before = if place = 0 then 0.0 else sorted[place - 1]
                let after = if place = last then 1.0 else sorted[place + 1]
                let width = max (centre - before) (after - centre)
                kernel centre (max narrowest (min 1.0 width))
        ]

    /// How often each of some places occurs, and once more for what is not known yet.
    let private shares (count: int) (places: int list) : float[] =
        let total = float (places.Length + count)

        Array.init count (fun place ->
            float (1 + (places |> List.filter ((=) place) |> List.length)) / total)

    /// The position suggested for one setting.
    /// <param name="range">The setting's values.</param>
    /// <param name="draw">A number of (0, 1) for each index.</param>
    /// <param name="best">Its positions in the best trials.</param>
    /// <param name="others">Its positions in the others.</param>
    let private position
        (range: SettingRange)
        (draw: int -> float)
        (best: float list)
        (others: float list)
        : float =
        let drawn, promise =
            if range.IsListed then
                let count = range.Corners.Length
                let placesOf = List.map (fun x -> min (int (x * float count)) (count - 1))
                let likely, unlikely = shares count (placesOf best), shares count (placesOf others)

                let place (share: float) =
                    let mutable place = 0
                    let mutable left = share - likely[0]

                    while left > 0.0 && place < count - 1 do
                        place <- place + 1
                        left <- left - likely[place]

                    place

                let middle place = (float place + 0.5) / float count

                (fun i -> middle (place (draw (2 * i)))),
                (fun x ->
                    let place = min (int (x * float count)) (count - 1)
                    likely[place] / unlikely[place])
            else
                let likely, unlikely = kernels best, kernels others

                (fun i ->
                    let each =
                        likely[min (int (draw (2 * i) * float likely.Length)) (likely.Length - 1)]

                    let share = each.Below + draw (2 * i + 1) * (each.UpTo - each.Below)
                    let x = each.Centre + each.Width * RandomNumbers.normalQuantile share
                    max 0.0 (min 1.0 x)),
                (fun x -> density likely x / density unlikely x)

        List.init candidates drawn |> List.maxBy promise

    /// <summary>The position suggested for every setting of a trial.</summary>
    /// <param name="ranges">The settings' values.</param>
    /// <param name="draw">A number of (0, 1) for each dimension and index.</param>
    /// <param name="earlier">The positions of earlier trials, the best first.</param>
    let suggest
        (ranges: SettingRange list)
        (draw: int -> int -> float)
        (earlier: float list list)
        : float list =
        let best, others = List.splitAt (bestOf earlier.Length) earlier

        ranges
        |> List.mapi (fun dimension range ->
            let ofSetting = List.map (List.item dimension)
            position range (draw dimension) (ofSetting best) (ofSetting others))
