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

/// The health checks over HTTP.
module HealthTests =
    open ServiceParts

    let private status (port: int) (check: string) =
        use client = new HttpClient(Timeout = TimeSpan.FromSeconds 5.0)

        try
            int (client.GetAsync($"http://localhost:{port}/health/{check}").Result.StatusCode)
        with :? AggregateException ->
            0

    [<Fact>]
    let ``ready is said once the data are loaded, live while something advances`` () =
        let port = freePort ()

        let plan =
            (services [ "Health:Port", $"{port}" ]).GetRequiredService<RunConfiguration>()

        let clock = StandingClock()
        let pulse = Liveness(plan, clock)
        let server = HealthServer(plan, pulse)
        server.StartAsync(CancellationToken.None).Wait()

        try
            Assert.Equal((200, 503), (status port "live", status port "ready"))
            pulse.Ready()
            Assert.Equal((200, 200), (status port "live", status port "ready"))
            clock.Move(TimeSpan.FromSeconds 299.0)
            Assert.Equal(200, status port "live")
            clock.Move(TimeSpan.FromSeconds 2.0)
            Assert.Equal((503, 200), (status port "live", status port "ready"))
            pulse.Beat()
            Assert.Equal(200, status port "live")
            Assert.Equal(404, status port "other")
        finally
            server.StopAsync(CancellationToken.None).Wait()

        Assert.Equal(0, status port "live")

    let private body (port: int) (check: string) =
        use client = new HttpClient(Timeout = TimeSpan.FromSeconds 5.0)
        let response = client.GetAsync($"http://localhost:{port}/health/{check}").Result
        int response.StatusCode, response.Content.ReadAsStringAsync().Result

    [<Fact>]
    let ``data that are refused make a service with a model degraded, and one without not ready``
        ()
        =
        let port = freePort ()

        let plan =
            (services [ "Health:Port", $"{port}" ]).GetRequiredService<RunConfiguration>()

        let pulse = Liveness(plan, StandingClock())
        let server = HealthServer(plan, pulse)
        server.StartAsync(CancellationToken.None).Wait()

        try
            Assert.Equal((503, "Unhealthy: the data are not loaded yet"), body port "ready")

            let said =
                "the data have been refused since 2030-01-01T00:00:00Z: rows.csv: expected"

            pulse.Refused [ "rows.csv: expected\nthis"; "and that" ]
            Assert.Equal((503, $"Unhealthy: {said} this"), body port "ready")
            pulse.Ready()
            Assert.Equal((200, "Healthy"), body port "ready")
            pulse.Refused [ "rows.csv: expected\027that" ]
            Assert.Equal((200, $"Degraded: {said} that"), body port "ready")
            Assert.Equal((200, "Healthy"), body port "live")
            pulse.Ready()
            Assert.Equal((200, "Healthy"), body port "ready")
        finally
            server.StopAsync(CancellationToken.None).Wait()

    [<Theory>]
    [<InlineData("localhost", true)>]
    [<InlineData("127.0.0.1", true)>]
    [<InlineData("0.0.0.0", false)>]
    let ``health is answered on the address that is set alone, and unless set on loopback``
        (address: string)
        (isLoopback: bool)
        =
        let port = freePort ()

        let settings =
            [ "Health:Port", $"{port}" ]
            @ (if address = "localhost" then
                   []
               else
                   [ "Health:Address", address ])

        let plan = (services settings).GetRequiredService<RunConfiguration>()
        let server = HealthServer(plan, Liveness(plan, TimeProvider.System))
        server.StartAsync(CancellationToken.None).Wait()

        try
            let heard =
                NetworkInformation.IPGlobalProperties
                    .GetIPGlobalProperties()
                    .GetActiveTcpListeners()
                |> Array.filter (fun listener -> listener.Port = port)
                |> Array.map _.Address

            Assert.NotEmpty heard
            Assert.All(heard, fun heard -> Assert.Equal(isLoopback, IPAddress.IsLoopback heard))
        finally
            server.StopAsync(CancellationToken.None).Wait()

    [<Fact>]
    let ``an invalid address, or one of another machine, is refused`` () =
        for address, says in
            [
                "1", "expected localhost or an IP address, found '1'"
                "010.0.0.1", "expected localhost or an IP address"
                "example.org", "expected localhost or an IP address"
                "127.0.0.1:80", "expected localhost or an IP address"
            ] do
            let refused =
                Assert.Throws<RefusedException>(fun () ->
                    services [ "Health:Address", address ] |> ignore)

            Assert.StartsWith($"Health:Address: {says}", Assert.Single refused.Reasons)

        use scratch = new Scratch()
        // Of a range that is kept for documentation.
        let options =
            Given.options scratch [ "Health:Port", $"{freePort ()}"; "Health:Address", "192.0.2.1" ]

        let ended = Given.host options
        Assert.Equal(2, ended.ExitCode)

        Assert.Equal(
            "Health:Address: expected an address of this machine, found 192.0.2.1.",
            ended.Errors.Trim()
        )

        Assert.Empty(Given.runs scratch)

    [<Fact>]
    let ``the service answers while it trains, and refuses a port that is taken with code 2`` () =
        use scratch = new Scratch()
        let port = freePort ()

        let options =
            Given.options scratch [ "Training:Iterations", "20000000"; "Health:Port", $"{port}" ]

        let started = Given.start options

        try
            waitUntil "the service was not ready" (fun () -> status port "ready" = 200)
            Assert.Equal(200, status port "live")
            let second = Given.host options
            Assert.Equal(2, second.ExitCode)

            Assert.StartsWith(
                $"Health:Port: expected a free port that this user may open, found {port}",
                Assert.Single(second.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            )
        finally
            started.Kill()
            Given.finish started |> ignore
