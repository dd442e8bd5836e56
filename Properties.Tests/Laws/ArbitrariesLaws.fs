/// Arbitraries.fs and Shrink.fs of the laws: values are what their types promise, and so is everything
/// that a counterexample shrinks to; shrinking ends.
module Pipeline.Properties.ArbitrariesLaws

open Xunit
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Laws

/// Takes any of the simpler values, and any simpler one of that, until there is none.
let private keep (arbitrary: Arbitrary<'V>) (promise: 'V -> bool) : Property =
    let draws = Gen.zip arbitrary.Generator (Gen.choose (0, 1000000)) |> Arb.fromGen

    Prop.forAll draws (fun (value, seed) ->
        let random = System.Random seed

        let rec follow (steps: int) (value: 'V) =
            if not (promise value) then
                Assert.Fail $"%A{value}"

            if steps = 1000 then
                Assert.Fail $"a thousand simpler values, and then %A{value}"

            let simpler = arbitrary.Shrinker value |> Array.ofSeq
            Assert.InRange(simpler.Length, 0, Shrink.MaximumCandidates)

            if simpler.Length > 0 then
                follow (steps + 1) simpler[random.Next simpler.Length]

        follow 0 value)

let private isSmall (size: int) = size >= 1 && size <= 4
let private isWithin (limit: float) (m: Matrix<float>) = m.ForAll(fun x -> abs x <= limit)

let private areCells (m: Matrix<float>) =
    isSmall m.RowCount && isSmall m.ColumnCount && isWithin 10.0 m

let private areLogits (m: Matrix<float>) =
    m.RowCount >= 2 && m.RowCount <= 5 && isSmall m.ColumnCount && isWithin 10.0 m

let private isSame (a: Matrix<float>) (b: Matrix<float>) =
    a.RowCount = b.RowCount && a.ColumnCount = b.ColumnCount

[<Law>]
let ``matrices keep their shape and size`` () =
    keep (Arbitraries.SmallMatrix()) (fun (SmallMatrix m) -> areCells m)

[<Law>]
let ``pairs of matrices keep one shape`` () =
    keep (Arbitraries.SameShape()) (fun (SameShape(a, b)) -> areCells a && areCells b && isSame a b)

[<Law>]
let ``pairs of vectors keep one length`` () =
    keep (Arbitraries.SameLength()) (fun (SameLength(a, b)) ->
        a.Count = b.Count
        && areCells (a.ToColumnMatrix())
        && areCells (b.ToColumnMatrix()))

[<Law>]
let ``logits keep two classes or more`` () =
    keep (Arbitraries.Logits()) (fun (Logits z) -> areLogits z)

[<Law>]
let ``labels keep to the classes, one a sample`` () =
    keep (Arbitraries.LabelledLogits()) (fun (LabelledLogits(labels, z)) ->
        areLogits z
        && labels.Length = z.ColumnCount
        && labels |> Array.forall (fun label -> label >= 0 && label < z.RowCount))

[<Law>]
let ``distributions keep summing to 1`` () =
    keep (Arbitraries.SoftTargets()) (fun (SoftTargets(t, z)) ->
        areLogits z
        && isSame t z
        && t.ForAll(fun share -> share >= 0.0)
        && t.ColumnSums().ForAll(fun sum -> abs (sum - 1.0) < 1e-12))

[<Law>]
let ``the parts of an affine map keep fitting together`` () =
    keep (Arbitraries.Affine()) (fun (Affine(w, b, x, upstream)) ->
        List.forall areCells [ w; x; upstream; b.ToColumnMatrix() ]
        && w.ColumnCount = x.RowCount
        && b.Count = w.RowCount
        && upstream.RowCount = w.RowCount
        && upstream.ColumnCount = x.ColumnCount)

[<Law>]
let ``sizes keep to 1 and more`` () =
    keep (Arbitraries.SampleCounts()) (fun (SampleCounts(samples, size)) ->
        samples >= 1 && samples <= 60 && size >= 1 && size <= 70)

let private isArchitecture (a: Architecture) =
    isSmall a.Inputs
    && a.Sizes.Length <= 5
    && a.Sizes[1 .. a.Sizes.Length - 2] |> List.forall isSmall
    && a.Outputs >= 2
    && a.Outputs <= 5

[<Law>]
let ``architectures keep their inputs and classes`` () =
    keep (Arbitraries.Architecture()) isArchitecture

let private isTrainable (network: Network<float>) (batch: MiniBatch<float>) =
    let layers = network.Parameters.Layers

    isArchitecture network.Architecture
    && (layers |> List.map _.Weights.RowCount) = network.Architecture.Sizes.Tail
    && layers
       |> List.forall (fun layer ->
           layer.Weights.RowAbsoluteSums().ForAll(fun sum -> sum <= 1.5 + 1e-12)
           && layer.Biases.ForAll(fun bias -> abs bias <= 1.0))
    && isWithin 2.0 batch.Inputs
    && System.Double.IsFinite(Network.loss network batch)
    && Small.isAwayFromKinks 0.02 network batch

[<Law>]
let ``networks keep fitting their batch, away from kinks`` () =
    keep (Arbitraries.Trainable()) (fun (Trainable(network, batch)) ->
        isSmall batch.Count && isTrainable network batch)

[<Law>]
let ``batches keep being cut into equal parts`` () =
    keep (Arbitraries.SplitBatch()) (fun (SplitBatch(parts, network, batch)) ->
        parts >= 2
        && parts <= 4
        && batch.Count <= 12
        && batch.Count % parts = 0
        && isTrainable network batch)
