namespace Pipeline.Properties.Docs

open System
open System.IO
open System.Text.RegularExpressions

/// A block of code of a page.
type Block = {
    /// fsharp, csharp, sh, text, …; what stands behind the fence.
    Language: string
    /// The line of the page that its first line is, from 1.
    Line: int
    Text: string
}

/// A page of the documentation: README.md or a file of a docs folder.
type Page = {
    /// From the repository's folder.
    Path: string
    Text: string
}

/// Reading pages.
[<RequireQualifiedAccess>]
module Page =
    /// The repository's folder.
    let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../.."))

    /// The folders that hold pages beside the README.
    let folders = [ "Host.CSharp/docs"; "Math.FSharp/docs" ]

    let read (path: string) : Page = {
        Path = path
        Text = File.ReadAllText(Path.Combine(root, path))
    }

    /// Every page.
    let all: Lazy<Page list> =
        lazy
            [
                read "README.md"
                for folder in folders do
                    for file in Directory.GetFiles(Path.Combine(root, folder), "*.md") |> Array.sort do
                        read $"{folder}/{Path.GetFileName file}"
            ]

    let blocks (page: Page) : Block list =
        let fence =
            Regex("^```(\\w+)\\n(.*?)^```$", RegexOptions.Singleline ||| RegexOptions.Multiline)

        [
            for found in fence.Matches page.Text do
                {
                    Language = found.Groups[1].Value
                    Line =
                        1
                        + (page.Text.Substring(0, found.Groups[2].Index)
                           |> Seq.filter ((=) '\n')
                           |> Seq.length)
                    Text = found.Groups[2].Value
                }
        ]

    /// The page without its blocks of code.
    let prose (page: Page) : string =
        Regex.Replace(
            page.Text,
            "^```.*?^```$",
            "",
            RegexOptions.Singleline ||| RegexOptions.Multiline
        )

    /// The anchors of its headings, as GitHub makes them.
    let anchors (page: Page) : Set<string> =
        set [
            for heading in Regex.Matches(prose page, "^#+ (.*)$", RegexOptions.Multiline) do
                Regex.Replace(heading.Groups[1].Value.ToLowerInvariant(), "[^\\w\\- ]", "")
                |> _.Replace(' ', '-')
        ]

    /// The targets of links and pictures.
    let links (page: Page) : string list = [
        for found in Regex.Matches(prose page, "\\]\\(([^)\\s]+)\\)|(?:src|href)=\"([^\"]+)\"") do
            if found.Groups[1].Success then
                found.Groups[1].Value
            else
                found.Groups[2].Value
    ]
