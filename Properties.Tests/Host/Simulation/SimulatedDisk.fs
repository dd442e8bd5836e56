namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open Pipeline.Training

/// What happens at a call of the disk.
[<RequireQualifiedAccess>]
type CallFault =
    /// The process is killed after this share of the call's effect.
    | Kill of share: float
    /// The call fails after this share of its effect.
    | Fail of error: exn * share: float
    /// The call reports success, but flushes nothing to the disk.
    | Lie

/// A file of a simulated disk: its bytes as programs see them, and those that survive the loss of power.
type private Content(bytes: byte[]) =
    member val Live = bytes with get, set
    member val Durable = bytes with get, set

    /// When it was last written.
    member val Written = DateTimeOffset.MinValue with get, set

    /// How many bytes at the beginning have not been changed since.
    member val Unchanged = bytes.Length with get, set

    /// Replaces the bytes from a position on.
    member content.Change(place: int, live: byte[], now: DateTimeOffset) =
        content.Written <- now
        content.Unchanged <- min content.Unchanged place
        content.Live <- live

    member content.Flush() =
        content.Durable <- content.Live
        content.Unchanged <- content.Live.Length

/// A change of names in a folder, until the folder is flushed to the disk.
[<RequireQualifiedAccess>]
type private NameChange =
    | Add of path: string * Content
    | AddFolder of path: string
    | Rename of from: string * path: string * Content
    | Remove of path: string

