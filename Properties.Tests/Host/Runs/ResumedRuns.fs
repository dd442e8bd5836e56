namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Xunit
open FsCheck
open FsCheck.FSharp
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Logging
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Spectre.Console

/// Keeps what the program's own classes log.
type LogKeeper() =
    member val Lines = List<string>()

    /// Makes it the only logger of a program.
    member keeper.Replace(logging: ILoggingBuilder) =
        logging
            .ClearProviders()
            .AddProvider(keeper)
            .AddFilter<LogKeeper>(fun category level ->
                (string category).StartsWith "Pipeline.Training"
                && level >= LogLevel.Information)
        |> ignore

    interface ILoggerProvider with
        member keeper.CreateLogger _ = keeper
        member _.Dispose() = ()

    interface ILogger with
        member _.BeginScope _ = null
        member _.IsEnabled level = level >= LogLevel.Information

        member keeper.Log(_, _, state, error, format) =
            lock keeper.Lines (fun () -> keeper.Lines.Add(format.Invoke(state, error)))

/// Calls back when a step has been made.
type private AtStep(act: int64 -> unit) =
    interface IRunObserver with
        member _.Stepped(step: inref<StepFigures>) = act step.Iteration

/// Runs in process, from the data to the run folder, without a host: stopped, resumed, or undisturbed.
module ResumedRuns =
    /// These settings as a command line gives them, once they have been judged.
    let plan (settings: (string * string) list) : CommandLineSettings =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        let given = CommandLineSettings values
        ServiceRegistration.CreateBuilder given |> ignore
        given

    /// What a run came to: its outcome, or that it was refused, and what it logged.
    type Came = {
        Outcome: Outcome
        Refusals: string list
        Logged: string list
    }

    let private runOf (host: IHost) (logger: LogKeeper) (stop: CancellationToken) : Came =
        let came outcome refusals = {
            Outcome = outcome
            Refusals = refusals
            Logged = List.ofSeq logger.Lines
        }

        try
            came (host.Services.GetRequiredService<SingleRun>().RunAsync(stop).Result) []
        with :? AggregateException as error ->
            match error.InnerException with
            | :? RefusedException as refused -> came Outcome.Refused (List.ofSeq refused.Reasons)
            | :? OperationCanceledException -> came Outcome.Interrupted []
            | other -> raise (nonNull other)

    /// One run with those files, stopped after a step if that is asked for; `told` hears each step, and
    /// `add` may put other parts in the service's places.
    let runWith
        (add: IServiceCollection -> unit)
        told
        (files: IFiles)
        (given: CommandLineSettings)
        stopAfter
        =
        use stop = new CancellationTokenSource()
        let logger = new LogKeeper()

        let watch =
            AtStep(fun iteration ->
                told iteration

                if iteration = stopAfter then
                    stop.Cancel())

        let builder = ServiceRegistration.CreateTrainingBuilder given

        builder.Services
            .AddSingleton<IFiles>(files)
            .AddSingleton<IRunObserver>(watch)
            .AddSingleton(
                ConsoleReport(
                    AnsiConsole.Console,
                    TextWriter.Null,
                    TextWriter.Null,
                    TimeProvider.System
                )
            )
        |> ignore

        logger.Replace builder.Logging
        add builder.Services
        use host = builder.Build()
        runOf host logger stop.Token

    /// The same with the service's own parts.
    let runTelling told files given stopAfter =
        runWith ignore told files given stopAfter

    let run files plan stopAfter = runTelling ignore files plan stopAfter

    let onDisk: IFiles = DiskFiles()

    let settingsIn (scratch: Scratch) (name: string) (data: string) settings =
        [
            "Data:Directory", data
            "Run:Directory", scratch.Sub name
            "Model:Hidden", "5,4"
            "Model:WeightInitStd", "0.5"
            "Training:BatchSize", "20"
            "Training:Iterations", "50"
            "Training:LearningRate", "0.1"
            "Run:CheckpointEvery", "7"
        ]
        @ settings
        |> Map.ofList
        |> Map.toList

    let folderOf (scratch: Scratch) name =
        Assert.Single(Directory.GetDirectories(scratch.Sub name))

    /// The folder of a run stopped after 30 of its 50 steps, and the settings that go on with it.
    let stopped (scratch: Scratch) settings =
        let data = Given.data scratch
        let settings = settingsIn scratch "runs" data settings
        let came = run onDisk (plan settings) 30L
        Assert.Equal(Outcome.Interrupted, came.Outcome)
        settings @ [ "Run:Resume", folderOf scratch "runs" ]

    let whole settings =
        use scratch = new Scratch()
        let settings = settingsIn scratch "runs" (Given.data scratch) settings
        Assert.Equal(Outcome.Completed, (run onDisk (plan settings) -1L).Outcome)
        Left.behind (folderOf scratch "runs")

    let set key value settings =
        settings |> List.filter (fst >> (<>) key) |> List.append [ key, value ]
