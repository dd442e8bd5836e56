namespace Pipeline.Learning

open System
open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open Pipeline.Learning.Arithmetic

/// The numbers of one sample, looked through by blocks of 64.
type internal ISample<'T> =
    /// A bit an input of the 64 from `first` on, the first the lowest: whether it is anything but 0.
    abstract NonZero<'V, 'L when 'L :> ISimd<'V, 'T>> : first: int -> uint64
    abstract Item: int -> 'T

/// Numbers at a place in memory that stays.
[<Struct>]
type internal NumberSample<'T> = {
    Numbers: nativeint
} with

    member private sample.Start: byref<'T> = &Unsafe.AsRef<'T>(sample.Numbers.ToPointer())

    interface ISample<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member sample.NonZero<'V, 'L when 'L :> ISimd<'V, 'T>>(first: int) : uint64 =
            let x = &Unsafe.Add(&sample.Start, first)
            let mutable found = 0UL
            let mutable lane = 0

            while lane < 64 do
                found <- found ||| ('L.NonZero('L.Load(&x, nativeint lane)) <<< lane)
                lane <- lane + 'L.Count

            found

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member sample.Item(i: int) : 'T = Unsafe.Add(&sample.Start, i)

/// Bytes at a place in memory that stays, each standing for byte / 255.
[<Struct>]
type internal ByteSample<'T> = {
    Pixels: nativeint
    Table: 'T[]
} with

    member private sample.Start: byref<byte> =
        &Unsafe.AsRef<byte>(sample.Pixels.ToPointer())

    interface ISample<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member sample.NonZero<'V, 'L when 'L :> ISimd<'V, 'T>>(first: int) : uint64 =
            let block = Vector512.LoadUnsafe(&sample.Start, unativeint first)
            ~~~(Vector512.ExtractMostSignificantBits(Vector512.Equals(block, Vector512<byte>.Zero)))

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member sample.Item(i: int) : 'T =
            let pixel = Unsafe.Add(&sample.Start, i)
            Unsafe.Add(&Simd.start sample.Table, int pixel)

