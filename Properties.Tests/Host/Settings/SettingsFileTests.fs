/// The operator's settings file, and where data and runs are without settings.
module Pipeline.Properties.Host.SettingsFileTests

open System
open System.IO
open System.Text.Json
open Pipeline.Training
open Xunit

let private write (path: string) (text: string) : string =
    File.WriteAllText(path, text)
    path

/// Options for data and the run folder, without those of the training.
let private options (scratch: Scratch) : string list =
    Given.options scratch []
    |> List.filter (fun option -> not (option.Contains "Training:"))

[<Fact>]
let ``the operator's file overrides the program's, and the preset, the environment and options override it``
    ()
    =
    use scratch = new Scratch()

    let preset =
        write
            (scratch.Sub "preset.json")
            """{"Pipeline": {"Training": {"Iterations": 4, "LearningRate": 0.4, "Momentum": 0.4}}}"""

    let file =
        write
            (scratch.Sub "operator.json")
            $$"""
            {
              "Pipeline": {
                "Preset": {{JsonSerializer.Serialize preset}},
                "Training": {
                  "BatchSize": 7, "Iterations": 3, "LearningRate": 0.3, "Optimizer": "Momentum", "Seed": 3
                }
              },
              "Logging": { "LogLevel": { "Pipeline": "None" } }
            }
            """

    let ended =
        Given.startWith
            [ "PIPELINE_SETTINGS", file; "Pipeline__Training__LearningRate", "0.5" ]
            (options scratch @ [ "--Training:Seed=6" ])
        |> Given.finish

    Assert.True((ended.ExitCode = 0), ended.Errors)
    Assert.Equal("", ended.Errors)
    let folder = Assert.Single(Given.runs scratch)

    let training =
        JsonDocument
            .Parse(File.ReadAllText(Path.Combine(folder, "settings.json")))
            .RootElement.GetProperty("settings")
            .GetProperty("training")

    let number (name: string) = training.GetProperty(name).GetDouble()
    Assert.Equal(7.0, number "batch_size")
    Assert.Equal(4.0, number "iterations")
    Assert.Equal(0.4, number "momentum")
    Assert.Equal(0.5, number "learning_rate")
    Assert.Equal(6.0, number "seed")

[<Fact>]
let ``an operator's file that cannot be used is refused in one sentence with its path`` () =
    use scratch = new Scratch()
    let file = scratch.Sub "operator.json"

    for text, words in
        [
            "[1", $"{file}, line 1, column 3: expected a JSON file of settings, found the end"
            "[1]", $"{file}: expected a JSON file of settings, found JSON that is no object."
            """{"Pipelin": {}}""",
            $"Pipelin: expected the sections Pipeline and Logging, found another (file {file})."
            """{"Pipeline": {"Training": {"Seed": -1}}}""", $"(file {file})"
            """{"Pipeline": {"Preset": "nope"}}""", $"found 'nope' (file {file})."
        ] do
        write file text |> ignore

        let ended =
            Given.startWith [ "PIPELINE_SETTINGS", file ] (options scratch) |> Given.finish

        Assert.Equal(2, ended.ExitCode)
        Assert.Contains(words, ended.Errors)

        Assert.Single(ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        |> ignore

    for path in [ scratch.Sub "nowhere.json"; scratch.Path ] do
        let ended =
            Given.startWith [ "PIPELINE_SETTINGS", path ] (options scratch) |> Given.finish

        Assert.Equal(2, ended.ExitCode)

        Assert.Equal(
            $"PIPELINE_SETTINGS: expected the path of a JSON file of settings, found '{path}', which is not a file.",
            ended.Errors.Trim()
        )

    Assert.Empty(Given.runs scratch)

[<Fact>]
let ``the digits are those of the repository, else those beside the program, else those of the working folder``
    ()
    =
    use scratch = new Scratch()
    let program, working = scratch.Sub "program/net10.0", scratch.Sub "work"
    Directory.CreateDirectory program |> ignore
    let digits folder = Path.Combine(folder, "data", "mnist")
    Assert.Equal(digits working, DefaultPaths.DigitsOf(program, working))
    Directory.CreateDirectory(digits program) |> ignore
    Assert.Equal(digits program, DefaultPaths.DigitsOf(program, working))
    write (scratch.Sub "Pipeline.sln") "" |> ignore
    Assert.Equal(digits scratch.Path, DefaultPaths.DigitsOf(program, working))
