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

/// Metrics and traces.
module TelemetryTests =
    open ServiceParts

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
