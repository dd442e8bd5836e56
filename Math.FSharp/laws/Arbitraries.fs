namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// A matrix of 1–4 rows and columns, cells within ±10.
type SmallMatrix = SmallMatrix of Values: Matrix<float>

/// Two matrices of one shape, cells within ±10.
type SameShape = SameShape of Target: Matrix<float> * Prediction: Matrix<float>

/// Two vectors of one length of 1–4, elements within ±10; often the same.
type SameLength = SameLength of Target: Vector<float> * Prediction: Vector<float>

/// Logits of 2–5 classes for 1–4 samples, within ±10.
type Logits = Logits of Values: Matrix<float>

/// Labels and logits of 2–5 classes for 1–4 samples.
type LabelledLogits = LabelledLogits of Labels: int[] * Logits: Matrix<float>

/// Distributions (columns of 0 or more that sum to 1) and logits.
type SoftTargets = SoftTargets of Distributions: Matrix<float> * Logits: Matrix<float>

/// The parts of an affine map, W, b and X, with a gradient δ in what it gives.
type Affine =
    | Affine of
        Weights: Matrix<float> *
        Biases: Vector<float> *
        Inputs: Matrix<float> *
        Upstream: Matrix<float>

/// A network of 0–3 hidden layers of 1–4 units with an activation each, and a mini-batch of 1–4
/// samples. A layer's row of weights sums to at most 1.5 in size, inputs are within ±2, and no ReLU
/// unit stands within 0.02 of its kink, so differences of a small step see a smooth function.
type Trainable = Trainable of Network: Network<float> * Batch: MiniBatch<float>

/// A trainable network with a batch of 2–12 samples cut into so many equal parts.
type SplitBatch = SplitBatch of Parts: int * Network: Network<float> * Batch: MiniBatch<float>

/// A seed of any 64 bits.
type Seed = Seed of Value: uint64

/// A data set's size of 1–60 and a batch's of 1–70.
type SampleCounts = SampleCounts of Samples: int * Size: int

