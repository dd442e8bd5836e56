namespace Pipeline.Learning

/// <summary>What is wrong with something that came from outside: a file's bytes or a setting.</summary>
/// <remarks>A reader returns every fault it finds at once, each of them one sentence.</remarks>
type Fault = {
    /// Where: a setting's name, a file, a tensor.
    Subject: string
    /// What would have been right, with its unit or range.
    Expected: string
    /// What was there instead.
    Found: string
} with

    /// The sentence to show to a person.
    override fault.ToString() =
        let said = $"xpected {fault.Expected}, found {fault.Found}."

        if fault.Subject = "" then
            $"E{said}"
        else
            $"{fault.Subject}: e{said}"

/// Making and placing faults.
[<RequireQualifiedAccess>]
module Fault =
    /// <summary>A fault of <paramref name="subject"/>.</summary>
    [<CompiledName("Create")>]
    let create (subject: string) (expected: string) (found: string) : Fault = {
        Subject = subject
        Expected = expected
        Found = found
    }

    /// <summary>The same fault, said of something inside <paramref name="place"/>, a file say; an empty place
    /// changes nothing.</summary>
    [<CompiledName("Within")>]
    let within (place: string) (fault: Fault) : Fault = {
        fault with
            Subject =
                if fault.Subject = "" || place = "" then
                    place + fault.Subject
                else
                    $"{place}, {fault.Subject}"
    }

    /// <summary>The value when every check passes, else all faults.</summary>
    [<CompiledName("Check")>]
    let check (checks: (bool * Fault) list) (value: unit -> 'V) : Result<'V, Fault list> =
        match
            [
                for holds, fault in checks do
                    if not holds then
                        fault
            ]
        with
        | [] -> Ok(value ())
        | faults -> Error faults

    /// <summary>Both values, or the faults of both.</summary>
    [<CompiledName("Both")>]
    let both
        (first: Result<'A, Fault list>)
        (second: Result<'B, Fault list>)
        : Result<'A * 'B, Fault list> =
        match first, second with
        | Ok a, Ok b -> Ok(a, b)
        | Error faults, Ok _
        | Ok _, Error faults -> Error faults
        | Error one, Error other -> Error(one @ other)

    /// <summary>All values, or the faults of all.</summary>
    [<CompiledName("All")>]
    let all (results: Result<'V, Fault list> list) : Result<'V list, Fault list> =
        List.foldBack
            (fun one rest -> both one rest |> Result.map (fun (head, tail) -> head :: tail))
            results
            (Ok [])

    /// <summary>The choice of that name, in any case of letters, or a fault that lists the names.</summary>
    [<CompiledName("ParseName")>]
    let parseName
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
