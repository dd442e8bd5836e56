namespace Pipeline.Learning

open System

/// Something that a person names, and what it does with numbers of its own.
type internal NamedChoice<'V> = {
    Name: string
    /// The numbers it takes, with what they are unless given.
    Numbers: (string * float) list
    /// The choice, from each number by its name.
    Make: (string -> float) -> 'V
}

/// Choices by their names and numbers.
[<RequireQualifiedAccess>]
module internal NamedChoice =
    /// <summary>The choice of that name, in any case of letters, with its numbers; or a fault for a name
    /// that is none or a number that the choice does not have.</summary>
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
                        Fault.create
                            number
                            $"nothing, as {choice.Name} has no such number"
                            (string value)
                ]
                (fun () -> choice.Make(find choice)))
