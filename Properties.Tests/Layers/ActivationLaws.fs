/// Activation.fs: the functions against the system's, the derivatives against their definition.
module Pipeline.Properties.ActivationLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private column (values: float list) : Matrix<float> =
    Matrix<float>.Build.Dense(values.Length, 1, Array.ofList values)

[<Law>]
let ``every activation is the system's function of every element`` activation (SmallMatrix z) =
    Activation.apply activation z
    |> cells
    |> Approximately.equal 1e-15 (cells z |> Array.map (Reference.activate activation))

[<Law>]
let ``a value that takes its argument's place is the value``
    activation
    (ProductShape(rows, columns, _))
    seed
    =
    let z, upstream =
        KernelLaws.drawn seed 0L rows columns, KernelLaws.drawn seed 1L rows columns

    let pass =
        (Layers.activation activation).Forward {
            Inputs = Inputs.Columns(z.Clone())
            Shape = Shape.Vector z.RowCount
            Parameters = LayerParameters.none
            Running = LayerParameters.none
            Step = ValueNone
            RandomStream = 0
            MayOverwrite = true
            NeedsInputGradient = true
        }

    Exactly.bits (cells (Activation.apply activation z)) (cells pass.Output)

    Exactly.bits
        (cells (Activation.backward activation z upstream))
        (cells (pass.Backward(upstream.Clone())).Inputs.Value)

[<Law>]
let ``in single precision every activation follows double`` activation (SmallMatrix z) =
    Activation.apply activation (single z)
    |> cells
    |> Array.map float
    |> Approximately.equal
        (8.0 * Approximately.singleRounding)
        (cells (single z) |> Array.map (fun z -> Reference.activate activation (float z)))

[<Law>]
let ``exp is the system's function of every element`` (SmallMatrix z) =
    Kernels.map (ExpOp<float>()) z
    |> cells
    |> Approximately.equal 1e-15 (cells z |> Array.map Math.Exp)

[<Law>]
let ``every activation keeps the laws of one`` activation =
    ActivationLaw.All(Activation.apply activation, Activation.derivative activation)
    |> Law.Together

[<Law>]
let ``in single precision every derivative follows double`` activation (SmallMatrix z) =
    Activation.derivative activation (single z)
    |> cells
    |> Array.map float
    |> Approximately.equal
        Approximately.followsDouble
        (cells (Activation.derivative activation ((single z).Map float)))

[<Law>]
let ``backward is the derivative times what comes from above`` activation (SameShape(z, upstream)) =
    let slopes = Activation.derivative activation z

    Activation.backward activation z upstream
    |> cells
    |> Approximately.equal 1e-14 (cells (slopes.PointwiseMultiply upstream))

[<Law>]
let ``a ReLU unit at rest or below passes no gradient back`` (SameShape(z, upstream)) =
    let z = z.Map(fun z -> -(abs z))

    Activation.backward Activation.Relu z upstream
    |> cells
    |> Array.forall (fun g -> g = 0.0)

[<Fact>]
let ``activations at the ends of the numbers stay where they belong`` () =
    let z = column [ 1e4; -1e4; infinity; -infinity; 0.0 ]

    for activation, expected in
        [
            Activation.Sigmoid, [| 1.0; 0.0; 1.0; 0.0; 0.5 |]
            Activation.Tanh, [| 1.0; -1.0; 1.0; -1.0; 0.0 |]
            Activation.Relu, [| 1e4; 0.0; infinity; 0.0; 0.0 |]
            Activation.Identity, [| 1e4; -1e4; infinity; -infinity; 0.0 |]
            Activation.LeakyRelu, [| 1e4; -100.0; infinity; -infinity; 0.0 |]
            Activation.Elu, [| 1e4; -1.0; infinity; -1.0; 0.0 |]
            Activation.Softplus, [| 1e4; 0.0; infinity; 0.0; 0.69314718055994529 |]
        ] do
        // Of all of them, ln 2 alone is not exact.
        Activation.apply activation z
        |> cells
        |> Approximately.equal Approximately.doubleRounding expected

        Activation.apply activation (single z)
        |> cells
        |> Array.map float
        |> Approximately.equal Approximately.singleRounding expected

