namespace Pipeline.Learning

open System

/// A choice that settings make by its name, with its own numbers.
type internal NamedChoice<'V> = {
    Name: string
    /// The names of its numbers, with their defaults.
    Numbers: (string * float) list
    /// Makes the choice from a function that returns a number by its name.
    Make: (string -> float) -> 'V
}

/// Finding choices by their names.
[<RequireQualifiedAccess>]
module internal NamedChoice =
    /// <summary>The choice of that name, in any case of letters, with its numbers; or faults: an unknown
    /// name, or numbers that do not apply to it.</summary>
    let parse
        (subject: string)
        (choices: NamedChoice<'V> list)
        (numbers: (string * Nullable<float>) list)
        (name: string)
        : Result<'V, Fault list> =
        let given =
            numbers
            |> List.choose (fun (number, value) ->
                Option.ofNullable value |> Option.map (fun value -> number, value))

        let find choice number =
            given @ choice.Numbers |> List.find (fst >> (=) number) |> snd

        Fault.parseName subject (choices |> List.map (fun choice -> choice.Name, choice)) name
        |> Result.bind (fun choice ->
            Fault.check
                [
                    for number, value in given do
                        choice.Numbers |> List.exists (fst >> (=) number),
                        Fault.message
                            number
                            $"does not apply to {choice.Name} (found {string value})"
                ]
                (fun () -> choice.Make(find choice)))
