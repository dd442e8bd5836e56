namespace Pipeline.Learning.Formats

open System
open System.Collections.Generic

/// Some of the texts of a list.
type private PickedTexts(texts: IReadOnlyList<string>, places: int[]) =
    interface IReadOnlyList<string> with
        member _.Count = places.Length

        member _.Item
            with get row = texts[places[row]]

        member _.GetEnumerator() : IEnumerator<string> =
            (places |> Seq.map (fun place -> texts[place])).GetEnumerator()

        member _.GetEnumerator() : Collections.IEnumerator =
            (places |> Seq.map (fun place -> texts[place])).GetEnumerator()

/// Texts that are numbers in a format, or missing values, with these numbers: reading a text again would take
/// far longer.
type internal NumberTexts(texts: IReadOnlyList<string>, format: CellFormat, numbers: NumberSource) =
    /// How the texts are written.
    member _.Format = format
    /// The number of each row; NaN where it is missing.
    member _.Numbers = numbers

    /// Some of the texts.
    member _.Pick(places: int[]) : NumberTexts =
        NumberTexts(PickedTexts(texts, places), format, PickedNumbers(numbers, places))

    interface IReadOnlyList<string> with
        member _.Count = texts.Count

        member _.Item
            with get row = texts[row]

        member _.GetEnumerator() : IEnumerator<string> = texts.GetEnumerator()

        member _.GetEnumerator() : Collections.IEnumerator =
            (texts :> Collections.IEnumerable).GetEnumerator()

/// Texts of which many are equal: each different one is held once.
type internal RepeatedTexts(different: string[], indices: int[]) =
    /// The different texts, some of which may have no row.
    member _.Different = different
    /// The index of each row's text among them.
    member _.Indices = indices

    /// Some of the texts.
    member _.Pick(places: int[]) : RepeatedTexts =
        RepeatedTexts(different, Array.map (Array.get indices) places)

    interface IReadOnlyList<string> with
        member _.Count = indices.Length

        member _.Item
            with get row = different[indices[row]]

        member _.GetEnumerator() : IEnumerator<string> =
            (indices |> Seq.map (Array.get different)).GetEnumerator()

        member _.GetEnumerator() : Collections.IEnumerator =
            (indices |> Seq.map (Array.get different)).GetEnumerator()

[<AutoOpen>]
module internal NumberTextsPattern =
    /// Texts whose numbers are known in a reader's format.
    [<return: Struct>]
    let (|NumbersIn|_|) (reader: CellReader) (cells: Cells) : NumberTexts voption =
        match cells with
        | Cells.Texts(:? NumberTexts as known) when known.Format = reader.Format -> ValueSome known
        | _ -> ValueNone
