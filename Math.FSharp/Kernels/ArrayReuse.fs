namespace Pipeline.Learning

open System
open System.Collections.Concurrent

/// Arrays that are no longer used, kept for results of the same length: a run of many steps uses a few arrays in
/// turn instead of making new ones at every step. Each thread keeps its own, and only while `Scope` runs, so
/// that a caller cannot tell the difference.
[<AbstractClass; Sealed>]
type internal ArrayReuse<'T> =
    [<ThreadStatic; DefaultValue>]
    static val mutable private arrays: ResizeArray<'T[]> | null

    /// The most arrays that are kept: more than the layers of a deep network need.
    static member private Most = 256

    /// The shortest array that is kept: making a shorter one is as fast.
    static member private Least = 256

    /// Whether returned arrays are kept.
    static member IsInScope: bool = not (isNull ArrayReuse<'T>.arrays)

    /// An array of that length with undefined elements.
    static member Rent(length: int) : 'T[] =
        match ArrayReuse<'T>.arrays with
        | null -> GC.AllocateUninitializedArray<'T> length
        | arrays ->
            let mutable i = arrays.Count - 1

            while i >= 0 && arrays[i].Length <> length do
                i <- i - 1

            if i < 0 then
                GC.AllocateUninitializedArray<'T> length
            else
                let array = arrays[i]
                arrays.RemoveAt i
                array

    /// Whether `Return` would keep the array.
    static member WouldKeep(array: 'T[]) : bool =
        array.Length >= ArrayReuse<'T>.Least
        && match ArrayReuse<'T>.arrays with
           | null -> false
           | arrays -> arrays.Count < ArrayReuse<'T>.Most

    /// Keeps an array, to which nothing may refer any more, for a later `Rent`. One that is kept already is not kept
    /// twice: two who rent would write to the same array.
    static member Return(array: 'T[]) : unit =
        match ArrayReuse<'T>.arrays with
        | null -> ()
        | arrays ->
            if ArrayReuse<'T>.WouldKeep array then
                let mutable i = arrays.Count - 1

                while i >= 0 && not (obj.ReferenceEquals(arrays[i], array)) do
                    i <- i - 1

                if i < 0 then
                    arrays.Add array

    /// Returns the arrays that are not used. Nothing is looked up where none are kept.
    static member ReturnUnused(isUsed: 'T[] -> bool, arrays: unit -> 'T[] list) : unit =
        if ArrayReuse<'T>.IsInScope then
            for array in arrays () do
                if ArrayReuse<'T>.WouldKeep array && not (isUsed array) then
                    ArrayReuse<'T>.Return array

    /// Runs `act`; until it ends, arrays returned to `kept` are rented again.
    static member private With(kept: ResizeArray<'T[]>, act: unit -> 'R) : 'R =
        let outer = ArrayReuse<'T>.arrays
        ArrayReuse<'T>.arrays <- kept

        try
            act ()
        finally
            ArrayReuse<'T>.arrays <- outer

    /// Runs `act`; until it ends, returned arrays are rented again.
    static member Scope(act: unit -> 'R) : 'R = ArrayReuse<'T>.With(ResizeArray(), act)

    /// A scope for shares of work that threads do one after the other: what it gives runs a share with the arrays
    /// that earlier ones returned.
    static member Scopes() : (unit -> 'R) -> 'R =
        let idle = ConcurrentBag<ResizeArray<'T[]>>()

        fun act ->
            let mutable found = Unchecked.defaultof<_>
            let kept = if idle.TryTake &found then found else ResizeArray()
            let result = ArrayReuse<'T>.With(kept, act)
            idle.Add kept
            result
