// Checks pages for the root of a web server: every link to a page or file of theirs leads to one, no placeholder of
// a template is left, and each has a title. dotnet fsi links.fsx FOLDER
open System
open System.IO
open System.Net
open System.Text.RegularExpressions

let folder = Path.GetFullPath fsi.CommandLineArgs[1]
let pages = Directory.GetFiles(folder, "*.html", SearchOption.AllDirectories)
let link = Regex "(?:href|src)=\"([^\"]*)\""

let faults = [
    if not (File.Exists(Path.Combine(folder, "index.html"))) then
        "index.html: expected a page, found none"

    for page in pages do
        let name = Path.GetRelativePath(folder, page)
        let text = File.ReadAllText page

        if not (Regex.IsMatch(text, "<title>[^\\w|]*\\w.*</title>")) then
            $"{name}: expected a title, found none"

        for left in Regex.Matches(text, "\\{\\{[\\w-]+\\}\\}") do
            $"{name}: expected no placeholder, found {left.Value}"

        for found in link.Matches text do
            let target = WebUtility.HtmlDecode(found.Groups[1].Value).Split('#', '?')[0]

            if target <> "" && not (Regex.IsMatch(target, "^[a-z]+:")) && not (target.StartsWith "//") then
                let path =
                    if target.StartsWith '/' then
                        folder + target
                    else
                        Path.Combine(nonNull (Path.GetDirectoryName page), target)
                    |> Uri.UnescapeDataString

                if not (File.Exists path || File.Exists(Path.Combine(path, "index.html"))) then
                    $"{name}: expected a file behind {found.Value}, found none"
]

for fault in List.distinct faults do
    eprintfn $"{fault}"

printfn $"{pages.Length} pages, {faults.Length} faults"
exit (if pages.Length > 0 && faults.IsEmpty then 0 else 1)
