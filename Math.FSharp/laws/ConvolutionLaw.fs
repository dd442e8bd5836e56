namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// What laws say of images.
[<RequireQualifiedAccess>]
module internal ImageLaws =
    /// A number of an output or of an input, in words.
    let place (extent: Extent) (feature: int) : string =
        let size = extent.Rows * extent.Columns
        let inChannel = feature % size

        $"channel %d{feature / size}, row %d{inChannel / extent.Columns}, column %d{inChannel % extent.Columns}"

    /// Images side by side that are to be equal within rounding.
    let requireImages
        (what: string)
        (extent: Extent)
        (expected: Matrix<float>)
        (found: Matrix<float>)
        : unit =
        Laws.requireShape what expected found

        for s in 0 .. expected.ColumnCount - 1 do
            for i in 0 .. expected.RowCount - 1 do
                let difference = abs (found[i, s] - expected[i, s])

                // False for a difference that is not a number.
                if not (difference <= Approximately.rounding * max 1.0 (abs expected[i, s])) then
                    Laws.broken
                        $"{what}, sample %d{s}, {place extent i}: expected {string expected[i, s]}, found {string found[i, s]}"

/// A convolution with numbers to compute with, cells within ±2.
type private ConvolutionCase = {
    Shape: ConvolutionShape
    Weights: Matrix<float>
    Biases: Vector<float>
    Inputs: Matrix<float>
    Upstream: Matrix<float>
}

/// <summary>Laws of a convolution over images: a function of weights, biases and inputs, and its backward pass. Both are
/// compared with <c>ImageReference</c> for random images, windows, strides, padding, dilation and groups.</summary>
/// <remarks>The window is not flipped, as in PyTorch, and there are zeros around the image. Weights are (output channels,
/// taps), a tap being a channel of the group, a row and a column of the window; inputs are (features, batch), one
/// channel after the other, each row by row.</remarks>
[<AbstractClass; Sealed>]
type ConvolutionLaw =
    static member private Cases: Arbitrary<ConvolutionCase> =
        gen {
            let! shape = Small.convolution
            let! samples = Gen.choose (1, 3)
            let cell = Small.number 2.0
            let places = shape.Input.Places
            let! weights = Small.matrix shape.Outputs shape.Taps cell
            let! biases = Small.vector shape.Outputs cell
            let! inputs = Small.matrix shape.Input.Features samples cell

            let! upstream =
                Small.matrix (shape.Outputs * places.Rows * places.Columns) samples cell

            return {
                Shape = shape
                Weights = weights
                Biases = biases
                Inputs = inputs
                Upstream = upstream
            }
        }
        |> Arb.fromGen

    /// <summary>Every output is b(o) + Σₖ W(o, k)·x(p, k).</summary>
    /// <param name="forward">Outputs (output channels · places, batch) from weights, biases and inputs.</param>
    static member OutputsAreDefinition
        (forward: Func<ConvolutionShape, Matrix<float>, Vector<float>, Matrix<float>, Matrix<float>>)
        : Law =
        Laws.create "the outputs are the definition's" ConvolutionLaw.Cases (fun case ->
            let expected =
                ImageReference.convolve case.Shape case.Weights case.Biases case.Inputs

            forward.Invoke(case.Shape, case.Weights, case.Biases, case.Inputs)
            |> ImageLaws.requireImages "the outputs" case.Shape.Input.Places expected)

    /// <summary>The gradients in the inputs, the weights and the biases are the sums of what each product gives.</summary>
    /// <param name="backward">The gradients from weights, biases, inputs and the gradient in the outputs.</param>
    static member GradientsAreDefinition
        (backward:
            Func<
                ConvolutionShape,
                Matrix<float>,
                Vector<float>,
                Matrix<float>,
                Matrix<float>,
                ConvolutionGradient
             >)
        : Law =
        Laws.create "the gradients are the definition's" ConvolutionLaw.Cases (fun case ->
            let {
                    Shape = shape
                    Weights = weights
                    Inputs = inputs
                    Upstream = upstream
                } =
                case

            let expected = ImageReference.convolutionGradients shape weights inputs upstream

            let found = backward.Invoke(shape, weights, case.Biases, inputs, upstream)

            ImageLaws.requireImages
                "the gradient in the inputs"
                shape.Input.Image
                expected.Inputs
                found.Inputs

            // A row of weights is images of the window's size.
            ImageLaws.requireImages
                "the gradient in the weights, output channel for sample"
                shape.Input.Window.Size
                (expected.Weights.Transpose())
                (found.Weights.Transpose())

            Laws.within "the gradient in the biases" (fun () ->
                Approximately.equal
                    Approximately.rounding
                    (expected.Biases.ToArray())
                    (found.Biases.ToArray())))

    /// <summary>Nothing that the functions are given is written to, and the same arguments give the same bits.</summary>
    /// <param name="forward">Outputs from weights, biases and inputs.</param>
    /// <param name="backward">The gradients from weights, biases, inputs and the gradient in the outputs.</param>
    static member IsPure
        (
            forward:
                Func<ConvolutionShape, Matrix<float>, Vector<float>, Matrix<float>, Matrix<float>>,
            backward:
                Func<
                    ConvolutionShape,
                    Matrix<float>,
                    Vector<float>,
                    Matrix<float>,
                    Matrix<float>,
                    ConvolutionGradient
                 >
        ) : Law =
        Laws.create "it is pure" ConvolutionLaw.Cases (fun case ->
            Laws.requirePure
                (fun () -> [
                    Laws.cells case.Weights
                    case.Biases.ToArray()
                    Laws.cells case.Inputs
                    Laws.cells case.Upstream
                ])
                (fun () ->
                    let outputs =
                        forward.Invoke(case.Shape, case.Weights, case.Biases, case.Inputs)

                    let found =
                        backward.Invoke(
                            case.Shape,
                            case.Weights,
                            case.Biases,
                            case.Inputs,
                            case.Upstream
                        )

                    [
                        Laws.cells outputs
                        Laws.cells found.Weights
                        found.Biases.ToArray()
                        Laws.cells found.Inputs
                    ]))

    /// <summary>All of these laws.</summary>
    /// <param name="forward">Outputs (output channels · places, batch) from weights, biases and inputs.</param>
    /// <param name="backward">The gradients from weights, biases, inputs and the gradient in the outputs.</param>
    static member All
        (
            forward:
                Func<ConvolutionShape, Matrix<float>, Vector<float>, Matrix<float>, Matrix<float>>,
            backward:
                Func<
                    ConvolutionShape,
                    Matrix<float>,
                    Vector<float>,
                    Matrix<float>,
                    Matrix<float>,
                    ConvolutionGradient
                 >
        ) : Law list = [
        ConvolutionLaw.OutputsAreDefinition forward
        ConvolutionLaw.GradientsAreDefinition backward
        ConvolutionLaw.IsPure(forward, backward)
    ]
