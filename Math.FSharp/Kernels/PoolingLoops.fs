namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Arithmetic

/// Where the numbers of each window stand in a channel.
type internal PoolingPlan = {
    Channels: int
    /// Numbers of a channel, and of its output.
    InputSize: int
    OutputSize: int
    /// Numbers of a window.
    WindowSize: int
    /// For each window the places of its numbers, row by row; −1 for padding.
    Places: int[]
} with

    /// The plan of a window over images of some channels.
    static member Of(window: Window, channels: int, image: Extent) : PoolingPlan =
        let places = window.Places image

        {
            Channels = channels
            InputSize = image.Rows * image.Columns
            OutputSize = places.Rows * places.Columns
            WindowSize = window.Size.Rows * window.Size.Columns
            Places = [|
                for row in 0 .. places.Rows - 1 do
                    for column in 0 .. places.Columns - 1 do
                        for r in 0 .. window.Size.Rows - 1 do
                            for c in 0 .. window.Size.Columns - 1 do
                                let y =
                                    row * window.Stride.Rows - window.Padding.Rows
                                    + r * window.Dilation.Rows

                                let x =
                                    column * window.Stride.Columns - window.Padding.Columns
                                    + c * window.Dilation.Columns

                                if y < 0 || y >= image.Rows || x < 0 || x >= image.Columns then
                                    -1
                                else
                                    y * image.Columns + x
            |]
        }

/// How the numbers of a window become one. `places` are those of the window; `x` begins where the channel does, whose numbers
/// stand `step` apart.
type internal IPooling<'T> =
    /// What stands for padding in an image: it changes the result of no window.
    abstract Blank: 'T

    abstract Forward<'V, 'L when 'L :> ISimd<'V, 'T>> :
        places: ReadOnlySpan<int> * x: byref<'T> * step: int -> 'V

    /// Adds the gradient in the window's numbers, of samples side by side, to those of the channel at `result`.
    abstract Backward<'V, 'L when 'L :> ISimd<'V, 'T>> :
        places: ReadOnlySpan<int> * x: byref<'T> * gradient: 'V * result: byref<'T> -> unit

