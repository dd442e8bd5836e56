/// The commands of the page churn.md print what it says, and draw its pictures.
module Pipeline.Properties.Docs.ChurnTests

open System
open System.IO
open System.Text.RegularExpressions
open Pipeline.Properties.Host
open Xunit

let private page = "Host.CSharp/docs/churn.md"

[<FactOnLinux>]
let ``five commands lead from the table to the model that the page says`` () =
    use scratch = new Scratch()
    let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

    let commands =
        Page.blocks (Page.read page)
        |> List.filter (fun block -> block.Language = "sh")
        |> List.map _.Text

    let isOfProgram (command: string) =
        command.Contains "--project Host.CSharp"

    Assert.Equal(5, commands |> List.filter isOfProgram |> List.length)

    let here (command: string) =
        command
            .Replace("dotnet run -c Release --project Host.CSharp --", $"dotnet '{program}'")
            .Replace("data/tables/churn.fsx data/tables", "\"$TABLES/churn.fsx\" .")
            .Replace("data/tables/", "")
            .Replace("data/runs", "runs")

    let script =
        "set -e\n"
        + $"cd '{scratch.Path}'\nTABLES='{Page.root}/data/tables'\nexport Pipeline__Run__Directory='{scratch.Path}/runs'\n"
        + String.Join("\n", commands |> List.map here)

    let ended = Tools.run "sh" [ "-c"; script ] |> Option.get
    Assert.True((ended.ExitCode = 0), ended.Errors)
    let printed = ended.Output + ended.Errors

    for block in Page.blocks (Page.read page) do
        if block.Language = "text" then
            for line in block.Text.TrimEnd().Split '\n' do
                Assert.Contains(line, printed)

    let folder = Directory.GetDirectories(scratch.Sub "runs") |> Assert.Single
    let drawn = File.ReadAllText(Path.Combine(folder, "evaluation.html"))
    let drawings = Regex.Matches(drawn, "<svg.*?</svg>", RegexOptions.Singleline)

    for name, place in [ "roc", 1; "reliability", 3 ] do
        let path = Path.Combine(Page.root, $"Host.CSharp/docs/churn-{name}.svg")
        let drawing = drawings[place].Value + "\n"
        Assert.Contains($"id=\"{name}-", drawing)

        match Environment.GetEnvironmentVariable "ACCEPT_DOCS" with
        | null
        | "" -> Assert.Equal(File.ReadAllText path, drawing)
        | _ -> File.WriteAllText(path, drawing)
