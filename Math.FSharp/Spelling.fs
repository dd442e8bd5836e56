namespace Pipeline.Learning

open System
open System.Collections.Generic

/// The texts of categories and classes: all spellings of a number, or of true and false, are one.
[<RequireQualifiedAccess>]
module internal Spelling =
    /// In order: as numbers where all of them are, else letter by letter.
    let private inOrder (reader: CellReader) (values: string list) : string list =
        if values |> List.forall (fun value -> (reader.Number value).IsSome) then
            values
            |> List.sortBy (fun value -> ValueOption.get (reader.Number value), value)
        else
            values |> List.sortWith (fun one other -> String.CompareOrdinal(one, other))

    /// What each value is called by, with all its spellings, in order. A value of one spelling is called by
    /// that, else by the canonical one.
    let groups (reader: CellReader) (texts: string seq) : (string * string list) list =
        let spellings = texts |> Seq.map _.Trim() |> Seq.distinct |> List.ofSeq

        let names =
            spellings
            |> List.groupBy reader.Canonical
            |> List.map (fun (canonical, same) ->
                match same with
                | [ one ] -> one, same
                | _ -> canonical, List.sort same)
            |> Map.ofList

        names
        |> Map.toList
        |> List.map fst
        |> inOrder reader
        |> List.map (fun name -> name, names[name])

    /// Where a text stands among values, which may be spelled in another way; truth values of some earlier
    /// models are 1 and 0.
    let finder (reader: CellReader) (values: string list) : string -> int voption =
        let exact, canonical = Dictionary<string, int>(), Dictionary<string, int>()

        for place, value in List.indexed values do
            exact.TryAdd(value, place) |> ignore
            canonical.TryAdd(reader.Canonical value, place) |> ignore

        let find (places: Dictionary<string, int>) text =
            match places.TryGetValue text with
            | true, place -> ValueSome place
            | _ -> ValueNone

        fun text ->
            match find exact (text.Trim()) with
            | ValueSome place -> ValueSome place
            | ValueNone ->
                let known = reader.Canonical text

                match find canonical known with
                | ValueNone when known = "true" -> find canonical "1"
                | ValueNone when known = "false" -> find canonical "0"
                | found -> found

    /// Values that differ by case or by spaces alone, together.
    let nearlySame (values: string list) : string list list =
        let folded (value: string) =
            value.Split(Array.empty<char>, StringSplitOptions.RemoveEmptyEntries)
            |> String.concat " "
            |> _.ToUpperInvariant()

        values
        |> List.groupBy folded
        |> List.map snd
        |> List.filter (fun same -> same.Length > 1)
