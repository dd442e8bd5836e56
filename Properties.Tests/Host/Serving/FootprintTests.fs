namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO

open System.Text
open Xunit

/// What serving and clusters cost those that do neither: nothing.
module FootprintTests =
    /// The assemblies that the runtime says it has loaded for a command.
    let private loaded (arguments: string list) : string -> bool =
        use scratch = new Scratch()
        let trace = scratch.Sub "trace.nettrace"

        let info =
            ProcessStartInfo(
                "dotnet",
                Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll") :: arguments,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        info.Environment["DOTNET_EnableEventPipe"] <- "1"
        // The events of the loader.
        info.Environment["DOTNET_EventPipeConfig"] <- "Microsoft-Windows-DotNETRuntime:8:4"
        info.Environment["DOTNET_EventPipeOutputPath"] <- trace
        Process.Start info |> nonNull |> Given.finish |> ignore
        let bytes = File.ReadAllBytes trace

        fun name ->
            bytes.AsSpan().IndexOf(ReadOnlySpan(Encoding.Unicode.GetBytes(name + ", Version")))
            >= 0

    [<Fact>]
    let ``help and training load nothing that serves, and nothing of a cluster`` () =
        use scratch = new Scratch()

        let sweep =
            SweepTests.planWith [ "trials", "1"; "rungs", "" ]
            |> SweepTests.write scratch
            |> fun plan -> SweepTests.arguments scratch "runs" plan []

        for arguments in
            [
                [ "--help" ]
                [ "serve"; "--help" ]
                [ "worker"; "--help" ]
                "train" :: Given.options scratch []
                sweep
                [ "sweep"; "status"; scratch.Sub "none" ]
            ] do
            let isLoaded = loaded arguments
            Assert.True(isLoaded "System.CommandLine")
            Assert.True(isLoaded "Pipeline.Training")

            for name in
                [
                    "Pipeline.Serving"
                    "Pipeline.Web"
                    "Microsoft.AspNetCore.Server.Kestrel.Core"
                    "Microsoft.AspNetCore.Routing"
                    "Microsoft.AspNetCore.RateLimiting"
                    "Pipeline.Cluster"
                    "Orleans.Core"
                    "Orleans.Core.Abstractions"
                    "Orleans.Runtime"
                    "StackExchange.Redis"
                    "Npgsql"
                ] do
                Assert.False(isLoaded name, $"""{String.concat " " arguments} loads {name}""")

        // What is loaded is seen.
        Assert.True(loaded [ "serve"; scratch.Sub "none" ] "Pipeline.Serving")
        let redis = loaded [ "worker"; "--Cluster:Store=redis:127.0.0.1:1" ]
        Assert.True(redis "Pipeline.Cluster")
        Assert.True(redis "StackExchange.Redis")
        Assert.False(redis "Npgsql")
        let postgres = loaded [ "worker"; "--Cluster:Store=postgres:Host=127.0.0.1;Port=1" ]
        Assert.True(postgres "Npgsql")
        Assert.False(postgres "StackExchange.Redis")