/// One layer for one sample, f(W·x + b), inputs of 0 left out where every weight is finite: the bits of
/// `Kernels.affine`, into one place of some memory.
[<Struct>]
type internal SampleLoop<'T, 'Op, 'Sample when 'Op :> IMap<'T> and 'Sample :> ISample<'T>> = {
    /// f.
    Op: 'Op
    LayerWeights: 'T[]
    LayerBiases: 'T[]
    /// A bit an input of each 64: those taken whether they are 0 or not.
    Always: uint64
    Sample: 'Sample
    Result: 'T[]
    Into: int
} with

    /// The band of rows from `row` on.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private loop.Band<'V, 'L, 'W, 'N
        when 'L :> ISimd<'V, 'T> and 'N :> ISimd<'W, 'T> and 'N :> INarrow<'V, 'W>>
        (row: int)
        : unit =
        let op, sample = loop.Op, loop.Sample
        let rows = loop.LayerBiases.Length
        let rowBand = RowBand.Of(row, 'L.Count, 'N.Count, rows)
        let inputs = loop.LayerWeights.Length / rows
        let blocks = (inputs + 63) / 64
        let biases = &Simd.start loop.LayerBiases
        let weights = &Simd.start loop.LayerWeights
        let w0 = &Unsafe.Add(&weights, rowBand.R0)
        let w1 = &Unsafe.Add(&weights, rowBand.R1)
        let w2 = &Unsafe.Add(&weights, rowBand.R2)
        let w3 = &Unsafe.Add(&weights, rowBand.R3)
        let mutable z0 = 'L.Load(&biases, rowBand.R0)
        let mutable z1 = 'L.Load(&biases, rowBand.R1)
        let mutable z2 = 'L.Load(&biases, rowBand.R2)
        let mutable z3 = 'N.Load(&biases, rowBand.R3)

        for block in 0 .. blocks - 1 do
            // The last block is moved back to end where the inputs do: those it shares with the one
            // before are left out.
            let first = max 0 (min (64 * block) (inputs - 64))

            let mutable left =
                if inputs >= 64 then
                    let taken = sample.NonZero<'V, 'L> first ||| loop.Always
                    taken >>> (64 * block - first) <<< (64 * block - first)
                else
                    (1UL <<< inputs) - 1UL

            while left <> 0UL do
                let input = first + BitOperations.TrailingZeroCount left
                left <- left &&& (left - 1UL)
                let x = 'L.Create(sample.Item input)
                let column = nativeint input * nativeint rows
                z0 <- 'L.MultiplyAdd('L.Load(&w0, column), x, z0)
                z1 <- 'L.MultiplyAdd('L.Load(&w1, column), x, z1)
                z2 <- 'L.MultiplyAdd('L.Load(&w2, column), x, z2)
                z3 <- 'N.MultiplyAdd('N.Load(&w3, column), 'N.Narrow x, z3)

        let result = &Unsafe.Add(&Simd.start loop.Result, loop.Into)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero z0), &result, rowBand.R0)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero z1), &result, rowBand.R1)
        'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero z2), &result, rowBand.R2)
        'N.Store(op.Apply<'W, 'N>('N.WithoutMinusZero z3), &result, rowBand.R3)

    interface IBandLoop<'T> with
        member loop.Run<'V, 'L, 'W, 'N
            when 'L :> ISimd<'V, 'T>
            and 'V: struct
            and 'L :> INarrow<'V, 'V>
            and 'N :> ISimd<'W, 'T>
            and 'W: struct
            and 'N :> INarrow<'V, 'W>>
            ()
            =
            let band = 4 * 'L.Count
            let last = (loop.LayerBiases.Length - 1) / band * band

            for row in 0..band .. last - 1 do
                loop.Band<'V, 'L, 'V, 'L> row

            loop.Band<'V, 'L, 'W, 'N> last

