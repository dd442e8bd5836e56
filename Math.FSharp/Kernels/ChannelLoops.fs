namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Arithmetic

/// A function of two numbers of a channel and three constants of the channel.
type internal IChannelMap<'T> =
    abstract Apply<'V, 'L when 'L :> ISimd<'V, 'T>> : x: 'V * y: 'V * a: 'V * b: 'V * c: 'V -> 'V

/// x.
[<Struct>]
type internal ChannelNumber<'T> =
    interface IChannelMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, _: 'V, _: 'V, _: 'V, _: 'V) = x

/// x·y.
[<Struct>]
type internal ChannelProduct<'T> =
    interface IChannelMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V, _: 'V, _: 'V, _: 'V) =
            'L.Multiply(x, y)

/// (x − a)².
[<Struct>]
type internal SquaredDifference<'T> =
    interface IChannelMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, _: 'V, a: 'V, _: 'V, _: 'V) =
            let difference = 'L.Subtract(x, a)
            'L.Multiply(difference, difference)

/// (x − a)·b.
[<Struct>]
type internal Standardise<'T> =
    interface IChannelMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, _: 'V, a: 'V, b: 'V, _: 'V) =
            'L.Multiply('L.Subtract(x, a), b)

/// a·x + b.
[<Struct>]
type internal ScaleAndShift<'T> =
    interface IChannelMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, _: 'V, a: 'V, b: 'V, _: 'V) =
            'L.MultiplyAdd(a, x, b)

/// c·(x − a − y·b).
[<Struct>]
type internal StandardisedGradient<'T> =
    interface IChannelMap<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V, a: 'V, b: 'V, c: 'V) =
            'L.Multiply(c, 'L.Subtract('L.Subtract(x, a), 'L.Multiply(y, b)))

/// The constants of each channel.
type internal ChannelConstants<'T> = { A: 'T[]; B: 'T[]; C: 'T[] }

/// A function of every number of some channels of a block.
[<Struct>]
type internal ChannelMapLoop<'T, 'Op when 'Op :> IChannelMap<'T>> = {
    Op: 'Op
    /// Numbers of a channel.
    Size: int
    /// The first number of the first channel.
    First: int
    Constants: ChannelConstants<'T>
    X: 'T[]
    Y: 'T[]
    Result: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let x = &Simd.start loop.X
            let y = &Simd.start loop.Y
            let result = &Simd.start loop.Result
            let length = loop.Size * SampleLanes.Count

            for channel in 0 .. loop.Constants.A.Length - 1 do
                let a = 'L.Create loop.Constants.A[channel]
                let b = 'L.Create loop.Constants.B[channel]
                let c = 'L.Create loop.Constants.C[channel]
                let mutable i = nativeint (loop.First + channel * length)
                let finish = i + nativeint length

                while i < finish do
                    'L
                        .Store(
                            loop.Op.Apply<'V, 'L>('L.Load(&x, i), 'L.Load(&y, i), a, b, c),
                            &result,
                            i
                        )

                    i <- i + nativeint 'L.Count

/// The sum of a function of the numbers of a channel over all blocks: for each lane that of the lane's samples in their
/// order.
[<Struct>]
type internal ChannelSumLoop<'T, 'Op
    when 'Op :> IChannelMap<'T>
    and 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> = {
    Term: 'Op
    Channel: int
    ChannelSize: int
    Features: int
    Samples: int
    Constant: 'T
    Numbers: 'T[]
    Others: 'T[]
    /// Receives the sums over the blocks that are full, and over all.
    Full: 'T[]
    All: 'T[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let x = &Simd.start loop.Numbers
            let y = &Simd.start loop.Others
            let full = loop.Samples / SampleLanes.Count
            let a = 'L.Create loop.Constant
            let step = nativeint SampleLanes.Count
            let into = loop.Channel * SampleLanes.Count

            for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                let mutable sum = 'L.Create 'T.Zero

                for block in 0 .. SampleLanes.blocks loop.Samples - 1 do
                    if block = full then
                        'L.Store(sum, &Simd.start loop.Full, nativeint (into + lane))

                    let mutable i =
                        nativeint (block * loop.Features + loop.Channel * loop.ChannelSize) * step
                        + nativeint lane

                    for _ in 1 .. loop.ChannelSize do
                        sum <-
                            'L
                                .Add(
                                    sum,
                                    loop.Term.Apply<'V, 'L>('L.Load(&x, i), 'L.Load(&y, i), a, a, a)
                                )

                        i <- i + step

                'L.Store(sum, &Simd.start loop.All, nativeint (into + lane))

/// Sums and functions of the channels of images side by side.
[<RequireQualifiedAccess>]
module internal ChannelLoops =
    /// For each channel the sum of op(x, y, a) over its numbers in all samples: for each lane in order, then lane after
    /// lane.
    let sums
        (op: 'Op :> IChannelMap<'T>)
        (size: int)
        (constants: 'T[])
        (x: LaneBlocks<'T>)
        (y: 'T[])
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let channels = x.Features / size
        let rest = x.Samples % SampleLanes.Count
        let full: 'T[] = Array.zeroCreate (channels * SampleLanes.Count)
        let all: 'T[] = Array.zeroCreate (channels * SampleLanes.Count)

        ThreadTeam.run (int64 x.Values.Length) channels (fun channel ->
            Simd.run SampleLanes.Count {
                Term = op
                Channel = channel
                ChannelSize = size
                Features = x.Features
                Samples = x.Samples
                Constant = constants[channel]
                Numbers = x.Values
                Others = y
                Full = full
                All = all
            })

        // The lanes of samples that are missing end with the last full block.
        if rest > 0 then
            for i in 0 .. all.Length - 1 do
                if i % SampleLanes.Count >= rest then
                    all[i] <- full[i]

        SampleLanes.totals all channels

    /// The sum of each channel's numbers in all samples, in the same order.
    let total (size: int) (x: LaneBlocks<'T>) : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        sums (ChannelNumber<'T>()) size (Array.zeroCreate (x.Features / size)) x x.Values

    /// op(x, y, a, b, c) of every number, into an array made for it: that of x or y may be it.
    let map
        (op: 'Op :> IChannelMap<'T>)
        (size: int)
        (constants: ChannelConstants<'T>)
        (x: LaneBlocks<'T>)
        (y: 'T[])
        (result: 'T[])
        : LaneBlocks<'T> when 'T :> IBinaryFloatingPointIeee754<'T> =
        SampleLanes.run (2L * int64 x.Values.Length) x.Samples (fun block ->
            Simd.run SampleLanes.Count {
                Op = op
                Size = size
                First = block * x.Features * SampleLanes.Count
                Constants = constants
                X = x.Values
                Y = y
                Result = result
            })

        { x with Values = result }
