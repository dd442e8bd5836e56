namespace Pipeline.Learning.Interop

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open Pipeline.Learning

/// <summary>Results of parsers and checks for C#: Try-methods, or exceptions.</summary>
[<AbstractClass; Sealed; Extension>]
type ResultExtensions =
    /// <summary>The value, or every fault.</summary>
    /// <param name="result">What a parser or a <c>Create</c> returned.</param>
    /// <param name="value">The value, if there is one.</param>
    /// <param name="faults">The faults; empty if there is a value.</param>
    /// <returns>Whether there is a value.</returns>
    [<Extension>]
    static member TryGet
        (
            result: Result<'V, Fault list>,
            [<Out>] value: byref<'V>,
            [<Out>] faults: byref<IReadOnlyList<Fault>>
        ) : bool =
        match result with
        | Ok good ->
            value <- good
            faults <- []
            true
        | Error found ->
            faults <- found
            false

    /// <summary>The value; the faults are added to a list.</summary>
    /// <param name="result">What a parser or a <c>Create</c> returned.</param>
    /// <param name="faults">The list that gets the faults.</param>
    /// <param name="value">The value, if there is one.</param>
    /// <returns>Whether there is a value.</returns>
    [<Extension>]
    static member TryGet
        (result: Result<'V, Fault list>, faults: ICollection<Fault>, [<Out>] value: byref<'V>)
        : bool =
        ArgumentNullException.ThrowIfNull(faults, nameof faults)

        match result with
        | Ok good ->
            value <- good
            true
        | Error found ->
            found |> List.iter faults.Add
            false

    /// <summary>The value, or an exception made of the faults.</summary>
    /// <param name="result">What a parser or a <c>Create</c> returned.</param>
    /// <param name="createException">Makes the exception.</param>
    [<Extension>]
    static member OrThrow
        (result: Result<'V, Fault list>, createException: Func<IReadOnlyList<Fault>, exn>)
        : 'V =
        ArgumentNullException.ThrowIfNull(createException, nameof createException)

        match result with
        | Ok value -> value
        | Error faults -> raise (createException.Invoke faults)

/// Optional values as C# has them.
[<AbstractClass; Sealed; Extension>]
type OptionExtensions =
    /// <summary>The number, or null.</summary>
    [<Extension>]
    static member ToNullable(option: 'V voption) : Nullable<'V> = ValueOption.toNullable option

    /// <summary>The object, or null.</summary>
    [<Extension>]
    static member OrNull(option: 'V voption when 'V: not null and 'V: not struct) : 'V | null =
        match option with
        | ValueSome value -> value
        | ValueNone -> null

/// Making and placing faults.
[<AbstractClass; Sealed>]
type Faults =
    /// <summary>A value that is not the expected one.</summary>
    static member Create(subject: string, expected: string, found: string) : Fault =
        Fault.create subject expected found

    /// <summary>A fault in free words, which follow the subject.</summary>
    static member Message(subject: string, text: string) : Fault = Fault.message subject text

    /// <summary>The same fault of another subject.</summary>
    static member WithSubject(subject: string, fault: Fault) : Fault =
        Fault.withSubject subject fault

    /// <summary>The same fault with a remark in parentheses: where the value came from, for
    /// example.</summary>
    static member WithRemark(remark: string, fault: Fault) : Fault = Fault.withRemark remark fault

    /// <summary>The same fault of something inside a place, a file for example.</summary>
    static member Within(place: string, fault: Fault) : Fault = Fault.within place fault
