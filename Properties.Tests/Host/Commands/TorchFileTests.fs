namespace Pipeline.Properties.Host

open System.IO
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training

/// Files of PyTorch's convolutions, whose layers are given by options.
module TorchFileTests =
    let private layers = [
        "conv2d 3 2 padding 1"
        "relu"
        "maxpool2d 2 stride 1"
        "conv2d 4 2"
        "batchnorm"
        "tanh"
        "dense 10"
    ]

    let private shape = Shape.Image(1, 4, 4)

    let private network: Network<float> = TorchLayersLaws.networkOf shape layers 3UL

    let private inSingle (tensor: Tensor) : Tensor =
        match tensor.Elements with
        | Elements.Doubles values -> {
            tensor with
                Elements = Elements.Singles(Array.map float32 values)
          }
        | _ -> tensor

    /// The file of PyTorch's names in a folder.
    let private write (scratch: Scratch) : string =
        let path = scratch.Sub "torch.safetensors"

        let tensors =
            network
            |> TorchLayersLaws.sequential shape layers string (fun _ -> 0.0)
            |> List.map inSingle

        File.WriteAllBytes(path, Safetensors.format { Metadata = []; Tensors = tensors })
        path

    let private options = [ "--architecture"; String.concat ", " layers; "--shape"; "1x4x4" ]

    [<Fact>]
    let ``a file of PyTorch's is inspected, evaluated, exported, and predicts as the network does``
        ()
        =
        use scratch = new Scratch()
        let file = write scratch
        let data = Given.data scratch

        let told arguments =
            let ended = Given.host (arguments @ options)
            Assert.True((ended.ExitCode = 0), ended.Errors)
            ended.Output

        Assert.Contains("16-75-36-10", told [ "inspect"; file ])
        Assert.Contains("accuracy", told [ "evaluate"; file; $"--Data:Directory={data}" ])
        let exported = scratch.Sub "model.npz"
        told [ "export"; file; "--output"; exported ] |> ignore
        let model = ModelFile.Read(exported).ModelOf<float32>()
        let network: Network<float32> = Network.convert network
        let inputs = (SideBySideLaws.batchOf<float32> 1UL 5 network.Architecture).Inputs

        Exactly.bits
            (cells (Network.predict (ForwardPass.folded network) inputs))
            (cells (Network.predict model.Network inputs))

        // The exported file tells its layers.
        let images = Path.Combine(data, "t10k-images-idx3-ubyte")
        let expected = Given.host [ "predict"; exported; images ]
        Assert.Equal(0, expected.ExitCode)
        Assert.Equal(expected.Output, told [ "predict"; file; images ])

    [<Fact>]
    let ``what the options lack, or say wrongly, is refused`` () =
        use scratch = new Scratch()
        let file = write scratch

        for options, words in
            [
                [], "--architecture"
                options[..1], "--shape"
                [ "--shape"; "1x4"; yield! options[..1] ],
                "--shape: expected a shape as 784 or 1x28x28, found '1x4'."
                [ "--architecture"; "conv2d 3 2, rulu"; "--shape"; "1x4x4" ], "'rulu'"
                [ yield! options[..1]; "--shape"; "1x5x5" ], "6.weight"
            ] do
            let ended = Given.host ("inspect" :: file :: options)
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(words, ended.Errors)
