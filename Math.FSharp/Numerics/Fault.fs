namespace Pipeline.Learning

/// What is wrong: a value that is not the expected one, or anything else that a sentence says.
[<RequireQualifiedAccess>]
type Problem =
    /// What would have been right, with its unit or range, and what was there instead.
    | Mismatch of expected: string * found: string
    /// The rest of a sentence that begins with the fault's subject: "does not exist".
    | Message of text: string

/// <summary>An error in something that came from outside: a file's bytes or a setting.</summary>
/// <remarks>A reader returns all faults that it finds, each of them one sentence.</remarks>
type Fault = {
    /// Where: the name of a setting, a file or a tensor; empty where the caller adds it.
    Subject: string
    /// What is wrong there.
    Problem: Problem
} with

    /// The fault as a sentence.
    override fault.ToString() =
        match fault.Problem, fault.Subject with
        | Problem.Mismatch(expected, found), "" -> invariant $"Expected {expected}, found {found}."
        | Problem.Mismatch(expected, found), subject ->
            invariant $"{subject}: expected {expected}, found {found}."
        | Problem.Message text, "" -> $"It {text}."
        | Problem.Message text, subject -> $"{subject} {text}."

/// Making and placing faults.
[<RequireQualifiedAccess>]
module Fault =
    /// <summary>A value of <paramref name="subject"/> that is not the expected one.</summary>
    [<CompiledName("Create")>]
    let create (subject: string) (expected: string) (found: string) : Fault = {
        Subject = subject
        Problem = Problem.Mismatch(expected, found)
    }

    /// <summary>A fault in free words: <paramref name="text"/> follows the subject, without the
    /// final point.</summary>
    [<CompiledName("Message")>]
    let message (subject: string) (text: string) : Fault = {
        Subject = subject
        Problem = Problem.Message text
    }

    /// <summary>The same fault of another subject.</summary>
    [<CompiledName("WithSubject")>]
    let withSubject (subject: string) (fault: Fault) : Fault = { fault with Subject = subject }

    /// <summary>The same fault with a remark in parentheses: where the value came from, for
    /// example.</summary>
    [<CompiledName("WithRemark")>]
    let withRemark (remark: string) (fault: Fault) : Fault =
        let after (text: string) =
            if text.EndsWith ')' then
                $"{text[.. text.Length - 2]}; {remark})"
            else
                $"{text} ({remark})"

        {
            fault with
                Problem =
                    match fault.Problem with
                    | Problem.Mismatch(expected, found) ->
                        Problem.Mismatch(expected, $"{found} ({remark})")
                    | Problem.Message text -> Problem.Message(after text)
        }

    /// <summary>The same fault of something inside <paramref name="place"/>, a file for example; an empty
    /// place changes nothing.</summary>
    [<CompiledName("Within")>]
    let within (place: string) (fault: Fault) : Fault = {
        fault with
            Subject =
                if fault.Subject = "" || place = "" then
                    place + fault.Subject
                else
                    $"{place}, {fault.Subject}"
    }

    /// The value if every check holds, otherwise the faults of those that do not.
    let internal check (checks: (bool * Fault) list) (value: unit -> 'V) : Result<'V, Fault list> =
        match
            [
                for holds, fault in checks do
                    if not holds then
                        fault
            ]
        with
        | [] -> Ok(value ())
        | faults -> Error faults

    /// The value, or an exception with all faults for an argument of the caller's.
    let internal orInvalidArg (name: string) (result: Result<'V, Fault list>) : 'V =
        match result with
        | Ok value -> value
        | Error faults -> invalidArg name (faults |> List.map string |> String.concat " ")

    /// Both values, or the faults of both.
    let internal both
        (first: Result<'A, Fault list>)
        (second: Result<'B, Fault list>)
        : Result<'A * 'B, Fault list> =
        match first, second with
        | Ok a, Ok b -> Ok(a, b)
        | Error faults, Ok _
        | Ok _, Error faults -> Error faults
        | Error one, Error other -> Error(one @ other)

    /// All values, or the faults of all.
    let internal all (results: Result<'V, Fault list> list) : Result<'V list, Fault list> =
        List.foldBack
            (fun one rest -> both one rest |> Result.map (fun (head, tail) -> head :: tail))
            results
            (Ok [])

    /// The choice of that name, in any case of letters, or a fault that lists the names.
    let internal parseName
        (subject: string)
        (choices: (string * 'V) list)
        (name: string)
        : Result<'V, Fault list> =
        match
            choices
            |> List.tryFind (fun (known, _) ->
                known.Equals(name, System.StringComparison.OrdinalIgnoreCase))
        with
        | Some(_, choice) -> Ok choice
        | None ->
            let known = choices |> List.map fst |> String.concat ", "
            Error [ create subject $"one of {known}" $"'{name}'" ]

    /// The choice of that name, in any case of letters, of choices whose texts are their names.
    let internal parseCase
        (subject: string)
        (choices: 'V list)
        (name: string)
        : Result<'V, Fault list> =
        parseName subject (choices |> List.map (fun choice -> string (box choice), choice)) name

/// The computation expression <c>validation { … }</c>: <c>let! … and! …</c> returns the faults of all
/// its parts, a later <c>let!</c> runs only when those before it have none.
type internal ValidationBuilder() =
    member _.MergeSources(first, second) = Fault.both first second
    member _.BindReturn(result: Result<'A, Fault list>, map: 'A -> 'B) = Result.map map result

    member _.Bind(result: Result<'A, Fault list>, next: 'A -> Result<'B, Fault list>) =
        Result.bind next result

    member _.Return(value: 'A) : Result<'A, Fault list> = Ok value
    member _.ReturnFrom(result: Result<'A, Fault list>) = result

[<AutoOpen>]
module internal Validation =
    let validation = ValidationBuilder()
