/// What pages name exists: files and headings behind links, options, settings, commands, variables, functions.
module Pipeline.Properties.Docs.PageTests

open System
open System.CommandLine
open System.IO
open System.Text.RegularExpressions
open Pipeline.Training
open Xunit

let pages () =
    TheoryData<string>(Page.all.Value |> Seq.map _.Path)

let private distinct (pattern: string) (text: string) : string list = [
    for value in Regex.Matches(text, pattern) |> Seq.map _.Groups[1].Value |> Seq.distinct do
        value
]

[<Theory>]
[<MemberData(nameof pages)>]
let ``every relative link leads to a file, and to a heading of it`` (path: string) =
    let page = Page.read path
    let folder = Path.GetDirectoryName path |> nonNull

    let isBroken (link: string) =
        let file, anchor =
            match link.Split '#' with
            | [| file; anchor |] -> file, Some anchor
            | parts -> parts[0], None

        let target =
            if file = "" then
                path
            else
                Path.GetRelativePath(
                    Page.root,
                    Path.Combine(Page.root, folder, Uri.UnescapeDataString file)
                )

        not (File.Exists(Path.Combine(Page.root, target)))
        || anchor
           |> Option.exists (fun anchor ->
               not (Page.anchors (Page.read target)).IsEmpty
               && not ((Page.anchors (Page.read target)).Contains anchor))

    Assert.Empty(
        Page.links page
        |> List.filter (fun link -> not (Regex.IsMatch(link, "^[a-z]+:")))
        |> List.filter isBroken
    )

[<Fact>]
let ``every page of a docs folder is linked from its index, and every index from the README`` () =
    let links path = set (Page.links (Page.read path))

    for folder in Page.folders do
        Assert.Contains($"{folder}/index.md", links "README.md")

        let pages =
            Page.all.Value
            |> List.map _.Path
            |> List.filter (fun path -> path.StartsWith folder && not (path.EndsWith "/index.md"))
            |> List.map (fun path -> Path.GetFileName path |> nonNull)

        Assert.Empty(set pages - links $"{folder}/index.md")

let private root = lazy CommandTree.Create(SettingOptions())

let private optionsOf (command: Command) =
    command.Options
    |> Seq.filter (fun option -> option.Name <> "--help" && option.Name <> "--version")

/// Everything that the program's commands take, with other names.
let private programOptions: Lazy<Set<string>> =
    lazy
        (set [
            for command in Seq.append [ root.Value :> Command ] root.Value.Subcommands do
                for option in command.Options do
                    option.Name
                    yield! option.Aliases
        ])

/// Of dotnet, its tests, BenchmarkDotNet, scripts of the checks and redis-server.
let private others =
    set [
        "--project"
        "--filter"
        "--logger"
        "--job"
        "--default-signal"
        "--global"
        "--name"
        "--data-binary"
        "--daemonize"
        "--appendonly"
        "--check"
        "--all"
        "--maxgenericcycle:7"
    ]

let private sources (folder: string) : string list = [
    for file in
        Directory.GetFiles(Path.Combine(Page.root, folder), "*", SearchOption.AllDirectories) do
        let inner = Path.GetRelativePath(Page.root, file)

        if
            Regex.IsMatch(file, "\\.(fs|fsx|cs)$")
            && not (Regex.IsMatch(inner, "(^|/|\\\\)(bin|obj)(/|\\\\)"))
        then
            File.ReadAllText file
]

let private benchmarkOptions: Lazy<Set<string>> =
    lazy
        (sources "Math.FSharp/benchmarks"
         |> List.collect (distinct "\"(--[\\w-]+)\"")
         |> set)

[<Theory>]
[<MemberData(nameof pages)>]
let ``every option that a page names exists`` (path: string) =
    let named = distinct "(?<![\\w-])(--[A-Za-z][\\w:-]*)" (Page.read path).Text

    let known = Set.unionMany [ programOptions.Value; others; benchmarkOptions.Value ]

    Assert.Empty(set named - known)

[<Theory>]
[<MemberData(nameof pages)>]
let ``every setting that a page names exists`` (path: string) =
    let sections =
        SettingCatalog.All |> Seq.map _.Section |> Seq.distinct |> String.concat "|"

    let text = (Page.read path).Text

    let named = [
        yield! distinct $"\\b((?:{sections}):[A-Z]\\w+)" text
        for name in distinct "\\bPipeline__(\\w+)" text do
            name.Replace("__", ":")
    ]

    Assert.Empty(
        named
        |> List.filter (fun key -> key <> "Preset" && isNull (SettingCatalog.OfSubject key))
    )

[<Fact>]
let ``the page of commands names every command and every option of its own`` () =
    let text = (Page.read "Host.CSharp/docs/commands.md").Text

    let settings =
        SettingCatalog.All |> Seq.map (fun setting -> $"--{setting.Key}") |> set

    for command in root.Value.Subcommands do
        Assert.Contains($"`{command.Name}", text)

        for option in optionsOf command do
            if not (settings.Contains option.Name) then
                Assert.Contains($"`{option.Name}", text)

[<Theory>]
[<MemberData(nameof pages)>]
let ``every variable and every test that a page asks to run with exists`` (path: string) =
    let tests = sources "Properties.Tests" |> String.concat "\n"
    let text = (Page.read path).Text

    for name in distinct "\\b([A-Z]+_?[A-Z]+)=\\d+ dotnet" text do
        Assert.Contains($"\"{name}\"", tests)

    for name in distinct "--filter \"?(?:DisplayName~|FullyQualifiedName~)?([\\w ]+)" text do
        Assert.Contains(name.Trim(), tests)

/// Files, of which pages speak in code too.
let private file =
    Regex
        "\\.(fs|fsx|cs|md|json|csv|svg|html|sln|csproj|fsproj|props|npz|npy|gz|safetensors|onnx|txt|service)$"

[<Theory>]
[<MemberData(nameof pages)>]
let ``every function and type that a page names exists`` (path: string) =
    let texts =
        List.collect sources [ "Math.FSharp"; "Host.CSharp"; "Properties.Tests" ]

    let exists (name: string) =
        let parts = name.Split '.'
        // C# sees a module beside a type of its name with this at its end.
        let owner, part = Regex.Replace(parts[0], "Module$", ""), parts[1]

        let declares =
            Regex $"\\b(module|type|class|struct|interface|enum|record|member)\\b.*\\b{owner}\\b"

        let holds = Regex($"\\b{part}\\b", RegexOptions.IgnoreCase)
        texts |> List.exists (fun text -> declares.IsMatch text && holds.IsMatch text)

    let prose = Page.prose (Page.read path)

    // The names of an earlier version are in the first column.
    let prose =
        if prose.Contains "| 0.1 | 0.2 |" then
            Regex.Replace(prose, "^\\|[^|]*", "", RegexOptions.Multiline)
        else
            prose

    let named =
        distinct "`([A-Z]\\w+\\.[A-Za-z]\\w+)`" prose
        |> List.filter (fun name ->
            not (file.IsMatch name || Directory.Exists(Path.Combine(Page.root, name))))

    Assert.Empty(named |> List.filter (fun name -> not (exists name)))
