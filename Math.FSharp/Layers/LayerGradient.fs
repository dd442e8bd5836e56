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

    /// No gradient.
    let internal none<'T
        when 'T: struct
        and 'T :> System.ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> System.IEquatable<'T>
        and 'T :> System.IFormattable> : LayerGradient<'T> = {
        Inputs = ValueNone
        Matrices = []
        Vectors = []
    }

    /// An exception where gradients and parameters differ in number.
    let private requireSameNumber
        (parameters: LayerParameters<'T>)
        (gradient: LayerGradient<'T>)
        : unit =
        if
            gradient.Matrices.Length <> parameters.Matrices.Length
            || gradient.Vectors.Length <> parameters.Vectors.Length
        then
            invalidArg
                (nameof gradient)
                (invariant
                    $"expected gradients in {parameters.Matrices.Length} matrices and {parameters.Vectors.Length} vectors, found {gradient.Matrices.Length} and {gradient.Vectors.Length}")

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
        requireSameNumber parameters gradient

        {
            Matrices =
                List.map2
                    (fun (name, matrix: Matrix<'T>) gradient ->
                        let value =
                            match gradient with
                            | MatrixGradient.Value value -> value
                            | MatrixGradient.Product(upstream, inputs) ->
                                Inputs.weightGradient upstream inputs

                        Kernels.requireSameShape (nameof gradient) matrix value
                        name, value)
                    parameters.Matrices
                    gradient.Matrices
            Vectors =
                List.map2
                    (fun (name, vector: Vector<'T>) (gradient: Vector<'T>) ->
                        if gradient.Count <> vector.Count then
                            invalidArg
                                (nameof gradient)
                                (invariant
                                    $"expected {vector.Count} numbers in the gradient in {name}, found {gradient.Count}")

                        name, gradient)
                    parameters.Vectors
                    gradient.Vectors
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
        requireSameNumber parameters gradient

        {
            Matrices =
                List.map2
                    (fun (name, matrix) gradient ->
                        match gradient with
                        | MatrixGradient.Value value ->
                            name, Kernels.subtractScaled rate value matrix
                        | MatrixGradient.Product(upstream, inputs) ->
                            name, Inputs.descend rate matrix upstream inputs)
                    parameters.Matrices
                    gradient.Matrices
            Vectors =
                List.map2
                    (fun (name, vector) gradient ->
                        name, Kernels.subtractScaledVector rate gradient vector)
                    parameters.Vectors
                    gradient.Vectors
        }

    /// Whether the gradient in a parameter is in that array.
    let internal refersTo (array: 'T[]) (gradient: LayerGradient<'T>) : bool =
        let isThat (other: 'T[]) = obj.ReferenceEquals(other, array)

        (gradient.Matrices
         |> List.exists (fun matrix ->
             match matrix with
             | MatrixGradient.Value value -> isThat (Kernels.values value)
             | MatrixGradient.Product _ -> false))
        || (gradient.Vectors |> List.exists (fun vector -> isThat (Kernels.elements vector)))
