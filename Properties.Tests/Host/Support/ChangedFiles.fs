namespace Pipeline.Properties.Host

open System
open Pipeline.Training

/// A disk of which a derived class changes some calls.
type ChangedFiles(disk: IFiles) =
    member _.Disk = disk

    abstract Write: path: string * bytes: byte[] -> unit
    default _.Write(path, bytes) = disk.Write(path, ReadOnlySpan bytes)

    abstract Append: path: string * length: int64 * bytes: byte[] -> unit

    default _.Append(path, length, bytes) =
        disk.Append(path, length, ReadOnlySpan bytes)

    abstract Truncate: path: string * length: int64 -> unit
    default _.Truncate(path, length) = disk.Truncate(path, length)

    abstract Flush: path: string -> unit
    default _.Flush path = disk.Flush path

    abstract Rename: path: string * name: string -> unit
    default _.Rename(path, name) = disk.Rename(path, name)

    abstract FlushFolder: path: string -> unit
    default _.FlushFolder path = disk.FlushFolder path

    abstract Delete: path: string -> unit
    default _.Delete path = disk.Delete path

    interface IFiles with
        member _.CreateFolder path = disk.CreateFolder path
        member _.List folder = disk.List folder
        member _.Exists path = disk.Exists path
        member _.StampOf path = disk.StampOf path
        member _.Read path = disk.Read path
        member _.OpenRead path = disk.OpenRead path
        member files.Write(path, bytes) = files.Write(path, bytes.ToArray())

        member files.Append(path, length, bytes) =
            files.Append(path, length, bytes.ToArray())

        member files.Truncate(path, length) = files.Truncate(path, length)
        member files.Flush path = files.Flush path
        member files.Rename(path, name) = files.Rename(path, name)
        member files.FlushFolder path = files.FlushFolder path
        member files.Delete path = files.Delete path
