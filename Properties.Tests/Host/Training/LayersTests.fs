namespace Pipeline.Properties.Host

open System
open System.IO
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training

/// Networks by Model:Layers, and models of version 0.1.
module LayersTests =
    let private hashOf (scratch: Scratch) =
        Told.text "parameters_sha256" (Told.summary scratch)

    let private run (settings: (string * string) list) =
        use scratch = new Scratch()
        let ended = Given.host (Given.options scratch settings)
        Assert.Equal(0, ended.ExitCode)
        hashOf scratch

    [<Fact>]
    let ``layers written out are the layers in short`` () =
        let short =
            run [
                "Model:Hidden", "8,6"
                "Model:Normalised", "true"
                "Model:Activation", "Tanh"
                "Training:Dropout", "0.25"
            ]

        // The host's own file of settings gives Hidden its default besides.
        let long =
            run [
                "Model:Hidden", "50"
                "Model:Layers",
                "dense 8,batchnorm,tanh,dropout 0.25,dense 6,batchnorm,tanh,dropout 0.25,dense 10"
            ]

        Assert.Equal(short, long)

    [<Fact>]
    let ``a network that is no stack of dense layers is trained, evaluated, exported and read back``
        ()
        =
        use scratch = new Scratch()

        let ended =
            Given.host (
                Given.options scratch [
                    "Model:Layers", "batchnorm,dense 8,relu,batchnorm,dense 10"
                    "Model:Hidden", "50"
                    "Training:Sampling", "Epoch"
                    "Training:BatchSize", "13"
                ]
            )

        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("has one sample (", ended.Output + ended.Errors)
        let folder = Assert.Single(Given.runs scratch)
        let original = ModelFile.Read(folder).ModelOf<float32>()

        Exactly.equal
            [ "batchnorm"; "dense 8"; "relu"; "batchnorm"; "dense 10" ]
            (original.Network.Architecture.Layers |> List.map _.Name)

        let ended = Given.host [ "evaluate"; folder ]
        Assert.Equal(0, ended.ExitCode)
        let ended = Given.host [ "inspect"; folder ]
        Assert.Contains("Relu, batchnorm", ended.Output)

        for format in [ "npz"; "onnx" ] do
            let path = scratch.Sub $"model.{format}"
            let ended = Given.host [ "export"; folder; "--output"; path ]
            Assert.Equal(0, ended.ExitCode)

        let back = ModelFile.Read(scratch.Sub "model.npz").ModelOf<float32>()
        Exactly.equal original.Network.Architecture back.Network.Architecture
        Exactly.bits (flat original.Network.Parameters) (flat back.Network.Parameters)
        Exactly.equal original.Network.Running back.Network.Running

    [<Fact>]
    let ``settings that Model:Layers replaces, and layers that do not fit, are refused at once``
        ()
        =
        use scratch = new Scratch()

        let refused (settings: (string * string) list) (words: string list) =
            let ended = Given.host (Given.options scratch settings)
            Assert.Equal(2, ended.ExitCode)

            for word in words do
                Assert.Contains(word, ended.Errors)

            Assert.Empty(Given.runs scratch)

        refused [
            "Model:Layers", "dense 8,rulu,dense 10"
            "Model:Hidden", "7"
            "Model:Activation", "Relu"
            "Model:Normalised", "true"
            "Training:Dropout", "0.2"
        ] [
            "Model:Layers:1: expected one of dense OUTPUTS"
            "'rulu'"
            "Model:Hidden does not apply"
            "Model:Activation does not apply"
            "Model:Normalised does not apply"
            "Training:Dropout does not apply"
        ]

        refused [ "Model:Layers", "dense 8,dropout 1,dense 10"; "Model:Hidden", "50" ] [
            "Model:Layers:1: expected 0 or greater and less than 1, found 1"
        ]

        refused [ "Model:Layers", "dense 8,relu,dense 9"; "Model:Hidden", "50" ] [
            "Model:Layers: expected layers that give 10 outputs, as the data need, found 9."
        ]

    [<Fact>]
    let ``models of version 0.1 are read, and answer as they did`` () =
        for ending in [ "safetensors"; "npz" ] do
            let path = Path.Combine(AppContext.BaseDirectory, "Fixtures", $"model-1.{ending}")
            let model = ModelFile.Read(path).ModelOf<float32>()
            Assert.Equal("5-6-5-2", string model.Network.Architecture)
            Exactly.equal [ "no"; "yes" ] model.Classes

        use scratch = new Scratch()
        let rows = scratch.Sub "rows.csv"
        File.WriteAllText(rows, "a,b,plan\n-1.056,0.309,pro\n")
        let path = Path.Combine(AppContext.BaseDirectory, "Fixtures", "model-1.safetensors")
        let ended = Given.host [ "predict"; path; rows; "--format"; "json" ]
        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("\"no\": 0.7422480583190918", ended.Output)
        Assert.Contains("\"yes\": 0.2577519416809082", ended.Output)
