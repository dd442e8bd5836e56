namespace Pipeline.Learning

open System

/// The purpose of random bits. Each purpose has a separate stream, so that drawing more for one purpose does not
/// change another.
[<RequireQualifiedAccess>]
type RandomStream =
    /// The initial weights of a network.
    | InitialWeights = 0
    /// The samples of a mini-batch drawn with replacement.
    | BatchWithReplacement = 1
    /// The order of the samples in an epoch.
    | EpochOrder = 2
    /// The samples of a gradient check.
    | GradientCheck = 3
    /// The samples that are kept for validation.
    | Validation = 4
    /// The hidden units that dropout removes in a step.
    | Dropout = 5
    /// How an image of a step is shifted, turned and scaled.
    | Augmentation = 6
    /// The fields of its elastic distortion.
    | Distortion = 7
    /// The noise of its pixels.
    | Noise = 8
    /// The rows of a table that are kept for the test.
    | Test = 9
    /// The order in which the values of a column are shuffled to measure its importance.
    | Permutation = 10
    /// The order in which groups of samples go to the folds of a cross-validation.
    | Folds = 11
    /// The samples of which statistics are kept with a model.
    | Statistics = 12
    /// The values that a sweep tries.
    | Sweep = 13
    /// The rows of a table that are used, if not all of them are.
    | Sample = 14

/// The coefficients of Wichura's algorithm AS 241, lowest power first.
[<RequireQualifiedAccess>]
module internal Wichura =
    let centre = [|
        3.3871328727963666080e0
        1.3314166789178437745e+2
        1.9715909503065514427e+3
        1.3731693765509461125e+4
        4.5921953931549871457e+4
        6.7265770927008700853e+4
        3.3430575583588128105e+4
        2.5090809287301226727e+3
    |]

    let centreDenominator = [|
        1.0
        4.2313330701600911252e+1
        6.8718700749205790830e+2
        5.3941960214247511077e+3
        2.1213794301586595867e+4
        3.9307895800092710610e+4
        2.8729085735721942674e+4
        5.2264952788528545610e+3
    |]

    let tail = [|
        1.42343711074968357734e0
        4.63033784615654529590e0
        5.76949722146069140550e0
        3.64784832476320460504e0
        1.27045825245236838258e0
        2.41780725177450611770e-1
        2.27238449892691845833e-2
        7.74545014278341407640e-4
    |]

    let tailDenominator = [|
        1.0
        2.05319162663775882187e0
        1.67638483018380384940e0
        6.89767334985100004550e-1
        1.48103976427480074590e-1
        1.51986665636164571966e-2
        5.47593808499534494600e-4
        1.05075007164441684324e-9
    |]

    let farTail = [|
        6.65790464350110377720e0
        5.46378491116411436990e0
        1.78482653991729133580e0
        2.96560571828504891230e-1
        2.65321895265761230930e-2
        1.24266094738807843860e-3
        2.71155556874348757815e-5
        2.01033439929228813265e-7
    |]

    let farTailDenominator = [|
        1.0
        5.99832206555887937690e-1
        1.36929880922735805310e-1
        1.48753612908506148525e-2
        7.86869131145613259100e-4
        1.84631831751005468180e-5
        1.42151175831644588870e-7
        2.04426310338993978564e-15
    |]

