namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Diagnostics
open System.Diagnostics.Metrics
open System.IO
open System.Net
open System.Net.Http
open System.Net.Sockets
open System.Text
open System.Text.Json
open System.Threading
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Pipeline.Learning
open Microsoft.Extensions.Logging
open Pipeline.Training
open Spectre.Console
open Xunit

/// The service under systemd.
module SystemdTests =
    open ServiceParts

    /// The service as systemd starts it, and a wait for the next thing that it tells systemd: nothing where
    /// it tells none for three seconds.
    let private underSystemd
        (optionsIn: Scratch -> string list)
        (test: string -> (unit -> string) -> Process -> unit)
        =
        use scratch = new Scratch()
        let address = scratch.Sub "notify"

        use socket =
            new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)

        socket.Bind(UnixDomainSocketEndPoint address)

        let receive (wait: int) =
            socket.ReceiveTimeout <- wait
            let buffer: byte[] = Array.zeroCreate 4096

            try
                let count = socket.Receive buffer
                Encoding.UTF8.GetString(buffer, 0, count)
            with :? SocketException ->
                "nothing"

        // What a process knows systemd by is the name of its parent.
        let systemd = scratch.Sub "systemd"
        File.CreateSymbolicLink(systemd, "/bin/sh") |> ignore
        let options = optionsIn scratch
        let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

        // The program and its options are the script's arguments, so that no path is split at a space.
        let script = """dotnet "$0" "$@" & echo $!; wait $!; exit $?"""

        let info =
            ProcessStartInfo(
                systemd,
                [ "-c"; script; program; yield! options ],
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        info.Environment["NOTIFY_SOCKET"] <- address
        info.Environment["WATCHDOG_USEC"] <- "200000"
        let started = nonNull (Process.Start info)
        let pid = nonNull (started.StandardOutput.ReadLine())

        try
            let mutable first = receive 60000

            // On a busy machine it is alive for a while before it is ready.
            while first = "WATCHDOG=1" do
                first <- receive 60000

            Assert.Equal("READY=1", first)
            test pid (fun () -> receive 3000) started
        finally
            if not started.HasExited then
                Process.Start("kill", [ "-KILL"; pid ]).WaitForExit()
                Given.finish started |> ignore

    /// The service reports that it is alive; after SIGTERM it reports that it stops, and ends with an exit code.
    let private livesAndStops
        (code: int)
        (pid: string)
        (next: unit -> string)
        (started: Process)
        : unit =
        Assert.Equal("WATCHDOG=1", next ())
        Assert.Equal("WATCHDOG=1", next ())
        Process.Start("kill", [ "-TERM"; pid ]).WaitForExit()
        let mutable last = next ()

        while last = "WATCHDOG=1" do
            last <- next ()

        Assert.Equal("STOPPING=1", last)
        Assert.Equal(code, (Given.finish started).ExitCode)

    let private training (settings: (string * string) list) (scratch: Scratch) : string list =
        Given.options scratch settings |> List.ofSeq

    [<FactOnLinux>]
    let ``the service notifies systemd that it is ready, alive and stopping`` () =
        underSystemd (training [ "Training:Iterations", "20000000" ]) (livesAndStops 143)

    [<FactOnLinux>]
    let ``the service sends systemd nothing once nothing advances`` () =
        // Its first step takes half a minute.
        underSystemd
            (training [
                "Model:Hidden", "300,300"
                "Training:Gradient", "Numerical"
                "Training:Precision", "Double"
                "Health:StalledAfter", "0.5"
            ])
            (fun _ next _ ->
                let mutable last = next ()

                while last = "WATCHDOG=1" do
                    last <- next ()

                Assert.Equal("nothing", last))

    [<FactOnLinux>]
    let ``serve notifies systemd that it is ready, alive and stopping`` () =
        let serving (scratch: Scratch) =
            let path = scratch.Sub "rows.safetensors"
            Serving.write path (Serving.ofRows 1UL: Model<float32>)
            [ "serve"; path; $"--Serve:Port={freePort ()}" ]

        underSystemd serving (livesAndStops 0)
