/// The host sees the core as C# has it.
module Pipeline.Properties.HostFaceLaws

open System.IO
open System.Text.RegularExpressions
open Xunit

[<Fact>]
let ``the host names no type of FSharp.Core and no module by the name that C# has for it`` () =
    let host = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../../Host.CSharp"))

    let isBuilt (path: string) =
        Path.GetRelativePath(host, path).Split Path.DirectorySeparatorChar
        |> Array.exists (fun folder -> folder = "obj" || folder = "bin")

    let files =
        Directory.GetFiles(host, "*.cs", SearchOption.AllDirectories)
        |> Array.filter (isBuilt >> not)

    Assert.NotEmpty files

    Assert.Empty [
        for path in files do
            let text = File.ReadAllText path

            for found in Regex.Matches(text, @"\bFSharp\w+|Microsoft\.FSharp|\b[A-Z]\w*Module\.") do
                $"{Path.GetRelativePath(host, path)}: {found.Value}"
    ]

[<Fact>]
let ``no page, script or template needs a module by the name that C# has for it`` () =
    let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../.."))

    let files = [
        Path.Combine(root, "README.md")
        for folder, ending in
            [
                "Host.CSharp/docs", "*.md"
                "Math.FSharp/docs", "*.md"
                "Math.FSharp/scripts", "*.cs"
                "Properties.Tests/CSharp", "*.cs"
                "Host.CSharp/templates", "*.cs"
            ] do
            yield!
                Directory.GetFiles(Path.Combine(root, folder), ending, SearchOption.AllDirectories)
    ]

    Assert.Empty [
        for file in files do
            for found in Regex.Matches(File.ReadAllText file, @"\b[A-Z]\w*Module\.") do
                $"{Path.GetRelativePath(root, file)}: {found.Value}"
    ]
