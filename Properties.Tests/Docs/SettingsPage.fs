/// Host.CSharp/docs/settings.md lists every setting as its definition says.
module Pipeline.Properties.Docs.SettingsPage

open System
open System.ComponentModel
open System.IO
open System.Reflection
open System.Xml.Linq
open Pipeline.Training
open Xunit

let private path = "Host.CSharp/docs/settings.md"

/// What stands before it is written by hand.
let private start =
    "<!-- From here on: the definitions in Host.CSharp/training/Settings/PipelineSettings.cs. -->\n"

let private cell (text: string) = text.Replace("|", "\\|")

let private row (setting: Setting) =
    let fallback =
        match setting.DefaultText with
        | "" -> "–"
        | text -> cell text

    let meaning = cell setting.Description
    $"| `{setting.Property.Name}` | {meaning} | {cell setting.Accepts} | {fallback} |"

/// The tables, section by section.
let private tables () : string =
    String.concat "\n" [
        start

        for section, settings in SettingCatalog.All |> Seq.groupBy _.Section do
            let owner = (Seq.head settings).Property.DeclaringType |> nonNull

            let about =
                owner.GetCustomAttribute<DescriptionAttribute>() |> nonNull |> _.Description

            $"## {section}"
            ""
            about
            ""
            $"| `{section}:` | meaning | accepts | unless set |"
            "|---|---|---|---|"
            yield! settings |> Seq.map row
            ""
    ]

/// What the documentation of a setting's property says.
let private summary (setting: Setting) : string =
    let fallback =
        match setting.DefaultText with
        | "" -> ""
        | text -> $" Default: {text}."

    let meaning = setting.Description
    $"{Char.ToUpperInvariant meaning[0]}{meaning[1..]}. Accepts: {setting.Accepts}.{fallback}"

[<Fact>]
let ``the documentation of each setting is its definition`` () =
    let file =
        XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Pipeline.Training.xml"))

    let written =
        Map [
            for entry in file.Descendants "member" do
                for name in entry.Attributes "name" do
                    for text in entry.Elements "summary" do
                        name.Value,
                        String.Join(
                            ' ',
                            text.Value.Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries)
                        )
        ]

    let differences = [
        for setting in SettingCatalog.All do
            let owner = setting.Property.DeclaringType |> nonNull
            let expected = summary setting

            match written.TryFind $"P:{owner.FullName}.{setting.Property.Name}" with
            | Some found when found = expected -> ()
            | found ->
                $"{owner.Name}.{setting.Property.Name}: expected <summary>{expected}</summary>, found {Option.toObj found}"
    ]

    if not differences.IsEmpty then
        failwith (String.concat "\n" differences)

[<Fact>]
let ``the settings page is made of the settings' definitions`` () =
    let page = (Page.read path).Text
    let place = page.IndexOf(start, StringComparison.Ordinal)
    Assert.True(place > 0, $"{path} has no line {start}")
    let expected = page.Substring(0, place) + tables ()

    match Environment.GetEnvironmentVariable "ACCEPT_DOCS" with
    | null
    | "" ->
        if expected <> page then
            failwith
                $"{path} is not what the definitions make: ACCEPT_DOCS=1 dotnet test Properties.Tests --filter Docs"
    | _ -> File.WriteAllText(Path.Combine(Page.root, path), expected)
