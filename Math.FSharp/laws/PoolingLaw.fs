namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Images to pool, many of their numbers equal, and a gradient in what pooling gives.
type private PoolingCase = {
    Shape: WindowShape
    Inputs: Matrix<float>
    Upstream: Matrix<float>
}

/// <summary>Laws of pooling over images: a function of inputs (features, batch), and its backward pass. Both are compared
/// with <c>ImageReference</c> for random images and windows.</summary>
/// <remarks>Channels are pooled one by one. The windows see a number at every place.</remarks>
[<AbstractClass; Sealed>]
type PoolingLaw =
    static member private Cases: Arbitrary<PoolingCase> =
        gen {
            let! shape = Small.pooling
            let! samples = Gen.choose (1, 3)
            // Whole numbers, so that many are equal; mostly below 0, where padding with zeros shows.
            let! inputs =
                Small.matrix shape.Features samples (Gen.choose (-3, 1) |> Gen.map float)

            let outputs = shape.Channels * shape.Places.Rows * shape.Places.Columns
            let! upstream = Small.matrix outputs samples (Small.number 2.0)

            return {
                Shape = shape
                Inputs = inputs
                Upstream = upstream
            }
        }
        |> Arb.fromGen

    static member private Of
        (
            pool: WindowShape -> Matrix<float> -> Matrix<float>,
            poolGradient: WindowShape -> Matrix<float> -> Matrix<float> -> Matrix<float>,
            forward: Func<WindowShape, Matrix<float>, Matrix<float>>,
            backward: Func<WindowShape, Matrix<float>, Matrix<float>, Matrix<float>>
        ) : Law list = [
        Laws.create "the outputs are the definition's" PoolingLaw.Cases (fun case ->
            forward.Invoke(case.Shape, case.Inputs)
            |> ImageLaws.requireImages
                "the outputs"
                case.Shape.Places
                (pool case.Shape case.Inputs))
        Laws.create "the gradient in the inputs is the definition's" PoolingLaw.Cases (fun case ->
            backward.Invoke(case.Shape, case.Inputs, case.Upstream)
            |> ImageLaws.requireImages
                "the gradient in the inputs"
                case.Shape.Image
                (poolGradient case.Shape case.Inputs case.Upstream))
        Laws.create "it is pure" PoolingLaw.Cases (fun case ->
            Laws.requirePure
                (fun () -> [ Laws.cells case.Inputs; Laws.cells case.Upstream ])
                (fun () -> [
                    Laws.cells (forward.Invoke(case.Shape, case.Inputs))
                    Laws.cells (backward.Invoke(case.Shape, case.Inputs, case.Upstream))
                ]))
    ]

    /// <summary>All laws of max pooling: an output is the greatest number of its window, padding left out; the gradient goes to
    /// the first of the greatest numbers; it is pure.</summary>
    /// <param name="forward">Outputs (channels · places, batch) from inputs.</param>
    /// <param name="backward">The gradient in the inputs, from inputs and the gradient in the outputs.</param>
    static member Max
        (
            forward: Func<WindowShape, Matrix<float>, Matrix<float>>,
            backward: Func<WindowShape, Matrix<float>, Matrix<float>, Matrix<float>>
        ) : Law list =
        PoolingLaw.Of(ImageReference.maxPool, ImageReference.maxPoolGradient, forward, backward)

    /// <summary>All laws of average pooling: an output is the mean of its window, padding counted as zeros; the gradient goes to
    /// all numbers in equal parts; it is pure.</summary>
    /// <param name="forward">Outputs (channels · places, batch) from inputs.</param>
    /// <param name="backward">The gradient in the inputs, from inputs and the gradient in the outputs.</param>
    static member Average
        (
            forward: Func<WindowShape, Matrix<float>, Matrix<float>>,
            backward: Func<WindowShape, Matrix<float>, Matrix<float>, Matrix<float>>
        ) : Law list =
        PoolingLaw.Of(
            ImageReference.averagePool,
            ImageReference.averagePoolGradient,
            forward,
            backward
        )
