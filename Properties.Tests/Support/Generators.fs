namespace Pipeline.Properties

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

/// A number of hundredths, 0–0.99.
type Fraction = Fraction of float

/// Images of 1–4 by 1–4 pixels, 1–5 of them, some of them mostly empty.
type Images = Images of IdxImages

/// A number of classes of 1–256, and 0–20 labels below it.
type Classed = Classed of classes: int * labels: int[]

/// Rows, inner size and columns of a product, around the widths of registers and tiles.
type ProductShape = ProductShape of rows: int * depth: int * columns: int

/// A double of any size: every exponent is as likely as any other; 0, −0, ±∞, not a number and the
/// smallest numbers come often.
type AnyNumber = AnyNumber of float

/// A finite double of at most 800 in size.
type Exponent = Exponent of float

/// A small data set, settings of a short run over it, and a network's architecture that fits.
type SmallRun =
    | SmallRun of settings: Hyperparameters * data: Dataset<float> * architecture: Architecture

/// A tensor of 0–3 dimensions of 0–4 and any type, named x.
type AnyTensor = AnyTensor of Tensor

/// A table of 1–4 columns and 2–12 rows: numbers, texts that are numbers, categories; cells are missing
/// here and there. Its last column, called label, has none missing.
type AnyTable = AnyTable of Table

/// A network of 0–3 hidden layers of 1–6 units with any activation each, some of them normalised, and any
/// head, of so many inputs.
type AnyNetwork = AnyNetwork of (int -> Network<float>)

