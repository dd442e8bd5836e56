namespace Pipeline.Learning

open Pipeline.Learning.Formats

/// What becomes of cells that are missing.
[<RequireQualifiedAccess>]
type Missing =
    /// They are a fault.
    | Refuse
    /// The mean of the training rows' numbers takes their place; of categories the most frequent.
    | Mean
    /// The median; of categories the most frequent.
    | Median

/// How columns of numbers are scaled.
[<RequireQualifiedAccess>]
type Scaling =
    /// Not at all.
    | None
    /// The training rows' mean becomes 0, their standard deviation 1.
    | Standard
    /// The training rows' least becomes 0, their greatest 1.
    | MinMax

/// Naming both.
[<RequireQualifiedAccess>]
module TableRules =
    /// <summary>Refuse, Mean or Median, in any case of letters.</summary>
    [<CompiledName("ParseMissing")>]
    let parseMissing (name: string) : Result<Missing, Fault list> =
        Fault.parseName
            "Missing"
            [ "Refuse", Missing.Refuse; "Mean", Missing.Mean; "Median", Missing.Median ]
            name

    /// <summary>None, Standard or MinMax, in any case of letters.</summary>
    [<CompiledName("ParseScaling")>]
    let parseScaling (name: string) : Result<Scaling, Fault list> =
        Fault.parseName
            "Scaling"
            [ "None", Scaling.None; "Standard", Scaling.Standard; "MinMax", Scaling.MinMax ]
            name

/// How a table is to become numbers.
type TableOptions = {
    /// The label's column, by name or place; the last one where nothing is said.
    Label: string voption
    /// Columns to take for numbers, whatever their cells look like.
    Numeric: string list
    /// Columns to take for categories.
    Categorical: string list
    /// Columns to leave out.
    Ignored: string list
    /// How cells are written.
    Cells: CellRules
    /// What becomes of missing cells.
    Missing: Missing
    /// How numbers are scaled.
    Scaling: Scaling
}
