namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

[<RequireQualifiedAccess>]
module internal DenseLimits =
    /// The most outputs of a layer.
    [<Literal>]
    let MaximumOutputs = 65536

/// <summary>A dense layer: W·x + b, one row of W and one number of b for each output.</summary>
/// <remarks>Below a layer that shifts its output there are no biases: they would be standardised
/// away. Source: Deep Learning from Scratch, ch. 3 and 5 (affine layer).</remarks>
[<Sealed>]
type internal Dense(outputs: int, hasBiases: bool) =
    inherit Layer(invariant $"dense {outputs}")

    let biasesOf (parameters: LayerParameters<'T>) =
        if hasBiases then
            parameters.Biases
        else
            Kernels.vector (Array.zeroCreate outputs)

    override _.OutputShape(input) =
        Fault.check
            [
                outputs >= 1 && outputs <= DenseLimits.MaximumOutputs,
                Fault.create
                    ""
                    (invariant $"1 to {DenseLimits.MaximumOutputs} outputs")
                    (string outputs)
                int64 input.Size * int64 outputs <= int64 Array.MaxLength,
                Fault.create
                    ""
                    (invariant $"layers of at most {Array.MaxLength} weights")
                    (invariant $"one of {input.Size} × {outputs}")
            ]
            (fun () -> Shape.Vector outputs)

    override _.Parameters(input) = {
        MatrixShapes = [ "W", outputs, input.Size ]
        VectorSizes = if hasBiases then [ "b", outputs ] else []
    }

    override _.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (initialiser, seed, number, input)
        : LayerParameters<'T> = {
        Matrices = [
            "W",
            initialiser
            |> Initialiser.weights seed number outputs input.Size
            |> Kernels.matrix outputs input.Size
        ]
        Vectors = [
            if hasBiases then
                "b", Kernels.vector (Array.zeroCreate outputs)
        ]
    }

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let weights = pass.Parameters.Weights

        {
            LayerOutput.create
                (Inputs.affine weights (biasesOf pass.Parameters) pass.Inputs)
                (fun upstream -> {
                    Inputs =
                        if pass.NeedsInputGradient then
                            ValueSome(Kernels.inputGradient weights upstream)
                        else
                            ValueNone
                    Matrices = [ MatrixGradient.Product(upstream, pass.Inputs) ]
                    Vectors = [
                        if hasBiases then
                            Kernels.biasGradient upstream
                    ]
                }) with
                MayOverwrite = true
        }

    interface IAffine with
        member _.WithoutBiases = Dense(outputs, false)

        member _.Absorb<'T
            when 'T: struct
            and 'T :> ValueType
            and 'T: (new: unit -> 'T)
            and 'T :> IBinaryFloatingPointIeee754<'T>>
            (scale: 'T[], shift: 'T[], parameters: LayerParameters<'T>)
            : struct (Layer * LayerParameters<'T>) =
            struct (Dense(outputs, true),
                    LayerParameters.scaleOutputs
                        scale
                        shift
                        (Kernels.elements (biasesOf parameters))
                        parameters.Weights)

    interface IOnnxLayer with
        member _.ToOnnx(draft, parameters, _, input) =
            // X·W + b, W in the book's shape.
            draft.Add("Gemm", input :: parameters)
