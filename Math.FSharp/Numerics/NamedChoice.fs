namespace Pipeline.Learning

open System

/// A number that belongs to a choice: the momentum of an optimizer, for example.
type ChoiceNumber = internal {
    name: string
    standard: float
    /// <exclude/>
    range: NumberRange<float>
} with

    /// The name of its setting.
    member number.Name = number.name
    /// The value unless it is given.
    member number.Default = number.standard

/// What settings may say of a choice: its name and its numbers.
type ChoiceDefinition = {
    /// The name, which settings write in any case of letters.
    Name: string
    /// The numbers that apply to it; others are refused beside it.
    Numbers: ChoiceNumber list
}

/// A choice by its definition.
type internal NamedChoice<'V> = {
    Definition: ChoiceDefinition
    /// Makes the choice from a function that returns a number by its name.
    Make: (string -> float) -> 'V
}

/// Finding choices by their names.
[<RequireQualifiedAccess>]
module internal NamedChoice =
    /// A number's definition.
    let number (name: string) (standard: float) (range: NumberRange<float>) : ChoiceNumber = {
        name = name
        standard = standard
        range = range
    }

    let create
        (name: string)
        (numbers: ChoiceNumber list)
        (make: (string -> float) -> 'V)
        : NamedChoice<'V> = {
        Definition = { Name = name; Numbers = numbers }
        Make = make
    }

    /// <summary>The choice of that name, in any case of letters, with its numbers; or all faults: an unknown
    /// name, numbers out of range, and numbers that do not apply to the choice.</summary>
    /// <param name="subject">The setting of the name.</param>
    /// <param name="choices">The choices; numbers of the same name have the same range.</param>
    /// <param name="numbers">The numbers of all choices, by the names of their settings.</param>
    /// <param name="name">The name.</param>
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

        let defined = choices |> List.collect _.Definition.Numbers

        let ranges =
            Fault.check
                [
                    for name, value in given do
                        let number = defined |> List.find (fun number -> number.name = name)
                        NumberRange.check name number.range value
                ]
                ignore

        let chosen =
            Fault.parseName
                subject
                (choices |> List.map (fun choice -> choice.Definition.Name, choice))
                name
            |> Result.bind (fun choice ->
                let definition = choice.Definition

                Fault.check
                    [
                        for name, value in given do
                            definition.Numbers |> List.exists (fun number -> number.name = name),
                            Fault.message
                                name
                                (invariant
                                    $"does not apply to {definition.Name} (found {string value})")
                    ]
                    (fun () ->
                        let values =
                            given
                            @ (definition.Numbers
                               |> List.map (fun number -> number.name, number.standard))

                        choice.Make(fun name -> values |> List.find (fst >> (=) name) |> snd)))

        validation {
            let! () = ranges
            and! chosen = chosen
            return chosen
        }
