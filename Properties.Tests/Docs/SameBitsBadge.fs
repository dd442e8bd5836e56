/// The README's badge and the page behind it name the hash that this machine computes.
module Pipeline.Properties.Docs.SameBitsBadge

open System
open System.IO
open System.Text.RegularExpressions
open Pipeline.SameBits
open Xunit

let private page = "Math.FSharp/docs/same-bits.md"
let private badge = "Math.FSharp/docs/same-bits.svg"

let private hash = lazy (FixedSet.cases |> List.map FixedSet.line |> FixedSet.hash)

/// What .ci/same-bits ends with.
let private summary = Regex @"same bits: [0-9a-f]{64} on (\d+) targets"

let private svg (hash: string) (targets: string) : string =
    let found = $"{hash[..11]}, {targets} targets"

    String.concat "\n" [
        """<svg xmlns="http://www.w3.org/2000/svg" width="266" height="22" role="img" font-family="Verdana, sans-serif" font-size="11">"""
        $"<title>same bits: {hash} on {targets} targets</title>"
        """<rect width="266" height="22" rx="4" fill="#2b6a3f"/>"""
        """<path d="M4 0h66v22H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" fill="#444"/>"""
        """<text x="8" y="15" fill="#fff" textLength="54">same bits</text>"""
        $"""<text x="78" y="15" fill="#fff" textLength="180">{found}</text>"""
        "</svg>"
        ""
    ]

[<Fact>]
let ``the badge and its page have the hash of this machine`` () =
    let text = (Page.read page).Text
    let found = summary.Match text
    Assert.True(found.Success, $"{page}: expected what .ci/same-bits ends with")
    let targets = found.Groups[1].Value

    let expectedText =
        summary.Replace(text, $"same bits: {hash.Value} on {targets} targets")

    let expected = svg hash.Value targets

    if Environment.GetEnvironmentVariable "ACCEPT_DOCS" = "1" then
        File.WriteAllText(Path.Combine(Page.root, page), expectedText)
        File.WriteAllText(Path.Combine(Page.root, badge), expected)

    Assert.Equal(expectedText, (Page.read page).Text)
    Assert.Equal(expected, (Page.read badge).Text)

[<Fact>]
let ``the page's table has a row for each target`` () =
    let text = (Page.read page).Text
    let rows = Regex.Matches(text, @"^\| .* \| [\d.]+ s \|", RegexOptions.Multiline)
    Assert.Equal((summary.Match text).Groups[1].Value, string rows.Count)
