namespace Pipeline.Learning

open System
open System.Collections.Generic
open System.Globalization
open System.Text
open Pipeline.Learning.Formats

/// The texts of categories and classes: all spellings of a number, or of true and false, are one.
[<RequireQualifiedAccess>]
module internal Spelling =
    /// The values in order: as numbers if all of them are numbers, otherwise by their characters.
    let private inOrder (reader: CellReader) (values: string list) : string list =
        if values |> List.forall (fun value -> (reader.Number value).IsSome) then
            values
            |> List.sortBy (fun value -> ValueOption.get (reader.Number value), value)
        else
            values |> List.sortWith (fun one other -> String.CompareOrdinal(one, other))

    /// Whether a text is a number with an exponent.
    let private hasExponent (reader: CellReader) (text: string) : bool =
        text.IndexOfAny [| 'e'; 'E' |] >= 0 && (reader.Number text).IsSome

    /// The name of each value with all its spellings, in order. A value with one spelling has that name,
    /// others, and numbers with an exponent, have the canonical spelling.
    let groups (reader: CellReader) (texts: string seq) : (string * string list) list =
        let spellings = texts |> Seq.map _.Trim() |> Seq.distinct |> List.ofSeq

        let names =
            spellings
            |> List.groupBy reader.Canonical
            |> List.map (fun (canonical, same) ->
                match same with
                | [ one ] when not (hasExponent reader one) -> one, same
                | _ -> canonical, List.sort same)
            |> Map.ofList

        names
        |> Map.toList
        |> List.map fst
        |> inOrder reader
        |> List.map (fun name -> name, names[name])

    /// Finds the index of a text among values, which may have another spelling; in some earlier models truth
    /// values are 1 and 0.
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

    /// Characters that are invisible, or look like others.
    let private isHidden (c: char) : bool =
        match Char.GetUnicodeCategory c with
        | UnicodeCategory.NonSpacingMark
        | UnicodeCategory.Format
        | UnicodeCategory.Control -> true
        | _ -> Char.IsWhiteSpace c && c <> ' '

    /// The text in quotes, with escapes for hidden characters.
    let private quoted (text: string) : string =
        let visible =
            text
            |> String.collect (fun c ->
                if isHidden c then
                    (invariant $"\\u{int c:X4}")
                else
                    string c)

        $"'{visible}'"

    /// The text in capitals, with single spaces and without characters of no width.
    let private folded (text: string) : string =
        let shown =
            text
            |> String.filter (fun c ->
                Char.IsWhiteSpace c
                || Char.GetUnicodeCategory c <> UnicodeCategory.Format && not (Char.IsControl c))

        shown.Split(Array.empty<char>, StringSplitOptions.RemoveEmptyEntries)
        |> String.concat " "
        |> _.ToUpperInvariant()

    /// In Unicode é is one character, or e and an accent.
    let private isMark (c: char) =
        Char.GetUnicodeCategory c = UnicodeCategory.NonSpacingMark

    /// The text with one form of letters that have several.
    let private outline (text: string) : string =
        let signs = StringBuilder()

        for c in folded text do
            if not (isMark c) then
                signs.Append(if Char.IsAscii c then c else '*') |> ignore
            elif signs.Length > 0 then
                signs[signs.Length - 1] <- '*'

        signs.ToString()

    /// Words for true and false.
    let private truths = [
        [ "TRUE"; "YES"; "ON"; "T"; "Y"; "1" ]
        [ "FALSE"; "NO"; "OFF"; "F"; "N"; "0" ]
    ]

    /// Warnings about values with several spellings, and about different values that may mean the same.
    /// <param name="reader">Reads the texts.</param>
    /// <param name="what">The beginning of the warnings: the name of the texts.</param>
    /// <param name="texts">The texts as they are written with their numbers of cells, none of them missing.</param>
    let warnings (reader: CellReader) (what: string) (texts: (string * int) seq) : string list =
        let counts =
            texts
            |> Seq.groupBy fst
            |> Seq.map (fun (text, same) -> text, Seq.sumBy snd same)
            |> dict

        let written =
            counts.Keys |> List.ofSeq |> List.sort |> List.groupBy _.Trim() |> Map.ofList

        let values =
            groups reader counts.Keys
            |> List.map (fun (name, spellings) ->
                name, spellings |> List.collect (fun spelling -> written[spelling]))

        let total =
            dict [
                for name, spellings in values ->
                    name, spellings |> List.sumBy (fun spelling -> counts[spelling])
            ]

        let listed (counts: IDictionary<string, int>) (texts: string list) =
            let each =
                texts
                |> List.map (fun text ->
                    let cells = Counted.text "cell" "cells" (int64 counts[text])
                    $"{quoted text} ({cells})")

            String.concat ", " (List.take (each.Length - 1) each) + $" and {List.last each}"

        let names = List.map fst values

        /// Values that are equal by one key and different by another.
        let alike (key: string -> string) (other: string -> string) =
            names
            |> List.groupBy key
            |> List.map snd
            |> List.filter (fun same -> (List.distinctBy other same).Length > 1)

        [
            for name, spellings in values do
                if spellings.Length > 1 then
                    invariant $"{what}: {listed counts spellings} are taken for one value, {name}."

            for same in alike folded id do
                $"{what}: {listed total same} differ by case, spaces or hidden characters alone, and are different values."

            for same in alike outline folded do
                if List.exists (Seq.exists isMark) same then
                    $"{what}: {listed total same} may be one text with accents that are written in two ways, and are different values."

            for words in truths do
                let same = names |> List.filter (fun name -> List.contains (folded name) words)
                let isWord (name: string) = name.Length > 1

                // Single letters have many meanings.
                if (List.distinctBy folded same).Length > 1 && List.exists isWord same then
                    $"{what}: {listed total same} may mean the same, and are different values."
        ]
