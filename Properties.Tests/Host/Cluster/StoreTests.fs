namespace Pipeline.Properties.Host

open System
open System.Collections.Concurrent
open System.Linq
open System.Net
open System.Threading
open System.Threading.Tasks
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Orleans
open Orleans.Configuration
open Orleans.Hosting
open Orleans.Messaging
open Orleans.Runtime
open Orleans.Storage
open Pipeline.Cluster
open Xunit

// The states of grains may be null to the compiler, and never are.
#nowarn "3261"

/// One server of each kind, started when it is needed.
type StoreServers() =
    let servers = ConcurrentDictionary<string, Lazy<StoreServer>>()

    /// A store without content.
    member _.Fresh(kind: string) : ClusterStore =
        servers.GetOrAdd(kind, (fun kind -> lazy (StoreServer.start kind))).Value.Fresh()
        |> ClusterStore.Of

    interface IDisposable with
        member _.Dispose() =
            for server in servers.Values do
                (server.Value :> IDisposable).Dispose()

/// What Orleans asks of the list of members and of the storage of grains, of each store.
type StoreTests(servers: StoreServers) =
    static let mutable generation = 0
    static let stop = CancellationToken.None

    static let build (configure: HostApplicationBuilder -> unit) : IServiceProvider =
        let builder = Host.CreateEmptyApplicationBuilder(HostApplicationBuilderSettings())
        configure builder
        builder.Build().Services

    static let asMember (store: ClusterStore) =
        build (fun builder ->
            builder.UseOrleans(fun silo ->
                store.AddTo silo
                ClusterNetwork.AddTo(silo, IPAddress.Loopback, 1, 2))
            |> ignore)

    /// The list of members.
    static let membersOf (store: ClusterStore) : IMembershipTable =
        let members = (asMember store).GetRequiredService<IMembershipTable>()
        members.InitializeMembershipTableAsync(true, stop).Wait()
        members

    /// The storage of grains, begun as a silo begins it.
    static let statesOf (store: ClusterStore) : IGrainStorage =
        let states =
            (asMember store).GetRequiredKeyedService<IGrainStorage> ClusterStore.Name

        match states with
        | :? ILifecycleParticipant<ISiloLifecycle> as participant ->
            participant.Participate
                {
                    new ISiloLifecycle with
                        member _.HighestCompletedStage = 0
                        member _.LowestStoppedStage = 0

                        member _.Subscribe(_, _, observer) =
                            observer.OnStart(CancellationToken.None).Wait()
                            null
                }
        | _ -> ()

        states

    /// The time in whole seconds.
    static let now () =
        DateTime(
            DateTime.UtcNow.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond,
            DateTimeKind.Utc
        )

    static let silo () =
        SiloAddress.New(IPAddress.Loopback, 12345, Interlocked.Increment &generation)

    static let entry (status: SiloStatus) =
        MembershipEntry(
            SiloAddress = silo (),
            HostName = "host",
            SiloName = "name",
            Status = status,
            ProxyPort = 12346,
            StartTime = now (),
            IAmAliveTime = now ()
        )

    static let next (members: IMembershipTable) =
        members.ReadAllAsync(stop).Result.Version.Next()

    static let insert (members: IMembershipTable) (entry: MembershipEntry) =
        Assert.True(members.InsertRowAsync(entry, next members, stop).Result)

    static let entryOf (row: Tuple<MembershipEntry, string>) = fst row
    static let tagOf (row: Tuple<MembershipEntry, string>) = snd row

    static let only (members: IMembershipTable) =
        Assert.Single(members.ReadAllAsync(stop).Result.Members)

    static let id (key: string) = GrainId.Create("test", key)

    static let stateOf (bytes: byte[]) (tag: string) =
        GrainState<ArchivePart>(ArchivePart(Bytes = bytes), ETag = tag)

    static let read (states: IGrainStorage) (key: string) =
        let state = GrainState<ArchivePart>()
        states.ReadStateAsync("part", id key, state).Wait()
        state

    static let write (states: IGrainStorage) (key: string) (bytes: byte[]) (tag: string) : string =
        let state = stateOf bytes tag
        states.WriteStateAsync("part", id key, state).GetAwaiter().GetResult()
        Assert.True state.RecordExists
        state.ETag

    static let conflicts (act: unit -> Task) =
        Assert.Throws<InconsistentStateException>(fun () -> act().GetAwaiter().GetResult())
        |> ignore

    interface IClassFixture<StoreServers>

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``a member is inserted once, and only with the version that was read``(kind: string) =
        let members = membersOf (servers.Fresh kind)
        let empty = members.ReadAllAsync(stop).Result
        Assert.Empty empty.Members
        Assert.Equal(0, empty.Version.Version)
        let version = empty.Version.Next()
        let first = entry SiloStatus.Joining
        Assert.True(members.InsertRowAsync(first, version, stop).Result)

        Assert.False(
            members.InsertRowAsync(first, version, stop).Result,
            "the same one with an old version"
        )

        Assert.False(
            members.InsertRowAsync(entry SiloStatus.Joining, version, stop).Result,
            "an old version"
        )

        Assert.False(members.InsertRowAsync(first, next members, stop).Result, "the same one")
        let read = members.ReadAllAsync(stop).Result
        Assert.Equal(1, read.Version.Version)
        Assert.NotEqual<string>(version.VersionEtag, read.Version.VersionEtag)
        Assert.Single read.Members |> ignore
        let row = members.ReadRowAsync(first.SiloAddress, stop).Result
        Assert.Equal(read.Version, row.Version)
        Assert.Equal(first.ToFullString(), entryOf(Assert.Single row.Members).ToFullString())
        let none = members.ReadRowAsync(silo (), stop).Result
        Assert.Empty none.Members
        Assert.Equal(read.Version, none.Version)

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``a member is updated only with the version that was read, and is then as it was written``
        (kind: string)
        =
        let members = membersOf (servers.Fresh kind)

        for count in 1..5 do
            let each = entry SiloStatus.Active

            each.SuspectTimes <-
                [ 1.0; 2.0 ]
                    .Select(fun seconds -> Tuple.Create(silo (), now().AddSeconds seconds))
                    .ToList()

            let old = next members
            Assert.True(members.InsertRowAsync(each, old, stop).Result)

            let tag () =
                tagOf (members.ReadAllAsync(stop).Result.TryGet each.SiloAddress)

            let before = tag ()
            Assert.False(members.UpdateRowAsync(each, before, old, stop).Result, "an old version")
            each.Status <- SiloStatus.Dead
            let version = next members
            Assert.True(members.UpdateRowAsync(each, before, version, stop).Result)

            Assert.False(
                members.UpdateRowAsync(each, before, version, stop).Result,
                "an old tag and version"
            )

            let after = tag ()
            Assert.NotEqual<string>(before, after)

            Assert.False(
                members.UpdateRowAsync(each, after, version, stop).Result,
                "an old version"
            )

            let read = members.ReadAllAsync(stop).Result
            Assert.Equal(2 * count, read.Version.Version)
            Assert.Equal(count, read.Members.Count)
            Assert.Equal(each.ToFullString(), entryOf(read.TryGet each.SiloAddress).ToFullString())

    // Redis does not compare the tags of rows: each change of a row changes the version too.
    [<FactWithPostgres>]
    member _.``a member that is not there or was changed is not updated, and the version stays``() =
        let members = membersOf (servers.Fresh "postgres")
        let each = entry SiloStatus.Active
        insert members each
        let old = tagOf (only members)
        insert members (entry SiloStatus.Active)
        Assert.True(members.UpdateRowAsync(each, old, next members, stop).Result)
        let version = members.ReadAllAsync(stop).Result.Version
        Assert.False(members.UpdateRowAsync(each, old, next members, stop).Result)

        Assert.False(
            members.UpdateRowAsync(entry SiloStatus.Active, old, next members, stop).Result
        )

        Assert.Equal(version, members.ReadAllAsync(stop).Result.Version)

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``of changes at the same time with one version, one is made``(kind: string) =
        let members = membersOf (servers.Fresh kind)
        let version = next members

        let wins (changes: Task<bool> seq) =
            Task.WhenAll(changes).Result |> Array.filter (fun won -> won) |> Array.length

        Assert.Equal(
            1,
            wins [
                for _ in 1..20 ->
                    let each = entry SiloStatus.Active
                    Task.Run<bool>(fun () -> members.InsertRowAsync(each, version, stop))
            ]
        )

        let each = entryOf (only members)

        let update () = task {
            let mutable isDone = false

            while not isDone do
                let! read = members.ReadAllAsync(stop)
                let row = read.TryGet each.SiloAddress
                let! won = members.UpdateRowAsync(entryOf row, tagOf row, read.Version.Next(), stop)
                isDone <- won

            return true
        }

        Assert.Equal(10, wins [ for _ in 1..10 -> Task.Run<bool> update ])
        Assert.Equal(11, members.ReadAllAsync(stop).Result.Version.Version)

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``a time changes nothing but the time``(kind: string) =
        let members = membersOf (servers.Fresh kind)
        let each = entry SiloStatus.Active
        insert members each
        let before = members.ReadAllAsync(stop).Result
        let time = now().AddSeconds 5.0

        members
            .UpdateIAmAliveAsync(
                MembershipEntry(SiloAddress = each.SiloAddress, IAmAliveTime = time),
                stop
            )
            .Wait()

        let after = members.ReadAllAsync(stop).Result
        Assert.Equal(before.Version, after.Version)
        Assert.Equal(tagOf before.Members[0], tagOf after.Members[0])
        each.IAmAliveTime <- time
        Assert.Equal(each.ToFullString(), entryOf(after.Members[0]).ToFullString())

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``members that have been dead for long are removed, and all of them on demand``
        (kind: string)
        =
        let members = membersOf (servers.Fresh kind)
        let old = now().AddDays -10.0

        let add (status: SiloStatus) (started: DateTime) (alive: DateTime) (suspected: DateTime) =
            let each = entry status
            each.StartTime <- started
            each.IAmAliveTime <- alive
            each.AddSuspector(silo (), suspected)
            insert members each
            each.SiloAddress

        let kept = [
            for status in Enum.GetValues<SiloStatus>() do
                if status <> SiloStatus.Dead then
                    add status old old old

            add SiloStatus.Dead (now ()) old old
            add SiloStatus.Dead old (now ()) old
            add SiloStatus.Dead old old (now ())
        ]

        add SiloStatus.Dead old old old |> ignore
        let version = members.ReadAllAsync(stop).Result.Version
        members.CleanupDefunctSiloEntriesAsync(DateTimeOffset.UtcNow.AddDays -3.0, stop).Wait()
        let left = members.ReadAllAsync(stop).Result
        Assert.Equal(version, left.Version)

        Assert.Equal<string>(
            set [ for silo in kept -> $"{silo}" ],
            set [ for row in left.Members -> $"{(entryOf row).SiloAddress}" ]
        )

        members.DeleteMembershipTableEntriesAsync("pipeline", stop).Wait()
        members.InitializeMembershipTableAsync(true, stop).Wait()
        Assert.Empty(members.ReadAllAsync(stop).Result.Members)

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``a client may ask members that work and have a port for clients``(kind: string) =
        let store = servers.Fresh kind
        let members = membersOf store
        let asked = entry SiloStatus.Active
        let silent = entry SiloStatus.Active
        silent.ProxyPort <- 0

        for each in [ asked; silent; entry SiloStatus.Joining; entry SiloStatus.Dead ] do
            insert members each

        let client =
            build (fun builder ->
                builder.UseOrleansClient(fun client ->
                    store.AddTo client
                    ClusterNetwork.AddTo client)
                |> ignore)

        let gateways = client.GetRequiredService<IGatewayListProvider>()
        gateways.InitializeGatewayListProvider().Wait()
        let found = Assert.Single(gateways.GetGateways().Result)
        Assert.Equal($"gwy.tcp://127.0.0.1:12346/{asked.SiloAddress.Generation}", $"{found}")

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``a state is written and cleared only with the tag that was read``(kind: string) =
        let states = statesOf (servers.Fresh kind)
        let empty = read states "one"
        Assert.False empty.RecordExists
        Assert.Null empty.ETag
        Assert.Empty empty.State.Bytes
        let first = write states "one" [| 1uy |] null
        conflicts (fun () -> states.WriteStateAsync("part", id "one", stateOf [| 2uy |] null))
        conflicts (fun () -> states.ClearStateAsync("part", id "one", stateOf [| 2uy |] null))
        Assert.Equal<byte>([| 1uy |], (read states "one").State.Bytes)
        Assert.Equal(first, (read states "one").ETag)
        let second = write states "one" [| 3uy |] first
        Assert.NotEqual<string>(first, second)
        conflicts (fun () -> states.WriteStateAsync("part", id "one", stateOf [| 2uy |] first))
        conflicts (fun () -> states.ClearStateAsync("part", id "one", stateOf [| 2uy |] first))
        // Others have other names.
        write states "two" [| 4uy |] null |> ignore

        Assert.False(
            let state = GrainState<ArchivePart>()
            states.ReadStateAsync("other", id "one", state).Wait()
            state.RecordExists
        )

        let cleared = stateOf [| 3uy |] second
        states.ClearStateAsync("part", id "one", cleared).Wait()
        Assert.Null cleared.ETag
        Assert.False cleared.RecordExists
        Assert.Empty cleared.State.Bytes
        Assert.False((read states "one").RecordExists)
        conflicts (fun () -> states.WriteStateAsync("part", id "one", stateOf [| 2uy |] second))
        conflicts (fun () -> states.ClearStateAsync("part", id "one", stateOf [| 2uy |] second))
        states.ClearStateAsync("part", id "one", cleared).Wait()
        write states "one" [| 5uy |] null |> ignore
        Assert.Equal<byte>([| 4uy |], (read states "two").State.Bytes)

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``of writes at the same time with one tag, one is made``(kind: string) =
        let states = statesOf (servers.Fresh kind)

        let race (tag: string) =
            let writers = [|
                for writer in 1uy .. 16uy ->
                    Task.Run<byte option>(fun () -> task {
                        let state = stateOf [| writer |] tag

                        try
                            do! states.WriteStateAsync("part", id "one", state)
                            return Some writer
                        with :? InconsistentStateException ->
                            return None
                    })
            |]

            let winner =
                Assert.Single(Task.WhenAll(writers).Result |> Array.choose (fun each -> each))

            let left = read states "one"
            Assert.Equal<byte>([| winner |], left.State.Bytes)
            left.ETag

        let mutable tag = null

        for _ in 1..5 do
            tag <- race tag

    [<Theory; WithStore "redis"; WithStore "postgres">]
    member _.``the longest part of an archive comes back as it was``(kind: string) =
        let states = statesOf (servers.Fresh kind)
        let bytes = Array.zeroCreate<byte> ArchiveParts.Longest
        Random(1).NextBytes bytes
        write states "long" bytes null |> ignore

        Assert.True(
            ReadOnlySpan(bytes).SequenceEqual(ReadOnlySpan((read states "long").State.Bytes))
        )
