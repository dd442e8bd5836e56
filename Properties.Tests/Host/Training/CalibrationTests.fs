namespace Pipeline.Properties.Host

open System.IO
open System.Text.Json
open Pipeline.Learning.Laws
open Xunit

/// Training:Calibrated.
module CalibrationTests =
    let private train (scratch: Scratch) (runs: string) (changes: (string * string) list) =
        let ended =
            Given.host (
                Given.options
                    scratch
                    ([ "Run:Directory", runs; "Data:Validation", "0.3" ] @ changes)
            )

        Assert.Equal(0, ended.ExitCode)
        Directory.GetDirectories(runs)[0], ended

    let private evaluated (run: string) (samples: string) =
        let model = Path.Combine(run, "model.safetensors")

        let ended =
            Given.host [ "evaluate"; model; "--Data:Directory"; samples; "--format"; "json" ]

        Assert.Equal(0, ended.ExitCode)
        JsonDocument.Parse(ended.Output).RootElement.GetProperty "figures"

    [<Fact>]
    let ``a calibrated model has the classes of the other, and the temperature that the log and the summary give``
        ()
        =
        use scratch = new Scratch()
        let plain, _ = train scratch (scratch.Sub "plain") []

        let calibrated, ended =
            train scratch (scratch.Sub "calibrated") [ "Training:Calibrated", "true" ]

        let temperature =
            JsonDocument
                .Parse(File.ReadAllText(Path.Combine(calibrated, "summary.json")))
                .RootElement.GetProperty("temperature")
                .GetDouble()

        Assert.NotEqual(1.0, temperature)
        Assert.Contains($"a temperature of {temperature:F3}", ended.Output + ended.Errors)
        let data = scratch.Sub "data"
        let before, after = evaluated plain data, evaluated calibrated data

        Exactly.equal
            ((before.GetProperty "confusion").GetRawText())
            ((after.GetProperty "confusion").GetRawText())

        Assert.NotEqual(
            (before.GetProperty "loss").GetDouble(),
            (after.GetProperty "loss").GetDouble()
        )

    [<Fact>]
    let ``a calibration that cannot be made is refused before the data are read`` () =
        use scratch = new Scratch()

        let refused (changes: (string * string) list) =
            let ended =
                Given.host (Given.options scratch (("Training:Calibrated", "true") :: changes))

            Assert.Equal(2, ended.ExitCode)
            ended.Errors.Trim()

        Assert.Equal(
            "Training:Calibrated needs validation samples (Data:Validation; option --Training:Calibrated).",
            refused []
        )

        Assert.Equal(
            "Training:Calibrated applies to probabilities (Model:Head Softmax or Sigmoid) with a dense layer as the last one (option --Training:Calibrated).",
            refused [ "Data:Validation", "0.2"; "Model:Head", "Identity" ]
        )
