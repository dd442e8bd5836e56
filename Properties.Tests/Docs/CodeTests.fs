/// The code of pages runs: every block of F# and C#.
module Pipeline.Properties.Docs.CodeTests

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open Pipeline.Properties.Host
open Xunit

let private blocks (language: string) : (Page * Block) list = [
    for page in Page.all.Value do
        for block in Page.blocks page do
            if block.Language = language then
                page, block
]

/// load.fsx for the libraries that the tests run with.
let private loading () : string =
    let folder = Path.Combine(Page.root, "Math.FSharp/scripts")

    File
        .ReadAllText(Path.Combine(folder, "load.fsx"))
        .Replace("../pictures/bin/Release/net10.0", AppContext.BaseDirectory)
        .Replace("__SOURCE_DIRECTORY__", $"@\"{folder}\"")

[<Fact>]
let ``the F# of every page runs, the blocks of a page after each other`` () =
    use scratch = new Scratch()
    File.WriteAllText(scratch.Sub "load.fsx", loading ())

    let scripts = [
        for i, (page, blocks) in blocks "fsharp" |> List.groupBy fst |> List.indexed do
            let name = $"page{i}.fsx"

            let parts = [
                $"#I @\"{AppContext.BaseDirectory}\""

                for library in
                    [ "Pipeline.Learning"; "Pipeline.Learning.Laws"; "MathNet.Numerics"; "FsCheck" ] do
                    $"#r \"{library}.dll\""

                for _, block in blocks do
                    $"# {block.Line} @\"{Path.Combine(Page.root, page.Path)}\""
                    block.Text
            ]

            File.WriteAllText(scratch.Sub name, String.concat "\n" parts)
            name
    ]

    Assert.NotEmpty scripts
    let all = scratch.Sub "all.fsx"
    File.WriteAllLines(all, scripts |> List.map (fun name -> $"#load \"{name}\""))

    match Tools.run "dotnet" [ "fsi"; "--warnaserror+"; "--nowarn:3370"; all ] with
    | Some ended -> Assert.True((ended.ExitCode = 0), $"{ended.Output}\n{ended.Errors}")
    | None -> failwith "no dotnet"

/// The namespaces that a program of one file has open.
let private usings =
    Pipeline.Properties.PublicSurface.implicitUsings
    |> List.map (fun space -> $"global using {space};")
    |> String.concat "\n"

/// A program's bytes, or a library's where it has a namespace. The host's own code sees its internals, as the
/// tests do.
let private compile (page: Page) (block: Block) : byte[] * bool =
    let isLibrary = block.Text.Contains "\nnamespace "

    let references =
        (string (AppContext.GetData "TRUSTED_PLATFORM_ASSEMBLIES")).Split Path.PathSeparator
        |> Array.map (fun path -> MetadataReference.CreateFromFile path :> MetadataReference)

    let parse (text: string) =
        CSharpSyntaxTree.ParseText(text, CSharpParseOptions(LanguageVersion.Preview))

    let code = Regex.Replace(block.Text, "^#:.*$", "", RegexOptions.Multiline)

    let compilation =
        CSharpCompilation.Create(
            (if isLibrary then "Properties.Tests" else "Page"),
            [ parse usings; parse code ],
            references,
            CSharpCompilationOptions(
                (if isLibrary then
                     OutputKind.DynamicallyLinkedLibrary
                 else
                     OutputKind.ConsoleApplication),
                nullableContextOptions = NullableContextOptions.Enable
            )
        )

    use bytes = new MemoryStream()
    let made = compilation.Emit bytes

    let faults = [
        for diagnostic in made.Diagnostics do
            if diagnostic.Severity <> DiagnosticSeverity.Hidden then
                let line = diagnostic.Location.GetLineSpan().StartLinePosition.Line
                $"{page.Path}:{block.Line + line}: {diagnostic.GetMessage()}"
    ]

    Assert.Empty faults
    bytes.ToArray(), isLibrary

[<Fact>]
let ``the C# of every page compiles without warnings, and programs run`` () =
    // The application that serves a model is built and started elsewhere.
    let service =
        File.ReadAllText(Path.Combine(Page.root, "Properties.Tests/IrisService/Program.cs"))

    let found =
        blocks "csharp"
        |> List.filter (fun (_, block) -> block.Text.Trim() <> service.Trim())

    Assert.NotEmpty found

    for page, block in found do
        let bytes, isLibrary = compile page block

        if not isLibrary then
            let program = (Assembly.Load bytes).EntryPoint |> nonNull
            program.Invoke(null, [| box Array.empty<string> |]) |> ignore
