// Lays out the pages for fsdocs: dotnet fsi stage.fsx FOLDER. Pages keep their places in the repository, so that their links
// work here as they do there; README.md becomes index.md. A file that a page links to and that is no page of the site
// becomes one that shows it.
open System
open System.IO
open System.Net
open System.Text.RegularExpressions

let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, ".."))
let target = Path.GetFullPath fsi.CommandLineArgs[1]

/// Their folders, with the menu's title of each.
let folders = [ "Host.CSharp/docs", "The program"; "Math.FSharp/docs", "The core" ]
let scripts = "Math.FSharp/scripts"

let write (path: string) (text: string) =
    let path = Path.Combine(target, path)
    Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
    File.WriteAllText(path, text)

let read (path: string) = File.ReadAllText(Path.Combine(root, path))

/// A page's heading gets the anchor that GitHub gives it.
let withAnchors (text: string) =
    Regex.Replace(
        text,
        "^#+ (.*)$",
        (fun found ->
            let slug =
                Regex.Replace(found.Groups[1].Value.ToLowerInvariant(), "[^\\w\\- ]", "").Replace(' ', '-')

            $"<a id=\"{slug}\"></a>\n\n{found.Value}"),
        RegexOptions.Multiline
    )

let isPage (path: string) =
    path.EndsWith ".md" || (path.StartsWith scripts && path.EndsWith ".fsx")

let links = Regex "(?<=\\]\\()([^)\\s#]+)"

let mutable shown = Set.empty

/// Links to pages lead to what fsdocs makes of them, others to the pages that show files.
let withLinks (page: string) (text: string) =
    links.Replace(
        text,
        fun found ->
            let link = found.Value

            if Regex.IsMatch(link, "^[a-z]+:") then
                link
            else
                let folder = nonNull (Path.GetDirectoryName(Path.Combine(root, page)))
                let linked = Path.GetRelativePath(root, Path.Combine(folder, link)).Replace('\\', '/')

                if linked = "README.md" then
                    link.Replace("README.md", "index.html")
                elif isPage linked then
                    Regex.Replace(link, "\\.(md|fsx)$", ".html")
                elif linked.EndsWith ".svg" then
                    link
                else
                    shown <- shown.Add linked
                    link + ".html"
    )

/// Blocks of code stay as they are.
let outsideCode (change: string -> string) (text: string) =
    Regex.Split(text, "(^```.*?^```$)", RegexOptions.Singleline ||| RegexOptions.Multiline)
    |> Array.map (fun part -> if part.StartsWith "```" then part else change part)
    |> String.concat ""

let title (text: string) =
    Regex.Match(text, "^# (.*)$", RegexOptions.Multiline).Groups[1].Value

/// A page with what fsdocs' menu needs.
let stage (path: string) (staged: string) category categoryIndex index =
    let text = read path
    let body = text |> outsideCode (withAnchors >> withLinks path)

    write
        staged
        $"---\ntitle: {title text}\ncategory: {category}\ncategoryindex: {categoryIndex}\nindex: {index}\n---\n\n{body}"

/// The reference of the C# libraries, as docfx writes it.
let reference = "Math.FSharp/bin/reference"

/// A page of it: links without escapes, which fsdocs would keep, and names as code where no page explains them.
let ofReference (text: string) =
    let name (found: Match) =
        Regex.Replace(WebUtility.UrlDecode found.Groups[1].Value, "`+[0-9]+", "")

    let text = Regex.Replace(text, "<xref href=\"([^\"]*)\"[^>]*></xref>", (fun found -> $"`{name found}`"))
    let text = Regex.Replace(text, "<code>(.*?)</code>", (fun found -> $"`{WebUtility.HtmlDecode found.Groups[1].Value}`"))
    let text = Regex.Replace(text, "<(?!/?(?:a|p)\\b)", "&lt;")

    let text =
        Regex.Replace(
            text,
            @"(?<=\]\()(?:[^()\s\\]|\\.)+(?=\))",
            fun found ->
                let link = Regex.Replace(found.Value, @"\\(.)", "$1").Replace("(", "%28").Replace(")", "%29")
                Regex.Replace(link, @"^([^:]*)\.md", "$1.html")
        )

    let text = text.Replace(@"\>", "&gt;").Replace(@"\[\]", "&#91;&#93;")
    let text = Regex.Replace(text, @"\\([^\w\s])", "$1")

    // Docfx keeps the indent of a docstring's lines.
    Regex.Replace(text, "^ +(?=\\w)", "", RegexOptions.Multiline)

let stageReference category categoryIndex =
    let pages = Directory.GetFiles(Path.Combine(root, reference), "*.md") |> Array.sort

    for index, page in Array.indexed pages do
        let text = (File.ReadAllText page).Replace("\r", "")

        let text =
            Regex.Replace(text, "#### (?:Inheritance|Inherited Members)\n.*?\n(?=#)", "", RegexOptions.Singleline)

        let title =
            Regex.Match(text, "^# (?:<a[^>]*></a> )?(?:Class |Enum )?(.*)$", RegexOptions.Multiline).Groups[1].Value

        write
            $"Host.CSharp/reference/{Path.GetFileName page}"
            $"---\ntitle: {title}\ncategory: {category}\ncategoryindex: {categoryIndex}\nindex: {index}\n---\n\n{outsideCode ofReference text}"

stage "README.md" "index.md" "Pipeline" 0 0
stage "data/README.md" "data/README.md" "Pipeline" 0 1

for place, (folder, category) in List.indexed folders do
    let first = $"{folder}/index.md"
    stage first first category (place + 1) 0

    // In the order of the index.
    let pages = [
        for found in links.Matches(read first) do
            let path = $"{folder}/{found.Value}"

            if path.EndsWith ".md" && File.Exists(Path.Combine(root, path)) && not (found.Value.Contains '/') then
                path
    ]

    for index, page in List.indexed pages do
        stage page page category (place + 1) (index + 1)

// The libraries that scripts load are where they were.
let libraries =
    Path.GetRelativePath(Path.Combine(target, scripts), Path.Combine(root, "Math.FSharp/pictures")).Replace('\\', '/')

let names =
    Directory.GetFiles(Path.Combine(root, scripts), "*.fsx")
    |> Array.map Path.GetFileNameWithoutExtension
    |> Array.sort

for index, name in Array.indexed names do
    let path = $"{scripts}/{name}.fsx"
    let text = (read path).Replace("../pictures", libraries)

    write
        path
        $"(**\n---\ntitle: {name}\ncategory: The chapter\ncategoryindex: {folders.Length + 1}\nindex: {index}\n---\n\n# {name}\n*)\n{text}"

stageReference "The C# libraries" (folders.Length + 2)

for folder, _ in folders do
    for picture in Directory.GetFiles(Path.Combine(root, folder), "*.svg") do
        write $"{folder}/{Path.GetFileName picture}" (File.ReadAllText picture)

write "_template.html" (read ".ci/template.html")

for path in shown do
    let name = Path.GetFileName path
    let up = String.replicate (path.Split('/').Length - 1) "../"

    write
        $"{path}.html"
        $"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta content="width=device-width, initial-scale=1.0" name="viewport">
<title>{name} | Pipeline</title>
<style>body {{ margin: 2rem; font-family: sans-serif; }} pre {{ font: 14px/1.4 monospace; }}</style>
</head>
<body>
<p><a href="{up}index.html">Pipeline</a> / {path}</p>
<pre>{WebUtility.HtmlEncode(read path)}</pre>
</body>
</html>
"""
