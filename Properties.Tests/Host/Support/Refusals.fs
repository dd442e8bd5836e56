namespace Pipeline.Properties.Host

open Pipeline.Training
open Xunit

/// What the host refuses.
[<AutoOpen>]
module Refusals =
    /// The sentences of a refusal, one a line.
    let refusal (call: unit -> 'V) : string =
        let refused = Assert.Throws<RefusedException>(fun () -> call () |> ignore)
        String.concat "\n" refused.Reasons