/// The greatest number of a window: one that is not a number before all others. The gradient goes to the first of equals.
[<Struct>]
type internal MaxPooling<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> =
    static member inline private Of<'V, 'L when 'L :> ISimd<'V, 'T>>
        (places: ReadOnlySpan<int>, x: byref<'T>, step: int)
        : 'V =
        let mutable best = 'L.Create 'T.NegativeInfinity

        for place in places do
            if place >= 0 then
                best <- 'L.Max(best, 'L.Load(&x, nativeint (place * step)))

        best

    interface IPooling<'T> with
        member _.Blank = 'T.NegativeInfinity

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Forward<'V, 'L when 'L :> ISimd<'V, 'T>>
            (places: ReadOnlySpan<int>, x: byref<'T>, step: int)
            =
            MaxPooling<'T>.Of<'V, 'L>(places, &x, step)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Backward<'V, 'L when 'L :> ISimd<'V, 'T>>
            (places: ReadOnlySpan<int>, x: byref<'T>, gradient: 'V, result: byref<'T>)
            =
            let best = MaxPooling<'T>.Of<'V, 'L>(places, &x, SampleLanes.Count)
            let zero = 'L.Create 'T.Zero
            // What no number of the window has got yet.
            let mutable left = gradient

            for place in places do
                if place >= 0 then
                    let at = nativeint (place * SampleLanes.Count)
                    let x = 'L.Load(&x, at)
                    let given = 'L.WhereGreater(best, x, zero, left)
                    left <- 'L.WhereGreater(best, x, left, zero)
                    'L.Store('L.Add('L.Load(&result, at), given), &result, at)

/// The mean of a window, its padding counted as zeros.
[<Struct>]
type internal AveragePooling<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>> =
    interface IPooling<'T> with
        member _.Blank = 'T.Zero

        member _.Forward<'V, 'L when 'L :> ISimd<'V, 'T>>
            (places: ReadOnlySpan<int>, x: byref<'T>, step: int)
            =
            let mutable sum = 'L.Create 'T.Zero

            for place in places do
                if place >= 0 then
                    sum <- 'L.Add(sum, 'L.Load(&x, nativeint (place * step)))

            'L.Divide(sum, 'L.Create('T.CreateTruncating places.Length))

        member _.Backward<'V, 'L when 'L :> ISimd<'V, 'T>>
            (places: ReadOnlySpan<int>, _: byref<'T>, gradient: 'V, result: byref<'T>)
            =
            let share = 'L.Divide(gradient, 'L.Create('T.CreateTruncating places.Length))

            for place in places do
                if place >= 0 then
                    let at = nativeint (place * SampleLanes.Count)
                    'L.Store('L.Add('L.Load(&result, at), share), &result, at)

/// The outputs of the channels of a block, or the gradient in them.
[<Struct>]
type internal PoolingLoop<'T, 'P when 'P :> IPooling<'T>> = {
    Pooling: 'P
    Plan: PoolingPlan
    X: 'T[]
    /// Outputs, or the gradient in them.
    Y: 'T[]
    /// Receives the gradient in the inputs; nothing if outputs are wanted.
    Gradient: 'T[] voption
    Block: int
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let plan = loop.Plan
            let first = loop.Block * plan.Channels

            for channel in first .. first + plan.Channels - 1 do
                for lane in 0 .. 'L.Count .. SampleLanes.Count - 1 do
                    let from = channel * plan.InputSize * SampleLanes.Count + lane
                    let x = &Unsafe.Add(&Simd.start loop.X, from)

                    let y =
                        &
                            Unsafe.Add(
                                &Simd.start loop.Y,
                                channel * plan.OutputSize * SampleLanes.Count + lane
                            )

                    for p in 0 .. plan.OutputSize - 1 do
                        let places = ReadOnlySpan(plan.Places, p * plan.WindowSize, plan.WindowSize)

                        let at = nativeint (p * SampleLanes.Count)

                        match loop.Gradient with
                        | ValueNone ->
                            'L
                                .Store(
                                    loop.Pooling.Forward<'V, 'L>(places, &x, SampleLanes.Count),
                                    &y,
                                    at
                                )
                        | ValueSome gradient ->
                            let result = &Unsafe.Add(&Simd.start gradient, from)

                            loop.Pooling.Backward<'V, 'L>(places, &x, 'L.Load(&y, at), &result)

/// Pooling of mini-batches, window after window.
[<RequireQualifiedAccess>]
module internal PoolingLoops =
    let private run
        (pooling: 'P :> IPooling<'T>)
        (plan: PoolingPlan)
        (x: LaneBlocks<'T>)
        (y: 'T[])
        (gradient: 'T[] voption)
        : unit =
        let size = plan.Channels * plan.InputSize * SampleLanes.Count

        SampleLanes.run (int64 x.Values.Length) x.Samples (fun block ->
            match gradient with
            | ValueSome gradient -> Array.Clear(gradient, block * size, size)
            | ValueNone -> ()

            Simd.run SampleLanes.Count {
                Pooling = pooling
                Plan = plan
                X = x.Values
                Y = y
                Gradient = gradient
                Block = block
            })

    /// The outputs.
    let forward (pooling: 'P :> IPooling<'T>) (plan: PoolingPlan) (x: LaneBlocks<'T>) =
        let features = plan.Channels * plan.OutputSize
        let result = SampleLanes.room features x.Samples
        run pooling plan x result ValueNone

        {
            Features = features
            Samples = x.Samples
            Values = result
        }

    /// The gradient in the inputs.
    let backward
        (pooling: 'P :> IPooling<'T>)
        (plan: PoolingPlan)
        (x: LaneBlocks<'T>)
        (upstream: LaneBlocks<'T>)
        : LaneBlocks<'T> =
        let result = SampleLanes.room x.Features x.Samples
        run pooling plan x upstream.Values (ValueSome result)
        { x with Values = result }
