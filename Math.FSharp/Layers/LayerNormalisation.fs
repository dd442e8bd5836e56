namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning.Arithmetic

/// <summary>Layer normalisation: z = γ·(x − μ) / √(σ² + ε) + β with the mean μ and the variance σ² of all numbers of the
/// sample itself, and a γ and a β for each number.</summary>
/// <remarks>Training and evaluation see the same function. Source: Ba, Kiros and Hinton, Layer normalization, 2016;
/// ε = 10⁻⁵ is PyTorch's.</remarks>
[<Sealed>]
type internal LayerNormalisation() =
    inherit Layer("layernorm")

    /// β (as b) and γ (as g).
    override _.Parameters(input) = {
        MatrixShapes = []
        VectorSizes = [ "b", input.Size; "g", input.Size ]
    }

    override _.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (_, _, _, input)
        : LayerParameters<'T> =
        LayerParameters.unchanged input.Size

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let x = pass.Inputs.Numbers
        let rows, samples = x.RowCount, x.ColumnCount
        let gain = Kernels.elements (pass.Parameters.Vector "g")
        let shift = Kernels.elements (pass.Parameters.Vector "b")
        let standardised = Kernels.newArray rows samples
        let scales = Array.zeroCreate samples
        let output = Kernels.newArray rows samples
        let work = 4L * int64 rows * int64 samples

        ThreadTeam.run work samples (fun s ->
            scales[s] <-
                LayerNormalisationLoops.standardise (s * rows) rows (Kernels.values x) standardised

            LayerNormalisationLoops.scaleAndShift (s * rows) gain shift standardised output)

        let backward (upstream: Matrix<'T>) : LayerGradient<'T> =
            let gradient = Kernels.values upstream
            let products = Kernels.newArray rows samples
            Kernels.map2Into products (MultiplyOp<'T>()) gradient standardised
            let ofGain = Kernels.biasGradient (Kernels.matrix rows samples products)
            let ofShift = Kernels.biasGradient upstream
            ArrayReuse.Return products

            ThreadTeam.run work samples (fun s ->
                LayerNormalisationLoops.inputGradient
                    (s * rows)
                    scales[s]
                    gain
                    standardised
                    gradient)

            {
                Inputs = ValueSome upstream
                Matrices = []
                Vectors = [ ofShift; ofGain ]
            }

        {
            LayerOutput.create (Kernels.matrix rows samples output) backward with
                MayOverwrite = true
                Kept = [ standardised ]
        }

    interface IOnnxLayer with
        member _.ToOnnx(draft, parameters, _, input) =
            // By elementary operators, which runtimes have in both precisions.
            let mean input =
                draft.Add(
                    "ReduceMean",
                    [ input ],
                    [
                        "axes", Formats.OnnxAttribute.Integers [ 1L ]
                        "keepdims", Formats.OnnxAttribute.Integer 1L
                    ]
                )

            let centred = draft.Add("Sub", [ input; mean input ])
            let variance = mean (draft.Add("Mul", [ centred; centred ]))

            let deviation =
                draft.Add(
                    "Sqrt",
                    [ draft.Add("Add", [ variance; draft.Number LayerNormalisationLoops.Epsilon ]) ]
                )

            let scaled =
                draft.Add("Mul", [ draft.Add("Div", [ centred; deviation ]); parameters[1] ])

            draft.Add("Add", [ scaled; parameters[0] ])
