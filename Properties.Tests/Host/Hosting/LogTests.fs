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

/// Reports and log messages.
module LogTests =
    open ServiceParts

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
    let ``logs are JSON if the logging settings say so`` () =
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

    [<Fact>]
    let ``every message has a number of its own`` () =
        let numbers = messages |> List.map (fun (_, attribute) -> attribute.EventId)

        Assert.True(numbers.Length > 15)
        Assert.Equal<int>(List.distinct numbers, numbers)

    [<Fact>]
    let ``a class logs under its own name`` () =
        let definition (kind: Type) =
            if kind.IsGenericType then
                kind.GetGenericTypeDefinition()
            else
                kind

        for kind in typeof<RunConfiguration>.Assembly.GetTypes() do
            for constructor in kind.GetConstructors() do
                for parameter in constructor.GetParameters() do
                    let logger = parameter.ParameterType

                    if logger.IsGenericType && definition logger = typedefof<ILogger<_>> then
                        Assert.Equal(definition kind, definition (logger.GetGenericArguments()[0]))
