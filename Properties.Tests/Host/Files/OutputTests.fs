namespace Pipeline.Properties.Host

open System
open System.IO
open System.Threading.Tasks
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Training
open Xunit

/// Files that a person tells a command to write, and what may stand there before.
module OutputTests =
    let private bytes = [| 1uy; 2uy; 3uy |]

    let private write (path: string) =
        OutputFile.Write(path, ReadOnlySpan bytes, [||]) |> ignore

    let private refusal (path: string) (inputs: string[]) : string =
        let refused =
            Assert.Throws<RefusedException>(fun () ->
                OutputFile.Write(path, ReadOnlySpan bytes, inputs) |> ignore)

        Assert.Single refused.Reasons

    let private link (path: string) (target: string) =
        File.CreateSymbolicLink(path, target) |> ignore

    /// Makes a special file, if this user may.
    let private make (program: string) (arguments: string list) =
        match Tools.run program arguments with
        | Some ended -> ended.ExitCode = 0
        | None -> false

    [<FactOnUnix>]
    let ``a link stays a link, and the file that it leads to is written`` () =
        use scratch = new Scratch()
        let folder = Directory.CreateDirectory(scratch.Sub "deep/real").FullName
        link (scratch.Sub "folder") folder

        // The path of a link, what it says, and where that leads.
        for path, says, target in
            [
                "plain", "target", "target"
                "full", scratch.Sub "target", "target"
                "second", "plain", "target"
                "dangling", "nowhere", "nowhere"
                "into", "folder/inside", "deep/real/inside"
                // Two dots leave the folder that a link leads to, not the link's own.
                "deep/real/out", "../beside", "deep/beside"
                "around", "folder/../other", "deep/other"
            ] do
            link (scratch.Sub path) says

            for old in [ None; Some [| 9uy |] ] do
                match old with
                | Some old -> File.WriteAllBytes(scratch.Sub target, old)
                | None -> File.Delete(scratch.Sub target)

                write (scratch.Sub path)
                Assert.True((says = string (FileInfo(scratch.Sub path).LinkTarget)), path)
                Assert.Equal<byte>(bytes, File.ReadAllBytes(scratch.Sub target))

        File.Delete(scratch.Sub "deep/beside")
        write (scratch.Sub "folder/out")
        Assert.Equal<byte>(bytes, File.ReadAllBytes(scratch.Sub "deep/beside"))

    [<FactOnUnix>]
    let ``a pipe and a device take the bytes, and stay what they are`` () =
        use scratch = new Scratch()
        let pipe = scratch.Sub "pipe.onnx"
        Assert.True(make "mkfifo" [ pipe ])
        let read = Task.Run(fun () -> File.ReadAllBytes pipe)
        write pipe
        Assert.Equal<byte>(bytes, read.Result)
        Assert.Equal(OutputKind.Stream, OutputTarget.Of(pipe).Kind)
        link (scratch.Sub "to pipe") pipe
        let read = Task.Run(fun () -> File.ReadAllBytes pipe)
        write (scratch.Sub "to pipe")
        Assert.Equal<byte>(bytes, read.Result)

        // Only root may make devices: these are another /dev/null, /dev/full and a disk that does not exist.
        for name, kind, major, minor in
            [ "null", "c", 1, 3; "full", "c", 1, 7; "disk", "b", 7, 250 ] do
            if make "mknod" [ scratch.Sub name; kind; $"{major}"; $"{minor}" ] then
                if name = "null" then
                    write (scratch.Sub name)
                    Assert.Equal(OutputKind.Stream, OutputTarget.Of(scratch.Sub name).Kind)
                elif name = "full" then
                    Assert.Throws<UnsavedException>(fun () -> write (scratch.Sub name)) |> ignore
                    Assert.Equal(OutputKind.Stream, OutputTarget.Of(scratch.Sub name).Kind)
                else
                    Assert.Contains("found a whole disk.", refusal (scratch.Sub name) [||])
                    Assert.Equal(OutputKind.Disk, OutputTarget.Of(scratch.Sub name).Kind)

    [<FactOnUnix>]
    let ``what goes to standard output is alone there`` () =
        use scratch = new Scratch()
        let model = scratch.Sub "model.safetensors"

        let network: TrainingState<float32> =
            Trainer.start
                Hyperparameters.Default
                (Architecture.dense Activation.Sigmoid [ 2; 3; 2 ])

        File.WriteAllBytes(model, Safetensors.write (Model.ofNetwork network.Network))
        let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

        let plain, file, piped =
            scratch.Sub "plain.npz", scratch.Sub "file", scratch.Sub "piped"

        let export output rest =
            let command =
                $"dotnet '{program}' export '{model}' --to npz --output '{output}' {rest}"

            let ended = Tools.run "sh" [ "-c"; command ] |> Option.get
            Assert.True((ended.ExitCode = 0), ended.Errors)
            ended.Errors

        export plain "" |> ignore
        Assert.Contains("2-3-2 as npz", export "/dev/stdout" $"> '{file}'")
        Assert.Contains("2-3-2 as npz", export "/dev/fd/1" $"| cat > '{piped}'")
        Assert.Equal<byte>(File.ReadAllBytes plain, File.ReadAllBytes file)
        Assert.Equal<byte>(File.ReadAllBytes plain, File.ReadAllBytes piped)

    [<FactOnUnix>]
    let ``what cannot be a file is refused in a sentence, and nothing is left`` () =
        use scratch = new Scratch()
        let one, other = scratch.Sub "one", scratch.Sub "other"
        link one other
        link other one
        File.WriteAllBytes(scratch.Sub "file", bytes)

        for path, found in
            [
                "", "the output: expected a file, found nothing."
                scratch.Path, "found a folder."
                scratch.Path + "/", "found a folder."
                scratch.Sub "new/", "found a folder."
                one, "found symbolic links that form a cycle."
                scratch.Sub "file/below", "expected a file that can be written"
                scratch.Sub(String('x', 256)), "expected a file that can be written"
                "/proc/x.onnx",
                "/proc/x.onnx: expected a file that can be written, found a place where no file can be made."
                "/proc/nowhere/file", "expected a file that can be written"
            ] do
            Assert.Contains(found, refusal path [||])

        Assert.Equal(3, Directory.GetFileSystemEntries(scratch.Path).Length)

    [<Fact>]
    let ``a file that was read is not replaced, by whatever path`` () =
        use scratch = new Scratch()
        let input = scratch.Sub "rows.csv"
        File.WriteAllText(input, "a,b")

        for path in [ input; scratch.Sub "folder/../rows.csv"; scratch.Sub "./rows.csv" ] do
            Assert.Contains("found an input file", refusal path [| scratch.Sub "none"; input |])

        if not (OperatingSystem.IsWindows()) then
            link (scratch.Sub "link") input
            Assert.Contains("found an input file", refusal (scratch.Sub "link") [| input |])
            Assert.Contains("found an input file", refusal input [| scratch.Sub "link" |])

        Assert.Equal("a,b", File.ReadAllText input)

    [<FactOnUnix>]
    let ``a file that is replaced keeps its permissions, and no other file is touched`` () =
        use scratch = new Scratch()
        let path, beside = scratch.Sub "x.svg", scratch.Sub "x.svg.tmp"

        let mode =
            UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.OtherRead

        File.WriteAllText(path, "old")
        File.SetUnixFileMode(path, mode)
        File.WriteAllText(beside, "mine")
        write path
        Assert.Equal<byte>(bytes, File.ReadAllBytes path)
        Assert.Equal(mode, File.GetUnixFileMode path)
        Assert.Equal("mine", File.ReadAllText beside)
        write (scratch.Sub "new/folders/x.svg")
        Assert.Equal(3, Directory.GetFileSystemEntries(scratch.Path).Length)

    [<Fact>]
    let ``a disk that fails leaves the old file, and no other`` () =
        for call in 0..2 do
            for fault in [ DiskFault.Full; DiskFault.Broken; DiskFault.ReadOnly ] do
                use scratch = new Scratch()
                let path = scratch.Sub "x.svg"
                File.WriteAllText(path, "old")

                let files = FaultyFiles(fun number _ -> if number = call then Some fault else None)

                let failed =
                    Record.Exception(fun () ->
                        AtomicFile.WriteTo(files, OutputTarget.Of path, ReadOnlySpan bytes))

                Assert.True(AtomicFile.IsDiskError(nonNull failed), $"{call}: {failed}")
                Assert.Equal(path, Assert.Single(Directory.GetFileSystemEntries scratch.Path))
                // The third call only makes sure of the new name.
                let expected = if call < 2 then "old"B else bytes
                Assert.Equal<byte>(expected, File.ReadAllBytes path)
