namespace Pipeline.Learning

open System
open System.Text.RegularExpressions

/// <summary>The order of layers that other programs have named: <c>0</c>, <c>2</c>; <c>fc1</c>,
/// <c>fc2</c>, <c>fc10</c>; <c>layers.0.linear</c>, <c>layers.1.linear</c>.</summary>
/// <remarks>Names are cut into numbers and the texts between them. Where two names first differ, both must
/// have a number, the lower of which is nearer to the input. Any other names do not tell an
/// order.</remarks>
[<RequireQualifiedAccess>]
module internal LayerOrder =
    /// The parts of a name: numbers without leading zeros, marked by a digit at the start, and texts.
    let private parts (name: string) : string list = [
        for part in Regex.Matches(name, "[0-9]+|[^0-9]+") ->
            if Char.IsAsciiDigit part.Value[0] then
                part.Value.TrimStart('0').PadLeft(1, '0')
            else
                part.Value
    ]

    let private isNumber (part: string) = Char.IsAsciiDigit part[0]

    /// Numbers by size, of any length; texts by their letters.
    let private comparePart (one: string) (other: string) : int =
        if isNumber one && isNumber other && one.Length <> other.Length then
            compare one.Length other.Length
        else
            String.CompareOrdinal(one, other)

    let rec private compareParts (one: string list) (other: string list) : int =
        match one, other with
        | [], _
        | _, [] -> compare one.Length other.Length
        | a :: rest, b :: others ->
            match comparePart a b with
            | 0 -> compareParts rest others
            | different -> different

    /// Whether two names tell which of them is nearer to the input.
    let rec private areOrdered (one: string list) (other: string list) : bool =
        match one, other with
        | a :: rest, b :: others when a = b -> areOrdered rest others
        | a :: _, b :: _ -> isNumber a && isNumber b
        | _ -> false

    /// <summary>The names from the input's side, or two names that do not tell an order.</summary>
    let sort (names: string list) : Result<string list, string * string> =
        let sorted =
            names
            |> List.map (fun name -> name, parts name)
            |> List.sortWith (fun (_, one) (_, other) -> compareParts one other)

        // Names that share a beginning are neighbours, so that neighbours tell of all.
        match
            sorted
            |> List.pairwise
            |> List.tryFind (fun ((_, one), (_, other)) -> not (areOrdered one other))
        with
        | Some((one, _), (other, _)) -> Error(one, other)
        | None -> Ok(List.map fst sorted)