/// The generators of all of them; the rest are the library's.
type Generators =
    static member Fraction() : Arbitrary<Fraction> =
        Gen.choose (0, 99)
        |> Gen.map (fun hundredths -> Fraction(float hundredths / 100.0))
        |> Arb.fromGen

    static member Images() : Arbitrary<Images> =
        gen {
            let! rows = Small.size
            let! columns = Small.size
            let! count = Gen.choose (1, 5)
            let! empty = Gen.elements [ 0; 1; 9 ]

            let! pixels =
                Gen.frequency [ 1, Gen.choose (0, 255); empty, Gen.constant 0 ]
                |> Gen.arrayOfLength (rows * columns * count)

            return
                Images {
                    Count = count
                    Size = ImageSize.Grey(rows, columns)
                    Pixels = ReadOnlyMemory(Array.map byte pixels)
                }
        }
        |> Arb.fromGen

    static member Classed() : Arbitrary<Classed> =
        gen {
            let! classes = Gen.choose (1, 256)
            let! count = Gen.choose (0, 20)
            let! labels = Small.labels classes count
            return Classed(classes, labels)
        }
        |> Arb.fromGen

    static member ProductShape() : Arbitrary<ProductShape> =
        gen {
            let! rows = Gen.choose (1, 70)
            let! depth = Gen.choose (1, 9)
            let! columns = Gen.choose (1, 20)
            return ProductShape(rows, depth, columns)
        }
        |> Arb.fromGen

    static member AnyNumber() : Arbitrary<AnyNumber> =
        Gen.frequency [
            8, Small.bits |> Gen.map BitConverter.UInt64BitsToDouble
            1,
            Gen.elements [
                0.0
                -0.0
                infinity
                -infinity
                nan
                Double.Epsilon
                -Double.Epsilon
                2.2250738585072009e-308
                2.2250738585072014e-308
                Double.MaxValue
                1.0
                1.4142135623730951
                0.70710678118654757
            ]
            3, Small.number 10.0
        ]
        |> Gen.map AnyNumber
        |> Arb.fromGen

    static member Exponent() : Arbitrary<Exponent> =
        Gen.oneof [ Small.number 800.0; Small.number 90.0; Small.number 1.0 ]
        |> Gen.map Exponent
        |> Arb.fromGen

    static member Initialiser() : Arbitrary<Initialiser> =
        Gen.elements [
            Initialiser.Fixed 0.5
            Initialiser.XavierNormal
            Initialiser.XavierUniform
            Initialiser.HeNormal
            Initialiser.HeUniform
            Initialiser.LeCunNormal
            Initialiser.LeCunUniform
            Initialiser.Orthogonal
        ]
        |> Arb.fromGen

    static member ScheduleKind() : Arbitrary<ScheduleKind> =
        Gen.oneof [
            Gen.constant ScheduleKind.Constant
            Gen.choose (1, 6) |> Gen.map (fun every -> ScheduleKind.Step(int64 every, 0.5))
            Gen.choose (1, 6)
            |> Gen.map (fun every -> ScheduleKind.Exponential(int64 every, 0.5))
            Gen.choose (0, 4) |> Gen.map (fun last -> ScheduleKind.Cosine(float last / 4.0))
            Gen.choose (1, 3)
            |> Gen.map (fun rise -> ScheduleKind.OneCycle(float rise / 4.0))
        ]
        |> Arb.fromGen

    static member OptimizerSpec() : Arbitrary<OptimizerSpec> =
        let sometimes (number: float) =
            Gen.frequency [ 3, Gen.constant (Nullable()); 1, Gen.constant (Nullable number) ]

        gen {
            let! name = OptimizerSpec.choices |> List.map _.Name |> Gen.elements

            let! decay = sometimes 0.1
            let! penalty1 = sometimes 0.01
            let! penalty2 = sometimes 0.01
            let! clipValue = sometimes 0.3
            let! clipNorm = sometimes 0.5
            let! accumulate = sometimes 3.0
            let! average = sometimes 0.8
            let! leavesBiasesOut = Gen.elements [ true; false ]

            let always = {
                OptimizerSpec.named name with
                    PenaltyL2 = penalty2
                    AverageDecay = average
            }

            let options =
                if name = "Lbfgs" then
                    always
                else
                    {
                        always with
                            WeightDecay = decay
                            PenaltyL1 = penalty1
                            ClipValue = clipValue
                            ClipNorm = clipNorm
                            Accumulate =
                                accumulate
                                |> Option.ofNullable
                                |> Option.map int
                                |> Option.toNullable
                    }

            let withoutBiases =
                OptimizerSpec.create {
                    options with
                        PenaliseBiases = Nullable false
                }

            return
                // Without a penalty, PenaliseBiases is refused.
                match withoutBiases with
                | Ok spec when leavesBiasesOut -> spec
                | _ -> OptimizerSpec.create options |> orFail
        }
        |> Arb.fromGen

    static member AnyTensor() : Arbitrary<AnyTensor> =
        gen {
            let! dimensions = Gen.choose (0, 3)
            let! shape = Gen.listOfLength dimensions (Gen.choose (0, 4))
            let count = List.fold (*) 1 shape
            let! bits = Gen.arrayOfLength count Small.bits

            let! elements =
                Gen.elements [
                    Elements.Bytes(ReadOnlyMemory(bits |> Array.map byte))
                    Elements.Integers(bits |> Array.map int64)
                    Elements.Singles(
                        bits |> Array.map (fun b -> BitConverter.UInt32BitsToSingle(uint32 b))
                    )
                    Elements.Doubles(bits |> Array.map BitConverter.UInt64BitsToDouble)
                ]

            return
                AnyTensor {
                    Name = "x"
                    Shape = shape
                    Elements = elements
                }
        }
        |> Arb.fromGen

    static member AnyTable() : Arbitrary<AnyTable> =
        let orMissing missing cell =
            Gen.frequency [ 5, cell; 1, Gen.constant missing ]

        let text (number: float) =
            number.ToString("R", Globalization.CultureInfo.InvariantCulture)

        gen {
            let! rows = Gen.choose (2, 12)
            let! columns = Gen.choose (0, 3)

            let cells = [
                Small.cell |> orMissing nan |> Gen.arrayOfLength rows |> Gen.map Cells.Numbers
                Small.cell
                |> Gen.map text
                |> orMissing "NA"
                |> Gen.arrayOfLength rows
                |> Gen.map (fun (texts: string[]) -> Cells.Texts texts)
                Gen.elements [ "red"; "green"; "blue"; "dark blue, nearly \"black\"" ]
                |> orMissing ""
                |> Gen.arrayOfLength rows
                |> Gen.map (fun (texts: string[]) -> Cells.Texts texts)
            ]

            let! inputs = Gen.listOfLength (columns + 1) (Gen.oneof cells)
            let! labels = Gen.arrayOfLength rows (Gen.elements [ "no"; "yes"; "maybe" ])

            return
                Table.create [
                    for place, cells in List.indexed inputs do
                        {
                            Name = $"column {place}"
                            Cells = cells
                        }
                    {
                        Name = "label"
                        Cells = Cells.Texts labels
                    }
                ]
                |> orFail
                |> AnyTable
        }
        |> Arb.fromGen

    static member private AnyLayer: Gen<HiddenLayer> = gen {
        let! width = Gen.choose (1, 6)
        let! isNormalised = Gen.frequency [ 2, Gen.constant false; 1, Gen.constant true ]
        let! activation = Arbitraries.Activation().Generator

        return {
            Width = width
            Normalised = isNormalised
            Activation = activation
            Dropout = 0.0
        }
    }

    static member AnyNetwork() : Arbitrary<AnyNetwork> =
        gen {
            let! depth = Gen.choose (0, 3)
            let! hidden = Gen.listOfLength depth Generators.AnyLayer
            let! head = Gen.elements [ Head.Softmax; Head.Sigmoid; Head.Identity ]
            let! outputs = Gen.choose ((if head = Head.Softmax then 2 else 1), 5)
            let! seed = Small.bits
            let! isEmbedded = Gen.frequency [ 2, Gen.constant false; 1, Gen.constant true ]

            // Any number from −1 to 1, by its place.
            let number place =
                2.0 * RandomNumbers.uniform seed RandomStream.GradientCheck 1L place - 1.0

            let vector layer centre width =
                Array.init width (fun unit -> centre + 0.5 * number (100 * layer + unit))
                |> Vector<float>.Build.Dense

            let network inputs : Network<float> =
                let above inputs =
                    Architecture.ofHidden head inputs hidden outputs

                let network =
                    if isEmbedded then
                        // The last input passes through, if it is not the only one.
                        let own = max 1 (inputs - 1)

                        Architecture.above
                            (Layers.embedding [
                                EmbeddingBlock.Embedded(own, 2)
                                if own < inputs then
                                    EmbeddingBlock.Unchanged(inputs - own)
                            ])
                            inputs
                            above
                    else
                        above inputs
                    |> orFail
                    |> Network.initialise Initialiser.XavierNormal seed

                {
                    network with
                        Parameters = {
                            Layers =
                                network.Parameters.Layers
                                |> List.mapi (fun i ->
                                    LayerParameters.map (fun _ matrix -> matrix) (fun name v ->
                                        if name = "g" then
                                            vector (i + 10) 1.0 v.Count
                                        else
                                            vector i 0.0 v.Count))
                        }
                        Running =
                            network.Running
                            |> List.mapi (fun i ->
                                LayerParameters.map (fun _ matrix -> matrix) (fun name v ->
                                    if name = "variance" then
                                        vector (i + 30) 1.0 v.Count
                                    else
                                        vector (i + 20) 0.0 v.Count))
                }

            return AnyNetwork network
        }
        |> Arb.fromGen

    static member SmallRun() : Arbitrary<SmallRun> =
        gen {
            let! count = Gen.choose (1, 12)
            let! features = Small.size
            let! classes = Gen.choose (2, 4)
            let! inputs = Small.matrix features count (Small.number 2.0)
            let! targets = Small.targets classes count
            let! size = Gen.choose (1, 14)
            let! iterations = Gen.choose (1, 12)
            let! rate = Gen.choose (1, 100)
            let! sampling = Gen.elements [ Sampling.Replacement; Sampling.Epoch ]

            let! optimizer =
                Gen.frequency [
                    1, Gen.constant OptimizerSpec.gradientDescent
                    3, Generators.OptimizerSpec().Generator
                ]

            let! schedule = Generators.ScheduleKind().Generator
            let! warmUp = Gen.choose (0, 4)
            let! dropout = Gen.elements [ 0.0; 0.0; 0.3 ]
            let! smoothing = Gen.elements [ 0.0; 0.0; 0.1 ]
            let! initialiser = Generators.Initialiser().Generator

            let! seed = Small.bits
            let! hidden = Gen.choose (0, 2)
            let! width = Small.size

            let! activation =
                Gen.elements [ Activation.Sigmoid; Activation.Tanh; Activation.Relu ]

            let settings =
                Hyperparameters.create {
                    Length = RunLength.Iterations(int64 iterations)
                    BatchSize = size
                    LearningRate = float rate / 100.0
                    Schedule = schedule
                    WarmUp = int64 warmUp
                    Initialiser = initialiser
                    Sampling = sampling
                    Gradient = GradientMethod.Backpropagation
                    Optimizer = optimizer
                    Augmentation = Augmentation.None
                    LabelSmoothing = smoothing
                    Validation = 0.0
                    EarlyStopping = ValueNone
                    Seed = seed
                }
                |> orFail

            return
                SmallRun(
                    settings,
                    Dataset.ofColumns classes inputs targets,
                    Architecture.ofHidden
                        Head.Softmax
                        features
                        (List.replicate hidden {
                            Width = width
                            Normalised = false
                            Activation = activation
                            Dropout = dropout
                        })
                        classes
                    |> orFail
                )
        }
        |> Arb.fromGen
