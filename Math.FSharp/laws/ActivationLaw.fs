namespace Pipeline.Learning.Laws

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Laws of an activation: a function of every element of a matrix (units, batch), and its derivative.
[<AbstractClass; Sealed>]
type ActivationLaw =
    /// <summary>The derivative is the definition's at every element; at a kink, one between the slopes of
    /// its two sides.</summary>
    /// <param name="apply">The activation.</param>
    /// <param name="derivative">Its derivative, as a function of the activation's argument.</param>
    static member DerivativeIsDefinition
        (apply: Func<Matrix<float>, Matrix<float>>, derivative: Func<Matrix<float>, Matrix<float>>)
        : Law =
        Laws.create
            "the derivative is the definition's"
            (Arbitraries.SmallMatrix())
            (fun (SmallMatrix z) ->
                let slopes = derivative.Invoke(z.Clone())
                Laws.requireShape "the derivative" z slopes

                // Of the sum over elements, each one's own derivative is the partial one.
                let sum (z: Matrix<float>) =
                    Laws.cells (apply.Invoke z) |> Array.sum

                GradientCheck.ofMatrix sum slopes z |> Laws.requireRight)

    /// <summary>What comes out has the shape of what goes in.</summary>
    /// <param name="apply">The activation, or its derivative.</param>
    static member KeepsShape(apply: Func<Matrix<float>, Matrix<float>>) : Law =
        Laws.create "the shape is kept" (Arbitraries.SmallMatrix()) (fun (SmallMatrix z) ->
            Laws.requireShape "the result" z (apply.Invoke(z.Clone())))

    /// <summary>The argument stays as it was, and the same argument gives the same bits.</summary>
    /// <param name="apply">The activation, or its derivative.</param>
    static member IsPure(apply: Func<Matrix<float>, Matrix<float>>) : Law =
        Laws.create "it is pure" (Arbitraries.SmallMatrix()) (fun (SmallMatrix z) ->
            Laws.requirePure (fun () -> [ Laws.cells z ]) (fun () -> [
                Laws.cells (apply.Invoke z)
            ]))

    /// <summary>A sample alone gives the bits that it gives in a batch.</summary>
    /// <param name="apply">The activation, or its derivative.</param>
    static member ColumnsStandAlone(apply: Func<Matrix<float>, Matrix<float>>) : Law =
        Laws.create
            "every sample has the bits it has alone"
            (Arbitraries.SmallMatrix())
            (fun (SmallMatrix z) ->
                let all = apply.Invoke(z.Clone())

                for s in 0 .. z.ColumnCount - 1 do
                    let alone = apply.Invoke(z.SubMatrix(0, z.RowCount, s, 1))
                    Exactly.bits (Laws.cells alone) ((all.Column s).ToArray()))

    /// <summary>An element alone gives the bits that it gives in a matrix: on the way back its slope is taken to be
    /// that of its own output alone.</summary>
    /// <param name="apply">The activation, or its derivative.</param>
    static member ElementsStandAlone(apply: Func<Matrix<float>, Matrix<float>>) : Law =
        Laws.create
            "every element has the bits it has alone"
            (Arbitraries.SmallMatrix())
            (fun (SmallMatrix z) ->
                let all = Laws.cells (apply.Invoke(z.Clone()))

                let alone =
                    Laws.cells z
                    |> Array.map (fun x ->
                        (apply.Invoke(Matrix<float>.Build.Dense(1, 1, x)))[0, 0])

                Exactly.bits alone all)

    /// <summary>Not a number stays not a number, so that a diverging run is seen, and spoils no other
    /// element.</summary>
    /// <param name="apply">The activation.</param>
    static member NotANumberStays(apply: Func<Matrix<float>, Matrix<float>>) : Law =
        Laws.create
            "not a number stays not a number, and only there"
            (Arbitraries.SmallMatrix())
            (fun (SmallMatrix z) ->
                let spoilt = z.Clone()
                spoilt[0, 0] <- nan
                let found = Laws.cells (apply.Invoke spoilt)

                Laws.require
                    (Double.IsNaN found[0])
                    $"expected not a number, found {string (found[0])}"

                Laws.require
                    (not (Array.exists Double.IsNaN found[1..]))
                    "not a number came out where numbers went in")

    /// <summary>All of these laws, of the activation and, but for the last, of its derivative.</summary>
    /// <param name="apply">The activation.</param>
    /// <param name="derivative">Its derivative, as a function of the activation's argument.</param>
    static member All
        (apply: Func<Matrix<float>, Matrix<float>>, derivative: Func<Matrix<float>, Matrix<float>>)
        : Law list = [
        ActivationLaw.DerivativeIsDefinition(apply, derivative)

        for name, part in [ "", apply; "the derivative: ", derivative ] do
            for law in
                [
                    ActivationLaw.KeepsShape part
                    ActivationLaw.IsPure part
                    ActivationLaw.ColumnsStandAlone part
                    ActivationLaw.ElementsStandAlone part
                ] do
                { law with Name = name + law.Name }

        ActivationLaw.NotANumberStays apply
    ]
