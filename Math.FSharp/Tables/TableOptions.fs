namespace Pipeline.Learning

open Pipeline.Learning.Formats

/// How missing cells are treated.
[<RequireQualifiedAccess>]
type Missing =
    /// As a fault.
    | Refuse
    /// Replaced by the mean of the training rows' numbers, or by the most frequent category.
    | Mean
    /// Replaced by the median, or by the most frequent category.
    | Median

    /// The case's name.
    override missing.ToString() =
        match missing with
        | Refuse -> nameof Refuse
        | Mean -> nameof Mean
        | Median -> nameof Median

/// Finding the treatment of missing cells by its name.
[<RequireQualifiedAccess>]
module Missing =
    /// <summary>Refuse, Mean or Median, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Missing, Fault list> =
        Fault.parseCase "Missing" [ Missing.Refuse; Missing.Mean; Missing.Median ] name

/// How columns of numbers are scaled.
[<RequireQualifiedAccess>]
type Scaling =
    /// Not at all.
    | None
    /// The training rows' mean becomes 0, their standard deviation 1.
    | Standard
    /// The training rows' minimum becomes 0, their maximum 1.
    | MinMax

    /// The case's name.
    override scaling.ToString() =
        match scaling with
        | None -> nameof None
        | Standard -> nameof Standard
        | MinMax -> nameof MinMax

/// Finding scalings by name.
[<RequireQualifiedAccess>]
module Scaling =
    /// <summary>None, Standard or MinMax, in any case of letters.</summary>
    [<CompiledName("Parse")>]
    let parse (name: string) : Result<Scaling, Fault list> =
        Fault.parseCase "Scaling" [ Scaling.None; Scaling.Standard; Scaling.MinMax ] name

/// How a table is converted into numbers.
type TableOptions = {
    /// The label's column, by name or index; the last column without a value.
    Label: string voption
    /// Columns to treat as numbers.
    Numeric: string list
    /// Columns to treat as categories.
    Categorical: string list
    /// Columns to leave out.
    Ignored: string list
    /// The column of the training rows' weights, by name or index, which is no input; without it, every row
    /// counts 1.
    Weight: string voption
    /// How cells are written.
    Cells: CellRules
    /// How missing cells are treated.
    Missing: Missing
    /// How numbers are scaled.
    Scaling: Scaling
} with

    /// The last column is the label, columns are numbers or categories as their cells look, missing cells are
    /// refused, and numbers are scaled to mean 0 and standard deviation 1.
    static member Default: TableOptions = {
        Label = ValueNone
        Numeric = []
        Categorical = []
        Ignored = []
        Weight = ValueNone
        Cells = CellRules.Default
        Missing = Missing.Refuse
        Scaling = Scaling.Standard
    }
