namespace Pipeline.Properties.Host

open System.IO
open System.Text.Json
open Xunit

/// The parameters of short runs, by their SHA-256: the same on every machine, with every set of its
/// instructions and any number of threads. A change of these hashes is a change of what Pipeline
/// computes, and is to be decided, not to happen.
module SameBitsTests =
    let private hash
        (environment: (string * string) list)
        (changes: (string * string) list)
        : string =
        use scratch = new Scratch()

        let ended =
            Given.options scratch changes |> Given.startWith environment |> Given.finish

        Assert.True((ended.ExitCode = 0), ended.Errors)
        let folder = Assert.Single(Given.runs scratch)

        JsonDocument
            .Parse(File.ReadAllText(Path.Combine(folder, "summary.json")))
            .RootElement.GetProperty("parameters_sha256")
            .GetString()
        |> nonNull

    /// Widths of 37 and 21 fill no register evenly.
    let private network = [ "Model:Hidden", "37,21"; "Training:LearningRate", "0.3" ]

    let private inSingle =
        network @ [ "Model:Activation", "Tanh"; "Training:Sampling", "Epoch" ]

    let private inDouble = network @ [ "Training:Precision", "Double" ]

    let private byDefinition = [
        "Training:Gradient", "Numerical"
        "Training:Iterations", "20"
        "Training:Precision", "Double"
    ]

    let private byAdam = [
        "Model:Hidden", "70,37"
        "Model:Activation", "Relu"
        "Model:WeightInitStd", "0.05"
        "Training:Optimizer", "Adam"
        "Training:LearningRate", "0.001"
        "Training:BatchSize", "130"
        "Training:Iterations", "40"
    ]

    /// Every kind of layer over images, of 4 × 4 pixels.
    let private overImages = [
        "Model:Hidden", "50"
        "Model:Layers",
        String.concat "," [
            "conv2d 6 3 padding 1"
            "batchnorm"
            "relu"
            "residual [conv2d 6 3 padding 1 groups 2, batchnorm, gelu, dropout2d 0.25, conv2d 6 1]"
            "maxpool2d 2 stride 1"
            "conv2d 7 2x3 stride 1x2 padding 1"
            "layernorm"
            "elu"
            "avgpool2d 2 stride 1 padding 1"
            "residual [dropout 0.2, conv2d 7 3 padding 2 dilation 2]"
            "globalavgpool"
            "conv1d 3 4 stride 1 padding 1"
            "maxpool1d 2"
            "avgpool1d 2 stride 1"
            "flatten"
            "dense 10"
        ]
        "Model:Initialiser", "HeNormal"
        "Training:Optimizer", "Adam"
        "Training:LearningRate", "0.01"
        "Training:Sampling", "Epoch"
        "Training:BatchSize", "37"
        "Training:Iterations", "60"
    ]

    let private overImagesInDouble = overImages @ [ "Training:Precision", "Double" ]

    /// Every run with the hash that it must have.
    let private runs = [
        inSingle, "ee052951ddce4d7ba6ef1863a6dc6801d5353f3deed9b547c7625c9f4f242f1d"
        inDouble, "6b6c23fa09a3f53396f6c84ab8a336d3ed6c1bb5259a5b815f803ae2fc5d2688"
        byDefinition, "e4c1fcb409776301459c140c5802b2f77f6123f7c4a401c4dc1911cccd36be60"
        byAdam, "c978e2be08ba843ed12cf3d3fda8d4769e6a420b5b6bd469460d7bf0777a2257"
        overImages, "0423ceaf090a319fa5058cf9ab534b68b456d38d3d0d1c2a07d9d26c3361ebab"
        overImagesInDouble, "f14ad3dc6ac06aa9b9c4412f75641fc2b2f7f776d691c3674aeab205fead5445"
    ]

    [<Theory>]
    [<InlineData("")>]
    [<InlineData("DOTNET_EnableAVX512")>]
    [<InlineData("DOTNET_EnableAVX2")>]
    [<InlineData("DOTNET_EnableHWIntrinsic")>]
    let ``runs have these bits, with all instructions of the machine and with fewer``
        (without: string)
        =
        let environment = if without = "" then [] else [ without, "0" ]

        let found = runs |> List.map (fun (settings, _) -> hash environment settings)
        Assert.True((List.map snd runs = found), $"found %A{found}")

    [<Fact>]
    let ``any number of threads gives the same bits, also of products they share`` () =
        // 300 samples × 16 × 4000 is more than a product must have to be shared.
        let wide threads =
            hash [] [
                "Model:Hidden", "4000"
                "Training:BatchSize", "300"
                "Training:Iterations", "2"
                "Training:LearningRate", "0.01"
                "Training:Threads", $"{threads}"
            ]

        let alone = wide 1

        for threads in 2..4 do
            Assert.Equal(alone, wide threads)

        let images threads =
            hash [] (overImages @ [ "Training:BatchSize", "200"; "Training:Threads", $"{threads}" ])

        Assert.Equal(images 1, images 3)
