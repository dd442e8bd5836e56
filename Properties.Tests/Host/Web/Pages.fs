namespace Pipeline.Properties.Host

open System
open System.IO
open System.Net
open System.Net.Http
open System.Text.Json.Nodes
open Microsoft.Extensions.DependencyInjection
open Pipeline.Learning
open Pipeline.Serving
open Pipeline.Training
open Pipeline.Web

/// Services with pages, as the command serve starts them.
[<RequireQualifiedAccess>]
module Pages =
    /// A service of some models and of the runs in a folder, at a port (0 for a free one), with these rules.
    let private startWithBundle
        (bundle: BitsBundle)
        (port: int)
        (access: AccessRules)
        (runs: string)
        (models: (string * string) list)
        : Service =
        let server =
            ModelServer(
                IPAddress.Loopback,
                port,
                access,
                [| for name, path in models -> struct (name, path) |]
            )

        new Service(
            server
                .StartAsync(
                    ignore,
                    (fun services ->
                        WebExtensions.AddPages(services, runs).AddSingleton bundle |> ignore),
                    (fun application -> WebExtensions.UsePages application)
                )
                .GetAwaiter()
                .GetResult()
        )

    let startAt port access runs models : Service =
        startWithBundle (BitsBundle "") port access runs models

    let private noRuns = Path.Combine(Path.GetTempPath(), "pipeline-no-runs")

    /// A service of some models with these rules, without runs.
    let startWith (access: AccessRules) (models: (string * string) list) : Service =
        startAt 0 access noRuns models

    let start (models: (string * string) list) : Service =
        startWith (AccessRules([], null)) models

    /// A service with the fixed set for browsers in a folder.
    let withBundle (folder: string) : Service =
        startWithBundle (BitsBundle folder) 0 (AccessRules([], null)) noRuns []

    /// A service of the runs in a folder.
    let ofRuns (runs: string) : Service =
        startAt 0 (AccessRules([], null)) runs []

    /// What a browser asks for when its reader follows a link.
    let visit (service: Service) (path: string) : HttpResponseMessage =
        let request = new HttpRequestMessage(HttpMethod.Get, path)

        request.Headers.TryAddWithoutValidation("Accept", "text/html,*/*;q=0.8")
        |> ignore

        service.Send request

    let text (response: HttpResponseMessage) : string =
        response.Content.ReadAsStringAsync().Result

/// Run folders that no run has made.
[<RequireQualifiedAccess>]
module Folders =
    /// A run folder with settings and empty logs; its logs.
    let create (runs: string) (name: string) (settings: PipelineSettings) : RunLogs =
        let path = Path.Combine(runs, name)
        Directory.CreateDirectory path |> ignore
        let content = JsonObject()
        content["settings"] <- SettingsJson.Of settings
        content["data_sha256"] <- JsonObject()
        File.WriteAllText(Path.Combine(path, "settings.json"), content.ToJsonString())
        let logs = RunLogs(DiskFiles(), path)
        logs.Continue null
        logs

    /// Logs a step.
    let step (logs: RunLogs) (iteration: int64) (loss: float) (seconds: float) : unit =
        let figures = StepFigures(iteration, 0L, 1, loss, 0.1, seconds)
        logs.Stepped &figures

    /// Logs an evaluation after an epoch of five iterations.
    let epoch (logs: RunLogs) (number: int64) (loss: float) (accuracy: float) : unit =
        let score: Score = { Loss = loss; Accuracy = accuracy }

        logs.Evaluated(EpochFigures(number, 5L * number, score, score, Nullable(), float number))

    /// Writes the summary of a run that ended with these figures.
    let finish (runs: string) (name: string) (outcome: string) (loss: float) (accuracy: float) =
        let summary = JsonObject()
        summary["outcome"] <- JsonValue.Create outcome
        summary["iterations"] <- JsonValue.Create 10
        summary["model_iteration"] <- JsonValue.Create 10
        summary["train_seconds"] <- JsonValue.Create 1.5
        summary["findings"] <- JsonArray(JsonValue.Create "<b>a finding</b>")

        for samples in [ "train"; "test" ] do
            summary[$"final_{samples}_loss"] <- JsonValue.Create loss
            summary[$"final_{samples}_accuracy"] <- JsonValue.Create accuracy

        File.WriteAllText(Path.Combine(runs, name, "summary.json"), summary.ToJsonString())
