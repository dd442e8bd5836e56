namespace Pipeline.Learning

open System
open System.Buffers
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open Microsoft.FSharp.NativeInterop

/// <summary>A network that answers for one sample at a time: dense layers and activations allocate nothing for an
/// answer, and any number of threads may ask at once.</summary>
/// <remarks>The answers are those of <c>Network.probabilities</c>, bit for bit, which is faster for many samples at
/// once; <c>Network.predict</c> has the same bits where no layer is normalised.</remarks>
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
    let network = ForwardPass.folded network
    let architecture = network.Architecture

    // A layer reads one half of the memory and writes the other.
    let widest = architecture.Widest

    let inputs, outputs, head =
        architecture.Inputs, architecture.Outputs, architecture.Head

    let layers = SingleSampleLayers.ofNetwork network

    /// Room for what any two layers give.
    let rent (given: int) (expected: int) : 'T[] =
        if given <> inputs then
            invalidArg "sample" (invariant $"expected {inputs} numbers, found {given}")

        if expected <> outputs then
            invalidArg "probabilities" (invariant $"expected room for {outputs}, found {expected}")

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

    /// The layers above the first, and the head.
    let finish (memory: 'T[]) (probabilities: Span<'T>) : unit =
        use rooms = fixed MemoryMarshal.AsBytes(memory.AsSpan())

        for layer in 1 .. layers.Length - 1 do
            let from = (layer - 1) % 2 * widest * Unsafe.SizeOf<'T>()

            layers[layer]
                .RunNumbers(
                    {
                        Numbers = NativePtr.toNativeInt rooms + nativeint from
                    },
                    memory,
                    layer % 2 * widest
                )

        let last = (layers.Length - 1) % 2 * widest
        let logits = ReadOnlySpan(memory, last, outputs)

        match head with
        | Head.Softmax -> softmax logits probabilities
        | Head.Identity -> logits.CopyTo probabilities
        | Head.Sigmoid ->
            for k in 0 .. logits.Length - 1 do
                probabilities[k] <- Elementary.Sigmoid<'T, 'T, Simd1<'T>> logits[k]

        ArrayPool<'T>.Shared.Return memory

    /// <summary>The predictions for a sample: the probability of every class, or the output of another
    /// head.</summary>
    /// <param name="sample">As many numbers as the network has inputs.</param>
    /// <param name="probabilities">Receives the predictions, one for each output.</param>
    /// <exception cref="T:System.ArgumentException">One of them has another length.</exception>
    member _.Predict(sample: ReadOnlySpan<'T>, probabilities: Span<'T>) : unit =
        let memory = rent sample.Length probabilities.Length
        use numbers = fixed MemoryMarshal.AsBytes sample

        layers[0]
            .RunNumbers(
                {
                    Numbers = NativePtr.toNativeInt numbers
                },
                memory,
                0
            )

        finish memory probabilities

    /// <summary>The predictions for an image, each pixel taken as byte / 255.</summary>
    /// <param name="pixels">As many bytes as the network has inputs.</param>
    /// <param name="probabilities">Receives the predictions, one for each output.</param>
    /// <exception cref="T:System.ArgumentException">One of them has another length.</exception>
    member _.Predict(pixels: ReadOnlySpan<byte>, probabilities: Span<'T>) : unit =
        let memory = rent pixels.Length probabilities.Length
        use bytes = fixed pixels

        layers[0]
            .RunBytes(
                {
                    Pixels = NativePtr.toNativeInt bytes
                    Table = ByteScale<'T>.Table
                },
                memory,
                0
            )

        finish memory probabilities
