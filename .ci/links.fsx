// Checks pages for the root of a web server: every link to a page or file of theirs leads to one, and to the place in it
// that it names; no placeholder of a template is left, and each has a title. dotnet fsi links.fsx FOLDER
open System
open System.IO
open System.Net
open System.Text.RegularExpressions

let folder = Path.GetFullPath fsi.CommandLineArgs[1]
let pages = Directory.GetFiles(folder, "*.html", SearchOption.AllDirectories)
let link = Regex "(?:href|src)=\"([^\"]*)\""

/// The places in a page that links can name.
let places =
    let found = System.Collections.Generic.Dictionary<string, Set<string>>()

    fun (path: string) ->
        if not (found.ContainsKey path) then
            found[path] <-
                set [
                    for place in Regex.Matches(File.ReadAllText path, "(?:id|name)=\"([^\"]*)\"") do
                        WebUtility.HtmlDecode place.Groups[1].Value
                ]

        found[path]

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
            let link = WebUtility.HtmlDecode(found.Groups[1].Value)
            let target = link.Split('#', '?')[0]

            if link.StartsWith '#' && link <> "#" && not ((places page).Contains(Uri.UnescapeDataString link[1..])) then
                $"{name}: expected a place behind {found.Value}, found none"

            if target <> "" && not (Regex.IsMatch(target, "^[a-z]+:")) && not (target.StartsWith "//") then
                let path =
                    if target.StartsWith '/' then
                        folder + target
                    else
                        Path.Combine(nonNull (Path.GetDirectoryName page), target)
                    |> Uri.UnescapeDataString

                if not (File.Exists path || File.Exists(Path.Combine(path, "index.html"))) then
                    $"{name}: expected a file behind {found.Value}, found none"
                elif path.EndsWith ".html" && link.Contains '#' then
                    let place = Uri.UnescapeDataString(link.Split('#')[1])

                    if place <> "" && not ((places path).Contains place) then
                        $"{name}: expected a place behind {found.Value}, found none"
]

for fault in List.distinct faults do
    eprintfn $"{fault}"

printfn $"{pages.Length} pages, {faults.Length} faults"
exit (if pages.Length > 0 && faults.IsEmpty then 0 else 1)
