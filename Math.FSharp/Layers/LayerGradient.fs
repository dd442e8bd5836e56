namespace Pipeline.Learning

open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// Results of a layer's backward pass.
[<RequireQualifiedAccess>]
module LayerGradient =
    /// <summary>The gradient of a layer without parameters.</summary>
    /// <param name="inputs">The gradient in its inputs.</param>
    [<CompiledName("OfInputs")>]
    let ofInputs (inputs: Matrix<'T>) : LayerGradient<'T> = {
        Inputs = ValueSome inputs
        Matrices = []
        Vectors = []
    }

    /// An exception where gradients and parameters differ in number or shape.
    let private fit
        (parameters: LayerParameters<'T>)
        (gradient: LayerGradient<'T>)
        : (string * Matrix<'T> * MatrixGradient<'T>) list * (string * Vector<'T> * Vector<'T>) list =
        if
            gradient.Matrices.Length <> parameters.Matrices.Length
            || gradient.Vectors.Length <> parameters.Vectors.Length
        then
            invalidArg
                (nameof gradient)
                $"expected gradients in %d{parameters.Matrices.Length} matrices and %d{parameters.Vectors.Length} vectors, found %d{gradient.Matrices.Length} and %d{gradient.Vectors.Length}"

        List.map2
            (fun (name, matrix: Matrix<'T>) gradient ->
                match gradient with
                | MatrixGradient.Value value ->
                    Kernels.requireSameShape (nameof gradient) matrix value
                | MatrixGradient.Product(upstream, _) ->
                    if upstream.RowCount <> matrix.RowCount then
                        invalidArg
                            (nameof gradient)
                            $"expected a gradient in {name} {Kernels.shape matrix}, found the product of {Kernels.shape upstream} and the inputs"

                name, matrix, gradient)
            parameters.Matrices
            gradient.Matrices,
        List.map2
            (fun (name, vector: Vector<'T>) (gradient: Vector<'T>) ->
                if gradient.Count <> vector.Count then
                    invalidArg
                        (nameof gradient)
                        $"expected %d{vector.Count} numbers in the gradient in {name}, found %d{gradient.Count}"

                name, vector, gradient)
            parameters.Vectors
            gradient.Vectors

    /// <summary>The gradient in each parameter, its products multiplied out.</summary>
    /// <param name="parameters">The layer's parameters.</param>
    /// <param name="gradient">Of the backward pass.</param>
    /// <exception cref="T:System.ArgumentException">Gradients and parameters differ in number or
    /// shape.</exception>
    [<CompiledName("Values")>]
    let values
        (parameters: LayerParameters<'T>)
        (gradient: LayerGradient<'T>)
        : LayerParameters<'T> =
        let matrices, vectors = fit parameters gradient

        {
            Matrices =
                matrices
                |> List.map (fun (name, matrix, gradient) ->
                    match gradient with
                    | MatrixGradient.Value value -> name, value
                    | MatrixGradient.Product(upstream, inputs) ->
                        let value = Inputs.weightGradient upstream inputs
                        Kernels.requireSameShape (nameof gradient) matrix value
                        name, value)
            Vectors = vectors |> List.map (fun (name, _, gradient) -> name, gradient)
        }

    /// <summary>The parameters after a step of gradient descent, θ − ηg, with the same bits as by
    /// <c>values</c>, and without those where that is quicker.</summary>
    /// <param name="rate">Learning rate η.</param>
    /// <param name="parameters">The layer's parameters θ, left as they were.</param>
    /// <param name="gradient">Of the backward pass.</param>
    /// <exception cref="T:System.ArgumentException">Gradients and parameters differ in number or
    /// shape.</exception>
    [<CompiledName("Descend")>]
    let descend
        (rate: 'T :> IBinaryFloatingPointIeee754<'T>)
        (parameters: LayerParameters<'T>)
        (gradient: LayerGradient<'T>)
        : LayerParameters<'T> =
        let matrices, vectors = fit parameters gradient

        {
            Matrices =
                matrices
                |> List.map (fun (name, matrix, gradient) ->
                    match gradient with
                    | MatrixGradient.Value value -> name, Kernels.subtractScaled rate value matrix
                    | MatrixGradient.Product(upstream, inputs) ->
                        name, Inputs.descend rate matrix upstream inputs)
            Vectors =
                vectors
                |> List.map (fun (name, vector, gradient) ->
                    name, Kernels.subtractScaledVector rate gradient vector)
        }

    /// The arrays that the gradient refers to, apart from the gradient in the inputs.
    let internal arrays (gradient: LayerGradient<'T>) : 'T[] list = [
        for matrix in gradient.Matrices do
            match matrix with
            | MatrixGradient.Value value -> Kernels.values value
            | MatrixGradient.Product _ -> ()
        for vector in gradient.Vectors do
            Kernels.elements vector
    ]