/// <summary>A network that answers for one sample at a time: nothing is allocated for an answer, and any
/// number of threads may ask at once.</summary>
/// <remarks>The answers are those of <c>Network.predict</c>, bit for bit; for many samples at once that,
/// or <c>Network.probabilities</c>, is faster.</remarks>
[<Sealed>]
type Predictor<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    /// <summary>Makes a network ready to answer.</summary>
    /// <param name="network">The network; the predictor keeps its parameters, which nobody may
    /// write to.</param>
    (network: Network<'T>) =
    let network = Network.folded network
    let architecture = network.Architecture

    let layers = [|
        for layer in network.Parameters.Layers ->
            let weights = Kernels.values layer.Weights
            // 0·∞ is not a number.
            let always = if Kernels.areFinite weights then 0UL else UInt64.MaxValue
            struct (weights, Kernels.elements layer.Biases, always)
    |]

    let activations = [|
        for layer in architecture.Hidden do
            layer.Activation
        Activation.Identity
    |]

    // A layer reads one of two rooms and writes the other.
    let widest = List.max architecture.Sizes.Tail

    let apply (sample: 'Sample :> ISample<'T>) (memory: 'T[]) (layer: int) (op: 'Op) : unit =
        let struct (weights, biases, always) = layers[layer]

        Simd.runBands biases.Length {
            Op = op
            LayerWeights = weights
            LayerBiases = biases
            Always = always
            Sample = sample
            Result = memory
            Into = layer % 2 * widest
        }

    let run (sample: 'Sample :> ISample<'T>) (memory: 'T[]) (layer: int) : unit =
        match activations[layer] with
        | Activation.Sigmoid -> apply sample memory layer (SigmoidOp<'T>())
        | Activation.Tanh -> apply sample memory layer (TanhOp<'T>())
        | Activation.Relu -> apply sample memory layer (ReluOp<'T>())
        | Activation.Identity -> apply sample memory layer (IdentityOp<'T>())
        | Activation.LeakyRelu -> apply sample memory layer (LeakyReluOp<'T>())
        | Activation.Elu -> apply sample memory layer (EluOp<'T>())
        | Activation.Gelu -> apply sample memory layer (GeluOp<'T>())
        | Activation.Silu -> apply sample memory layer (SiluOp<'T>())
        | Activation.Softplus -> apply sample memory layer (SoftplusOp<'T>())

    /// Room for what any two layers give.
    let rent (given: int) (expected: int) : 'T[] =
        if given <> architecture.Inputs then
            invalidArg "sample" $"expected %d{architecture.Inputs} numbers, found %d{given}"

        if expected <> architecture.Outputs then
            invalidArg
                "probabilities"
                $"expected room for %d{architecture.Outputs}, found %d{expected}"

        ArrayPool<'T>.Shared.Rent(2 * widest)

    /// As Activation.softmax has it.
    let softmax (logits: ReadOnlySpan<'T>) (probabilities: Span<'T>) : unit =
        let mutable top = logits[0]

        for z in logits do
            if 'T.op_GreaterThan (z, top) then
                top <- z

        for k in 0 .. logits.Length - 1 do
            probabilities[k] <- Elementary.Exp<'T, 'T, Simd1<'T>>(logits[k] - top)

        let mutable sum = probabilities[0]

        for k in 1 .. logits.Length - 1 do
            sum <- sum + probabilities[k]

        for k in 0 .. logits.Length - 1 do
            probabilities[k] <- probabilities[k] / sum

    let answer (sample: 'Sample :> ISample<'T>) (memory: 'T[]) (probabilities: Span<'T>) : unit =
        run sample memory 0
        use rooms = fixed MemoryMarshal.AsBytes(memory.AsSpan())

        for layer in 1 .. layers.Length - 1 do
            let from = (layer - 1) % 2 * widest * Unsafe.SizeOf<'T>()

            run
                {
                    Numbers = NativePtr.toNativeInt rooms + nativeint from
                }
                memory
                layer

        let last = (layers.Length - 1) % 2 * widest
        let sums = ReadOnlySpan(memory, last, architecture.Outputs)

        match architecture.Head with
        | Head.Softmax -> softmax sums probabilities
        | Head.Identity -> sums.CopyTo probabilities
        | Head.Sigmoid ->
            for k in 0 .. sums.Length - 1 do
                probabilities[k] <- Elementary.Sigmoid<'T, 'T, Simd1<'T>> sums[k]

        ArrayPool<'T>.Shared.Return memory

    /// <summary>What the network says: the probability of every class, or what else its head
    /// gives.</summary>
    /// <param name="sample">As many numbers as the network has inputs.</param>
    /// <param name="probabilities">Where it goes: room for one an output.</param>
    /// <exception cref="T:System.ArgumentException">One of them has another length.</exception>
    member _.Predict(sample: ReadOnlySpan<'T>, probabilities: Span<'T>) : unit =
        let memory = rent sample.Length probabilities.Length
        use numbers = fixed MemoryMarshal.AsBytes sample

        answer
            {
                Numbers = NativePtr.toNativeInt numbers
            }
            memory
            probabilities

    /// <summary>What the network says of an image, each pixel taken as byte / 255.</summary>
    /// <param name="pixels">As many bytes as the network has inputs.</param>
    /// <param name="probabilities">Where it goes: room for one an output.</param>
    /// <exception cref="T:System.ArgumentException">One of them has another length.</exception>
    member _.Predict(pixels: ReadOnlySpan<byte>, probabilities: Span<'T>) : unit =
        let memory = rent pixels.Length probabilities.Length
        use bytes = fixed pixels

        answer
            {
                Pixels = NativePtr.toNativeInt bytes
                Table = ByteScale<'T>.Table
            }
            memory
            probabilities
