namespace Pipeline.Learning

/// The hypergeometric distribution: how many of the items drawn without replacement are marked.
[<RequireQualifiedAccess>]
module internal Hypergeometric =
    /// The sum of the probabilities from a number of marked items to the end of their range, relative to the probability
    /// of the mode. `ratio k` is P(k + step) / P(k).
    let private sum (ratio: float -> float) (step: float) (first: float) (last: float) : float =
        let mutable term = 1.0
        let mutable total = 0.0
        let mutable k = first

        while term > 0.0 && (last - k) * step >= 0.0 do
            total <- total + term
            term <- term * ratio k
            k <- k + step

        total

    /// <summary>P(X ≤ x) and P(X ≥ x).</summary>
    /// <remarks>Probabilities are ratios of their neighbours, P(k + 1) / P(k) = (K − k)(n − k) / ((k + 1)(N − K − n + k + 1)),
    /// summed from the mode outwards and divided by the sum of all, so that neither factorials nor logarithms are needed.
    /// One below the least number of a double is 0.</remarks>
    /// <param name="population">N, the items.</param>
    /// <param name="marked">K, the marked ones among them.</param>
    /// <param name="draws">n, the drawn items.</param>
    /// <param name="x">The marked ones among those, max(0, n + K − N) to min(n, K).</param>
    let tails
        (population: int64)
        (marked: int64)
        (draws: int64)
        (x: int64)
        : struct (float * float) =
        let population, marked, draws, x =
            float population, float marked, float draws, float x

        let least = max 0.0 (draws + marked - population)
        let most = min draws marked

        let mode =
            floor ((draws + 1.0) * (marked + 1.0) / (population + 2.0))
            |> max least
            |> min most

        let up k =
            (marked - k) * (draws - k)
            / ((k + 1.0) * (population - marked - draws + k + 1.0))

        let down k = 1.0 / up (k - 1.0)
        let below = sum down -1.0 mode least
        let above = sum up 1.0 mode most
        let all = below + above - 1.0

        /// The probability of x relative to that of the mode.
        let relative =
            let mutable term = 1.0
            let mutable k = mode

            while term > 0.0 && k <> x do
                if k < x then
                    term <- term * up k
                    k <- k + 1.0
                else
                    term <- term * down k
                    k <- k - 1.0

            term

        // The tail on x's side of the mode is summed; the other one is what remains.
        if x >= mode then
            let upper = relative * sum up 1.0 x most / all
            struct (min 1.0 (1.0 - upper + relative / all), upper)
        else
            let lower = relative * sum down -1.0 x least / all
            struct (lower, min 1.0 (1.0 - lower + relative / all))
