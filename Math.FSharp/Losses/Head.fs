namespace Pipeline.Learning

open MathNet.Numerics.LinearAlgebra

/// The meaning of the last layer's outputs (logits), and with it the loss.
[<RequireQualifiedAccess>]
type Head =
    /// One of several classes: softmax; cross entropy.
    | Softmax
    /// Yes or no to one question or several: σ of each logit; binary cross entropy.
    | Sigmoid
    /// Numbers: the outputs themselves; half the squared error.
    | Identity

    /// The case's name.
    override head.ToString() =
        match head with
        | Softmax -> nameof Softmax
        | Sigmoid -> nameof Sigmoid
        | Identity -> nameof Identity

/// The names of heads, and applying them.
[<RequireQualifiedAccess>]
module Head =
    /// <summary>The head of that name, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Head, Fault list> =
        Fault.parseCase "Head" [ Head.Softmax; Head.Sigmoid; Head.Identity ] name

    /// <summary>The name of the head's loss, with its unit.</summary>
    [<CompiledName("LossName")>]
    let lossName (head: Head) : string =
        match head with
        | Head.Softmax -> "cross entropy (nats)"
        | Head.Sigmoid -> "binary cross entropy (nats)"
        | Head.Identity -> "half the squared error"

    /// <summary>A network's predictions: probabilities that sum to 1, independent probabilities, or
    /// numbers.</summary>
    /// <param name="head">The head.</param>
    /// <param name="logits">The last layer's outputs: (outputs, batch).</param>
    /// <returns>(outputs, batch).</returns>
    [<CompiledName("Apply")>]
    let apply (head: Head) (logits: Matrix<'T>) : Matrix<'T> =
        match head with
        | Head.Softmax -> Softmax.apply logits
        | Head.Sigmoid -> Activation.apply Activation.Sigmoid logits
        | Head.Identity -> logits
