namespace Pipeline.Properties.Host

open System
open System.Collections.Concurrent
open System.Threading
open System.Threading.Tasks
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Logging.Abstractions
open Orleans
open Orleans.Configuration
open Orleans.Hosting
open Orleans.Runtime
open Orleans.Serialization
open Orleans.Storage
open Orleans.TestingHost
open Pipeline.Cluster
open Pipeline.Learning
open Pipeline.Training
open Xunit

// The states of grains may be null to the compiler, and never are.
#nowarn "3261"

/// A store that outlives the processes that use it. It keeps bytes, so that nothing is shared.
type MemoryStore() =
    let kept = ConcurrentDictionary<string, string * byte[]>()
    let gate = obj ()

    /// What it has, by name.
    member _.Kept = kept

    /// The store as a process uses it.
    member _.Open(serializer: Serializer) : IGrainStorage =
        let key (state: string) (id: GrainId) = $"{state}/{id}"

        let tagOf name : string | null =
            match kept.TryGetValue name with
            | true, (tag, _) -> tag
            | _ -> null

        let require name (expected: string | null) =
            if tagOf name <> expected then
                raise (InconsistentStateException $"{name} was written by another")

        {
            new IGrainStorage with
                member _.ReadStateAsync<'T>(name: string, id: GrainId, state: IGrainState<'T>) =
                    match kept.TryGetValue(key name id) with
                    | true, (tag, bytes) ->
                        state.State <- serializer.Deserialize<'T> bytes
                        state.ETag <- tag
                        state.RecordExists <- true
                    | _ ->
                        state.State <- Activator.CreateInstance<'T>()
                        state.ETag <- null
                        state.RecordExists <- false

                    Task.CompletedTask

                member _.WriteStateAsync<'T>(name: string, id: GrainId, state: IGrainState<'T>) =
                    let bytes = serializer.SerializeToArray state.State

                    lock gate (fun () ->
                        require (key name id) state.ETag
                        let tag = Guid.NewGuid().ToString "N"
                        kept[key name id] <- (tag, bytes)
                        state.ETag <- tag
                        state.RecordExists <- true)

                    Task.CompletedTask

                member _.ClearStateAsync<'T>(name: string, id: GrainId, state: IGrainState<'T>) =
                    lock gate (fun () ->
                        require (key name id) state.ETag
                        kept.TryRemove(key name id) |> ignore
                        state.ETag <- null
                        state.State <- Activator.CreateInstance<'T>()
                        state.RecordExists <- false)

                    Task.CompletedTask
        }

/// Silos in this process with a store.
type TestSilos(count: int) =
    let store = MemoryStore()

    let cluster =
        InProcessTestClusterBuilder(int16 count)
            .ConfigureSilo(fun _ silo ->
                silo.Services
                    .AddSingleton(TimeProvider.System)
                    .AddKeyedSingleton<IGrainStorage>(
                        ClusterStore.Name,
                        Func<IServiceProvider, obj, IGrainStorage>(fun services _ ->
                            store.Open(services.GetRequiredService<Serializer>()))
                    )
                    .Configure<ClusterMembershipOptions>(fun (members: ClusterMembershipOptions) ->
                        members.ProbeTimeout <- TimeSpan.FromMilliseconds 250.0
                        members.NumMissedProbesLimit <- 3)
                    .Configure<SiloMessagingOptions>(fun (messages: SiloMessagingOptions) ->
                        messages.ResponseTimeout <- TimeSpan.FromSeconds 5.0)
                |> ignore)
            .Build()

    do cluster.DeployAsync().GetAwaiter().GetResult()

    member _.Store = store
    member _.Cluster = cluster

    /// The cluster as its first silo sees it.
    member _.Access = ClusterAccess.Of cluster.Silos[0].ServiceProvider

    /// Calls that are repeated while silos come and go.
    member silos.Call(call: ClusterAccess -> Task<'T>) : 'T =
        let retry = Retry(TimeProvider.System, NullLogger.Instance)
        use patience = new CancellationTokenSource(TimeSpan.FromMinutes 1.0)

        retry.UntilDoneAsync(Func<Task<'T>>(fun () -> call silos.Access), patience.Token)
        |> _.GetAwaiter().GetResult()

    /// The board of a sweep.
    member silos.Board(submission: Submission) : ReadBoard =
        let view =
            silos.Call(fun access -> access.Grains.GetGrain<ISweep>(submission.Name).View "")

        ReadBoard.Of(
            submission.Name,
            SweepFile.Parse(submission.Name, submission.Plan).Plan,
            view.Board,
            0L,
            Int64.MaxValue / 2L
        )

    member silos.Begin(submission: Submission) : unit =
        Assert.Equal(
            "",
            silos.Call(fun access ->
                access.Grains.GetGrain<ISweep>(submission.Name).Begin submission)
        )

    interface IDisposable with
        member _.Dispose() =
            cluster.DisposeAsync().AsTask().GetAwaiter().GetResult()

/// A worker of one sweep on a silo.
type TestWorker
    (
        silo: IServiceProvider,
        submission: Submission,
        runner: ITrialRunner,
        slots: int,
        scratch: string
    ) =
    let ended = new CancellationTokenSource()

    let source = {
        new ISweepSource with
            member _.NamesAsync() = Task.FromResult [| submission.Name |]

            member _.JoinAsync(name, _, _) =
                Task.FromResult(JoinedSweep(name, submission.Key, runner))
    }

    let running =
        TrialWorker(
            ClusterAccess.Of silo,
            source,
            slots,
            scratch,
            TimeProvider.System,
            NullLogger.Instance
        )
            .RunAsync
            ended.Token

    /// Ends when the worker is stopped, or fails.
    member _.Running: Task = running

    member _.Stop() : unit = ended.Cancel()
