namespace Pipeline.Properties

open System
open Pipeline.Learning
open Pipeline.Learning.Laws

/// What is refused, and in which words.
[<RequireQualifiedAccess>]
module Exactly =
    /// The caller's slip is refused, and the message says all of this.
    let refused (says: string list) (call: unit -> 'V) : unit =
        let message =
            try
                call () |> ignore
                None
            with :? ArgumentException as refusal ->
                Some refusal.Message

        match message with
        | None -> raise (LawBrokenException "expected an ArgumentException, found a result")
        | Some message ->
            for part in says do
                if not (message.Contains part) then
                    raise (
                        LawBrokenException $"expected a message with '{part}', found '{message}'"
                    )

    /// A fault's subject, and what was found or said of it.
    let problem (fault: Fault) : string * string =
        match fault.Problem with
        | Problem.Mismatch(_, text)
        | Problem.Message text -> fault.Subject, text

    /// What came from outside is refused, and the faults' sentences say all of this.
    let faulted (says: string list) (result: Result<'V, Fault list>) : unit =
        match result with
        | Ok _ -> raise (LawBrokenException "expected a fault, found a value")
        | Error faults ->
            let text = faults |> List.map string |> String.concat " "

            for part in says do
                if not (text.Contains part) then
                    raise (LawBrokenException $"expected a fault with '{part}', found '{text}'")
