/// Pooling.fs and its loops: what they compute, and in which order they sum.
module Pipeline.Properties.PoolingLaws

open System
open System.Numerics
open Xunit
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``the layers keep the laws of pooling`` () =
    let forward layer (shape: WindowShape) inputs =
        (OverImages.pass (layer shape.Window) (OverImages.imageOf shape) LayerParameters.none inputs)
            .Output

    let backward layer (shape: WindowShape) inputs upstream =
        let struct (_, inInputs, _) =
            OverImages.both
                (layer shape.Window)
                (OverImages.imageOf shape)
                LayerParameters.none
                inputs
                upstream

        inInputs

    Law.Together [
        yield!
            PoolingLaw.Max(
                (fun shape inputs -> forward Layers.maxPooling shape inputs),
                (fun shape inputs upstream -> backward Layers.maxPooling shape inputs upstream)
            )
        yield!
            PoolingLaw.Average(
                (fun shape inputs -> forward Layers.averagePooling shape inputs),
                (fun shape inputs upstream -> backward Layers.averagePooling shape inputs upstream)
            )
    ]

/// What pooling gives and the gradient in its inputs, in the order in which the core sums.
let private orderedPooling
    (forward: 'T list -> 'T)
    (shares: 'T list -> 'T -> 'T list)
    (shape: WindowShape)
    (x: Matrix<'T>)
    (upstream: Matrix<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
    : struct (Matrix<'T> * Matrix<'T>) =
    let outputs = Matrix<'T>.Build.Dense(upstream.RowCount, upstream.ColumnCount)
    let inInputs = Matrix<'T>.Build.Dense(x.RowCount, x.ColumnCount)

    for channel in 0 .. shape.Channels - 1 do
        OverImages.seen shape
        |> Array.iteri (fun p window ->
            let output = channel * OverImages.size shape.Places + p

            let inputs = [
                for inside in window do
                    if inside >= 0 then
                        channel * OverImages.size shape.Image + inside
            ]

            for s in 0 .. x.ColumnCount - 1 do
                let numbers = inputs |> List.map (fun i -> x[i, s])
                outputs[output, s] <- forward numbers

                for i, share in List.zip inputs (shares numbers upstream[output, s]) do
                    inInputs[i, s] <- inInputs[i, s] + share)

    struct (outputs, inInputs)

let private holdsPooling<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IBinaryFloatingPointIeee754<'T>>
    (seed: uint64)
    (samples: int)
    (shape: WindowShape)
    : unit =
    let x: Matrix<'T> = OverImages.numbers seed 2 shape.Features samples

    let upstream: Matrix<'T> =
        OverImages.numbers seed 3 (shape.Channels * OverImages.size shape.Places) samples

    let size = 'T.CreateTruncating(OverImages.size shape.Window.Size)

    let greatest (numbers: 'T list) =
        numbers |> List.reduce (fun x y -> 'T.Max(x, y))

    let toFirst (numbers: 'T list) (gradient: 'T) =
        let top = greatest numbers
        let first = numbers |> List.findIndex (fun x -> 'T.op_Equality (x, top))
        numbers |> List.mapi (fun i _ -> if i = first then gradient else 'T.Zero)

    let mean (numbers: 'T list) : 'T =
        numbers
        |> List.fold (fun (sum: 'T) x -> sum + x) 'T.Zero
        |> (fun sum -> sum / size)

    let parts (numbers: 'T list) (gradient: 'T) : 'T list =
        numbers |> List.map (fun _ -> gradient / size)

    for layer, struct (y, inInputs) in
        [
            Layers.maxPooling shape.Window, orderedPooling greatest toFirst shape x upstream
            Layers.averagePooling shape.Window, orderedPooling mean parts shape x upstream
        ] do
        for threads in 1..2 do
            KernelLaws.withThreads threads (fun () ->
                let struct (foundY, foundInInputs, _) =
                    OverImages.both
                        layer
                        (OverImages.imageOf shape)
                        LayerParameters.none
                        x
                        upstream

                Exactly.bits (cells y) (cells foundY)
                Exactly.bits (cells inInputs) (cells foundInInputs))

[<Law(MaxTest = 40)>]
let ``pooling sums in its order, bit for bit, in both precisions`` (Seed seed) =
    Prop.forAll (Arb.zip (Arb.fromGen Small.pooling, OverImages.samples)) (fun (shape, samples) ->
        holdsPooling<float> seed samples shape
        holdsPooling<float32> seed samples shape)

[<Law(MaxTest = 40)>]
let ``what is not a number, or infinite, reaches every output that sees it, and no other``
    (Seed seed)
    =
    Prop.forAll (Arb.fromGen Small.pooling) (fun shape ->
        for odd in [ nan; infinity; -infinity ] do
            let x: Matrix<float> = OverImages.numbers seed 0 shape.Features 3
            let at = int (seed % uint64 shape.Features)
            let changed = x.Clone()
            changed[at, 1] <- odd

            for layer in [ Layers.maxPooling shape.Window; Layers.averagePooling shape.Window ] do
                let output inputs =
                    (OverImages.pass layer (OverImages.imageOf shape) LayerParameters.none inputs)
                        .Output

                let before, after = output x, output changed

                for channel in 0 .. shape.Channels - 1 do
                    OverImages.seen shape
                    |> Array.iteri (fun p window ->
                        let i = channel * OverImages.size shape.Places + p

                        let seesIt =
                            window
                            |> Array.exists (fun inside ->
                                inside >= 0
                                && channel * OverImages.size shape.Image + inside = at)

                        for s in 0..2 do
                            if not (seesIt && s = 1) then
                                Exactly.bits [| before[i, s] |] [| after[i, s] |]
                            elif not (Double.IsNegativeInfinity odd) then
                                Exactly.bits [| odd |] [| after[i, s] |]))
