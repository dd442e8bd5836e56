namespace Pipeline.Learning

open System
open System.Buffers
open System.Runtime.CompilerServices
open MathNet.Numerics.LinearAlgebra

/// Differences of losses at points a small step apart, without subtracting the losses themselves.
[<AbstractClass; Sealed>]
type internal SmallStep =
    /// Up to this size the two series below are exact to the last place of a double.
    static member Largest = 1.0 / 1024.0

    /// eˣ − 1 by its Taylor series, to x⁵.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Expm1<'V, 'L when 'L :> ISimd<'V, float>>(x: 'V) : 'V =
        let p = 'L.Create(1.0 / 120.0)
        let p = Elementary.Horner<'V, float, 'L>(p, x, 1.0 / 24.0)
        let p = Elementary.Horner<'V, float, 'L>(p, x, 1.0 / 6.0)
        let p = Elementary.Horner<'V, float, 'L>(p, x, 0.5)
        let p = Elementary.Horner<'V, float, 'L>(p, x, 1.0)
        'L.Multiply(p, x)

    /// 1 / (1 + x) by its series, to x⁵.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Reciprocal<'V, 'L when 'L :> ISimd<'V, float>>(x: 'V) : 'V =
        let minus = 'L.Subtract('L.Create 0.0, x)
        let one = 'L.Create 1.0
        let p = 'L.Subtract(one, x)
        let p = 'L.MultiplyAdd(p, minus, one)
        let p = 'L.MultiplyAdd(p, minus, one)
        let p = 'L.MultiplyAdd(p, minus, one)
        'L.MultiplyAdd(p, minus, one)

    /// ln(1 + p) − ln(1 + m) = 2 artanh u with u = (p − m) / (2 + p + m). Steps forth and back leave
    /// of p + m the square of a step alone, so 1 − q + q² is 1 / (1 + q) for its half.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member LogRatio<'V, 'L when 'L :> ISimd<'V, float>>(p: 'V, m: 'V) : 'V =
        let half = 'L.Create 0.5
        let one = 'L.Create 1.0
        let q = 'L.Multiply(half, 'L.Add(p, m))
        let inverse = 'L.Subtract(one, 'L.Multiply(q, 'L.Subtract(one, q)))
        let u = 'L.Multiply('L.Multiply(half, 'L.Subtract(p, m)), inverse)
        let square = 'L.Multiply(u, u)
        let series = 'L.Create(2.0 / 5.0)
        let series = Elementary.Horner<'V, float, 'L>(series, square, 2.0 / 3.0)
        let series = Elementary.Horner<'V, float, 'L>(series, square, 2.0)
        'L.Multiply(series, u)

/// What the numerical gradient of a two-layer network needs of a mini-batch.
[<Struct>]
type internal TwoLayerLoop = {
    Step: float
    InputCount: int
    /// X without its zeros: sample s has x = Values[n] at input Places[n] for n = Starts[s] …
    /// Starts[s + 1] − 1.
    Starts: int[]
    Places: int[]
    Values: float[]
    /// z = σ(W1·X + b1): (units, batch).
    Hidden: float[]
    Units: int
    /// y = softmax(W2·z + b2): (classes, batch).
    Probabilities: float[]
    Classes: int
    Labels: int[]
    /// For each label t, W2(k, j) − W2(t, j), the units j of a class k side by side.
    Relative: float[][]
    /// Where the sums over the batch of L(θ + h) − L(θ − h) go, shaped like W1, b1, W2 and b2.
    Weights1: float[]
    Biases1: float[]
    Weights2: float[]
    Biases2: float[]
} with

    /// Σₖ yₖ(W2(k, j) − W2(t, j))ⁿ / n! of a sample, for n = 1 … 5 and some units j, each n a row: what
    /// Σₖ yₖ(e^(δ(W2(k, j) − W2(t, j))) − 1) has beside δⁿ.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Moments<'V, 'L when 'L :> ISimd<'V, float> and 'V: struct>
        (sample: int, moments: float[], first: int, windows: int)
        : unit =
        let probabilities =
            &Unsafe.Add(&Simd.start loop.Probabilities, sample * loop.Classes)

        let relative = &Simd.start loop.Relative[loop.Labels[sample]]
        let result = &Simd.start moments
        let row = windows * 'L.Count

        for w in 0 .. windows - 1 do
            let at = nativeint (min ((first + w) * 'L.Count) (loop.Units - 'L.Count))
            let mutable m1 = 'L.Create 0.0
            let mutable m2 = m1
            let mutable m3 = m1
            let mutable m4 = m1
            let mutable m5 = m1

            for k in 0 .. loop.Classes - 1 do
                let along = 'L.Load(&relative, nativeint (k * loop.Units) + at)
                let p1 = 'L.Multiply('L.Create(Unsafe.Add(&probabilities, k)), along)
                let p2 = 'L.Multiply(p1, along)
                let p3 = 'L.Multiply(p2, along)
                let p4 = 'L.Multiply(p3, along)
                m1 <- 'L.Add(m1, p1)
                m2 <- 'L.Add(m2, p2)
                m3 <- 'L.Add(m3, p3)
                m4 <- 'L.Add(m4, p4)
                m5 <- 'L.MultiplyAdd(p4, along, m5)

            let place = w * 'L.Count
            'L.Store(m1, &result, nativeint place)
            'L.Store('L.Multiply(m2, 'L.Create(1.0 / 2.0)), &result, nativeint (row + place))
            'L.Store('L.Multiply(m3, 'L.Create(1.0 / 6.0)), &result, nativeint (2 * row + place))
            'L.Store('L.Multiply(m4, 'L.Create(1.0 / 24.0)), &result, nativeint (3 * row + place))
            'L.Store('L.Multiply(m5, 'L.Create(1.0 / 120.0)), &result, nativeint (4 * row + place))

    /// Both steps of the weights between an input x of a sample and every unit: each moves one unit's
    /// sum by ±h·x, hence its output by δ = z(1 − z)E/(1 + zE), E = e^(±hx) − 1, hence every logit by
    /// δ·W2(k, j), hence the loss by ln(1 + Σₖ yₖ(e^(δ(W2(k, j) − W2(t, j))) − 1)).
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Differences<'V, 'L when 'L :> ISimd<'V, float> and 'V: struct>
        (
            sample: int,
            x: float,
            moments: float[],
            differences: float[],
            place: int,
            first: int,
            windows: int
        ) : unit =
        let one = 'L.Create 1.0
        let plus = 'L.Create(SmallStep.Expm1<float, Simd1<float>>(loop.Step * x))
        let minus = 'L.Create(SmallStep.Expm1<float, Simd1<float>>(-loop.Step * x))
        let hidden = &Unsafe.Add(&Simd.start loop.Hidden, sample * loop.Units)
        let moments = &Simd.start moments
        let result = &Unsafe.Add(&Simd.start differences, place)
        let row = nativeint (windows * 'L.Count)

        for w in 0 .. windows - 1 do
            let at = nativeint (min ((first + w) * 'L.Count) (loop.Units - 'L.Count))
            let z = 'L.Load(&hidden, at)
            let slope = 'L.Multiply(z, 'L.Subtract(one, z))
            let up = 'L.Multiply(slope, plus)

            let up = 'L.Multiply(up, SmallStep.Reciprocal<'V, 'L>('L.Multiply(z, plus)))

            let down = 'L.Multiply(slope, minus)

            let down = 'L.Multiply(down, SmallStep.Reciprocal<'V, 'L>('L.Multiply(z, minus)))

            let n = nativeint (w * 'L.Count)
            let m5 = 'L.Load(&moments, n + 4n * row)
            let m4 = 'L.Load(&moments, n + 3n * row)
            let p = 'L.MultiplyAdd(m5, up, m4)
            let m = 'L.MultiplyAdd(m5, down, m4)
            let m3 = 'L.Load(&moments, n + 2n * row)
            let p = 'L.MultiplyAdd(p, up, m3)
            let m = 'L.MultiplyAdd(m, down, m3)
            let m2 = 'L.Load(&moments, n + row)
            let p = 'L.MultiplyAdd(p, up, m2)
            let m = 'L.MultiplyAdd(m, down, m2)
            let m1 = 'L.Load(&moments, n)
            let p = 'L.Multiply('L.MultiplyAdd(p, up, m1), up)
            let m = 'L.Multiply('L.MultiplyAdd(m, down, m1), down)
            'L.Store(SmallStep.LogRatio<'V, 'L>(p, m), &result, n)

    /// The weights and biases of the second layer: a step moves one logit by ±h·z, or ±h.
    member private loop.SecondLayer<'V, 'L when 'L :> ISimd<'V, float> and 'V: struct>
        (hidden: float[], units: int, result: float[])
        : unit =
        let z = &Simd.start hidden
        let sums = &Simd.start result

        for k in 0 .. loop.Classes - 1 do
            let mutable w = 0

            while w < units do
                let at = nativeint (min w (units - 'L.Count))
                let mutable sum = 'L.Create 0.0

                for s in 0 .. loop.Labels.Length - 1 do
                    let y = 'L.Create loop.Probabilities[s * loop.Classes + k]

                    let move =
                        'L.Multiply('L.Create loop.Step, 'L.Load(&z, nativeint (s * units) + at))

                    let back = 'L.Subtract('L.Create 0.0, move)
                    let p = 'L.Multiply(y, SmallStep.Expm1<'V, 'L> move)
                    let m = 'L.Multiply(y, SmallStep.Expm1<'V, 'L> back)
                    let own = 'L.Create(if loop.Labels[s] = k then -2.0 else 0.0)
                    let change = 'L.MultiplyAdd(own, move, SmallStep.LogRatio<'V, 'L>(p, m))
                    sum <- 'L.Add(sum, change)

                'L.Store(sum, &sums, nativeint (k * units) + at)
                w <- w + 'L.Count

    /// The weights and biases of the first layer, of some units: a register each window.
    member private loop.FirstLayer<'V, 'L when 'L :> ISimd<'V, float> and 'V: struct>
        (first: int, windows: int)
        : unit =
        let row = windows * 'L.Count
        let inputs = loop.InputCount
        // A row for each input and one for the biases.
        let sums = ArrayPool<float>.Shared.Rent((inputs + 1) * row)
        Array.Clear sums
        let moments = ArrayPool<float>.Shared.Rent(5 * row)
        let differences = ArrayPool<float>.Shared.Rent(256 * row)
        let known: float[] = Array.zeroCreate 256
        let total = &Simd.start sums
        let each = &Simd.start differences

        for s in 0 .. loop.Labels.Length - 1 do
            loop.Moments<'V, 'L>(s, moments, first, windows)
            Array.Clear known
            let finish = loop.Starts[s + 1]

            for n in loop.Starts[s] .. finish do
                // The biases' input is always 1.
                let value = if n = finish then 1.0 else loop.Values[n]
                let place = if n = finish then inputs else loop.Places[n]
                // Equal inputs of a sample move its loss alike; most pixels have an equal.
                let slot = int (abs (value * 255.0)) &&& 255

                if known[slot] <> value then
                    known[slot] <- value

                    loop.Differences<'V, 'L>(
                        s,
                        value,
                        moments,
                        differences,
                        slot * row,
                        first,
                        windows
                    )

                for w in 0 .. windows - 1 do
                    let at = nativeint (place * row + w * 'L.Count)
                    let change = 'L.Load(&each, nativeint (slot * row + w * 'L.Count))
                    'L.Store('L.Add('L.Load(&total, at), change), &total, at)

        let weights = &Simd.start loop.Weights1
        let biases = &Simd.start loop.Biases1

        for i in 0..inputs do
            for w in 0 .. windows - 1 do
                let place = nativeint (min ((first + w) * 'L.Count) (loop.Units - 'L.Count))
                let sum = 'L.Load(&total, nativeint (i * row + w * 'L.Count))

                if i = inputs then
                    'L.Store(sum, &biases, place)
                else
                    'L.Store(sum, &weights, nativeint (i * loop.Units) + place)

        ArrayPool<float>.Shared.Return sums
        ArrayPool<float>.Shared.Return moments
        ArrayPool<float>.Shared.Return differences

    interface ILoop<float> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, float> and 'V: struct>() =
            let loop = loop
            let windows = (loop.Units + 'L.Count - 1) / 'L.Count
            // Every point is a loss of its own: far more work than a product of these sizes.
            let work = 32L * int64 loop.Values.Length * int64 loop.Units
            // Each band walks through every sample anew, so no more of them than threads.
            let bands = min windows (ThreadTeam.workers work)

            ThreadTeam.run work (bands + 1) (fun band ->
                if band < bands then
                    let first, finish = band * windows / bands, (band + 1) * windows / bands
                    loop.FirstLayer<'V, 'L>(first, finish - first)
                else
                    loop.SecondLayer<'V, 'L>(loop.Hidden, loop.Units, loop.Weights2)

                    loop.SecondLayer<float, Simd1<float>>(
                        Array.create loop.Labels.Length 1.0,
                        1,
                        loop.Biases2
                    ))