[<Law>]
let ``not a number stays not a number in single precision, and in softmax spoils one sample``
    activation
    (SmallMatrix z)
    =
    let spoilt = z.Clone()
    spoilt[0, 0] <- nan
    let found = Activation.apply activation (single spoilt) |> cells
    Assert.True(Single.IsNaN found[0])
    Assert.DoesNotContain(nanf, found[1..])

    if z.RowCount > 1 then
        let softmax = Softmax.apply spoilt
        Assert.Contains(nan, softmax.Column(0).ToArray())

        for s in 1 .. z.ColumnCount - 1 do
            Assert.DoesNotContain(nan, softmax.Column(s).ToArray())

[<Law>]
let ``softmax is the plain softmax of every column`` (Logits z) =
    List.zip (columns z) (columns (Softmax.apply z))
    |> List.iter (fun (z, y) -> y |> Approximately.equal 1e-14 (Reference.softmax z))

[<Law>]
let ``every column of softmax sums to 1, of numbers of 0 to 1`` (Logits z) =
    for y in columns (Softmax.apply z) do
        [| Array.sum y |] |> Approximately.equal 1e-15 [| 1.0 |]
        Assert.All(y, (fun y -> Assert.InRange(y, 0.0, 1.0)))

    for y in columns (Softmax.apply (single z)) do
        [| Array.sum (Array.map float y) |] |> Approximately.equal 1e-6 [| 1.0 |]

[<Law>]
let ``softmax ignores a shift`` (Logits z) (shift: int) =
    let shift = float (shift % 1000)

    Softmax.apply (z.Map(fun z -> z + shift))
    |> cells
    // Adding the shift rounds z by up to 2⁻⁵³ · 1010.
    |> Approximately.equal 1e-12 (cells (Softmax.apply z))

[<Law>]
let ``softmax keeps the order of the logits`` (Logits z) =
    for z, y in List.zip (columns z) (columns (Softmax.apply z)) do
        for i in 0 .. z.Length - 1 do
            for j in 0 .. z.Length - 1 do
                if z[i] > z[j] then
                    Assert.True(y[i] >= y[j], $"{z[i]} > {z[j]} but {y[i]} < {y[j]}")

[<Fact>]
let ``softmax is safe where exponentials overflow`` () =
    let third = 1.0 / 3.0

    for z, expected in
        [
            [ 1010.0; 1000.0; 990.0 ], [| 0.999954600070238; 4.53978686e-5; 2.06106005e-9 |]
            [ 0.3; 2.9; 4.0 ], [| 0.01821127; 0.24519181; 0.73659691 |]
            [ 1e4; -1e4; 0.0 ], [| 1.0; 0.0; 0.0 |]
            [ -1e4; -1e4; -1e4 ], [| third; third; third |]
            [ 1e300; -1e300; 1e300 ], [| 0.5; 0.0; 0.5 |]
            [ 0.0; -infinity; 0.0 ], [| 0.5; 0.0; 0.5 |]
        ] do
        Softmax.apply (column z) |> cells |> Approximately.equal 1e-8 expected

        if List.forall (fun z -> abs z < 1e30 || Double.IsInfinity z) z then
            Softmax.apply (single (column z))
            |> cells
            |> Array.map float
            |> Approximately.equal 1e-6 expected

[<Law>]
let ``softmax's chain rule is its definition's`` (Logits z) seed =
    let upstream = KernelLaws.drawn seed 0L z.RowCount z.ColumnCount

    let value (z: float[]) (m: Matrix<float>) =
        Array.fold2
            (fun sum g y -> sum + g * y)
            0.0
            (cells upstream)
            (cells (Softmax.apply (like m z)))

    Softmax.backward (Softmax.apply z) upstream
    |> cells
    |> Approximately.equal
        Approximately.definition
        (Reference.gradient (fun moved -> value moved z) (cells z))

[<Law>]
let ``softmax's chain rule gives columns that sum to 0`` (Logits z) seed =
    let upstream = KernelLaws.drawn seed 0L z.RowCount z.ColumnCount

    for g in columns (Softmax.backward (Softmax.apply z) upstream) do
        [| Array.sum g |] |> Approximately.equal 1e-14 [| 0.0 |]

[<Fact>]
let ``backward refuses two shapes with both in the message`` () =
    let m rows columns =
        Matrix<float>.Build.Dense(rows, columns)

    for activation in [ Activation.Sigmoid; Activation.Tanh; Activation.Relu ] do
        Exactly.refused [ "(2, 3)"; "(3, 2)" ] (fun () ->
            Activation.backward activation (m 2 3) (m 3 2))

    Exactly.refused [ "(2, 3)"; "(3, 2)" ] (fun () -> Softmax.backward (m 2 3) (m 3 2))
