namespace Pipeline.Learning

/// Texts of the form NAME=VALUE.
[<RequireQualifiedAccess>]
module internal NamedValues =
    /// <summary>The names and values, each name once.</summary>
    /// <param name="setting">The setting that holds the texts.</param>
    /// <param name="expected">The form in words, for messages.</param>
    /// <param name="repeated">A message about a name with several values.</param>
    /// <param name="read">The value of a text; nothing for a text that is no value.</param>
    /// <param name="texts">One text a name. A name may contain an equals sign.</param>
    let parse
        (setting: string)
        (expected: string)
        (repeated: string -> int -> string)
        (read: string -> 'V voption)
        (texts: string list)
        : Result<(string * 'V) list, Fault list> =
        let one (text: string) =
            let place = text.LastIndexOf '='

            match read (text.Substring(place + 1)) with
            | ValueSome value when place > 0 -> Ok(text[.. place - 1].Trim(), value)
            | _ -> Error [ Fault.create setting expected $"'{text}'" ]

        texts
        |> List.map one
        |> Fault.all
        |> Result.bind (fun values ->
            Fault.check
                [
                    for name, same in values |> List.countBy fst do
                        same = 1, Fault.message setting (repeated name same)
                ]
                (fun () -> values))
