namespace Pipeline.Pictures

/// How an axis counts.
[<RequireQualifiedAccess>]
type Scale =
    /// Evenly.
    | Linear
    /// Every power of ten as far from the next. Numbers of 0 and below have no place on it.
    | Logarithmic
    /// Names, the first on top; on the horizontal axis, the first on the left. The places of points are 0, 1, 2, …
    | Names of string list

/// One of a chart's two axes.
type Axis = {
    /// What is measured, with its unit.
    Title: string
    /// How it counts.
    Scale: Scale
    /// The smallest and the largest number on it; without them, those of the data.
    Range: struct (float * float) voption
} with

    /// An axis that counts evenly.
    static member Linear(title: string) : Axis = {
        Title = title
        Scale = Scale.Linear
        Range = ValueNone
    }

    /// An axis of powers of ten.
    static member Logarithmic(title: string) : Axis = {
        Axis.Linear title with
            Scale = Scale.Logarithmic
    }

    /// An axis of names.
    static member Names(names: string seq) : Axis = {
        Axis.Linear "" with
            Scale = Scale.Names(List.ofSeq names)
    }

    /// The axis from one number to another.
    member axis.Within(least: float, greatest: float) : Axis = {
        axis with
            Range = ValueSome(struct (least, greatest))
    }

/// One thing drawn in a chart. Its name stands in the legend; one without a name does not. Points that
/// are not finite, or beyond 10^±100, are left out.
[<RequireQualifiedAccess>]
type Mark =
    /// A line through points, in the next colour, with markers if there are few points.
    | Line of name: string * points: struct (float * float) seq
    /// A thin grey line, behind what it is the noise of.
    | Faint of name: string * points: struct (float * float) seq
    /// A dashed grey line, to compare others with.
    | Guide of name: string * points: struct (float * float) seq
    /// Points, in the next colour.
    | Points of name: string * points: struct (float * float) seq
    /// Arrows from one point to another.
    | Arrows of arrows: struct (struct (float * float) * struct (float * float)) seq
    /// Lines along which a function of both axes has the same value; both need a range.
    | Contours of levels: float seq * f: (float -> float -> float)
    /// A line across the chart at some place of the horizontal axis, with a text beside it.
    | Vertical of text: string * at: float
    /// A bar from 0 to a number for each name of the vertical axis, in the next colour.
    | Bars of name: string * values: float seq
    /// Columns from 0 up, each between two places of the horizontal axis, in the next colour.
    | Columns of name: string * columns: struct (float * float * float) seq

/// Things drawn over a pair of axes.
type Chart = {
    /// What it shows.
    Title: string
    /// The horizontal axis.
    X: Axis
    /// The vertical axis.
    Y: Axis
    /// What is drawn, the first at the back.
    Marks: Mark list
}

/// Where in a picture a chart has its points.
type PlotArea = {
    /// Pixels from the picture's left edge.
    Left: float
    /// Pixels from the picture's upper edge.
    Top: float
    /// Pixels.
    Width: float
    /// Pixels.
    Height: float
    /// The numbers of the horizontal axis at the left and the right edge.
    X: struct (float * float)
    /// The numbers of the vertical axis at the lower and the upper edge.
    Y: struct (float * float)
}
