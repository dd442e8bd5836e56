namespace Pipeline.Properties.Host

open System
open System.IO
open Xunit
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training

/// Graphs of layers over images: ONNX Runtime gives what the layers give.
module OnnxImageTests =
    let private options =
        lazy
            (new SessionOptions(
                IntraOpNumThreads = 1,
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR
            ))

    /// What the runtime gives for inputs.
    let private asked (network: Network<'T>) (inputs: Matrix<'T>) : float[] =
        let tensor =
            DenseTensor<'T>(
                Memory(cells inputs),
                ReadOnlySpan [| inputs.ColumnCount; inputs.RowCount |]
            )

        use session =
            new InferenceSession(OnnxFile.Write(Model.ofNetwork network), options.Value)

        use results = session.Run [ NamedOnnxValue.CreateFromTensor("numbers", tensor) ]

        (Seq.exactlyOne results).AsTensor<'T>()
        |> Seq.map Convert.ToDouble
        |> Array.ofSeq

    let private agree (network: Network<float>) (inputs: Matrix<float>) : unit =
        asked network inputs
        |> Approximately.equal 1e-12 (cells (Network.predict network inputs))

        let network: Network<float32> = Network.convert network
        let inputs = single inputs

        asked network inputs
        |> Approximately.equal 1e-5 (cells (Network.predict network inputs) |> Array.map float)

    let private agreeOn (seed: uint64) (head: Head) (shape: Shape) (layers: Layer list) : unit =
        let architecture = Architecture.create head shape layers |> orFail

        agree
            (SideBySideLaws.networkOf seed architecture)
            (SideBySideLaws.batchOf seed 3 architecture).Inputs

    [<Law(MaxTest = 25)>]
    let ``any convolution gives the same in ONNX Runtime`` (Seed seed) =
        Prop.forAll (Arb.fromGen Small.convolution) (fun shape ->
            agreeOn seed Head.Identity (OverImages.imageOf shape.Input) [
                Layers.convolution shape.Outputs shape.Input.Window shape.Groups
            ])

    [<Law(MaxTest = 25)>]
    let ``any pooling gives the same in ONNX Runtime`` (Seed seed) =
        Prop.forAll (Arb.fromGen Small.pooling) (fun shape ->
            for layer in [ Layers.maxPooling shape.Window; Layers.averagePooling shape.Window ] do
                agreeOn seed Head.Identity (OverImages.imageOf shape) [ layer ])

    [<Law(MaxTest = 5)>]
    let ``every other layer over images gives the same in ONNX Runtime`` (Seed seed) =
        for name, shape in
            [
                "conv1d 3 4 stride 2 padding 3 dilation 2", Shape.Vector 11
                "conv1d 4 2 groups 2", Shape.Image(4, 1, 6)
                "maxpool1d 3 stride 1 padding 1 dilation 2", Shape.Vector 9
                "avgpool1d 3 stride 2 padding 1", Shape.Image(2, 1, 7)
                "avgpool1d 2 dilation 3", Shape.Vector 9
                "globalavgpool", Shape.Image(3, 4, 5)
                "flatten", Shape.Image(2, 3, 2)
                "batchnorm", Shape.Image(3, 4, 2)
                "batchnorm", Shape.Vector 5
                "layernorm", Shape.Image(2, 3, 2)
                "layernorm", Shape.Vector 5
                "dropout2d 0.5", Shape.Image(3, 2, 2)
                "residual [conv2d 3 3 padding 1, batchnorm, relu]", Shape.Image(3, 4, 4)
                "residual [dense 4, batchnorm, residual [layernorm, dropout 0.5, tanh], dense 4]",
                Shape.Vector 4
                "residual [batchnorm, residual [batchnorm, conv2d 2 1 groups 2], maxpool2d 1]",
                Shape.Image(2, 3, 1)
            ] do
            LayerKinds.parse [] [ name ] |> orFail |> agreeOn seed Head.Identity shape

    [<Law(MaxTest = 5)>]
    let ``networks over images give the same in ONNX Runtime`` (Seed seed) =
        for each in SideBySideLaws.written do
            let architecture = SideBySideLaws.architectureOf each

            agree
                (SideBySideLaws.networkOf seed architecture)
                (SideBySideLaws.batchOf seed 3 architecture).Inputs

    [<FactWithPython("onnx")>]
    let ``ONNX's own checker accepts every graph over images`` () =
        use scratch = new Scratch()

        for i, each in List.indexed SideBySideLaws.written do
            let network: Network<float> =
                SideBySideLaws.architectureOf each |> SideBySideLaws.networkOf 1UL

            let single: Network<float32> = Network.convert network

            let write (name: string) (bytes: byte[]) =
                File.WriteAllBytes(scratch.Sub name, bytes)

            write $"{i}.onnx" (OnnxFile.Write(Model.ofNetwork network))
            write $"{i}-single.onnx" (OnnxFile.Write(Model.ofNetwork single))

        OnnxTests.requireSound scratch.Path (2 * SideBySideLaws.written.Length)
