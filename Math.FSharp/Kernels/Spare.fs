namespace Pipeline.Learning

open System

/// Arrays that nothing refers to any more, for results of the same length: a run of many steps takes
/// turns in a few instead of leaving new ones behind at every step. Each thread has its own, and only
/// while such a run is under way; nobody outside can tell.
[<AbstractClass; Sealed>]
type internal Spare<'T> =
    [<ThreadStatic; DefaultValue>]
    static val mutable private arrays: ResizeArray<'T[]> | null

    /// More than the layers of a deep network need.
    static member private Most = 256

    /// Shorter ones are as quickly made anew.
    static member private Least = 256

    /// An array of that length, its numbers yet to be written.
    static member Take(length: int) : 'T[] =
        match Spare<'T>.arrays with
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

    /// Gives up an array that nothing refers to any more.
    static member Give(array: 'T[]) : unit =
        match Spare<'T>.arrays with
        | null -> ()
        | arrays ->
            if array.Length >= Spare<'T>.Least && arrays.Count < Spare<'T>.Most then
                arrays.Add array

    /// What `act` returns; arrays given up meanwhile are taken again until it ends.
    static member During(act: unit -> 'R) : 'R =
        let outer = Spare<'T>.arrays
        Spare<'T>.arrays <- ResizeArray()

        try
            act ()
        finally
            Spare<'T>.arrays <- outer
