/// The commands of the pages are run as they are written, with the repository's tables and a few digits, and print what the
/// pages say.
module Pipeline.Properties.Docs.CommandTests

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Reflection
open System.Text.RegularExpressions
open Pipeline.Properties.Host
open Xunit

/// Where other commands are run: a pattern, and the checks.
let private elsewhere =
    [
        "^dotnet run -c Release --project Host.CSharp -- serve ", [ "ServeCommandTests" ]
        "^dotnet run .* --Cluster:Store", [ "ClusterProcessTests" ]
        "^dotnet run .* -- sweep (pause|continue|stop) ", [ "SweepTests" ]
        "^dotnet run .* -- train --resume ", [ "ResumeTests" ]
        "^dotnet run .* -- evaluate lenet.safetensors", [ "TorchFileTests" ]
        "^dotnet run .* --project Math.FSharp/(benchmarks|samebits)", [ ".ci/run"; ".ci/same-bits" ]
        "^(dotnet (nuget|add|tool|new) |cd PipelineWorker)", [ ".ci/packages" ]
        "^dotnet (build|fsi|publish|test\\b)|^git clone", [ ".ci/run"; "PageTests" ]
        "^([A-Z_]+=\\d+ )?dotnet test\\b", [ ".ci/run"; "PageTests" ]
        "^(bash )?\\.ci/", [ ".ci/run" ]
        "^docker ", [ "DockerfileTests" ]
        "^curl ", [ "ServingTests" ]
        "^redis-server ", [ "ClusterProcessTests" ]
    ]
    |> List.map (fun (pattern, checks) -> Regex pattern, checks)

let private isProgram (line: string) =
    line.Contains "--project Host.CSharp" || line.StartsWith "pipeline"

let private isRunHere (line: string) =
    (isProgram line || line.StartsWith "head ")
    && not (elsewhere |> List.exists (fun (pattern, _) -> pattern.IsMatch line))

/// The commands of a block; one may go over several lines.
let private commands (block: Block) : string list =
    block.Text.Replace("\\\n", " ").TrimEnd().Split '\n' |> List.ofArray

let private pages =
    [ yield! Page.all.Value; Page.read "Host.CSharp/README.md" ]
    // FirstRunTests and ChurnTests run the commands of these pages and compare all that they print.
    |> List.filter (fun page ->
        not (List.contains page.Path [ "README.md"; "Host.CSharp/docs/churn.md" ]))

/// Every command of the pages, and where it stands.
let private written: (string * string) list = [
    for page in pages do
        for block in Page.blocks page do
            if block.Language = "sh" then
                for line in commands block do
                    $"{page.Path}, line {block.Line}", line
]

[<Fact>]
let ``every command of a page is run`` () =
    let isRun (_, line) =
        isRunHere line
        || elsewhere |> List.exists (fun (pattern, _) -> pattern.IsMatch line)

    Assert.Empty(List.filter (not << isRun) written)

[<Fact>]
let ``a check that runs commands elsewhere exists, and pages have such commands`` () =
    let modules =
        Assembly.GetExecutingAssembly().GetTypes() |> Array.map _.Name |> Set.ofArray

    let exists (check: string) =
        if check.StartsWith ".ci/" then
            File.Exists(Path.Combine(Page.root, check))
        else
            modules.Contains check

    let isWritten (pattern: Regex) =
        written |> List.exists (fun (_, line) -> pattern.IsMatch line)

    Assert.Empty(elsewhere |> List.filter (fst >> isWritten >> not))
    Assert.Empty(elsewhere |> List.collect snd |> List.filter (not << exists))