/// <summary>Random numbers as a function of (seed, stream, iteration, index), without
/// state.</summary>
/// <remarks>Source: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
/// as 1, 2, 3" (SC11).</remarks>
[<RequireQualifiedAccess>]
module RandomNumbers =
    /// <summary>Philox4x32-10: the 128-bit counter turned into 128 random bits by ten rounds.</summary>
    /// <param name="key">Two words, the key.</param>
    /// <param name="counter">Four words, the counter.</param>
    /// <returns>Four words.</returns>
    let internal philox
        (key: struct (uint32 * uint32))
        (counter: struct (uint32 * uint32 * uint32 * uint32))
        : struct (uint32 * uint32 * uint32 * uint32) =
        let struct (k0, k1) = key
        let struct (x0, x1, x2, x3) = counter
        let mutable k0, k1 = k0, k1
        let mutable x0, x1, x2, x3 = x0, x1, x2, x3

        for _ in 1..10 do
            let product0 = uint64 x0 * 0xD2511F53UL
            let product1 = uint64 x2 * 0xCD9E8D57UL
            x0 <- uint32 (product1 >>> 32) ^^^ x1 ^^^ k0
            x1 <- uint32 product1
            x2 <- uint32 (product0 >>> 32) ^^^ x3 ^^^ k1
            x3 <- uint32 product0
            k0 <- k0 + 0x9E3779B9u
            k1 <- k1 + 0xBB67AE85u

        struct (x0, x1, x2, x3)

    let private join (low: uint32) (high: uint32) : uint64 = (uint64 high <<< 32) ||| uint64 low

    /// The block of bits that holds a draw, and its even or odd neighbour.
    let private block (seed: uint64) (stream: RandomStream) (iteration: int64) (index: int) =
        philox
            (struct (uint32 seed, uint32 (seed >>> 32)))
            (struct (uint32 (index >>> 1),
                     uint32 iteration,
                     uint32 (iteration >>> 32),
                     uint32 stream))

    /// A block of 128 bits of a stream whose blocks are counted by group (a layer, a sample; below 2²⁴)
    /// and number.
    let internal block128
        (seed: uint64)
        (stream: RandomStream)
        (group: int)
        (iteration: int64)
        (number: int)
        : struct (uint32 * uint32 * uint32 * uint32) =
        // Streams are few: the group stands above them.
        philox
            (struct (uint32 seed, uint32 (seed >>> 32)))
            (struct (uint32 number,
                     uint32 iteration,
                     uint32 (iteration >>> 32),
                     uint32 stream ||| (uint32 group <<< 8)))

    /// <summary>64 random bits.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">What they are for.</param>
    /// <param name="iteration">The iteration, epoch or layer they are for, 0 or greater.</param>
    /// <param name="index">Which of that iteration's draws, 0 or greater.</param>
    [<CompiledName("Bits")>]
    let bits (seed: uint64) (stream: RandomStream) (iteration: int64) (index: int) : uint64 =
        let struct (x0, x1, x2, x3) = block seed stream iteration index
        if index &&& 1 = 0 then join x0 x1 else join x2 x3

    /// <summary>A number of (0, 1), uniform: the midpoints of 2⁵² equal steps, so neither 0 nor 1.</summary>
    [<CompiledName("Uniform")>]
    let uniform (seed: uint64) (stream: RandomStream) (iteration: int64) (index: int) : float =
        // 53 bits in all: the sum is exact, so no draw rounds up to 1.
        (float (bits seed stream iteration index >>> 12) + 0.5) / 4503599627370496.0

    let private requireCount (count: int) : unit =
        if count < 1 then
            invalidArg (nameof count) (invariant $"expected a count of 1 or more, found {count}")

    /// 64 random bits as a number of 0 … count − 1.
    let private scale (count: int) (bits: uint64) : int =
        int (Math.BigMul(bits, uint64 count) >>> 64)

    /// <summary>A whole number of 0 … <paramref name="count"/> − 1, uniform but for an excess of at most count/2⁶⁴.</summary>
    /// <exception cref="T:System.ArgumentException">The count is below 1.</exception>
    [<CompiledName("Below")>]
    let below
        (count: int)
        (seed: uint64)
        (stream: RandomStream)
        (iteration: int64)
        (index: int)
        : int =
        requireCount count
        bits seed stream iteration index |> scale count

    /// <c>below</c> of the indices 0 … n − 1, each block of bits made once.
    let internal severalBelow
        (count: int)
        (seed: uint64)
        (stream: RandomStream)
        (iteration: int64)
        (n: int)
        : int[] =
        requireCount count
        let found = Array.zeroCreate n

        for i in 0..2 .. n - 1 do
            let struct (x0, x1, x2, x3) = block seed stream iteration i
            found[i] <- scale count (join x0 x1)

            if i + 1 < n then
                found[i + 1] <- scale count (join x2 x3)

        found

    /// <summary>The standard normal distribution's quantile: the z with Φ(z) = <paramref name="p"/>;
    /// −∞ at 0, ∞ at 1, NaN outside.</summary>
    /// <remarks>Source: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988); relative
    /// error about 1e-16.</remarks>
    let internal normalQuantile (p: float) : float =
        let horner (coefficients: float[]) (x: float) =
            let mutable sum = 0.0

            for i = coefficients.Length - 1 downto 0 do
                sum <- Math.FusedMultiplyAdd(sum, x, coefficients[i])

            sum

        let ratio numerator denominator x =
            horner numerator x / horner denominator x

        let q = p - 0.5

        if p <= 0.0 || p >= 1.0 then
            if p = 0.0 then -infinity
            elif p = 1.0 then infinity
            else nan
        elif abs q <= 0.425 then
            q * ratio Wichura.centre Wichura.centreDenominator (0.180625 - q * q)
        else
            let r = sqrt (-(ScalarMath.Log(min p (1.0 - p))))

            let tail =
                if r <= 5.0 then
                    ratio Wichura.tail Wichura.tailDenominator (r - 1.6)
                else
                    ratio Wichura.farTail Wichura.farTailDenominator (r - 5.0)

            if q < 0.0 then -tail else tail

    /// <summary>A number of the standard normal distribution: mean 0, standard deviation 1.</summary>
    [<CompiledName("Normal")>]
    let normal (seed: uint64) (stream: RandomStream) (iteration: int64) (index: int) : float =
        normalQuantile (uniform seed stream iteration index)

    /// <summary>The numbers 0 … <paramref name="count"/> − 1 in random order, each order equally
    /// likely (Fisher and Yates).</summary>
    /// <exception cref="T:System.ArgumentException">The count is below 0.</exception>
    [<CompiledName("Permutation")>]
    let permutation (count: int) (seed: uint64) (stream: RandomStream) (iteration: int64) : int[] =
        let order = Array.init count id

        for i = count - 1 downto 1 do
            let j = below (i + 1) seed stream iteration i
            let kept = order[i]
            order[i] <- order[j]
            order[j] <- kept

        order