/// <summary>A disk that remembers what has been flushed. Its files are in a real folder, so that code that only reads sees
/// them. When the power is lost, bytes and names that were not flushed are lost, all of them or some, and bytes that were
/// not flushed may be zeros.</summary>
/// <param name="root">The folder. It exists, and is not lost.</param>
/// <param name="random">Decides what is lost.</param>
type SimulatedDisk(root: string, random: Random) =
    let disk: IFiles = DiskFiles()
    let mutable clock = TimeProvider.System
    let live = Dictionary<string, Content>()
    let mutable durable = Dictionary<string, Content>()
    let folders = HashSet<string> [ root ]
    let mutable durableFolders = HashSet<string> [ root ]
    let pending = List<string * NameChange>()

    let folderOf (path: string) = nonNull (Path.GetDirectoryName path)

    let change (path: string) (made: NameChange) = pending.Add(folderOf path, made)

    let apply (made: NameChange) =
        match made with
        | NameChange.Add(path, content) -> durable[path] <- content
        | NameChange.AddFolder path -> durableFolders.Add path |> ignore
        | NameChange.Rename(from, path, content) ->
            durable.Remove from |> ignore
            durable[path] <- content
        | NameChange.Remove path -> durable.Remove path |> ignore

    let contentOf (path: string) =
        match live.TryGetValue path with
        | true, content -> content
        | _ ->
            let content = Content [||]
            live[path] <- content
            change path (NameChange.Add(path, content))
            content

    let part (share: float) (bytes: byte[]) =
        bytes[.. int (share * float bytes.Length) - 1]

    /// The bytes of a file after a loss of power.
    let surviving (content: Content) : byte[] =
        let kept, written = content.Durable, content.Live

        if kept.AsSpan().SequenceEqual(ReadOnlySpan written) then
            written
        else
            match random.Next 4 with
            | 0 -> kept
            | 1 -> written
            | _ ->
                // The end of what was written is missing, or its length alone is there.
                let unchanged = min content.Unchanged written.Length
                let length = unchanged + random.Next(written.Length - unchanged + 1)

                if random.Next 2 = 0 then
                    written[.. length - 1]
                else
                    Array.append written[.. length - 1] (Array.zeroCreate (written.Length - length))

    let rec isThere (folder: string) =
        folder = root || durableFolders.Contains folder && isThere (folderOf folder)

    /// Changes of names that survive: all, none, the first ones, or any of them.
    let survivors (changes: (string * NameChange) list) =
        match random.Next 4 with
        | 0 -> changes
        | 1 -> []
        | 2 -> List.truncate (random.Next(changes.Length + 1)) changes
        | _ -> changes |> List.filter (fun _ -> random.Next 2 = 0)

    /// Writes the content of the disk to the real folder.
    let restore () =
        SimulatedDisk.Clear root

        for folder in Seq.sort folders do
            Directory.CreateDirectory folder |> ignore

        for KeyValue(path, content) in live do
            File.WriteAllBytes(path, content.Live)

    /// The clock of the times of files, which are rounded down to two seconds.
    member _.Clock
        with get () = clock
        and set value = clock <- value

    /// Deletes everything in a folder.
    static member Clear(folder: string) =
        for path in Directory.GetFileSystemEntries folder do
            if Directory.Exists path then
                Directory.Delete(path, true)
            else
                File.Delete path

    /// The power is lost: the process is gone, and the folder holds what survives.
    member _.LosePower() =
        for _, changes in List.ofSeq pending |> List.groupBy fst do
            for _, made in survivors changes do
                apply made

        pending.Clear()

        let files =
            durable |> Seq.filter (fun file -> isThere (folderOf file.Key)) |> List.ofSeq

        let kept = durableFolders |> Seq.filter isThere |> List.ofSeq
        live.Clear()
        folders.Clear()
        kept |> List.iter (folders.Add >> ignore)

        // A file that has two names has one content.
        let contents = Dictionary<Content, byte[]>(HashIdentity.Reference)

        for KeyValue(path, content) in files do
            if not (contents.ContainsKey content) then
                contents[content] <- surviving content

            let bytes = contents[content]
            live[path] <- Content(bytes, Written = clock.GetUtcNow())

        durable <- Dictionary live
        durableFolders <- HashSet kept
        restore ()

    /// <summary>Flips a random bit in one of the files that are accepted. Does nothing if no file is accepted.</summary>
    /// <param name="isAccepted">Whether a path is accepted.</param>
    member _.FlipBit(isAccepted: string -> bool) =
        let picked =
            live
            |> Seq.filter (fun file -> isAccepted file.Key && file.Value.Live.Length > 0)
            |> Seq.map _.Key
            |> Seq.sort
            |> Array.ofSeq

        if picked.Length > 0 then
            let path = picked[random.Next picked.Length]
            let bytes = Array.copy live[path].Live
            let place = random.Next bytes.Length
            bytes[place] <- bytes[place] ^^^ (1uy <<< random.Next 8)
            live[path].Change(place, bytes, clock.GetUtcNow())
            live[path].Flush()
            File.WriteAllBytes(path, bytes)

    /// <summary>The disk as a process has it.</summary>
    /// <param name="faultOf">What happens at a call, of a name and a path.</param>
    member _.Open(faultOf: string -> string -> CallFault option) : IFiles =
        let mutable isKilled = false

        /// Makes a call that has an effect of this share, then flushes unless the disk lies.
        let call name path (effect: float -> unit) (flush: unit -> unit) =
            if isKilled then
                raise Died

            match faultOf name path with
            | None ->
                effect 1.0
                flush ()
            | Some CallFault.Lie -> effect 1.0
            | Some(CallFault.Fail(error, share)) ->
                effect share
                raise error
            | Some(CallFault.Kill share) ->
                isKilled <- true
                effect share

                if share = 1.0 then
                    flush ()

                raise Died

        let whole (act: unit -> unit) (share: float) =
            if share = 1.0 then
                act ()

        {
            new IFiles with
                member _.CreateFolder path =
                    let rec create folder =
                        if not (folders.Contains folder) then
                            create (folderOf folder)
                            folders.Add folder |> ignore
                            change folder (NameChange.AddFolder folder)
                            disk.CreateFolder folder

                    call "CreateFolder" path (whole (fun () -> create path)) ignore

                member _.List folder =
                    if isKilled then
                        raise Died

                    disk.List folder

                member _.Exists path =
                    if isKilled then
                        raise Died

                    disk.Exists path

                member _.StampOf path =
                    if isKilled then
                        raise Died

                    match live.TryGetValue path with
                    | true, content ->
                        let written = content.Written.UtcDateTime

                        FileStamp(
                            written.AddTicks(-(written.Ticks % (2L * TimeSpan.TicksPerSecond))),
                            content.Live.LongLength
                        )
                        |> Nullable
                    | _ -> Nullable()

                member _.Read path =
                    call "Read" path ignore ignore
                    disk.Read path

                member _.OpenRead path =
                    call "Read" path ignore ignore
                    disk.OpenRead path

                member _.Write(path, bytes) =
                    let bytes = bytes.ToArray()

                    let write share =
                        let content = contentOf path
                        content.Change(0, part share bytes, clock.GetUtcNow())
                        File.WriteAllBytes(path, content.Live)

                    call "Write" path write (fun () -> live[path].Flush())

                member _.Append(path, length, bytes) =
                    let bytes = bytes.ToArray()

                    let append share =
                        let content = contentOf path

                        if content.Live.LongLength < length then
                            raise (IOException $"{path} is too short")

                        let kept = content.Live[.. int length - 1]
                        let added = part share bytes

                        let rest =
                            content.Live[min content.Live.Length (kept.Length + added.Length) ..]

                        content.Change(
                            int length,
                            Array.concat [ kept; added; rest ],
                            clock.GetUtcNow()
                        )

                        File.WriteAllBytes(path, content.Live)

                    call "Append" path append ignore

                member _.Truncate(path, length) =
                    call
                        "Truncate"
                        path
                        (whole (fun () ->
                            if not (live.ContainsKey path) then
                                raise (FileNotFoundException path)

                            live[path]
                                .Change(
                                    int length,
                                    live[path].Live[.. int length - 1],
                                    clock.GetUtcNow()
                                )

                            File.WriteAllBytes(path, live[path].Live)))
                        ignore

                member _.Flush path =
                    call "Flush" path ignore (fun () -> live[path].Flush())

                member _.Rename(path, name) =
                    call
                        "Rename"
                        path
                        (whole (fun () ->
                            let target = Path.Combine(folderOf path, name)

                            match live.TryGetValue path with
                            | true, content ->
                                live.Remove path |> ignore
                                live[target] <- content
                                change target (NameChange.Rename(path, target, content))
                                disk.Rename(path, name)
                            | _ -> raise (FileNotFoundException path)))
                        ignore

                member _.FlushFolder path =
                    call "FlushFolder" path ignore (fun () ->
                        for folder, made in List.ofSeq pending do
                            if folder = path then
                                apply made

                        pending.RemoveAll(fun change -> fst change = path) |> ignore)

                member _.Delete path =
                    call
                        "Delete"
                        path
                        (whole (fun () ->
                            if live.Remove path then
                                change path (NameChange.Remove path)

                            disk.Delete path))
                        ignore
        }
