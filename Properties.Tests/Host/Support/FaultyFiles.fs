namespace Pipeline.Properties.Host

open System
open System.IO
open Pipeline.Training

/// What a disk can do to a call.
[<RequireQualifiedAccess>]
type DiskFault =
    /// ENOSPC, after half the bytes.
    | Full
    /// EIO.
    | Broken
    /// EROFS, as .NET says it.
    | ReadOnly
    /// ENOENT: the folder is gone.
    | Vanished
    /// Half the bytes are written, and the process dies there.
    | ShortWrite

/// The process of a test has died, as far as its files know.
exception Died

/// A disk whose calls fail as `faultOf` says, told the number of the call from 0 and its name.
type FaultyFiles(faultOf: int -> string -> DiskFault option) =
    let disk: IFiles = DiskFiles()
    let mutable calls = 0

    let raiseFault fault =
        match fault with
        | DiskFault.Full -> raise (IOException("No space left on device", 28))
        | DiskFault.Broken -> raise (IOException("Input/output error", 5))
        | DiskFault.ReadOnly -> raise (UnauthorizedAccessException "Read-only file system")
        | DiskFault.Vanished ->
            raise (DirectoryNotFoundException "Could not find a part of the path")
        | DiskFault.ShortWrite -> raise Died

    let next name =
        let number = calls
        calls <- calls + 1
        faultOf number name

    let meet name (call: unit -> 'R) : 'R =
        match next name with
        | None -> call ()
        | Some fault -> raiseFault fault

    /// The same for a call that writes so many bytes: some are written before it fails.
    let write name (bytes: ReadOnlyMemory<byte>) (call: ReadOnlyMemory<byte> -> unit) =
        match next name with
        | None -> call bytes
        | Some(DiskFault.Full | DiskFault.Broken | DiskFault.ShortWrite as fault) ->
            call (bytes.Slice(0, bytes.Length / 2))
            raiseFault fault
        | Some fault -> raiseFault fault

    /// How many calls there were.
    member _.Calls = calls

    interface IFiles with
        member _.CreateFolder path =
            meet "CreateFolder" (fun () -> disk.CreateFolder path)

        member _.List folder = disk.List folder
        member _.Exists path = disk.Exists path
        member _.StampOf path = disk.StampOf path
        member _.Read path = meet "Read" (fun () -> disk.Read path)

        member _.OpenRead path =
            meet "OpenRead" (fun () -> disk.OpenRead path)

        member _.Write(path, bytes) =
            write "Write" (ReadOnlyMemory(bytes.ToArray())) (fun part ->
                disk.Write(path, part.Span))

        member _.Append(path, length, bytes) =
            write "Append" (ReadOnlyMemory(bytes.ToArray())) (fun part ->
                disk.Append(path, length, part.Span))

        member _.Truncate(path, length) =
            meet "Truncate" (fun () -> disk.Truncate(path, length))

        member _.Flush path =
            meet "Flush" (fun () -> disk.Flush path)

        member _.Rename(path, name) =
            meet "Rename" (fun () -> disk.Rename(path, name))

        member _.FlushFolder path =
            meet "FlushFolder" (fun () -> disk.FlushFolder path)

        member _.Delete path =
            meet "Delete" (fun () -> disk.Delete path)

/// A disk that is the process's last: after it has given a file a name that `isLast` picks, no call
/// succeeds, as the process has died there.
type DyingFiles(isLast: string -> bool) =
    let disk: IFiles = DiskFiles()
    let mutable isDead = false

    let alive (call: unit -> 'R) : 'R =
        if Threading.Volatile.Read &isDead then
            raise Died

        call ()

    /// Whether the process has died.
    member _.IsDead = isDead

    interface IFiles with
        member _.CreateFolder path =
            alive (fun () -> disk.CreateFolder path)

        member _.List folder = alive (fun () -> disk.List folder)
        member _.Exists path = alive (fun () -> disk.Exists path)
        member _.StampOf path = alive (fun () -> disk.StampOf path)
        member _.Read path = alive (fun () -> disk.Read path)

        member _.OpenRead path = alive (fun () -> disk.OpenRead path)

        member _.Write(path, bytes) =
            let bytes = bytes.ToArray()
            alive (fun () -> disk.Write(path, ReadOnlySpan bytes))

        member _.Append(path, length, bytes) =
            let bytes = bytes.ToArray()
            alive (fun () -> disk.Append(path, length, ReadOnlySpan bytes))

        member _.Truncate(path, length) =
            alive (fun () -> disk.Truncate(path, length))

        member _.Flush path = alive (fun () -> disk.Flush path)

        member _.Rename(path, name) =
            alive (fun () -> disk.Rename(path, name))

            if isLast name then
                Threading.Volatile.Write(&isDead, true)
                raise Died

        member _.FlushFolder path = alive (fun () -> disk.FlushFolder path)

        member _.Delete path = alive (fun () -> disk.Delete path)

/// The disk, which says of each call that writes what it is and of which path, before the call.
type ReportingFiles(report: string -> string -> unit) =
    inherit ChangedFiles(DiskFiles())

    override _.Write(path, bytes) =
        report "Write" path
        base.Write(path, bytes)

    override _.Append(path, length, bytes) =
        report "Append" path
        base.Append(path, length, bytes)

    override _.Truncate(path, length) =
        report "Truncate" path
        base.Truncate(path, length)

    override _.Flush path =
        report "Flush" path
        base.Flush path

    override _.Rename(path, name) =
        report "Rename" path
        base.Rename(path, name)

    override _.FlushFolder path =
        report "FlushFolder" path
        base.FlushFolder path

    override _.Delete path =
        report "Delete" path
        base.Delete path
