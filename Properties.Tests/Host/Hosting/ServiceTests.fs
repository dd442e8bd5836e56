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

/// What the service tells those who watch it: metrics, traces, health, logs, systemd.
module ServiceTests =
    let private services (settings: (string * string) list) =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        (ServiceRegistration.CreateTrainingBuilder(CommandLineSettings values).Build()).Services

    let private freePort () =
        let listener = new TcpListener(IPAddress.Loopback, 0)
        listener.Start()
        let port = (listener.LocalEndpoint :?> IPEndPoint).Port
        listener.Stop()
        port

    let private waitUntil (what: string) (condition: unit -> bool) =
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes 1.0), what)

    [<Fact>]
    let ``the instruments tell of steps, samples, evaluations and checkpoints`` () =
        let services = services []
        let metrics = services.GetRequiredService<TrainingMetrics>()
        let factory = services.GetRequiredService<IMeterFactory>()

        let stepped (figures: StepFigures) = metrics.Stepped &figures

        let seen = Dictionary<string, List<float>>()
        use listener = new MeterListener()

        let record
            (instrument: Instrument)
            (value: float)
            (tags: KeyValuePair<string, obj | null>[])
            =
            let tag = tags |> Array.map (fun tag -> $" {tag.Value}") |> String.concat ""
            let name = instrument.Name + tag

            if not (seen.ContainsKey name) then
                seen[name] <- List()

            seen[name].Add value

        listener.InstrumentPublished <-
            fun instrument listener ->
                // Other tests of the same process have meters of that name.
                if
                    instrument.Meter.Name = "Pipeline.Training"
                    && obj.ReferenceEquals(instrument.Meter.Scope, factory)
                then
                    Assert.StartsWith("pipeline.training.", instrument.Name)
                    Assert.False(String.IsNullOrEmpty instrument.Unit)
                    Assert.False(String.IsNullOrEmpty instrument.Description)
                    listener.EnableMeasurementEvents instrument

        listener.SetMeasurementEventCallback<int64>(fun instrument value tags _ ->
            record instrument (float value) (tags.ToArray()))

        listener.SetMeasurementEventCallback<float>(fun instrument value tags _ ->
            record instrument value (tags.ToArray()))

        listener.Start()
        // A run that goes on after ten seconds of training.
        metrics.Start(TimeSpan.FromSeconds 10.0)
        stepped (StepFigures(8L, 1L, 100, 0.7, 0.1, 10.5))
        stepped (StepFigures(9L, 1L, 50, 0.6, 0.1, 10.75))
        let score = { Loss = 0.5; Accuracy = 0.9 }
        let other = { Loss = 0.6; Accuracy = 0.8 }
        metrics.Evaluated(EpochFigures(2L, 9L, score, other, Nullable(), 10.75))
        metrics.CheckpointSaved(TimeSpan.FromSeconds 0.25, 1234L)
        metrics.CheckpointFailed()
        metrics.DataRefused()
        metrics.ModelPublished()
        metrics.ModelRejected()
        let model = PublicationRecord("run", 7L, 0.25, 0.75, "run")
        metrics.ObserveModel((fun () -> Nullable 90.0), (fun () -> model))
        listener.RecordObservableInstruments()

        for name, values in
            [
                "pipeline.training.data.refusals", [ 1.0 ]
                "pipeline.training.models.published", [ 1.0 ]
                "pipeline.training.models.rejected", [ 1.0 ]
                "pipeline.training.model.age", [ 90.0 ]
                "pipeline.training.model.loss", [ 0.25 ]
                "pipeline.training.model.accuracy", [ 0.75 ]
                "pipeline.training.iterations", [ 1.0; 1.0 ]
                "pipeline.training.samples", [ 100.0; 50.0 ]
                "pipeline.training.step.duration", [ 0.5; 0.25 ]
                "pipeline.training.loss", [ 0.7; 0.6 ]
                "pipeline.training.learning_rate", [ 0.1; 0.1 ]
                "pipeline.training.throughput", [ 200.0 ]
                "pipeline.training.evaluation.loss train", [ 0.5 ]
                "pipeline.training.evaluation.accuracy test", [ 0.8 ]
                "pipeline.training.checkpoint.duration", [ 0.25 ]
                "pipeline.training.checkpoint.size", [ 1234.0 ]
                "pipeline.training.checkpoint.failures", [ 1.0 ]
            ] do
            Assert.Equal<float>(values, seen[name])

    [<Fact>]
    let ``metrics and traces go to a collector where the settings say so`` () =
        use scratch = new Scratch()
        let port = freePort ()
        use collector = new HttpListener()
        collector.Prefixes.Add $"http://localhost:{port}/"
        collector.Start()
        let got = Dictionary<string, string>()

        let rec serve () = task {
            try
                let! context = collector.GetContextAsync()
                use body = new MemoryStream()
                do! context.Request.InputStream.CopyToAsync body
                let path = (nonNull context.Request.Url).AbsolutePath

                lock got (fun () ->
                    got[path] <-
                        got.GetValueOrDefault(path, "") + Encoding.Latin1.GetString(body.ToArray()))

                context.Response.Close()
                return! serve ()
            with
            | :? HttpListenerException
            | :? ObjectDisposedException -> return ()
        }

        let serving = serve ()

        let ended =
            Given.options scratch [ "Telemetry:Exporter", "Otlp"; "Run:CheckpointEvery", "50" ]
            |> Given.startWith [
                "OTEL_EXPORTER_OTLP_ENDPOINT", $"http://localhost:{port}"
                "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
            ]
            |> Given.finish

        Assert.True((ended.ExitCode = 0), ended.Errors)
        Assert.DoesNotContain("OpenTelemetry", ended.Errors)
        collector.Stop()
        serving.Wait()

        for name in
            [
                "pipeline.training.iterations"
                "pipeline.training.step.duration"
                "pipeline.training.checkpoint.size"
                "dotnet.gc."
            ] do
            Assert.Contains(name, got["/v1/metrics"])

        for name in [ "load"; "epoch"; "evaluate"; "checkpoint" ] do
            Assert.Contains(name, got["/v1/traces"])

    [<Theory>]
    [<InlineData("http/protobuf", "http://localhost:1", "localhost:1")>]
    [<InlineData("grpc", "http://localhost:1", "localhost:1")>]
    [<InlineData("grpc", "nonsense", "OTEL_EXPORTER_OTLP_ENDPOINT")>]
    let ``a collector that cannot be reached is logged once, and costs the run nothing``
        (protocol: string)
        (endpoint: string)
        (named: string)
        =
        use scratch = new Scratch()

        let ended =
            Given.options scratch [ "Telemetry:Exporter", "Otlp" ]
            |> Given.startWith [
                "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint
                "OTEL_EXPORTER_OTLP_PROTOCOL", protocol
                "OTEL_METRIC_EXPORT_INTERVAL", "50"
                "OTEL_BSP_SCHEDULE_DELAY", "50"
            ]
            |> Given.finish

        Assert.True((ended.ExitCode = 0), ended.Errors)

        let told =
            ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            |> Array.filter _.Contains("TelemetryFaults")

        Assert.Contains(told, fun line -> line.Contains named)
        Assert.True(told.Length <= 3, ended.Errors)
        Assert.DoesNotContain("   at ", ended.Errors)

    [<Fact>]
    let ``or to the console`` () =
        use scratch = new Scratch()
        let ended = Given.host (Given.options scratch [ "Telemetry:Exporter", "Console" ])
        Assert.Equal(0, ended.ExitCode)
        Assert.Contains("pipeline.training.iterations", ended.Output)
        Assert.Contains("evaluate", ended.Output)

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
    let ``an address that is none, or another machine's, is refused`` () =
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

    [<Fact>]
    let ``where there is no terminal, a line tells now and then how fast it goes and what is left``
        ()
        =
        let clock = StandingClock()
        use said = new StringWriter(NewLine = "\n")
        let settings = AnsiConsoleSettings(Interactive = InteractionSupport.No)
        let console = AnsiConsole.Create settings
        let report = ConsoleReport(console, said, TextWriter.Null, clock)

        let step (iteration: int64) (seconds: float) =
            clock.Move(TimeSpan.FromSeconds seconds)
            let figures = StepFigures(iteration, 0L, 10, 0.25, 0.1, 1.0)
            report.Stepped &figures

        // A run of 5000 iterations that goes on from the thousandth.
        report
            .TrackAsync(
                1000L,
                5000L,
                fun () ->
                    step 1001L 1.0
                    step 1100L 13.0
                    step 1200L 6.0
                    step 1201L 1.0
                    // An epoch has a line of its own.
                    clock.Move(TimeSpan.FromSeconds 14.0)
                    let score = { Loss = 0.5; Accuracy = 0.9 }
                    report.Evaluated(EpochFigures(2L, 1201L, score, score, Nullable(), 10.0))
                    step 1202L 14.0
                    step 1203L 6.0
                    Threading.Tasks.Task.FromResult 0
            )
            .Wait()

        Assert.Equal<string>(
            [
                "iteration 1200 of 5000 | loss: 0.2500 (10 a second), 0:06:20 left"
                "epoch 2 | train acc: 0.9000, test acc: 0.9000"
                "iteration 1203 of 5000 | loss: 0.2500 (10.0 s each), 10:32:50 left"
            ],
            said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)
        )

    [<Fact>]
    let ``a message of the log is a line with its date, time and zone`` () =
        use scratch = new Scratch()
        let ended = Given.host (Given.options scratch [])

        Assert.All(
            ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            fun line ->
                Assert.Matches(
                    @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d (info|warn): Pipeline\.",
                    line
                )
        )

    [<Fact>]
    let ``logs are JSON where logging is told so`` () =
        use scratch = new Scratch()

        let ended =
            Given.options scratch []
            |> Given.startWith [ "Logging__Console__FormatterName", "json" ]
            |> Given.finish

        // Everything that a run reports is an event, so that both streams together are JSON.
        Assert.Equal("", ended.Output)

        let events =
            ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            |> Array.map (fun line -> JsonDocument.Parse(line).RootElement)

        for event in events do
            let time = event.GetProperty("Timestamp").GetDateTimeOffset()
            Assert.Equal(TimeSpan.Zero, time.Offset)
            Assert.True((DateTimeOffset.UtcNow - time).Duration() < TimeSpan.FromMinutes 10.0)

        let numbered number =
            events
            |> Array.filter (fun event -> event.GetProperty("EventId").GetInt32() = number)
            |> Array.map _.GetProperty("State")

        Assert.Single(numbered 4) |> ignore

        // The last is of the network that is kept.
        Assert.Equal<int>(
            [ 0..13 ] @ [ 13 ],
            numbered 3 |> Array.map _.GetProperty("Epoch").GetInt32()
        )

        let accuracy = (Array.last (numbered 3)).GetProperty("TestAccuracy").GetDouble()
        let final = (Told.summary scratch).GetProperty("final_test_accuracy").GetDouble()
        Assert.Equal(final, accuracy)

        let refused =
            Given.options scratch []
            |> Given.startWith [ "Logging__Console__FormatterName", "yaml" ]
            |> Given.finish

        Assert.Equal(2, refused.ExitCode)
        Assert.Contains("expected one of simple, json, systemd, found 'yaml'", refused.Errors)

    [<Fact>]
    let ``JSON has the figures of runs that predict numbers, and of those that diverge`` () =
        for settings, event, code in
            [
                [ "Model:Head", "Identity"; "Training:LearningRate", "0.01" ], 25, 0
                [ "Model:Activation", "Identity"; "Training:LearningRate", "1e30" ], 3, 3
            ] do
            use scratch = new Scratch()
            let rows = scratch.Sub "rows.csv"
            File.WriteAllLines(rows, [ for i in 0..79 -> $"{i % 7},{i % 5},{i % 3}" ])

            let ended =
                Given.options scratch (("Data:Train", rows) :: settings)
                |> List.filter (fun option -> not (option.StartsWith "--Data:Directory"))
                |> Given.startWith [ "Logging__Console__FormatterName", "json" ]
                |> Given.finish

            Assert.True((ended.ExitCode = code), ended.Errors)

            let events =
                ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                |> Array.map (fun line ->
                    JsonDocument.Parse(line).RootElement.GetProperty("EventId").GetInt32())

            Assert.Contains(event, events)

    /// The program's log messages, with their attributes.
    let private messages: (Reflection.MethodInfo * LoggerMessageAttribute) list = [
        for kind in typeof<RunConfiguration>.Assembly.GetTypes() do
            for message in
                kind.GetMethods(
                    Reflection.BindingFlags.Static
                    ||| Reflection.BindingFlags.Public
                    ||| Reflection.BindingFlags.NonPublic
                ) do
                for attribute in message.GetCustomAttributes(typeof<LoggerMessageAttribute>, false) do
                    message, (attribute :?> LoggerMessageAttribute)
    ]

    [<Fact>]
    let ``no message has a place that may be empty`` () =
        let nullability = Reflection.NullabilityInfoContext()

        for message, _ in messages do
            for place in message.GetParameters() do
                Assert.False(
                    nullability.Create(place).WriteState = Reflection.NullabilityState.Nullable,
                    $"{message.Name}: {place.Name}"
                )

    /// The service as systemd starts it, and a wait for the next thing that it tells systemd: nothing where
    /// it tells none for three seconds.
    let private underSystemd
        (settings: (string * string) list)
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
        let options = Given.options scratch settings
        let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

        let command =
            $"""dotnet {program} {String.Join(" ", options)} & echo $!; wait $!; exit $?"""

        let info =
            ProcessStartInfo(
                systemd,
                [ "-c"; command ],
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

    [<FactOnLinux>]
    let ``systemd is told that the service is ready, alive and stopping`` () =
        underSystemd [ "Training:Iterations", "20000000" ] (fun pid next started ->
            Assert.Equal("WATCHDOG=1", next ())
            Assert.Equal("WATCHDOG=1", next ())
            Process.Start("kill", [ "-TERM"; pid ]).WaitForExit()
            let mutable last = next ()

            while last = "WATCHDOG=1" do
                last <- next ()

            Assert.Equal("STOPPING=1", last)
            Assert.Equal(143, (Given.finish started).ExitCode))

    [<FactOnLinux>]
    let ``systemd is told nothing once nothing advances`` () =
        // Its first step takes half a minute.
        underSystemd
            [
                "Model:Hidden", "300,300"
                "Training:Gradient", "Numerical"
                "Training:Precision", "Double"
                "Health:StalledAfter", "0.5"
            ]
            (fun _ next _ ->
                let mutable last = next ()

                while last = "WATCHDOG=1" do
                    last <- next ()

                Assert.Equal("nothing", last))

    [<Fact>]
    let ``every message has a number of its own`` () =
        let numbers = messages |> List.map (fun (_, attribute) -> attribute.EventId)

        Assert.True(numbers.Length > 15)
        Assert.Equal<int>(List.distinct numbers, numbers)
