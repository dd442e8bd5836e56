/// The README's first command prints what the README says, and draws its picture.
module Pipeline.Properties.Docs.FirstRunTests

open System
open System.IO
open Pipeline.Properties.Host
open Xunit

let private picture = "Host.CSharp/docs/curves.svg"

/// The lines that say seconds or a folder's name are different in every run.
let private isTheSame (line: string) =
    not (line.StartsWith "completed: " || line.StartsWith "run folder: " || line = "⋮")

[<Fact>]
let ``the first command prints the README's lines, ends in the known bits and draws its picture``
    ()
    =
    use scratch = new Scratch()
    let ended = Given.host [ "--Run:Directory"; scratch.Sub "runs" ]
    Assert.True((ended.ExitCode = 0), ended.Errors)
    let printed = ended.Output.Split('\n') |> set

    let said =
        Page.blocks (Page.read "README.md")
        |> List.find (fun block -> block.Text.StartsWith "epoch 0 ")
        |> _.Text.TrimEnd().Split('\n')
        |> Array.filter isTheSame

    Assert.True(said.Length > 4)
    Assert.Empty(set said - printed)
    let folder = Assert.Single(Given.runs scratch)

    Assert.Contains(
        "f30a1b2b3705be07de3d6955ae626c61182dbed1d6508dc97511dee43547c64d",
        File.ReadAllText(Path.Combine(folder, "summary.json"))
    )

    let drawn = File.ReadAllText(Path.Combine(folder, "curves.svg"))
    let kept = Path.Combine(Page.root, picture)

    match Environment.GetEnvironmentVariable "ACCEPT_DOCS" with
    | null
    | "" ->
        if File.ReadAllText kept <> drawn then
            failwith
                $"{picture} is not what the run draws: ACCEPT_DOCS=1 dotnet test Properties.Tests --filter Docs"
    | _ -> File.WriteAllText(kept, drawn)
