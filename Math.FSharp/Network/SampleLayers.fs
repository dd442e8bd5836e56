namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open Pipeline.Learning.Arithmetic

/// The numbers of one sample, looked through by blocks of 64.
type internal ISample<'T> =
    /// A bit an input of the 64 from `first` on, the first the lowest: whether it is anything but 0.
    abstract NonZero<'V, 'L when 'L :> ISimd<'V, 'T>> : first: int -> uint64
    abstract Item: int -> 'T
    /// Copies the numbers from `first` on.
    abstract Write: first: int * into: Span<'T> -> unit

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

        member sample.Write(first: int, into: Span<'T>) : unit =
            MemoryMarshal.CreateReadOnlySpan(&Unsafe.Add(&sample.Start, first), into.Length).CopyTo
                into

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

        member sample.Write(first: int, into: Span<'T>) : unit =
            let pixels = &Unsafe.Add(&sample.Start, first)
            let table = &Simd.start sample.Table

            for i in 0 .. into.Length - 1 do
                into[i] <- Unsafe.Add(&table, int (Unsafe.Add(&pixels, i)))

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

        // Where the rows end, the other registers repeat rows.
        if row + 'L.Count < rows then
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero z1), &result, rowBand.R1)

        if row + 2 * 'L.Count < rows then
            'L.Store(op.Apply<'V, 'L>('L.WithoutMinusZero z2), &result, rowBand.R2)

        if row + 3 * 'L.Count < rows then
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

/// A layer, or a few, of a network for one sample at a time.
[<AbstractClass>]
type internal SampleLayer<'T>() =
    /// Puts the output for a sample of numbers into some memory, from a place on.
    abstract RunNumbers: sample: NumberSample<'T> * result: 'T[] * into: int -> unit
    /// The same for a sample of bytes.
    abstract RunBytes: sample: ByteSample<'T> * result: 'T[] * into: int -> unit

/// f(W·x + b) without allocation.
[<Sealed>]
type internal DenseSample<'T, 'Op
    when 'Op :> IMap<'T>
    and 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>(op: 'Op, parameters: LayerParameters<'T>) =
    inherit SampleLayer<'T>()
    let weights = Kernels.values parameters.Weights
    let biases = Kernels.elements parameters.Biases
    // 0·∞ is not a number.
    let always = if Kernels.areFinite weights then 0UL else UInt64.MaxValue

    let run (sample: 'Sample :> ISample<'T>) (result: 'T[]) (into: int) : unit =
        Simd.runBands biases.Length {
            Op = op
            LayerWeights = weights
            LayerBiases = biases
            Always = always
            Sample = sample
            Result = result
            Into = into
        }

    override _.RunNumbers(sample, result, into) = run sample result into
    override _.RunBytes(sample, result, into) = run sample result into

/// An embedding without allocation.
[<Sealed>]
type internal EmbeddingSample<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (embedding: Embedding, parameters: LayerParameters<'T>) =
    inherit SampleLayer<'T>()

    let matrices = [| for _, matrix in parameters.Matrices -> Kernels.values matrix |]

    let places = embedding.Places

    let run (sample: 'Sample :> ISample<'T>) (result: 'T[]) (into: int) : unit =
        for place in places do
            let output, count = into + place.Output, place.Block.Outputs

            if place.IsEmbedded then
                Array.Clear(result, output, count)

                for k in 0 .. place.Block.Inputs - 1 do
                    let x = sample.Item(place.Input + k)

                    if not ('T.IsZero x) then
                        WeightedColumns.add matrices[place.Matrix] (k * count) count x result output
            else
                for k in 0 .. count - 1 do
                    let x = sample.Item(place.Input + k)
                    // As in a mini-batch, −0 is 0.
                    result[output + k] <- if 'T.IsZero x then 'T.Zero else x

    override _.RunNumbers(sample, result, into) = run sample result into
    override _.RunBytes(sample, result, into) = run sample result into

/// Any layer, by its forward pass on a mini-batch of one.
[<Sealed>]
type internal AnySample<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (place: PlacedLayer, parameters: LayerParameters<'T>, running: LayerParameters<'T>) =
    inherit SampleLayer<'T>()
    let inputs = place.Input.Size

    let run (sample: 'Sample :> ISample<'T>) (result: 'T[]) (into: int) : unit =
        let x = Array.zeroCreate inputs
        sample.Write(0, x.AsSpan())

        let output =
            place.Layer.Forward {
                Inputs = Inputs.Columns(Kernels.matrix inputs 1 x)
                Shape = place.Input
                Parameters = parameters
                Running = running
                Step = ValueNone
                RandomStream = 0
                MayOverwrite = true
                NeedsInputGradient = false
            }

        let values = Kernels.values output.Output
        Array.blit values 0 result into values.Length

    override _.RunNumbers(sample, result, into) = run sample result into
    override _.RunBytes(sample, result, into) = run sample result into
