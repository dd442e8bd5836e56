namespace PipelineLaws

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// A layer of your own: y = s ∘ x, with a factor s for each feature.
type Scale() =
    inherit Layer("scale")

    override _.Parameters(input) = {
        MatrixShapes = []
        VectorSizes = [ "s", input.Size ]
    }

    override _.Initialise<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (_, _, _, input)
        : LayerParameters<'T> = {
        Matrices = []
        Vectors = [ "s", Vector<'T>.Build.Dense(input.Size, 'T.One) ]
    }

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let x, s = pass.Inputs.Numbers, pass.Parameters.Vector "s"
        let scale (m: Matrix<'T>) = m.MapIndexed(fun i _ x -> s[i] * x)

        LayerOutput.create (scale x) (fun upstream -> {
            Inputs = ValueSome(scale upstream)
            Matrices = []
            Vectors = [ upstream.PointwiseMultiply(x).RowSums() ]
        })
