namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open Xunit

/// Programs made by others, where the machine has them.
[<RequireQualifiedAccess>]
module Tools =
    /// Runs a program; gives its exit code, what it printed and what it complained of. Nothing where
    /// there is no such program.
    let run (program: string) (arguments: string list) : Ended option =
        let info =
            ProcessStartInfo(
                program,
                arguments,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        try
            match Process.Start info with
            | null -> None
            | started -> Some(Given.finish started)
        with :? ComponentModel.Win32Exception ->
            None

    /// The first of some Pythons that has a module, numpy say.
    let python (needed: string) : string option =
        [ "/usr/bin/python3"; "python3" ]
        |> List.tryFind (fun program ->
            match run program [ "-c"; $"import {needed}" ] with
            | Some ended -> ended.ExitCode = 0
            | None -> false)

    /// Debian's or another Chromium.
    let chromium: Lazy<string option> =
        lazy
            ([ "chromium"; "chromium-browser"; "google-chrome" ]
             |> List.tryFind (fun program ->
                 match run program [ "--version" ] with
                 | Some ended -> ended.ExitCode = 0
                 | None -> false))

    /// What resets the signals that the tests' process ignores, as under nohup, in what it starts.
    let private resetting = [ "env"; "--default-signal" ]

    let private resets: Lazy<bool> =
        lazy
            (match run resetting.Head (resetting.Tail @ [ "true" ]) with
             | Some ended -> ended.ExitCode = 0
             | None -> false)

    /// Whether this process ignores a signal that ends a run, as everything does that it starts.
    let private ignoresSignals: Lazy<bool> =
        lazy
            (File.Exists "/proc/self/status"
             && File.ReadLines "/proc/self/status"
                |> Seq.filter _.StartsWith("SigIgn:")
                |> Seq.exists (fun line ->
                    let ignored = Convert.ToUInt64(line.Substring(7).Trim(), 16)
                    // SIGHUP, SIGINT, SIGQUIT and SIGTERM.
                    [ 1; 2; 3; 15 ]
                    |> List.exists (fun number -> ignored >>> (number - 1) &&& 1UL = 1UL)))

    /// Why signals cannot be tested here, if they cannot.
    let noSignals: Lazy<string | null> =
        lazy
            (if OperatingSystem.IsWindows() then
                 "needs signals of Unix"
             elif ignoresSignals.Value && not resets.Value then
                 "needs env --default-signal (coreutils 8.31 or later), as the tests were started with signals ignored"
             else
                 null)

    /// A command that heeds the signals that a process heeds unless told otherwise.
    let heedingSignals (command: string list) : string list =
        if resets.Value then resetting @ command else command

    /// A process whose output is kept, with these variables in its environment.
    let start (environment: (string * string) list) (command: string list) : Process =
        let info =
            ProcessStartInfo(
                command.Head,
                command.Tail,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        for name, value in environment do
            info.Environment[name] <- value

        Process.Start info |> nonNull

    /// The host as a process that heeds signals, its output kept, with these variables in its environment.
    let startHost (environment: (string * string) list) (arguments: string list) : Process =
        let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")
        start environment (heedingSignals ("dotnet" :: program :: arguments))

    let private answers (program: string) : bool =
        match run program [ "--version" ] with
        | Some ended -> ended.ExitCode = 0
        | None -> false

    /// Whether there is a Redis server.
    let redis: Lazy<bool> = lazy (answers "redis-server")

    /// The folder with the programs of the newest PostgreSQL server. Debian has them outside of the path.
    let postgres: Lazy<string option> =
        lazy
            (let installed =
                match Directory.Exists "/usr/lib/postgresql" with
                | true ->
                    Directory.GetDirectories "/usr/lib/postgresql"
                    |> Array.sortByDescending (fun folder ->
                        match Double.TryParse(Path.GetFileName folder) with
                        | true, version -> version
                        | false, _ -> 0.0)
                    |> Array.map (fun folder -> Path.Combine(folder, "bin"))
                    |> List.ofArray
                | false -> []

             installed @ [ "" ]
             |> List.tryFind (fun folder -> answers (Path.Combine(folder, "initdb"))))

    /// Whether this process is root's.
    let isRoot: bool =
        Environment.IsPrivilegedProcess && not (OperatingSystem.IsWindows())

    /// A command that runs as nobody if this process is root's: PostgreSQL refuses to be run by root.
    let notAsRoot (command: string list) : string list =
        if isRoot then
            [ "setpriv"; "--reuid=nobody"; "--regid=65534"; "--clear-groups" ] @ command
        else
            command

    /// Whether a small disk of one's own may be had here.
    let private disk (scratch: string) (size: int) : bool =
        match run "mount" [ "-t"; "tmpfs"; "-o"; $"size={size}k"; "tmpfs"; scratch ] with
        | Some ended -> ended.ExitCode = 0
        | None -> false

    /// A test's disk of that many KiB.
    let onSmallDisk (size: int) (test: string -> unit) : unit =
        use scratch = new Scratch()
        let path = scratch.Sub "disk"
        Directory.CreateDirectory path |> ignore
        Assert.True(disk path size, "no disk")

        try
            test path
        finally
            run "umount" [ path ] |> ignore

    /// Whether this process may mount disks.
    let mounts: Lazy<bool> =
        lazy
            (try
                onSmallDisk 64 ignore
                true
             with _ ->
                 false)

/// A test that needs a module of Python; without it, the test is skipped with the reason.
type FactWithPythonAttribute(needed: string) as fact =
    inherit FactAttribute()

    do
        if (Tools.python needed).IsNone then
            fact.Skip <- $"needs Python 3 with the module {needed} (Debian: python3-{needed})"

/// A test that needs a browser; without one, the test is skipped with the reason.
type FactWithChromiumAttribute() as fact =
    inherit FactAttribute()

    do
        if Tools.chromium.Value.IsNone then
            fact.Skip <- "needs Chromium (Debian: chromium)"

/// A test of Unix's signals, and says so where they cannot be tested.
type FactWithSignalsAttribute() as fact =
    inherit FactAttribute()
    do fact.Skip <- Tools.noSignals.Value

/// The same with data.
type TheoryWithSignalsAttribute() as theory =
    inherit TheoryAttribute()
    do theory.Skip <- Tools.noSignals.Value

/// A test with data that needs a disk of its own, and says so where it cannot have one.
type TheoryWithSmallDiskAttribute() as theory =
    inherit TheoryAttribute()

    do
        if not Tools.mounts.Value then
            theory.Skip <- "needs the right to mount a tmpfs"

/// A test of the notifications to systemd.
type FactOnLinuxAttribute() as fact =
    inherit FactAttribute()

    do
        if not (OperatingSystem.IsLinux()) then
            fact.Skip <- "needs Linux"

/// A test that looks at the system calls of a process, and says so where it cannot.
type FactWithStraceAttribute() as fact =
    inherit FactAttribute()

    do
        match Tools.run "strace" [ "-o"; "/dev/null"; "true" ] with
        | Some ended when ended.ExitCode = 0 -> ()
        | _ -> fact.Skip <- "needs strace (Debian: strace), and the right to use it"

/// A test of a Unix shell or file system.
type FactOnUnixAttribute() as fact =
    inherit FactAttribute()

    do
        if OperatingSystem.IsWindows() then
            fact.Skip <- "needs a shell and a file system of Unix"

/// The same with data.
type TheoryOnUnixAttribute() as theory =
    inherit TheoryAttribute()
    do theory.Skip <- FactOnUnixAttribute().Skip
