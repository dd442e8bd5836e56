namespace Pipeline.Properties.Host

open System
open System.IO
open System.Text.RegularExpressions
open Pipeline.Training
open Xunit

/// The image of the program, as far as it can be checked where no engine builds it.
module DockerfileTests =
    let private lines (path: string) : string list =
        File.ReadAllText(DefaultPaths.PathOf path).Replace("\\\n", " ").Split '\n'
        |> Array.map _.Trim()
        |> Array.filter (fun line -> line <> "" && not (line.StartsWith '#'))
        |> List.ofArray

    let private dockerfile = lines "Host.CSharp/Dockerfile"

    let private after (instruction: string) : string list =
        dockerfile
        |> List.filter _.StartsWith(instruction + " ")
        |> List.map (fun line -> line[instruction.Length + 1 ..].Trim())

    [<Fact>]
    let ``the image's environment names settings that exist, with values that they accept`` () =
        let settings = [
            for assignment in
                (List.exactlyOne (after "ENV")).Split(' ', StringSplitOptions.RemoveEmptyEntries) do
                match assignment.Split '=' with
                | [| name; value |] -> name.Replace("__", ":"), value
                | _ -> failwith $"no assignment: {assignment}"
        ]

        for name, _ in settings do
            Assert.NotNull(SettingCatalog.Find(name.Substring "Pipeline:".Length))

        let values = System.Collections.Generic.Dictionary<string, string>()

        for name, value in settings do
            values[name] <- value

        Assert.Empty(ServiceRegistration.FaultsOf(CommandLineSettings values))
        // The ports that it exposes are those that the program listens on.
        let ports = (List.exactlyOne (after "EXPOSE")).Split ' '
        let serve = string (ServeSettings().Port)

        Assert.Equal<string>(
            [| serve; Map.ofList settings |> Map.find "Pipeline:Health:Port" |],
            ports
        )

    [<Fact>]
    let ``the image serves as a user of its own`` () =
        Assert.Equal<string>([ "$APP_UID" ], after "USER")
        Assert.StartsWith("[\"serve\", \"model=/models/", List.exactlyOne (after "CMD"))
        Assert.Contains("/models", List.exactlyOne (after "VOLUME"))

    [<Fact>]
    let ``the image is built of every project that the program refers to`` () =
        let kept, left = lines ".dockerignore" |> List.partition _.StartsWith('!')

        let rec projects (project: string) : string list =
            project
            :: [
                for found in
                    Regex.Matches(
                        File.ReadAllText project,
                        "<ProjectReference Include=\"([^\"]+)\""
                    ) do
                    yield!
                        Path.Combine(nonNull (Path.GetDirectoryName project), found.Groups[1].Value)
                        |> Path.GetFullPath
                        |> projects
            ]

        let root = DefaultPaths.PathOf "."

        for project in projects (DefaultPaths.PathOf "Host.CSharp/Host.CSharp.csproj") do
            let path = Path.GetRelativePath(root, project).Replace('\\', '/')
            Assert.Contains("!" + path.Split('/')[0], kept)

            for folder in left do
                Assert.False(path.StartsWith(folder + "/"), $"{folder} leaves out {path}")

        for needed in [ "global.json"; "Directory.*"; "LICENSE" ] do
            Assert.Contains("!" + needed, kept)