/// How all of them are generated, and shrunk to smaller ones that keep their promises: to be named to
/// FsCheck, <c>[&lt;Property(Arbitrary = [| typeof&lt;Arbitraries&gt; |])&gt;]</c>, or asked one by one.
[<AbstractClass; Sealed>]
type Arbitraries =
    /// <summary>A matrix.</summary>
    static member SmallMatrix() : Arbitrary<SmallMatrix> =
        Arb.fromGenShrink (
            gen {
                let! rows = Small.size
                let! columns = Small.size
                let! cells = Small.matrix rows columns Small.cell
                return SmallMatrix cells
            },
            fun (SmallMatrix m) -> Shrink.matrix 1 m |> Seq.map SmallMatrix
        )

    /// <summary>Two matrices of one shape.</summary>
    static member SameShape() : Arbitrary<SameShape> =
        Arb.fromGenShrink (
            gen {
                let! rows = Small.size
                let! columns = Small.size
                let! target = Small.matrix rows columns Small.cell
                let! prediction = Small.matrix rows columns Small.cell
                return SameShape(target, prediction)
            },
            fun (SameShape(target, prediction)) ->
                Shrink.matrices 1 [ target; prediction ]
                |> Seq.map (fun pair -> SameShape(pair[0], pair[1]))
        )

    /// <summary>Two vectors of one length.</summary>
    static member SameLength() : Arbitrary<SameLength> =
        let column (v: Vector<float>) = v.ToColumnMatrix()

        Arb.fromGenShrink (
            gen {
                let! length = Small.size
                let! target = Small.vector length Small.cell
                let! other = Small.vector length Small.cell
                let! same = Gen.frequency [ 1, Gen.constant true; 4, Gen.constant false ]
                return SameLength(target, (if same then target.Clone() else other))
            },
            fun (SameLength(target, prediction)) ->
                Shrink.matrices 1 [ column target; column prediction ]
                |> Seq.map (fun pair -> SameLength(pair[0].Column 0, pair[1].Column 0))
        )

    /// <summary>Logits.</summary>
    static member Logits() : Arbitrary<Logits> =
        Arb.fromGenShrink (
            gen {
                let! classes = Gen.choose (2, 5)
                let! count = Small.size
                let! logits = Small.matrix classes count Small.cell
                return Logits logits
            },
            fun (Logits z) -> Shrink.matrix 2 z |> Seq.map Logits
        )

    /// <summary>Labels and logits.</summary>
    static member LabelledLogits() : Arbitrary<LabelledLogits> =
        Arb.fromGenShrink (
            gen {
                let! classes = Gen.choose (2, 5)
                let! count = Small.size
                let! labels = Small.labels classes count
                let! logits = Small.matrix classes count Small.cell
                return LabelledLogits(labels, logits)
            },
            fun (LabelledLogits(labels, z)) ->
                Shrink.beside Array.removeAt (labels, z) |> Seq.map LabelledLogits
        )

    /// <summary>Distributions and logits.</summary>
    static member SoftTargets() : Arbitrary<SoftTargets> =
        Arb.fromGenShrink (
            gen {
                let! classes = Gen.choose (2, 5)
                let! count = Small.size
                let! distributions = Small.distributions classes count
                let! logits = Small.matrix classes count Small.cell
                return SoftTargets(distributions, logits)
            },
            fun (SoftTargets(distributions, z)) ->
                Shrink.beside (fun s (t: Matrix<float>) -> t.RemoveColumn s) (distributions, z)
                |> Seq.map SoftTargets
        )

    /// <summary>An affine map's parts.</summary>
    static member Affine() : Arbitrary<Affine> =
        Arb.fromGenShrink (
            gen {
                let! outputs = Small.size
                let! inputs = Small.size
                let! count = Small.size
                let! weights = Small.matrix outputs inputs Small.cell
                let! biases = Small.vector outputs Small.cell
                let! x = Small.matrix inputs count Small.cell
                let! upstream = Small.matrix outputs count Small.cell
                return Affine(weights, biases, x, upstream)
            },
            fun (Affine(weights, biases, x, upstream)) -> seq {
                if x.ColumnCount > 1 then
                    for s in 0 .. x.ColumnCount - 1 do
                        Affine(weights, biases, x.RemoveColumn s, upstream.RemoveColumn s)

                if x.RowCount > 1 then
                    for i in 0 .. x.RowCount - 1 do
                        Affine(weights.RemoveColumn i, biases, x.RemoveRow i, upstream)
            }
        )

    /// <summary>An architecture of 1–4 inputs, 0–3 hidden layers of 1–4 units with any activation, and 2–5
    /// classes.</summary>
    static member Architecture() : Arbitrary<Architecture> =
        Arb.fromGenShrink (
            Small.architecture (Arbitraries.Activation().Generator),
            fun a -> seq {
                // Dense layers and activations take turns.
                for l in 0..2 .. a.Layers.Length - 2 do
                    match Architecture.create a.Head a.Shape (List.removeManyAt l 2 a.Layers) with
                    | Ok smaller -> smaller
                    | Error _ -> ()
            }
        )

    /// <summary>A network and a mini-batch.</summary>
    static member Trainable() : Arbitrary<Trainable> =
        Arb.fromGenShrink (
            gen {
                let! count = Small.size
                let! struct (network, batch) = Small.trainable count
                return Trainable(network, batch)
            },
            fun (Trainable(network, batch)) ->
                Shrink.trainable 1 network batch
                |> Seq.filter (fun (struct (network, batch)) ->
                    Small.isAwayFromKinks 0.02 network batch)
                |> Seq.map (fun (struct (network, batch)) -> Trainable(network, batch))
        )

    /// <summary>A network and a mini-batch in parts.</summary>
    static member SplitBatch() : Arbitrary<SplitBatch> =
        Arb.fromGenShrink (
            gen {
                let! parts = Gen.choose (2, 4)
                let! each = Gen.choose (1, 3)
                let! struct (network, batch) = Small.trainable (parts * each)
                return SplitBatch(parts, network, batch)
            },
            fun (SplitBatch(parts, network, batch)) ->
                // The samples stay: their number is a multiple of the parts'.
                Shrink.trainable batch.Count network batch
                |> Seq.filter (fun (struct (network, batch)) ->
                    Small.isAwayFromKinks 0.02 network batch)
                |> Seq.map (fun (struct (network, batch)) -> SplitBatch(parts, network, batch))
        )

    /// <summary>A seed.</summary>
    static member Seed() : Arbitrary<Seed> =
        Gen.frequency [ 4, Small.bits; 1, Gen.elements [ 0UL; 1UL; UInt64.MaxValue ] ]
        |> Gen.map Seed
        |> Arb.fromGen

    /// <summary>Sizes of a data set and a batch.</summary>
    static member SampleCounts() : Arbitrary<SampleCounts> =
        Arb.fromGenShrink (
            Gen.map2
                (fun samples size -> SampleCounts(samples, size))
                (Gen.choose (1, 60))
                (Gen.choose (1, 70)),
            fun (SampleCounts(samples, size)) -> seq {
                if samples > 1 then
                    SampleCounts(samples / 2, size)
                    SampleCounts(samples - 1, size)

                if size > 1 then
                    SampleCounts(samples, size / 2)
                    SampleCounts(samples, size - 1)
            }
        )

    /// <summary>Any of the core's activations.</summary>
    static member Activation() : Arbitrary<Activation> =
        Gen.elements Activation.all |> Arb.fromGen
