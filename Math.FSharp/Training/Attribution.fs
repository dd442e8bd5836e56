namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// How much each input, or each column of a table, adds to a prediction.
type Attribution = {
    /// The prediction: a class's probability, or the number.
    Prediction: float
    /// The prediction for the baseline, all inputs of which are 0.
    Baseline: float
    /// What each adds, with its name. Their sum is the prediction less that for the baseline, up to the error of the
    /// integral.
    Parts: (string * float) list
}

/// <summary>Integrated gradients: how much each input adds to a prediction f(x), compared with a baseline x′ of zeros:
/// xᵢ·∫₀¹ ∂f(αx)/∂xᵢ dα. They sum up to f(x) − f(x′).</summary>
/// <remarks>Under Data:Scaling Standard, an input of 0 is a column's mean; a category's input is 0 in the baseline, so
/// that the column has none. Source: Sundararajan, Taly and Yan, Axiomatic attribution for deep networks,
/// 2017.</remarks>
[<RequireQualifiedAccess>]
module Attribution =
    /// The points of the integral: two in each of half as many equal parts of 0 to 1, by the rule of Gauss and Legendre,
    /// with equal weights.
    let internal points = 256

    /// The most numbers of samples along the way from the baseline to x that are held at once.
    let private mostNumbers = 1 <<< 20

    /// The place of a point from 0 to 1.
    let private place (point: int) : float =
        let within = 0.5 / Math.Sqrt 3.0
        let offset = if point % 2 = 0 then 0.5 - within else 0.5 + within
        2.0 * (float (point / 2) + offset) / float points

    /// The gradient in the outputs before the head of the output's value under the head, in each column.
    let private ofHead (head: Head) (output: int) (logits: Matrix<float>) : Matrix<float> =
        let values = Head.apply head logits

        logits.MapIndexed(fun k s _ ->
            let own = values[output, s]

            match head with
            | Head.Softmax -> own * ((if k = output then 1.0 else 0.0) - values[k, s])
            | Head.Sigmoid -> if k = output then own * (1.0 - own) else 0.0
            | Head.Identity -> if k = output then 1.0 else 0.0)

    /// ∂f/∂x in every column of inputs, and f.
    let private gradients
        (output: int)
        (network: Network<float>)
        (inputs: Matrix<float>)
        : struct (Matrix<float> * float[]) =
        let layers =
            ForwardPass.layers network
            |> List.map (fun (struct (place, parameters, running)) ->
                struct ({ place with NeedsInputGradient = true }, parameters, running))

        let inputs = Inputs.Columns inputs
        let traced = LayerChain.run ValueNone layers inputs
        let head = network.Architecture.Head
        let logits = (List.head traced).Output.Numbers
        let values = (Head.apply head logits).Row(output).ToArray()

        let struct (_, gradient) =
            Inputs.Columns(ofHead head output logits)
            |> LayerChain.backward (fun parameters _ -> parameters) inputs traced

        struct (gradient.Value.Numbers, values)

    /// <summary>About how many multiplications a network takes for a sample: each weight of a dense layer once, and each of
    /// a convolution once for each place. Attributions take some three times as many for each of 256 points.</summary>
    [<CompiledName("Multiplications")>]
    let multiplications (architecture: Architecture) : int64 =
        architecture.Places
        |> List.sumBy (fun place ->
            let weights =
                place.Parameters.MatrixShapes
                |> List.sumBy (fun (_, rows, columns) -> int64 rows * int64 columns)

            match place.Output with
            | Shape.Image(_, rows, columns) -> weights * int64 rows * int64 columns
            | Shape.Vector _ -> weights)

    /// <summary>What each input adds to a prediction.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <param name="network">The network.</param>
    /// <param name="inputs">x: a sample's inputs.</param>
    /// <returns>The parts are named by the inputs' indices.</returns>
    /// <exception cref="T:System.ArgumentException">There is no such output, or not as many inputs.</exception>
    [<CompiledName("OfInputs")>]
    let ofInputs
        (output: int)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (inputs: Vector<'T>)
        : Attribution =
        let architecture = network.Architecture

        if
            output < 0
            || output >= architecture.Outputs
            || inputs.Count <> architecture.Inputs
        then
            invalidArg
                (nameof inputs)
                (invariant
                    $"expected {architecture.Inputs} inputs and an output of 0 to {architecture.Outputs - 1}, found {inputs.Count} and {output}")

        let network: Network<float> = Network.convert (ForwardPass.folded network)
        let x = inputs.ToArray() |> Array.map Double.CreateTruncating

        let sums: float[] = Array.zeroCreate x.Length
        let part = max 1 (min points (mostNumbers / x.Length))

        for first in 0..part .. points - 1 do
            let between =
                Matrix<float>
                    .Build.Dense(
                        x.Length,
                        min part (points - first),
                        fun i s -> x[i] * place (first + s)
                    )

            let struct (gradient, _) = gradients output network between

            for s in 0 .. between.ColumnCount - 1 do
                for i in 0 .. x.Length - 1 do
                    sums[i] <- sums[i] + gradient[i, s]

        let ends =
            Matrix<float>.Build.Dense(x.Length, 2, fun i s -> if s = 0 then 0.0 else x[i])

        let struct (_, values) = gradients output network ends

        {
            Prediction = values[1]
            Baseline = values[0]
            Parts =
                x
                |> Array.mapi (fun i value -> string i, value * (sums[i] / float points))
                |> List.ofArray
        }

    /// <summary>What each group of inputs adds to a prediction.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <param name="groups">Names, and the inputs of each: <c>Importance.columnsOf</c> a table's encoding.</param>
    /// <param name="network">The network.</param>
    /// <param name="inputs">x: a sample's inputs.</param>
    /// <returns>A part for each group, in their order.</returns>
    /// <exception cref="T:System.ArgumentException">There is no such output, or not as many inputs.</exception>
    [<CompiledName("OfColumns")>]
    let ofColumns
        (output: int)
        (groups: (string * int list) list)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (inputs: Vector<'T>)
        : Attribution =
        let each = ofInputs output network inputs
        let parts = each.Parts |> List.map snd |> Array.ofList

        {
            each with
                Parts =
                    groups
                    |> List.map (fun (name, own) ->
                        name, own |> List.sumBy (fun input -> parts[input]))
        }
