namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// What a loss may be given as targets.
type TargetKind =
    /// Any numbers.
    | Numbers = 0
    /// Columns of 0 or more that sum to 1.
    | Distributions = 1
    /// Numbers of 0 to 1.
    | Shares = 2

/// Laws of a loss: a function of targets and outputs, both (outputs, batch), that gives the loss of the
/// batch and its gradient in the outputs.
[<AbstractClass; Sealed>]
type LossLaw =
    static member private Cases(kind: TargetKind) : Arbitrary<SameShape> =
        match kind with
        | TargetKind.Numbers -> Arbitraries.SameShape()
        | TargetKind.Distributions ->
            Arbitraries.SoftTargets()
            |> Arb.convert (fun (SoftTargets(t, y)) -> SameShape(t, y)) (fun (SameShape(t, y)) ->
                SoftTargets(t, y))
        | TargetKind.Shares ->
            let share (x: float) = abs x / 10.0

            Arbitraries.SameShape()
            |> Arb.convert
                (fun (SameShape(t, y)) -> SameShape(t.Map share, y))
                (fun (SameShape(t, y)) -> SameShape(t * 10.0, y))
        | _ -> invalidArg (nameof kind) $"expected Numbers, Distributions or Shares, found {kind}"

    /// <summary>The gradient is the loss's, by definition.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member GradientIsDefinition
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        Laws.create
            "the gradient is the definition's"
            (LossLaw.Cases targets)
            (fun (SameShape(t, y)) ->
                let struct (_, gradient) = loss.Invoke(t, y.Clone())
                Laws.requireShape "the gradient" y gradient

                GradientCheck.ofMatrix
                    (fun moved ->
                        let struct (value, _) = loss.Invoke(t, moved)
                        value)
                    gradient
                    y
                |> Laws.requireRight)

    /// <summary>Targets and outputs stay as they were, and the same ones give the same bits.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member IsPure
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        Laws.create "it is pure" (LossLaw.Cases targets) (fun (SameShape(t, y)) ->
            Laws.requirePure (fun () -> [ Laws.cells t; Laws.cells y ]) (fun () ->
                let struct (value, gradient) = loss.Invoke(t, y)
                [ [| value |]; Laws.cells gradient ]))

    /// <summary>The loss of a batch is the mean of its samples' losses, and the gradient of a sample in
    /// the batch is its own divided by how many there are.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member IsMeanOverBatch
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        Laws.create
            "a batch's loss and gradient are the means of its samples'"
            (LossLaw.Cases targets)
            (fun (SameShape(t, y)) ->
                let struct (value, gradient) = loss.Invoke(t, y)
                let n = y.ColumnCount

                let alone = [
                    for s in 0 .. n - 1 ->
                        loss.Invoke(
                            t.SubMatrix(0, t.RowCount, s, 1),
                            y.SubMatrix(0, y.RowCount, s, 1)
                        )
                ]

                let mean = alone |> List.averageBy (fun (struct (value, _)) -> value)

                Laws.within $"the loss of %d{n} samples" (fun () ->
                    [| value |] |> Approximately.equal Approximately.rounding [| mean |])

                for s, struct (_, own) in List.indexed alone do
                    Laws.within $"the gradient of sample %d{s} of %d{n}" (fun () ->
                        (gradient.Column s).ToArray()
                        |> Approximately.equal Approximately.rounding (Laws.cells (own / float n))))

    /// <summary>Outputs near the targets cost less than outputs far from them. Of Distributions: of a class,
    /// outputs of 0.9 for it and little for the others against the same for another class. Of Shares: of targets of
    /// 0 and 1, outputs of 0.1 and 0.9 against those the other way round. Of Numbers: the targets themselves cost
    /// no more than any other outputs.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member PrefersTargets
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        let valueOf t y =
            let struct (value, _) = loss.Invoke(t, y)
            value

        let near (m: Matrix<float>) =
            let others = 0.1 / float (max 1 (m.RowCount - 1))
            m.Map(fun t -> if t = 1.0 then 0.9 else others)

        Laws.create
            "outputs near the targets cost less"
            (LossLaw.Cases targets)
            (fun (SameShape(t, y)) ->
                match targets with
                | TargetKind.Numbers ->
                    let at = valueOf t (t.Clone())

                    // Far from the targets and near them, to either side.
                    for step in [ 1.0; 0.1; -0.1 ] do
                        let elsewhere = valueOf t (t + step * (y - t))

                        Laws.require
                            (at <= elsewhere)
                            $"expected at most {string elsewhere}, the loss of other outputs, at the targets; found {string at}"
                | _ ->
                    let right, wrong =
                        if targets = TargetKind.Shares then
                            let right = t.Map(fun t -> if t > 0.5 then 1.0 else 0.0)
                            right, right.Map(fun t -> 1.0 - t)
                        else
                            // Each sample its most probable class, and the class after that.
                            let after by =
                                Matrix<float>
                                    .Build.Dense(
                                        t.RowCount,
                                        t.ColumnCount,
                                        fun k s ->
                                            let top = (t.Column s).MaximumIndex()
                                            if k = (top + by) % t.RowCount then 1.0 else 0.0
                                    )

                            after 0, after 1

                    // One class alone has no other.
                    if targets = TargetKind.Shares || t.RowCount > 1 then
                        let costs = valueOf right (near right)
                        let costsMore = valueOf right (near wrong)

                        Laws.require
                            (costs < costsMore)
                            $"expected less than {string costsMore}, the loss of outputs for the wrong classes, for the right ones; found {string costs}")

    /// <summary>Claimed by some: the loss is 0 or greater.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member IsNonNegative
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        Laws.create "the loss is 0 or greater" (LossLaw.Cases targets) (fun (SameShape(t, y)) ->
            let struct (value, _) = loss.Invoke(t, y)
            Laws.require (value >= 0.0) $"expected 0 or greater, found {string value}")

    /// <summary>Claimed by some: the loss is 0 where outputs equal targets, greater elsewhere, and its gradient
    /// is 0 there.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member IsZeroAtTargetAlone
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        Laws.create
            "the loss is 0 at the targets, and only there"
            (LossLaw.Cases targets)
            (fun (SameShape(t, y)) ->
                let struct (value, gradient) = loss.Invoke(t, t.Clone())
                Laws.require (value = 0.0) $"expected 0 at the targets, found {string value}"

                Laws.require
                    (Array.forall (fun g -> g = 0.0) (Laws.cells gradient))
                    "expected a gradient of zeros at the targets"

                let struct (value, _) = loss.Invoke(t, y)

                Laws.require
                    ((value > 0.0) = (t <> y))
                    $"expected more than 0 away from the targets, found {string value}")

    /// <summary>Claimed by those of logits: the same number added to all outputs of a sample changes
    /// nothing but rounding.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member IgnoresShift
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        let cases =
            ArbMap.defaults
            |> ArbMap.arbitrary<int>
            |> Arb.mapFilter (fun shift -> shift % 1000) (fun _ -> true)

        Laws.create
            "a shift of all outputs changes nothing"
            (Arb.zip (LossLaw.Cases targets, cases))
            (fun (SameShape(t, y), shift) ->
                let struct (value, gradient) = loss.Invoke(t, y)

                let struct (shifted, gradientShifted) =
                    loss.Invoke(t, y.Map(fun y -> y + float shift))

                // Adding the shift rounds an output by up to 2⁻⁵³ · 1010, each share of the targets its own.
                let mass = t.ColumnAbsoluteSums().Maximum()
                let tolerance = 1e-12 * max 1.0 mass
                [| shifted |] |> Approximately.equal tolerance [| value |]

                Laws.cells gradientShifted
                |> Approximately.equal tolerance (Laws.cells gradient))

    /// <summary>Claimed by most: another order of the outputs, the same in the targets, changes the loss by
    /// rounding alone, and gives the gradient in that order.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member IgnoresOrderOfOutputs
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law =
        let turned (m: Matrix<float>) =
            Matrix<float>
                .Build.Dense(m.RowCount, m.ColumnCount, fun k s -> m[(k + 1) % m.RowCount, s])

        Laws.create
            "another order of the outputs changes nothing"
            (LossLaw.Cases targets)
            (fun (SameShape(t, y)) ->
                let struct (value, gradient) = loss.Invoke(t, y)
                let struct (other, otherGradient) = loss.Invoke(turned t, turned y)
                [| other |] |> Approximately.equal Approximately.rounding [| value |]

                Laws.cells otherGradient
                |> Approximately.equal Approximately.rounding (Laws.cells (turned gradient)))

    /// <summary>The laws of every loss that is a mean over the batch: the first three and <c>PrefersTargets</c>. The
    /// others are claimed by some.</summary>
    /// <param name="targets">What the targets are.</param>
    /// <param name="loss">The loss and its gradient.</param>
    static member All
        (
            targets: TargetKind,
            loss: Func<Matrix<float>, Matrix<float>, struct (float * Matrix<float>)>
        ) : Law list = [
        LossLaw.GradientIsDefinition(targets, loss)
        LossLaw.IsPure(targets, loss)
        LossLaw.IsMeanOverBatch(targets, loss)
        LossLaw.PrefersTargets(targets, loss)
    ]
