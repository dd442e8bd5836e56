namespace Pipeline.Properties

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats

/// Everything that can be changed among what the functions are given, with its bytes.
type internal PurityGiven = {
    Network: Network<float>
    Batch: MiniBatch<float>
    Settings: Hyperparameters
    Data: Dataset<float>
    DataInputs: Matrix<float>
    DataTargets: Targets<float>
    State: TrainingState<float>
    Memory: OptimizerState<float>
    Images: IdxImages
    Pixels: byte[]
    Labels: int[]
    One: Matrix<float>
    Other: Matrix<float>
    /// Of 0 to 1.
    Answers: Matrix<float>
    Vector: Vector<float>
    File: byte[]
    Parquet: byte[]
    Numbers: float[]
    Texts: string[]
} with

    member given.Model = Model.ofNetwork given.Network
    member given.Tensors = Model.toTensors given.Model

    member given.Tensor = Tensor.ofNumbers "x" [ given.Numbers.Length ] given.Numbers

    member given.TextLabels = {
        Name = "y"
        Shape = [ given.Texts.Length ]
        Elements = Elements.Texts given.Texts
    }

    member given.Columns = [
        {
            Name = "numbers"
            Cells = Cells.Numbers given.Numbers
        }
        {
            Name = "texts"
            Cells = Cells.Texts given.Texts
        }
    ]

    member given.Table = Table.create given.Columns |> orFail

    member given.Bytes() : byte[][] =
        let ofNumbers (values: float[]) =
            values |> Array.collect BitConverter.GetBytes

        let ofInts (values: int[]) =
            values |> Array.collect BitConverter.GetBytes

        let ofMatrix (m: Matrix<float>) = ofNumbers (m.ToColumnMajorArray())

        let ofTargets targets =
            match targets with
            | Targets.Labels labels -> ofInts labels
            | Targets.Columns columns -> ofMatrix columns

        let ofParameters (parameters: Parameters<float>) = [|
            for layer in parameters.Layers do
                for _, matrix in layer.Matrices do
                    ofMatrix matrix

                for _, vector in layer.Vectors do
                    ofNumbers (vector.ToArray())
        |]

        [|
            yield! ofParameters given.Network.Parameters
            ofMatrix given.Batch.Inputs
            ofTargets given.Batch.Targets
            ofMatrix given.DataInputs
            ofTargets given.DataTargets
            yield! ofParameters given.State.Network.Parameters

            for memory in given.State.Optimizer.Memory @ given.Memory.Memory do
                yield! ofParameters memory.Values

            ofInts given.State.Order
            Array.copy given.Pixels
            ofInts given.Labels
            ofMatrix given.One
            ofMatrix given.Other
            ofMatrix given.Answers
            ofNumbers (given.Vector.ToArray())
            Array.copy given.File
            Array.copy given.Parquet
            ofNumbers given.Numbers
            Text.Encoding.UTF8.GetBytes(String.concat "," given.Texts)
        |]

/// A function's name in the assembly, and a call of it.
type internal PureCall = string * (unit -> obj | null)

[<AutoOpen>]
module internal PureCalls =
    /// The value, boxed; a fault fails.
    let sure (result: Result<'V, Fault list>) : obj | null = box (orFail result)

    /// What to do with the columns of the given table.
    let choice = {
        SmallTables.plainChoice with
            Label = ValueSome "numbers"
            Categorical = [ "texts" ]
            Missing = Missing.Median
            Scaling = Scaling.Standard
    }
