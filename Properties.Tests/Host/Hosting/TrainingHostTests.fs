/// TrainingHost.cs: training as a service of an application's own host.
namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open Microsoft.Extensions.Configuration
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Logging
open Pipeline.CSharp
open Pipeline.Training
open Xunit

module TrainingHostTests =
    /// An application's builder with these settings under Pipeline, a section of its own, and no logs.
    let private builder (root: string) (settings: (string * string) list) : HostApplicationBuilder =
        let builder =
            Host.CreateEmptyApplicationBuilder(
                HostApplicationBuilderSettings(ContentRootPath = root)
            )

        File.WriteAllText(
            Path.Combine(root, "appsettings.json"),
            """{ "Urls": { "Own": 1 }, "Pipeline": { "Preset": "small-table" } }"""
        )

        builder.Configuration.AddJsonFile(Path.Combine(root, "appsettings.json"))
        |> ignore

        builder.Configuration.AddInMemoryCollection(
            settings
            |> List.map (fun (key, value) ->
                KeyValuePair<string, string | null>($"Pipeline:{key}", value))
        )
        |> ignore

        builder

    let private rows = [|
        "age,plan,churned"
        for i in 0..79 do
            $"""%d{20 + i},{(if i % 3 = 0 then "basic" else "gold")},{(if i < 40 then "yes" else "no")}"""
    |]

    let private given = [
        "Data:Train", "rows.csv"
        "Data:Label", "churned"
        "Run:Directory", "runs"
        "Training:Epochs", "30"
    ]

    [<Fact>]
    let ``an application's host trains as its configuration says, and tells its progress`` () =
        use scratch = new Scratch()
        File.WriteAllLines(scratch.Sub "rows.csv", rows)
        let builder = builder scratch.Path given
        let reported = List<TrainingProgress>()

        builder.Services.AddSingleton<IProgress<TrainingProgress>>(
            RowModels.Reports(fun progress -> lock reported (fun () -> reported.Add progress))
        )
        |> ignore

        builder.AddPipelineTraining() |> ignore
        use host = builder.Build()
        Assert.Equal(0, host.RunTrainingAsync().GetAwaiter().GetResult())

        // Relative paths start from the content root, and the preset is that of the application's file.
        let run = Assert.Single(Directory.GetDirectories(scratch.Sub "runs"))
        let model = TableModel.Load run
        let prediction = model.Predict {| age = 21; plan = "gold" |}
        Assert.Equal("yes", prediction.Class)
        let settings = File.ReadAllText(Path.Combine(run, "settings.json"))
        Assert.Contains("AdamW", settings)

        let epochs =
            reported
            |> Seq.filter (fun progress -> not (isNull progress.Scores))
            |> Seq.map _.Epoch

        Assert.Equal<int64>([ 0L .. 30L ], epochs)

    [<Fact>]
    let ``settings that an application gets wrong are refused, all of them, and its own sections are not``
        ()
        =
        use scratch = new Scratch()

        let wrong = [
            "Training:LearningRat", "1"
            "Model:Activation", "Reluu"
            "Data:Train", "x.csv"
        ]

        let builder = builder scratch.Path wrong

        let refused =
            Assert.Throws<RefusedException>(fun () -> builder.AddPipelineTraining() |> ignore)

        Assert.Equal(2, refused.Reasons.Count)
        Assert.Contains("Training:LearningRat", refused.Message)
        Assert.Contains("Model:Activation", refused.Message)

    [<Fact>]
    let ``data that cannot be used end the host with the exit code of a refusal`` () =
        use scratch = new Scratch()
        let builder = builder scratch.Path given
        builder.AddPipelineTraining() |> ignore
        use host = builder.Build()
        Assert.Equal(2, host.RunTrainingAsync().GetAwaiter().GetResult())

        Assert.False(
            Directory.Exists(scratch.Sub "runs")
            && Directory.GetDirectories(scratch.Sub "runs").Length > 0
        )

    [<Fact>]
    let ``an unfinished run is resumed with its own settings`` () =
        use scratch = new Scratch()
        File.WriteAllLines(scratch.Sub "rows.csv", rows)

        let run settings =
            let builder = builder scratch.Path settings
            builder.AddPipelineTraining() |> ignore
            use host = builder.Build()
            host.RunTrainingAsync().GetAwaiter().GetResult()

        Assert.Equal(0, run given)
        let folder = Assert.Single(Directory.GetDirectories(scratch.Sub "runs"))
        File.Delete(Path.Combine(folder, "summary.json"))
        Assert.Equal(0, run (("Run:Resume", "Auto") :: given))
        Assert.Single(Directory.GetDirectories(scratch.Sub "runs")) |> ignore
        Assert.True(File.Exists(Path.Combine(folder, "summary.json")))
