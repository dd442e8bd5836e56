namespace Pipeline.Learning

open System
open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Arithmetic

/// One layer for one sample, f(W·x + b), inputs of 0 left out: the bits of `Kernels.affine`, from x at
/// one place of some memory to another.
[<Struct>]
type internal SampleLoop<'T, 'Op when 'Op :> IMap<'T>> = {
    /// f.
    Op: 'Op
    LayerWeights: 'T[]
    LayerBiases: 'T[]
    Memory: 'T[]
    /// Where x begins; zeros fill it up to a multiple of SampleLoop.Block numbers.
    From: int
    Into: int
} with

    /// So many inputs are looked through at once: as many as a word has bits.
    static member Block = 64

    interface ILoop<'T> with
        [<MethodImpl(MethodImplOptions.NoInlining)>]
        member loop.Run<'V, 'L when 'L :> ILanes<'V, 'T> and 'V: struct>() =
            let rows = loop.LayerBiases.Length
            let inputs = loop.LayerWeights.Length / rows
            let weights = &Lanes.start loop.LayerWeights
            let biases = &Lanes.start loop.LayerBiases
            let x = &Unsafe.Add(&Lanes.start loop.Memory, loop.From)
            let result = &Unsafe.Add(&Lanes.start loop.Memory, loop.Into)
            let mutable row = 0

            while row < rows do
                let windows = Windows.Of(row, 'L.Count, 'L.Count, rows)
                let mutable z0 = 'L.Load(&biases, windows.W0)
                let mutable z1 = 'L.Load(&biases, windows.W1)
                let mutable z2 = 'L.Load(&biases, windows.W2)
                let mutable z3 = 'L.Load(&biases, windows.W3)
                let mutable block = 0

                while block < inputs do
                    let mutable left = 0UL

                    for lane in 0 .. 'L.Count .. SampleLoop<'T, 'Op>.Block - 1 do
                        left <-
                            left ||| ('L.NonZero('L.Load(&x, nativeint (block + lane))) <<< lane)

                    while left <> 0UL do
                        let input = nativeint (block + BitOperations.TrailingZeroCount left)
                        left <- left &&& (left - 1UL)
                        let factor = 'L.Create(Unsafe.Add(&x, input))
                        let column = &Unsafe.Add(&weights, input * nativeint rows)
                        z0 <- 'L.MultiplyAdd('L.Load(&column, windows.W0), factor, z0)
                        z1 <- 'L.MultiplyAdd('L.Load(&column, windows.W1), factor, z1)
                        z2 <- 'L.MultiplyAdd('L.Load(&column, windows.W2), factor, z2)
                        z3 <- 'L.MultiplyAdd('L.Load(&column, windows.W3), factor, z3)

                    block <- block + SampleLoop<'T, 'Op>.Block

                'L.Store(loop.Op.Apply<'V, 'L> z0, &result, windows.W0)
                'L.Store(loop.Op.Apply<'V, 'L> z1, &result, windows.W1)
                'L.Store(loop.Op.Apply<'V, 'L> z2, &result, windows.W2)
                'L.Store(loop.Op.Apply<'V, 'L> z3, &result, windows.W3)
                row <- row + 4 * 'L.Count

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
            struct (Kernels.values layer.Weights, Kernels.elements layer.Biases)
    |]

    let hidden = architecture.Hidden |> List.map _.Activation |> Array.ofList

    /// Room for so many numbers and the zeros after them.
    let room numbers =
        let block = SampleLoop<'T, IdentityOp<'T>>.Block
        (numbers + block - 1) / block * block

    let inputs = room architecture.Inputs
    // A layer reads one of two rooms and writes the other.
    let widest = architecture.Sizes.Tail |> List.max |> room

    let run (memory: 'T[]) (layer: int) (op: 'Op) : unit =
        let struct (weights, biases) = layers[layer]

        Lanes.run biases.Length {
            Op = op
            LayerWeights = weights
            LayerBiases = biases
            Memory = memory
            From = if layer = 0 then 0 else inputs + (layer - 1) % 2 * widest
            Into = inputs + layer % 2 * widest
        }

    /// The samples' numbers stand in the memory; answers with where the logits begin.
    let logits (memory: 'T[]) : int =
        for layer in 0 .. hidden.Length - 1 do
            let into = inputs + layer % 2 * widest
            let width = (let struct (_, biases) = layers[layer] in biases.Length)
            memory.AsSpan(into + width, room width - width).Clear()

            match hidden[layer] with
            | Activation.Sigmoid -> run memory layer (SigmoidOp<'T>())
            | Activation.Tanh -> run memory layer (TanhOp<'T>())
            | Activation.Relu -> run memory layer (ReluOp<'T>())
            | Activation.Identity -> run memory layer (IdentityOp<'T>())
            | Activation.LeakyRelu -> run memory layer (LeakyReluOp<'T>())
            | Activation.Elu -> run memory layer (EluOp<'T>())
            | Activation.Gelu -> run memory layer (GeluOp<'T>())
            | Activation.Silu -> run memory layer (SiluOp<'T>())
            | Activation.Softplus -> run memory layer (SoftplusOp<'T>())

        run memory hidden.Length (IdentityOp<'T>())
        inputs + hidden.Length % 2 * widest

    /// As Activation.softmax has it.
    let softmax (logits: ReadOnlySpan<'T>) (probabilities: Span<'T>) : unit =
        let mutable top = logits[0]

        for z in logits do
            if 'T.op_GreaterThan (z, top) then
                top <- z

        for k in 0 .. logits.Length - 1 do
            probabilities[k] <- Elementary.Exp<'T, 'T, Lanes1<'T>>(logits[k] - top)

        let mutable sum = probabilities[0]

        for k in 1 .. logits.Length - 1 do
            sum <- sum + probabilities[k]

        for k in 0 .. logits.Length - 1 do
            probabilities[k] <- probabilities[k] / sum

    let answer (memory: 'T[]) (probabilities: Span<'T>) : unit =
        memory.AsSpan(architecture.Inputs, inputs - architecture.Inputs).Clear()
        let sums = ReadOnlySpan(memory, logits memory, architecture.Outputs)

        match architecture.Head with
        | Head.Softmax -> softmax sums probabilities
        | Head.Identity -> sums.CopyTo probabilities
        | Head.Sigmoid ->
            for k in 0 .. sums.Length - 1 do
                probabilities[k] <- Elementary.Sigmoid<'T, 'T, Lanes1<'T>> sums[k]

        ArrayPool<'T>.Shared.Return memory

    let rent (given: int) (room: int) : 'T[] =
        if given <> architecture.Inputs then
            invalidArg "sample" $"expected {architecture.Inputs} numbers, found {given}"

        if room <> architecture.Outputs then
            invalidArg "probabilities" $"expected room for {architecture.Outputs}, found {room}"

        ArrayPool<'T>.Shared.Rent(inputs + 2 * widest)

    /// <summary>What the network says: the probability of every class, or what else its head
    /// gives.</summary>
    /// <param name="sample">As many numbers as the network has inputs.</param>
    /// <param name="probabilities">Where it goes: room for one an output.</param>
    /// <exception cref="T:System.ArgumentException">One of them has another length.</exception>
    member _.Predict(sample: ReadOnlySpan<'T>, probabilities: Span<'T>) : unit =
        let memory = rent sample.Length probabilities.Length
        sample.CopyTo(memory.AsSpan())
        answer memory probabilities

    /// <summary>What the network says of an image, each pixel taken as byte / 255.</summary>
    /// <param name="pixels">As many bytes as the network has inputs.</param>
    /// <param name="probabilities">Where it goes: room for one an output.</param>
    /// <exception cref="T:System.ArgumentException">One of them has another length.</exception>
    member _.Predict(pixels: ReadOnlySpan<byte>, probabilities: Span<'T>) : unit =
        let memory = rent pixels.Length probabilities.Length
        let table = &Lanes.start ByteScale<'T>.Table
        let x = &Lanes.start memory

        for i in 0 .. pixels.Length - 1 do
            let number = &Unsafe.Add(&x, i)
            number <- Unsafe.Add(&table, int pixels[i])

        answer memory probabilities
