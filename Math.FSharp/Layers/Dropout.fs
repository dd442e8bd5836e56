namespace Pipeline.Learning

open System
open System.Numerics
open System.Runtime.CompilerServices
open Pipeline.Learning.Formats

/// x·y.
[<Struct>]
type internal MultiplyOp<'T when 'T :> INumber<'T>> =
    interface IMap2<'T> with
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        member _.Apply<'V, 'L when 'L :> ISimd<'V, 'T>>(x: 'V, y: 'V) = 'L.Multiply(x, y)

/// The random numbers of dropout.
[<RequireQualifiedAccess>]
module internal DropoutMask =
    /// Draws of 16 bits in a block of Philox.
    let private draws = 8

    /// 0 with the probability of the fraction, in steps of 1/65,536, else 1 / (1 − fraction), element by element.
    let create
        (fraction: float)
        (step: TrainingStep)
        (stream: int)
        (length: int)
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let threshold = min 65535 (int (Math.Round(fraction * 65536.0)))
        let kept = 'T.CreateTruncating(65536.0 / float (65536 - threshold))
        let values = ArrayReuse<'T>.Rent length
        let blocks = (length + draws - 1) / draws
        let blocksOf = 1024

        ThreadTeam.run (int64 length * 16L) ((blocks + blocksOf - 1) / blocksOf) (fun part ->
            for block in part * blocksOf .. min blocks ((part + 1) * blocksOf) - 1 do
                let struct (x0, x1, x2, x3) =
                    RandomNumbers.block128
                        step.Seed
                        RandomStream.Dropout
                        stream
                        step.Iteration
                        block

                let mutable low = (uint64 x1 <<< 32) ||| uint64 x0
                let mutable high = (uint64 x3 <<< 32) ||| uint64 x2
                let first = block * draws

                for i in 0 .. min draws (length - first) - 1 do
                    let draw = int (low &&& 0xFFFFUL)
                    values[first + i] <- if draw < threshold then 'T.Zero else kept
                    low <- (low >>> 16) ||| (high <<< 48)
                    high <- high >>> 16)

        values

/// <summary>Dropout: a step of training sets a fraction of the units to 0 and multiplies the others by
/// 1 / (1 − fraction), so that the mean stays. Evaluation changes nothing.</summary>
/// <remarks>Source: Srivastava et al., Dropout, JMLR 15 (2014), in PyTorch's form.</remarks>
[<Sealed>]
type internal Dropout(fraction: float) =
    inherit Layer($"dropout {string fraction}")

    override _.OutputShape(input) =
        Fault.check [ NumberRange.check "" NumberRange.share fraction ] (fun () -> input)

    override _.DrawsRandomNumbers = true
    override _.DiffersInTraining = fraction > 0.0

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let x = pass.Inputs.Numbers

        match pass.Step with
        | ValueSome step when fraction > 0.0 ->
            let rows, columns = x.RowCount, x.ColumnCount
            let mask = DropoutMask.create fraction step pass.RandomStream (rows * columns)

            let result =
                if pass.MayOverwrite then
                    Kernels.values x
                else
                    Kernels.newArray rows columns

            Kernels.map2Into result (MultiplyOp<'T>()) (Kernels.values x) mask

            {
                LayerOutput.create (Kernels.matrix rows columns result) (fun upstream ->
                    let gradient = Kernels.values upstream
                    Kernels.map2Into gradient (MultiplyOp<'T>()) gradient mask
                    LayerGradient.ofInputs upstream) with
                    MayOverwrite = true
                    Kept = [ mask ]
            }
        | _ -> {
            LayerOutput.create x LayerGradient.ofInputs with
                MayOverwrite = pass.MayOverwrite
          }

    interface IOnlyInTraining

    interface IOnnxLayer with
        member _.ToOnnx(_, _, _, input) = input
