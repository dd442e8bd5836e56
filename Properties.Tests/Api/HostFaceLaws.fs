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
