namespace Pipeline.Properties.Host

open System.Globalization
open System.IO
open System.Text.Json
open Pipeline.Learning.Laws
open Xunit

/// Training:Metric.
module MetricTests =
    [<Fact>]
    let ``early stopping keeps the network of the epoch with the best figure`` () =
        use scratch = new Scratch()
        let runs = scratch.Sub "runs"

        let ended =
            Given.host (
                Given.options scratch [
                    "Run:Directory", runs
                    "Data:Validation", "0.3"
                    "Training:Metric", "Accuracy"
                    "Training:EarlyStopping", "50"
                    "Training:Iterations", "400"
                ]
            )

        Assert.Equal(0, ended.ExitCode)
        let run = Directory.GetDirectories(runs)[0]

        let epochs =
            File.ReadAllLines(Path.Combine(run, "epochs.csv"))
            |> Array.map (fun line -> line.Split ',')

        let place (name: string) = System.Array.IndexOf(epochs[0], name)

        let figures =
            epochs
            |> Array.skip 1
            |> Array.map (fun cells ->
                int64 cells[place "iteration"],
                System.Double.Parse(
                    cells[place "validation_accuracy"],
                    CultureInfo.InvariantCulture
                ))

        // The first of the epochs that are the best.
        let best, _ = figures |> Array.maxBy snd
        let _, lowest = figures |> Array.minBy snd
        Assert.True(lowest < (figures |> Array.map snd |> Array.max))

        let summary =
            JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json"))).RootElement

        Exactly.equal best ((summary.GetProperty "model_iteration").GetInt64())

    [<Theory>]
    [<InlineData("Accuracy",
                 "Softmax",
                 "0",
                 "Training:Metric needs validation samples (Data:Validation) or watch mode (Run:Mode; option --Training:Metric).")>]
    [<InlineData("RSquared",
                 "Softmax",
                 "0.2",
                 "Training:Metric RSquared applies to numbers to predict, with Model:Head Identity (found Softmax; option --Training:Metric).")>]
    [<InlineData("AreaUnderRoc",
                 "Identity",
                 "0.2",
                 "Training:Metric AreaUnderRoc applies to classes, and Model:Head Identity predicts numbers (option --Training:Metric).")>]
    [<InlineData("Loss",
                 "Softmax",
                 "0.2",
                 "Training:Metric: expected one of Accuracy, BalancedAccuracy, MacroF1, AreaUnderRoc, LogLoss, RootMeanSquaredError, MeanAbsoluteError, RSquared, found 'Loss' (option --Training:Metric).")>]
    let ``a figure that does not apply is refused``
        (metric: string)
        (head: string)
        (validation: string)
        (expected: string)
        =
        use scratch = new Scratch()

        let ended =
            Given.host (
                Given.options scratch [
                    "Training:Metric", metric
                    "Model:Head", head
                    "Data:Validation", validation
                ]
            )

        Assert.Equal(expected, ended.Errors.Trim())
        Assert.Equal(2, ended.ExitCode)
