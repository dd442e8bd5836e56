namespace Pipeline.Properties.Host

open System.IO
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training

/// Model:Embeddings in a run and after it.
module EmbeddingTests =
    /// Rows of two numbers, a column of 30 categories and one of 3.
    let private write (path: string) =
        File.WriteAllLines(
            path,
            "x,town,y,plan,label"
            :: [
                for row in 0..299 do
                    let town = row * 7 % 30

                    let label = if town % 3 = 0 || row % 5 = 0 then "yes" else "no"

                    $"""{row % 13},t{town},{row % 7},{[ "a"; "b"; "c" ][row % 3]},{label}"""
            ]
        )

    let private network (scratch: Scratch) = [
        "--Data:Train"
        scratch.Sub "rows.csv"
        "--Model:Initialiser"
        "XavierNormal"
    ]

    let private training = [
        "--Training:Optimizer"
        "Adam"
        "--Training:LearningRate"
        "0.01"
        "--Training:BatchSize"
        "20"
    ]

    let private run (scratch: Scratch) (options: string list) : Ended =
        Given.host (
            network scratch @ training @ options @ [ "--Run:Directory"; scratch.Sub "runs" ]
        )

    [<Fact>]
    let ``columns are embedded in training, and in every file and command afterwards`` () =
        use scratch = new Scratch()
        write (scratch.Sub "rows.csv")

        let ended =
            run scratch [ "--Training:Iterations"; "60"; "--Model:Embeddings"; "Auto,plan=1" ]

        Assert.Equal(0, ended.ExitCode)
        let folder = Assert.Single(Given.runs scratch)
        let model = ModelFile.Read(folder).ModelOf<float32>()
        // 1.6·30^0.56 = 10.7.
        Exactly.equal
            [ "embedding 2 30:11 3:1"; "dense 50"; "sigmoid"; "dense 2" ]
            (model.Network.Architecture.Layers |> List.map string)

        Exactly.equal
            [ "E1_1"; "E2_1"; "W2"; "b2"; "W3"; "b3" ]
            (Parameters.tensors model.Network.Parameters
             |> List.map (fun (name, _, _) -> name))

        let answered arguments (word: string) =
            let ended = Given.host arguments
            Assert.Equal(0, ended.ExitCode)
            Assert.Contains(word, ended.Output)

        answered [ "evaluate"; folder; "--importance"; "2" ] "town"
        answered [ "inspect"; folder ] "1.1        30       11"
        answered [ "diff"; folder; folder ] "The settings of both runs are the same"
        answered [ "predict"; folder; scratch.Sub "rows.csv"; "--explain" ] "town"

        for format in [ "npz"; "onnx"; "safetensors" ] do
            answered [ "export"; folder; "--output"; scratch.Sub $"model.{format}" ] ""

        for format in [ "npz"; "safetensors" ] do
            let back = ModelFile.Read(scratch.Sub $"model.{format}").ModelOf<float32>()
            Exactly.equal model.Network.Architecture back.Network.Architecture
            Exactly.bits (flat model.Network.Parameters) (flat back.Network.Parameters)

    [<Fact>]
    let ``a run with embeddings is resumed with the same bits, and not with others`` () =
        use scratch = new Scratch()
        write (scratch.Sub "rows.csv")
        let own = [ "--Model:Embeddings"; "town=4" ]
        let whole = run scratch (own @ [ "--Training:Iterations"; "80" ])
        Assert.Equal(0, whole.ExitCode)
        let hash = Told.text "parameters_sha256" (Told.summary scratch)
        Directory.Delete(scratch.Sub "runs", true)
        let half = run scratch (own @ [ "--Training:Iterations"; "40" ])
        Assert.Equal(0, half.ExitCode)
        let folder = Assert.Single(Given.runs scratch)

        let resumed options =
            run scratch (options @ [ "--Training:Iterations"; "80"; "--Run:Resume"; folder ])

        let other = resumed [ "--Model:Embeddings"; "town=5" ]
        Assert.Equal(2, other.ExitCode)
        Assert.Contains("Model:Embeddings", other.Errors)
        let ended = resumed own
        Assert.Equal(0, ended.ExitCode)
        Assert.Equal(hash, Told.text "parameters_sha256" (Told.summary scratch))

    [<Fact>]
    let ``every command that trains embeds columns`` () =
        use scratch = new Scratch()
        write (scratch.Sub "rows.csv")

        for command, options in
            [
                "check", [ "--samples"; "3" ]
                "sanity", [ "--samples"; "2" ]
                "find-rate", [ "--Training:BatchSize"; "20"; "--output"; scratch.Sub "rates.svg" ]
                "cross-validate",
                [ "--Training:BatchSize"; "20"; "--Training:Iterations"; "10"; "--folds"; "3" ]
            ] do
            let ended =
                Given.host (
                    command :: network scratch @ [ "--Model:Embeddings"; "town=4,plan=2" ] @ options
                )

            Assert.Equal("", ended.Errors)
            Assert.Contains("35-8-50-2", ended.Output)

            if command = "check" then
                Assert.Contains("E2_1", ended.Output)

    [<Fact>]
    let ``embeddings that cannot be made are refused with their columns`` () =
        use scratch = new Scratch()
        write (scratch.Sub "rows.csv")

        let refused options (words: string list) =
            let ended = run scratch options
            Assert.Equal(2, ended.ExitCode)

            for word in words do
                Assert.Contains(word, ended.Errors)

            Assert.Empty(Given.runs scratch)

        refused [ "--Model:Embeddings"; "x=2,twon=2,plan=3" ] [
            "Model:Embeddings cannot embed column x of numbers"
            "found 'twon'"
            "column plan than its 3 categories, found 3"
        ]

        refused [ "--Model:Embeddings"; "town=0" ] [ "Model:Embeddings"; "'town=0'" ]

        refused [
            "--Model:Embeddings"
            "town=2"
            "--Model:Layers"
            "embedding 2 30:4 3,dense 2"
        ] [ "Model:Embeddings does not apply where Model:Layers has an embedding" ]

        refused [ "--Model:Layers"; "embedding 2 29:4 3,dense 2" ] [
            "Model:Layers:0: expected 34 inputs, as 'embedding 2 29:4 3' takes, found 35"
        ]

        let ended = Given.host (Given.options scratch [ "Model:Embeddings", "Auto" ])

        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("Model:Embeddings: expected a table, found images", ended.Errors)