/// A folder as the repository after it was built, with a few digits.
let private prepare (scratch: Scratch) =
    let copy (from: string) (target: string) =
        Directory.CreateDirectory target |> ignore

        for file in Directory.GetFiles(from, "*", SearchOption.AllDirectories) do
            let path = Path.Combine(target, Path.GetRelativePath(from, file))
            Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
            File.Copy(file, path)

    let built =
        AppContext.BaseDirectory.Replace(
            $"{Path.DirectorySeparatorChar}Properties.Tests{Path.DirectorySeparatorChar}",
            $"{Path.DirectorySeparatorChar}Host.CSharp{Path.DirectorySeparatorChar}"
        )

    copy built (scratch.Sub "program")
    // Runs are shorter than the 10,000 iterations of the default.
    let settings = scratch.Sub "program/appsettings.json"
    let marked = "\"BatchSize\": 100,"
    Assert.Contains(marked, File.ReadAllText settings)

    File.WriteAllText(
        settings,
        File.ReadAllText(settings).Replace(marked, $"{marked} \"Iterations\": 300,")
    )

    File.WriteAllText(scratch.Sub "Pipeline.sln", "")
    let data = scratch.Sub "data"
    Directory.CreateDirectory(Path.Combine(data, "mnist")) |> ignore

    /// Copies the first images or labels of a file of digits.
    let take (name: string) (count: int) =
        use file = File.OpenRead(Path.Combine(Page.root, "data/mnist", $"{name}.gz"))
        use content = new GZipStream(file, CompressionMode.Decompress)
        let isOfImages = name.Contains "images"
        let length = if isOfImages then 16 + 784 * count else 8 + count
        let bytes = Array.zeroCreate<byte> length
        content.ReadExactly bytes
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan 4, count)
        File.WriteAllBytes(Path.Combine(data, "mnist", name), bytes)

    for half, count in [ "train", 3000; "t10k", 500 ] do
        take $"{half}-images-idx3-ubyte" count
        take $"{half}-labels-idx1-ubyte" count

    for folder in [ "tables"; "sweeps" ] do
        copy (Path.Combine(Page.root, "data", folder)) (Path.Combine(data, folder))

    let write (name: string) (header: string) (row: int -> string) =
        File.WriteAllLines(scratch.Sub name, header :: List.init 600 row)

    write "houses.csv" "rooms,area,price" (fun i ->
        $"{i % 7 + 1},{30 + 13 * i % 170}.5,{90000 + 2100 * (13 * i % 170)}")

    write "rows.csv" "length,width,fold,kind" (fun i ->
        $"{i % 11}.5,{7 * i % 13}.5,{i % 5},{i % 11 / 4}")

    write "orders.csv" "town,product,agent,amount,late" (fun i ->
        $"t{i % 25},p{i % 23},a{i % 22},{i % 9},{i % 9 / 5}")
    // The program in place of a build, and the installed tool.
    let program = scratch.Sub "program/Host.CSharp.dll"

    let script (name: string) (text: string) =
        let path = scratch.Sub $"tools/{name}"
        Directory.CreateDirectory(scratch.Sub "tools") |> ignore
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n")
        File.SetUnixFileMode(path, UnixFileMode.UserRead ||| UnixFileMode.UserExecute)

    let dotnet = Environment.ProcessPath |> nonNull

    script "dotnet" $"shift 5\n[ \"$1\" != -- ] || shift\nexec '{dotnet}' '{program}' \"$@\""

    script "pipeline" $"exec '{dotnet}' '{program}' \"$@\""

/// A line of a page as a pattern: … stands for anything; with fewer digits than on the page, a number for any number.
let private pattern (isOfAllDigits: bool) (line: string) =
    let text = Regex.Escape(line.Trim()).Replace("…", ".*")

    if isOfAllDigits then
        Regex.Replace(text, @"\d[\d.,]*(\\\.\d+)*", @"\S+")
    else
        text
    |> sprintf "^.*%s$"

[<FactOnLinux>]
let ``the commands of the pages end without a fault, and print what the pages say`` () =
    use scratch = new Scratch()
    prepare scratch

    for page in pages do
        let mutable printed = ""

        for block in Page.blocks page do
            match block.Language with
            | "sh" ->
                printed <- ""

                for line in commands block |> List.filter isRunHere do
                    // The run that the page speaks of is the newest one.
                    let line =
                        line
                            .Replace("data/runs/…", "$(ls -td data/runs/2*/ | head -1)")
                            .Replace(
                                "pipeline evaluate data/runs/*",
                                "pipeline evaluate $(ls -td data/runs/2*/ | head -1)"
                            )

                    let script =
                        $"cd '{scratch.Path}'\nexport PATH=\"{scratch.Path}/tools:$PATH\"\n{line}"

                    let ended = Tools.run "bash" [ "-c"; script ] |> Option.get
                    Assert.True((ended.ExitCode = 0), $"{page.Path}: {line}\n{ended.Errors}")
                    printed <- printed + ended.Output + ended.Errors
            | "text" when printed <> "" ->
                for line in block.Text.TrimEnd().Split '\n' do
                    if line.Trim() <> "⋮" then
                        let pattern = pattern (page.Path <> "Host.CSharp/docs/tables.md") line

                        Assert.True(
                            Regex.IsMatch(printed, pattern, RegexOptions.Multiline),
                            $"{page.Path}: {line}\n{printed}"
                        )

                printed <- ""
            | _ -> printed <- ""
