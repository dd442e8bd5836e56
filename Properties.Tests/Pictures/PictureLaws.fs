/// Picture.fs: whatever is drawn, the picture is well-formed, and says what the chart says.
module Pipeline.Properties.PictureLaws

open System
open System.Xml.Linq
open Xunit
open FsCheck
open Pipeline.Learning.Laws
open Pipeline.Pictures

let private chart x y marks = {
    Title = "a < b & \"c\""
    X = x
    Y = y
    Marks = marks
}

let private texts (svg: string) : string list = [
    for element in (XDocument.Parse svg).Descendants() do
        if element.Name.LocalName = "text" then
            element.Value
]

let private identifiers (svg: string) : string list = [
    for element in (XDocument.Parse svg).Descendants() do
        match element.Attribute(XName.Get "id") with
        | null -> ()
        | identifier -> identifier.Value
]

[<Law>]
let ``any points, finite or not, on any scale, make well-formed SVG of finite numbers``
    (points: struct (float * float)[])
    =
    for x in [ Axis.Linear "across"; Axis.Logarithmic "across" ] do
        for y in [ Axis.Linear "up"; Axis.Logarithmic "up" ] do
            let marks = [
                Mark.Faint("faint", points)
                Mark.Line("line", points)
                Mark.Guide("guide", points)
                Mark.Points("points", points)
            ]

            let svg = Picture.toSvg "law" 400 300 [ chart x y marks ]
            let said = texts svg

            for text in [ "a < b & \"c\""; "across"; "up"; "faint"; "line"; "guide"; "points" ] do
                Assert.Contains(text, said)

            Assert.DoesNotContain("NaN", svg)
            Assert.DoesNotContain("Infinity", svg)

[<Fact>]
let ``long numbers on an axis are powers of ten`` () =
    let labels (scale: float) =
        let points = [ struct (0.0, -2.0 * scale); struct (1.0, 4.0 * scale) ]

        texts (
            Picture.toSvg "law" 400 300 [
                chart (Axis.Linear "x") (Axis.Linear "y") [ Mark.Line("", points) ]
            ]
        )

    for label in [ "−2·10²⁴"; "0"; "2·10²⁴"; "4·10²⁴" ] do
        Assert.Contains(label, labels 1e24)

    for label in [ "−2,000,000"; "0"; "4,000,000" ] do
        Assert.Contains(label, labels 1e6)

[<Law>]
let ``the areas say where the points of charts are``
    (NormalFloat x)
    (NormalFloat y)
    (NormalFloat right)
    (NormalFloat top)
    =
    // Both ends of a line stand apart.
    let x, y = x % 1000.0, y % 1000.0
    let right, top = x + 1.0 + abs right % 1000.0, y + 1.0 + abs top % 1000.0

    let one =
        chart (Axis.Linear "x") (Axis.Linear "y") [
            Mark.Faint("", [ struct (x, y); struct (right, top) ])
        ]

    let struct (svg, areas) = Picture.draw "law" 400 300 [ one; one ]
    Assert.Equal(Picture.toSvg "law" 400 300 [ one; one ], svg)
    Assert.Equal(2, areas.Length)

    let drawn = [
        for element in (XDocument.Parse svg).Descendants() do
            if element.Name.LocalName = "polyline" then
                let points = (nonNull (element.Attribute(XName.Get "points"))).Value.Split ' '

                if points.Length = 2 && (string element).Contains "rgb(169,169,169)" then
                    [
                        for point in points ->
                            point.Split ',' |> Array.map (fun text -> Double.Parse text)
                    ]
    ]

    Assert.Equal(2, drawn.Length)

    for place, points, area in List.zip3 [ 0..1 ] drawn areas do
        let along struct (first: float, last: float) (number: float) =
            (number - first) / (last - first)

        for point, (x, y) in List.zip points [ x, y; right, top ] do
            let expected = [
                area.Left + area.Width * along area.X x
                area.Top + area.Height * (1.0 - along area.Y y) - 300.0 * float place
            ]

            for expected, found in Seq.zip expected point do
                Assert.True(abs (expected - found) < 0.02, $"{expected} and {found}")

[<Fact>]
let ``charts below each other share no identifier, and the picture is as high as both`` () =
    let one =
        chart (Axis.Linear "x") (Axis.Linear "y") [ Mark.Line("", [ struct (0.0, 1.0) ]) ]

    let svg = Picture.toSvg "law" 400 300 [ one; one ]
    let found = identifiers svg
    Assert.NotEmpty found
    Exactly.equal found (List.distinct found)
    Assert.Contains("viewBox=\"0 0 400 600\"", svg)

[<Fact>]
let ``a logarithmic axis of small numbers is labelled in powers of ten`` () =
    let points = [ for i in 0..10 -> struct (10.0 ** float -i, 1.0) ]

    let svg =
        Picture.toSvg "law" 720 300 [
            chart (Axis.Logarithmic "x") (Axis.Linear "y") [ Mark.Line("", points) ]
        ]

    Assert.Contains("10⁻¹⁰", texts svg)

[<Fact>]
let ``bars, columns, arrows, contours and a vertical line are drawn`` () =
    let unit title = Axis.Linear(title).Within(0.0, 1.0)

    let all = [
        chart (unit "") (Axis.Names [ "zero"; "one" ]) [ Mark.Bars("bars", [ 0.5; nan ]) ]
        chart (unit "") (unit "") [
            Mark.Columns("columns", [ struct (0.0, 0.5, 1.0) ])
            Mark.Contours([ 0.5 ], (fun x y -> x * y))
            Mark.Arrows [ struct (struct (0.0, 0.0), struct (1.0, 1.0)) ]
            Mark.Vertical("here", 0.5)
        ]
    ]

    let said = texts (Picture.toSvg "law" 400 300 all)

    for text in [ "zero"; "one"; "bars"; "columns"; "here" ] do
        Assert.Contains(text, said)

[<Fact>]
let ``contours without a range are refused`` () =
    Exactly.refused [ "range" ] (fun () ->
        Picture.toSvg "law" 400 300 [
            chart (Axis.Linear "") (Axis.Linear "") [ Mark.Contours([ 0.5 ], (fun x y -> x * y)) ]
        ])
