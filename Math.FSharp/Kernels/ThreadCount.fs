namespace Pipeline.Learning

/// The number of threads of a computation. It changes the speed and no bit of the result.
[<RequireQualifiedAccess>]
module ThreadCount =
    /// The largest number.
    [<Literal>]
    let Maximum = 1024

    /// <summary>The number, or a fault if it is not within 1 to <c>Maximum</c>.</summary>
    [<CompiledName("Check")>]
    let check (threads: int) : Result<int, Fault list> =
        let range = NumberRange.between 1 Maximum
        Fault.check [ NumberRange.check "Threads" range threads ] (fun () -> threads)
