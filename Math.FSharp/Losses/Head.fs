namespace Pipeline.Learning

open MathNet.Numerics.LinearAlgebra

/// What the last layer's sums stand for, and with that the loss.
[<RequireQualifiedAccess>]
type Head =
    /// One of several classes: softmax; cross entropy.
    | Softmax
    /// Yes or no to one question or several: σ of each sum; binary cross entropy.
    | Sigmoid
    /// Numbers: the sums themselves; half the squared error.
    | Identity

/// Naming heads, and what they make of sums.
[<RequireQualifiedAccess>]
module Head =
    let private names = [
        "Softmax", Head.Softmax
        "Sigmoid", Head.Sigmoid
        "Identity", Head.Identity
    ]

    /// <summary>The head of that name, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Head, Fault list> = Fault.parseName "Head" names name

    /// <summary>The name of the loss that a head has, with its unit.</summary>
    [<CompiledName("LossName")>]
    let lossName (head: Head) : string =
        match head with
        | Head.Softmax -> "cross entropy (nats)"
        | Head.Sigmoid -> "binary cross entropy (nats)"
        | Head.Identity -> "half the squared error"

    /// <summary>What a network says: probabilities that sum to 1, probabilities one by one, or
    /// numbers.</summary>
    /// <param name="head">The head.</param>
    /// <param name="sums">What the last layer gives: (outputs, batch).</param>
    /// <returns>(outputs, batch).</returns>
    [<CompiledName("Apply")>]
    let apply (head: Head) (sums: Matrix<'T>) : Matrix<'T> =
        match head with
        | Head.Softmax -> Activation.softmax sums
        | Head.Sigmoid -> Activation.sigmoid sums
        | Head.Identity -> sums
