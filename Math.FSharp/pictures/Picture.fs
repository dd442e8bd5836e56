namespace Pipeline.Pictures

open System
open System.Globalization
open System.Text
open OxyPlot
open OxyPlot.Annotations
open OxyPlot.Axes
open OxyPlot.Legends
open OxyPlot.Series
// After the namespace of OxyPlot: this hides its Axis.
open Pipeline.Pictures

/// The size of text. A reader's "sans-serif" font may be wider than the font measured here by a sixth: a
/// smaller legend would be cut off.
type private TextSize() =
    inherit PdfRenderContext(1.0, 1.0, OxyColors.White)

    override _.MeasureText(text, font, size, weight) =
        // Letters that the font lacks would count as nothing.
        let known =
            if isNull text then
                text
            else
                text |> String.map (fun c -> if c > '~' then '0' else c)

        let points = base.MeasureText(known, font, size, weight)
        let pixels = 96.0 / 72.0
        OxySize(points.Width * pixels * 7.0 / 6.0, points.Height * pixels)

/// <summary>Charts as SVG, drawn by OxyPlot.</summary>
[<RequireQualifiedAccess>]
module Picture =
    /// They differ in lightness too, for pages that are printed in black.
    let private colors =
        [| 0xff1f5f99u; 0xffe0761eu; 0xff2f9e6eu; 0xff8c4a9eu; 0xffb8a11au |]
        |> Array.map OxyColor.FromUInt32

    let private markers = [|
        MarkerType.Circle
        MarkerType.Square
        MarkerType.Diamond
        MarkerType.Triangle
    |]

    /// Whether a character draws nothing and may change what stands beside it: controls, line ends and the
    /// signs of direction. Joiners are letters' own in many scripts.
    let private isHidden (rune: Rune) : bool =
        match Rune.GetUnicodeCategory rune with
        | UnicodeCategory.Control
        | UnicodeCategory.LineSeparator
        | UnicodeCategory.ParagraphSeparator -> true
        | UnicodeCategory.Format -> rune.Value <> 0x200C && rune.Value <> 0x200D
        | _ -> rune.Value &&& 0xFFFE = 0xFFFE || rune.Value >= 0xFDD0 && rune.Value <= 0xFDEF

    /// The text with U+FFFD for hidden characters and halves of surrogate pairs. The writer of SVG refuses those
    /// that XML 1.0 does not have (production 2, Char); others would turn a page's text around.
    let private printable (text: string) : string =
        seq { for rune in text.EnumerateRunes() -> if isHidden rune then "\uFFFD" else string rune }
        |> String.concat ""

    let private printableMark (mark: Mark) : Mark =
        match mark with
        | Mark.Line(name, points) -> Mark.Line(printable name, points)
        | Mark.Faint(name, points) -> Mark.Faint(printable name, points)
        | Mark.Guide(name, points) -> Mark.Guide(printable name, points)
        | Mark.Points(name, points) -> Mark.Points(printable name, points)
        | Mark.Vertical(text, at) -> Mark.Vertical(printable text, at)
        | Mark.Bars(name, values) -> Mark.Bars(printable name, values)
        | Mark.Columns(name, columns) -> Mark.Columns(printable name, columns)
        | Mark.Arrows _
        | Mark.Contours _ -> mark

    let private printableAxis (axis: Axis) : Axis = {
        axis with
            Title = printable axis.Title
            Scale =
                match axis.Scale with
                | Scale.Names names -> Scale.Names(List.map printable names)
                | Scale.Linear
                | Scale.Logarithmic -> axis.Scale
    }

    let private printableChart (chart: Chart) : Chart = {
        Title = printable chart.Title
        X = printableAxis chart.X
        Y = printableAxis chart.Y
        Marks = List.map printableMark chart.Marks
    }

    /// A line of fewer points has markers.
    let private few = 50

    /// Beyond these OxyPlot finds no steps for an axis, and draws its complaint instead.
    let private isDrawable (value: float) : bool =
        value = 0.0 || abs value >= 1e-100 && abs value <= 1e100

    let private plain (value: float) : string =
        let format = if abs value > 999.5 then "#,0.##" else "g6"
        value.ToString(format, CultureInfo.InvariantCulture).Replace('-', '−')

    /// 10⁻⁴, 3·10⁻⁴.
    let private power (value: float) : string =
        let exponent = floor (log10 value + 1e-9)
        let factor = plain (value / 10.0 ** exponent)

        let raised =
            $"{string (int exponent)}"
            |> String.map (fun c -> "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".IndexOf c])

        if factor = "1" then
            $"10{raised}"
        else
            $"{factor}·10{raised}"

    /// Numbers that would be cut off at the left of the picture are powers of ten.
    let private label (value: float) : string =
        if abs value < 1e7 then plain value
        elif value < 0.0 then "−" + power -value
        else power value

    let private axis (position: AxisPosition) (axis: Axis) : OxyPlot.Axes.Axis =
        let drawn: OxyPlot.Axes.Axis =
            match axis.Scale with
            | Scale.Linear -> LinearAxis(LabelFormatter = label)
            | Scale.Logarithmic -> LogarithmicAxis()
            | Scale.Names names ->
                CategoryAxis(
                    ItemsSource = List.toArray names,
                    GapWidth = 0.4,
                    IsTickCentered = true,
                    MajorTickSize = 0.0,
                    // The first on top, or on the left.
                    StartPosition = (if position = AxisPosition.Left then 1.0 else 0.0),
                    EndPosition = (if position = AxisPosition.Left then 0.0 else 1.0)
                )

        drawn.Position <- position
        drawn.Title <- axis.Title
        drawn.AxisTitleDistance <- if position = AxisPosition.Left then 16.0 else 8.0
        drawn.TickStyle <- TickStyle.Outside
        drawn.MinorTickSize <- 0.0
        // Points at the edge stay whole.
        drawn.MinimumPadding <- 0.03
        drawn.MaximumPadding <- 0.03

        if axis.Scale.IsLogarithmic then
            // Plain numbers, unless some are too small or too large.
            drawn.LabelFormatter <-
                fun value ->
                    if drawn.ActualMinimum >= 1e-4 && drawn.ActualMaximum <= 1e6 then
                        plain value
                    else
                        power value

        if not axis.Scale.IsNames then
            drawn.MajorGridlineStyle <- LineStyle.Solid
            drawn.MajorGridlineColor <- OxyColors.Gainsboro

        match axis.Range with
        | ValueSome(struct (least, greatest)) when isDrawable least && isDrawable greatest ->
            drawn.Minimum <- least
            drawn.Maximum <- greatest
        | _ -> ()

        drawn

    let private drawable (points: struct (float * float) seq) : DataPoint[] = [|
        for struct (x, y) in points do
            if isDrawable x && isDrawable y then
                DataPoint(x, y)
    |]

    let private line name color thickness (points: DataPoint[]) =
        let line = LineSeries(Title = name, Color = color, StrokeThickness = thickness)
        line.Points.AddRange points
        line

    /// Evenly spaced numbers from one to the other.
    let private between (axis: Axis) : float[] =
        match axis.Range with
        | ValueSome(struct (least, greatest)) ->
            Array.init 201 (fun i -> least + (greatest - least) * float i / 200.0)
        | ValueNone -> invalidArg (nameof axis) "expected axes with a range under contours"

    let private drawMark (plot: PlotModel) (chart: Chart) (next: int) (mark: Mark) : int =
        let color = colors[next % colors.Length]

        match mark with
        | Mark.Line(name, points) ->
            let points = drawable points
            let line = line name color 1.8 points

            if points.Length < few then
                line.MarkerType <- markers[next % markers.Length]
                line.MarkerSize <- 3.0
                line.MarkerFill <- color

            plot.Series.Add line
            next + 1
        | Mark.Faint(name, points) ->
            plot.Series.Add(line name OxyColors.DarkGray 1.0 (drawable points))
            next
        | Mark.Guide(name, points) ->
            let line = line name OxyColors.DimGray 1.3 (drawable points)
            line.LineStyle <- LineStyle.Dash
            plot.Series.Add line
            next
        | Mark.Points(name, points) ->
            let scatter =
                ScatterSeries(
                    Title = name,
                    MarkerType = markers[next % markers.Length],
                    MarkerSize = 3.0,
                    MarkerFill = color
                )

            for point in drawable points do
                scatter.Points.Add(ScatterPoint(point.X, point.Y))

            plot.Series.Add scatter
            next + 1
        | Mark.Arrows arrows ->
            for struct (struct (x, y), struct (toX, toY)) in arrows do
                plot.Annotations.Add(
                    ArrowAnnotation(
                        StartPoint = DataPoint(x, y),
                        EndPoint = DataPoint(toX, toY),
                        HeadLength = 5.0,
                        HeadWidth = 2.5,
                        StrokeThickness = 1.2,
                        Color = color
                    )
                )

            next + 1
        | Mark.Contours(levels, f) ->
            let xs, ys = between chart.X, between chart.Y

            plot.Series.Add(
                ContourSeries(
                    ColumnCoordinates = xs,
                    RowCoordinates = ys,
                    Data = Array2D.init xs.Length ys.Length (fun i j -> f xs[i] ys[j]),
                    ContourLevels = Seq.toArray levels,
                    ContourColors = [| OxyColors.DarkGray |],
                    Color = OxyColors.DarkGray
                )
            )

            next
        | Mark.Vertical(text, at) ->
            plot.Annotations.Add(
                LineAnnotation(
                    Type = LineAnnotationType.Vertical,
                    X = at,
                    Color = OxyColors.DimGray,
                    Text = text,
                    TextColor = OxyColors.DimGray,
                    TextOrientation = AnnotationTextOrientation.Horizontal,
                    TextHorizontalAlignment = HorizontalAlignment.Left,
                    TextLinePosition = 0.05,
                    TextPadding = 6.0
                )
            )

            next
        | Mark.Bars(name, values) ->
            let bars = BarSeries(Title = name, FillColor = color)

            for value in values do
                bars.Items.Add(BarItem(if isDrawable value then value else 0.0))

            plot.Series.Add bars
            next + 1
        | Mark.Columns(name, columns) ->
            let bars =
                RectangleBarSeries(
                    Title = name,
                    FillColor = OxyColor.FromAColor(200uy, color),
                    StrokeColor = OxyColors.White,
                    StrokeThickness = 1.0
                )

            for struct (first, last, height) in columns do
                bars.Items.Add(RectangleBarItem(first, 0.0, last, height))

            plot.Series.Add bars
            next + 1

    let private plot (chart: Chart) : PlotModel =
        let plot =
            PlotModel(
                Title = chart.Title,
                TitleFontSize = 15.0,
                TitleFontWeight = FontWeights.Bold,
                DefaultFont = "sans-serif",
                Background = OxyColors.White,
                PlotAreaBorderColor = OxyColors.Gray,
                Padding = OxyThickness(12.0, 12.0, 24.0, 12.0)
            )

        // One left edge for charts below each other, unless names need another.
        if not chart.Y.Scale.IsNames then
            plot.PlotMargins <- OxyThickness(76.0, nan, nan, nan)

        plot.Axes.Add(axis AxisPosition.Bottom chart.X)
        plot.Axes.Add(axis AxisPosition.Left chart.Y)

        // Above the axes, so that it hides no data.
        plot.Legends.Add(
            Legend(
                LegendPlacement = LegendPlacement.Outside,
                LegendPosition = LegendPosition.TopCenter,
                LegendOrientation = LegendOrientation.Horizontal,
                LegendBorderThickness = 0.0,
                LegendItemSpacing = 18.0
            )
        )

        chart.Marks |> List.fold (drawMark plot chart) 0 |> ignore
        plot

    /// Where a drawn chart has its points.
    let private area (above: int) (plot: PlotModel) : PlotArea =
        let ends (axis: OxyPlot.Axes.Axis) =
            struct (axis.ActualMinimum, axis.ActualMaximum)

        {
            Left = plot.PlotArea.Left
            Top = plot.PlotArea.Top + float above
            Width = plot.PlotArea.Width
            Height = plot.PlotArea.Height
            X = ends plot.Axes[0]
            Y = ends plot.Axes[1]
        }

    /// <summary>The picture of some charts, one below the other, and where each of them has its points.</summary>
    /// <param name="name">The picture's own among those of a page: what its inner names begin
    /// with.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels of each chart.</param>
    /// <param name="charts">The charts, the uppermost first.</param>
    /// <returns>An SVG document, which may also stand in a page of HTML as it is, and an area for each
    /// chart. Characters that XML has not stand in the document as U+FFFD.</returns>
    /// <exception cref="T:System.ArgumentException">A chart has contours and an axis without a
    /// range.</exception>
    [<CompiledName("Draw")>]
    let draw
        (name: string)
        (width: int)
        (height: int)
        (charts: Chart list)
        : struct (string * PlotArea list) =
        let part i chart =
            let plot = plot (printableChart chart)

            let exporter =
                SvgExporter(
                    Width = float width,
                    Height = float height,
                    IsDocument = false,
                    UseVerticalTextAlignmentWorkaround = true,
                    TextMeasurer = TextSize()
                )

            let svg =
                exporter
                    .ExportToString(plot)
                    .Replace("id=\"clipPath", FormattableString.Invariant $"id=\"{name}-{i}-")
                    .Replace("#clipPath", FormattableString.Invariant $"#{name}-{i}-")

            // What is inside of the element.
            let first = svg.IndexOf('>', svg.IndexOf("<svg", StringComparison.Ordinal)) + 1

            let inside =
                svg.Substring(first, svg.LastIndexOf("</svg>", StringComparison.Ordinal) - first)

            FormattableString.Invariant $"<g transform=\"translate(0 {i * height})\">{inside}</g>",
            area (i * height) plot

        let total = height * charts.Length
        let parts, areas = charts |> List.mapi part |> List.unzip
        let parts = String.Join("\n", parts)

        let svg =
            FormattableString.Invariant
                $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{total}\" viewBox=\"0 0 {width} {total}\">\n{parts}\n</svg>\n"

        struct (svg, areas)

    /// <summary>The picture of some charts, one below the other.</summary>
    /// <param name="name">The picture's own among those of a page: what its inner names begin
    /// with.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels of each chart.</param>
    /// <param name="charts">The charts, the uppermost first.</param>
    /// <returns>An SVG document, which may also stand in a page of HTML as it is. Characters that XML has
    /// not stand in it as U+FFFD.</returns>
    /// <exception cref="T:System.ArgumentException">A chart has contours and an axis without a
    /// range.</exception>
    [<CompiledName("ToSvg")>]
    let toSvg (name: string) (width: int) (height: int) (charts: Chart list) : string =
        let struct (svg, _) = draw name width height charts
        svg
