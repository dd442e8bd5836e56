namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open Pipeline.Training

/// Mistakes that a program could make with its files, as a change of its disk.
[<RequireQualifiedAccess>]
module PlantedBugs =
    let private folderOf (path: string) = nonNull (Path.GetDirectoryName path)
    let private nameOf (path: string) = nonNull (Path.GetFileName path)

    let private isIn (folder: string) (path: string) = nameOf (folderOf path) = folder

    let private isPayload (path: string) =
        isIn "checkpoints" path && path.Contains ".safetensors"

    let private isManifest (path: string) =
        isIn "checkpoints" path && path.Contains ".json"

    let private isNamed (name: string) (path: string) = (nameOf path).StartsWith name
    let private isPublished (path: string) = (nameOf path).StartsWith '.'

    /// Files that are written without being flushed.
    let private unflushed (isMeant: string -> bool) (disk: IFiles) =
        {
            new ChangedFiles(disk) with
                override _.Write(path, bytes) =
                    if not (isMeant path) then
                        disk.Write(path, ReadOnlySpan bytes)
                    else
                        if disk.Exists path then
                            disk.Truncate(path, 0)

                        disk.Append(path, 0, ReadOnlySpan bytes)
        }
        :> IFiles

    let private unflushedFolders (isMeant: string -> bool) (disk: IFiles) =
        {
            new ChangedFiles(disk) with
                override _.FlushFolder path =
                    if not (isMeant path) then
                        disk.FlushFolder path
        }
        :> IFiles

    /// Files that are written under their own name.
    let private inPlace (isMeant: string -> bool) (disk: IFiles) =
        let final (path: string) = path.Replace(AtomicFile.Unfinished, "")

        {
            new ChangedFiles(disk) with
                override _.Write(path, bytes) =
                    disk.Write((if isMeant path then final path else path), ReadOnlySpan bytes)

                override _.Rename(path, name) =
                    if not (isMeant path) then
                        disk.Rename(path, name)
        }
        :> IFiles

    /// Files that are written after the next one that is meant, instead of before it.
    let private late (isEarlier: string -> bool) (isLater: string -> bool) (disk: IFiles) =
        let held = Queue<unit -> unit>()

        {
            new ChangedFiles(disk) with
                override _.Write(path, bytes) =
                    if isEarlier path then
                        held.Enqueue(fun () -> disk.Write(path, ReadOnlySpan bytes))
                    else
                        disk.Write(path, ReadOnlySpan bytes)

                override _.Rename(path, name) =
                    if isEarlier path then
                        held.Enqueue(fun () ->
                            disk.Rename(path, name)
                            disk.FlushFolder(folderOf path))
                    else
                        disk.Rename(path, name)

                        if isLater path then
                            disk.FlushFolder(folderOf path)

                            while held.Count > 0 do
                                held.Dequeue () ()
        }
        :> IFiles

    /// Errors that are caught and forgotten.
    let private silent (call: unit -> unit) =
        try
            call ()
        with error when AtomicFile.IsDiskError error ->
            ()

    /// <summary>Each mistake: what it is, the program that it is planted in, and the disk with it.</summary>
    let all: (string * string * (IFiles -> IFiles)) list = [
        "no file is flushed", "run", unflushed (fun _ -> true)
        "checkpoints are not flushed", "run", unflushed isPayload
        "the manifests of checkpoints are not flushed", "run", unflushed isManifest
        "settings are not flushed", "run", unflushed (isNamed "settings")
        "models are not flushed", "run", unflushed (isNamed "model")
        "the published model is not flushed", "watch", unflushed isPublished
        "no folder is flushed", "run", unflushedFolders (fun _ -> true)
        "the folder of checkpoints is not flushed", "run", unflushedFolders (isNamed "checkpoints")
        "the folder of runs is not flushed", "run", unflushedFolders (isNamed "runs")
        "settings are written in place", "run", inPlace (isNamed "settings")
        "the model is written in place", "run", inPlace (isNamed "model")
        "the results of a sweep are not flushed", "sweep", unflushed (isNamed "board")
        "the results of a sweep are written in place", "sweep", inPlace (isNamed "board")
        "the folder of sweeps is not flushed", "sweep", unflushedFolders (isNamed "runs")
        "a model that is served is not flushed", "serve", unflushed isPublished
        "the folder of a served model is not flushed", "serve", unflushedFolders (fun _ -> true)
        "a checkpoint comes after its manifest", "run", late isPayload isManifest
        "the model comes after the summary", "run", late (isNamed "model") (isNamed "summary")

        "logs are not flushed",
        "run",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Flush _ = ()
        }

        "logs are flushed after the checkpoint",
        "run",
        fun disk ->
            let held = List<string>()

            {
                new ChangedFiles(disk) with
                    override _.Flush path = held.Add path

                    override _.Rename(path, name) =
                        disk.Rename(path, name)

                        if isManifest path then
                            disk.FlushFolder(folderOf path)
                            Seq.iter disk.Flush held
                            held.Clear()
            }

        "lines of a log come at its end, whatever was written before",
        "run",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Append(path, length, bytes) =
                    let there = if disk.Exists path then FileInfo(path).Length else 0L
                    disk.Append(path, max length there, ReadOnlySpan bytes)
        }

        "an error of a log is forgotten",
        "run",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Append(path, length, bytes) =
                    silent (fun () -> disk.Append(path, length, ReadOnlySpan bytes))
        }

        "an error of writing is forgotten",
        "run",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Write(path, bytes) =
                    silent (fun () -> disk.Write(path, ReadOnlySpan bytes))
        }

        "an error of renaming is forgotten",
        "run",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Rename(path, name) =
                    silent (fun () -> disk.Rename(path, name))
        }

        "older checkpoints are deleted before the next one is written",
        "run",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Write(path, bytes) =
                    if isPayload path then
                        for name in disk.List(folderOf path) do
                            if name <> "lock" then
                                disk.Delete(Path.Combine(folderOf path, name))

                    disk.Write(path, ReadOnlySpan bytes)
        }

        "files are copied to their name",
        "run",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Rename(path, name) =
                    disk.Write(Path.Combine(folderOf path, name), ReadOnlySpan(disk.Read path))
                    disk.Delete path
        }

        "a file of that name is deleted first",
        "watch",
        fun disk -> {
            new ChangedFiles(disk) with
                override _.Rename(path, name) =
                    let target = Path.Combine(folderOf path, name)

                    if disk.Exists target then
                        disk.Delete target

                    disk.Rename(path, name)
        }
    ]
