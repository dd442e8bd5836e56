namespace Pipeline.Learning.Formats

open System
open System.Collections.Generic

/// The cells of a column, one a row.
[<RequireQualifiedAccess>]
type Cells =
    /// Numbers; NaN for a missing one.
    | Numbers of float[]
    /// Texts as written in the file, numbers among them. A reader may make each text on demand.
    | Texts of IReadOnlyList<string>
    /// The number of cells that are of a kind that is not read, such as dates, and their kind. Using the
    /// column is a fault.
    | Unreadable of rows: int * found: string

/// Texts of a reader that knows the numbers of some of them, which are the same in every format with a decimal point:
/// they have digits, signs, a point and an exponent only. They may be read on several threads.
type IDecimalTexts =
    inherit IReadOnlyList<string>

    /// <summary>Whether every text from a row on is such a number or empty.</summary>
    /// <param name="first">The first row.</param>
    abstract AreAll: first: int -> bool

    /// <summary>Copies the numbers of texts; NaN for a text whose number is not known.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="numbers">Where to put them, one a row.</param>
    abstract CopyNumbers: first: int * numbers: Span<float> -> unit

/// A column of a table.
type Column = {
    /// Its name in the header, or its index, counted from 0.
    Name: string
    /// One a row.
    Cells: Cells
}
