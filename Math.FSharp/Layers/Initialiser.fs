namespace Pipeline.Learning

open System
open System.Numerics

/// How a layer's weights begin; its biases begin at 0.
[<RequireQualifiedAccess>]
type Initialiser =
    /// Normal with this standard deviation, whatever the layer's size: the chapter's, with 0.01.
    | Fixed of deviation: float
    /// Normal, of variance 2 / (inputs + outputs).
    | XavierNormal
    /// Uniform, of the same variance.
    | XavierUniform
    /// Normal, of variance 2 / inputs.
    | HeNormal
    /// Uniform, of the same variance.
    | HeUniform
    /// Normal, of variance 1 / inputs.
    | LeCunNormal
    /// Uniform, of the same variance.
    | LeCunUniform
    /// Rows (of a layer with more outputs than inputs, columns) of length 1, at right angles to each
    /// other.
    | Orthogonal

    /// The case's name, and what belongs to it.
    override initialiser.ToString() =
        match initialiser with
        | Fixed deviation -> invariant $"Fixed {deviation}"
        | XavierNormal -> nameof XavierNormal
        | XavierUniform -> nameof XavierUniform
        | HeNormal -> nameof HeNormal
        | HeUniform -> nameof HeUniform
        | LeCunNormal -> nameof LeCunNormal
        | LeCunUniform -> nameof LeCunUniform
        | Orthogonal -> nameof Orthogonal

/// <summary>The first weights of a layer.</summary>
/// <remarks>Sources: Deep Learning from Scratch, ch. 4 and 6; Glorot and Bengio 2010 (Xavier); He et al.
/// 2015; LeCun et al., Efficient BackProp, 1998; Saxe et al. 2014 (orthogonal).</remarks>
[<RequireQualifiedAccess>]
module Initialiser =
    let private names (deviation: float) = [
        "Fixed", Initialiser.Fixed deviation
        "XavierNormal", Initialiser.XavierNormal
        "XavierUniform", Initialiser.XavierUniform
        "HeNormal", Initialiser.HeNormal
        "HeUniform", Initialiser.HeUniform
        "LeCunNormal", Initialiser.LeCunNormal
        "LeCunUniform", Initialiser.LeCunUniform
        "Orthogonal", Initialiser.Orthogonal
    ]

    /// A fault of a standard deviation of Fixed that is negative or not finite.
    let internal checkDeviation (deviation: float) : bool * Fault =
        NumberRange.check "WeightInitStd" NumberRange.notNegative deviation

    /// <summary>The way of that name, in any case of letters.</summary>
    /// <param name="deviation">The standard deviation of Fixed: finite, 0 or greater, also where the name is
    /// another.</param>
    /// <param name="name">Fixed, XavierNormal, XavierUniform, HeNormal, …</param>
    [<CompiledName("Parse")>]
    let parse (deviation: float) (name: string) : Result<Initialiser, Fault list> =
        Fault.both
            (Fault.check [ checkDeviation deviation ] ignore)
            (Fault.parseName "Initialiser" (names deviation) name)
        |> Result.map snd

    /// <summary>The standard deviation of a layer's weights.</summary>
    /// <param name="inputs">The layer's inputs, 1 or more.</param>
    /// <param name="outputs">Its outputs, 1 or more.</param>
    /// <param name="initialiser">How they begin.</param>
    let internal deviation (inputs: int) (outputs: int) (initialiser: Initialiser) : float =
        match initialiser with
        | Initialiser.Fixed deviation -> deviation
        | Initialiser.XavierNormal
        | Initialiser.XavierUniform -> Math.Sqrt(2.0 / (float inputs + float outputs))
        | Initialiser.HeNormal
        | Initialiser.HeUniform -> Math.Sqrt(2.0 / float inputs)
        | Initialiser.LeCunNormal
        | Initialiser.LeCunUniform -> Math.Sqrt(1.0 / float inputs)
        | Initialiser.Orthogonal -> Math.Sqrt(1.0 / float (max inputs outputs))

    /// Makes vectors of length 1 and at right angles, each from itself and those before it (Gram and
    /// Schmidt, modified).
    let private orthonormalise (vectors: float[][]) : unit =
        for i in 0 .. vectors.Length - 1 do
            let vector = vectors[i]
            let size = 1.0 / Math.Sqrt(Kernels.sumOfSquares vector)

            for k in 0 .. vector.Length - 1 do
                vector[k] <- vector[k] * size

            for j in i + 1 .. vectors.Length - 1 do
                let other = vectors[j]
                let mutable along = 0.0

                for k in 0 .. vector.Length - 1 do
                    along <- Math.FusedMultiplyAdd(vector[k], other[k], along)

                for k in 0 .. vector.Length - 1 do
                    other[k] <- Math.FusedMultiplyAdd(-along, vector[k], other[k])

    /// <summary>A layer's weights.</summary>
    /// <param name="seed">The run's seed. Both precisions start from the same numbers, rounded.</param>
    /// <param name="layer">Which layer, from 0.</param>
    /// <param name="outputs">Rows.</param>
    /// <param name="inputs">Columns: the inputs of an output.</param>
    /// <param name="uses">The outputs of an input: as many as there are rows, but in a convolution.</param>
    /// <param name="initialiser">How they begin.</param>
    /// <returns>The elements of W (outputs, inputs), column by column.</returns>
    let internal weightsOf
        (seed: uint64)
        (layer: int)
        (outputs: int)
        (inputs: int)
        (uses: int)
        (initialiser: Initialiser)
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        let normal i =
            RandomNumbers.normal seed RandomStream.InitialWeights (int64 layer) i

        let fill (number: int -> float) : 'T[] =
            Array.init (outputs * inputs) (fun i -> 'T.CreateTruncating(number i))

        // Between −√3 and √3, where a uniform number's deviation is 1.
        let uniform i =
            Math.Sqrt 3.0
            * (2.0 * RandomNumbers.uniform seed RandomStream.InitialWeights (int64 layer) i
               - 1.0)

        let spread standard =
            let deviation = deviation inputs uses initialiser
            fill (fun i -> deviation * standard i)

        match initialiser with
        | Initialiser.XavierUniform
        | Initialiser.HeUniform
        | Initialiser.LeCunUniform -> spread uniform
        | Initialiser.Orthogonal ->
            let length, count = max outputs inputs, min outputs inputs

            let vectors =
                Array.init count (fun j -> Array.init length (fun k -> normal (j * length + k)))

            orthonormalise vectors

            fill (fun i ->
                let row, column = i % outputs, i / outputs

                if outputs <= inputs then
                    vectors[row][column]
                else
                    vectors[column][row])
        | _ -> spread normal

    /// The weights of a dense layer.
    let internal weights
        (seed: uint64)
        (layer: int)
        (outputs: int)
        (inputs: int)
        (initialiser: Initialiser)
        : 'T[] when 'T :> IBinaryFloatingPointIeee754<'T> =
        weightsOf seed layer outputs inputs outputs initialiser
