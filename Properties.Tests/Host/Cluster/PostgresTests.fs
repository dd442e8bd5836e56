namespace Pipeline.Properties.Host

open System
open System.Threading.Tasks
open Pipeline.Cluster
open Pipeline.Training
open Xunit

/// A PostgreSQL server that is shared.
type SharedPostgres() =
    let server =
        lazy
            (let server = new PostgresServer()
             server.Start()
             server)

    member _.Server = server.Value

    interface IDisposable with
        member _.Dispose() =
            if server.IsValueCreated then
                (server.Value :> IDisposable).Dispose()

/// What is special to a PostgreSQL database as a store.
type PostgresTests(shared: SharedPostgres) =
    static let check (address: string) =
        ClusterStore.Of(address).CheckAsync().GetAwaiter().GetResult()

    static let prepare (address: string) =
        ClusterStore.Of(address).PrepareAsync().GetAwaiter().GetResult()

    static let prepareAtOnce (address: string) =
        Task.WhenAll([ for _ in 1..8 -> ClusterStore.Of(address).PrepareAsync() ]).Wait()

    static let refused (act: unit -> unit) =
        Assert.Single(Assert.Throws<RefusedException>(act).Reasons)

    interface IClassFixture<SharedPostgres>

    [<FactWithPostgres>]
    member _.``without its tables a database is refused with the command that creates them, which may be repeated``
        ()
        =
        use scratch = new Scratch()
        let server = shared.Server
        let database = server.Database()
        let address = server.As database "pipeline"
        let store = $"--Cluster:Store={address}"
        let words = $"postgres:127.0.0.1:%d{server.Port}/{database}"

        let plan =
            SweepTests.write scratch (SweepTests.planWith [ "trials", "1"; "rungs", "" ])

        for command in
            [
                [ "worker"; store ]
                SweepTests.arguments scratch "runs" plan [ store ]
                [ "sweep"; "status"; "digits"; store ]
            ] do
            let ended = Given.host command
            Assert.Equal(2, ended.ExitCode)

            Assert.EndsWith(
                $"Cluster:Store, {words}: expected the tables that the command worker --Cluster:Prepare true --Cluster:Store postgres:… creates, found relation \"pipeline_clusters\" does not exist.\n",
                ended.Errors
            )

        let ended = Given.host [ "worker"; "--Cluster:Prepare"; "true"; store ]
        Assert.Equal((0, ""), (ended.ExitCode, ended.Errors))
        Assert.Equal($"{words}: the tables are there.\n", ended.Output)
        check address
        // Again, and by several at the same time.
        prepareAtOnce address
        check address
        // A check leaves nothing.
        for table in [ "clusters"; "members"; "states" ] do
            Assert.Equal(box 0L, server.Execute database $"SELECT count(*) FROM pipeline_{table}")

    [<FactWithPostgres>]
    member _.``several that create the tables of an empty database at the same time create them once``
        ()
        =
        let server = shared.Server
        let address = server.As (server.Database()) "pipeline"
        prepareAtOnce address
        check address

    [<FactWithPostgres>]
    member _.``a user who may not write is refused``() =
        let server = shared.Server
        let database = server.Database()
        prepare (server.As database "pipeline") |> ignore

        server.Execute
            database
            "CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
        |> ignore

        let reader = server.As database "reader"

        let expected =
            $"Cluster:Store, postgres:127.0.0.1:%d{server.Port}/{database}: expected a PostgreSQL database that can be reached, read and written, found "

        Assert.Equal(
            expected + "permission denied for table pipeline_clusters.",
            refused (fun () -> check reader)
        )

        // Each right that members need is tried.
        let rights = [
            for table in [ "clusters"; "members"; "states" ] do
                for right in [ "INSERT"; "UPDATE"; "DELETE" ] do
                    if (table, right) <> ("clusters", "DELETE") then
                        table, right
        ]

        for table, right in rights do
            server.Execute database $"GRANT {right} ON pipeline_{table} TO reader" |> ignore

        check reader

        for table, right in rights do
            server.Execute database $"REVOKE {right} ON pipeline_{table} FROM reader"
            |> ignore

            Assert.Equal(
                expected + $"permission denied for table pipeline_{table}.",
                refused (fun () -> check reader)
            )

            server.Execute database $"GRANT {right} ON pipeline_{table} TO reader" |> ignore

        server.Execute database "ALTER ROLE reader SET default_transaction_read_only = on"
        |> ignore

        Assert.Equal(
            expected + "cannot execute INSERT in a read-only transaction.",
            refused (fun () -> check reader)
        )

        Assert.Equal(
            expected + "permission denied for schema public.",
            refused (fun () ->
                server.Execute
                    database
                    "ALTER ROLE reader RESET default_transaction_read_only; DROP TABLE pipeline_states"
                |> ignore

                prepare reader |> ignore)
        )

    [<Fact>]
    member _.``what is invalid in a connection string is said without its content``() =
        let text =
            "Cluster:Store: expected postgres: with a connection string of Npgsql after it, found "

        for connection, found in
            [
                "Host=db;Password=secret;cret", "another text after postgres:"
                "", "no Host"
                "Database=sweeps;Password=secret", "no Host"
                "Host=db;Password=sec;secret=secret", "a keyword that Npgsql does not know"
                "Host=db;Password=secret;SSL Mode=secret", "an invalid value of ssl mode"
                "Host=db;Password=secret;Port=secret", "an invalid value of port"
            ] do
            let reason = refused (fun () -> ClusterStore.Of $"postgres:{connection}" |> ignore)
            Assert.Equal($"{text}{found}.", reason)

        let other =
            refused (fun () -> ClusterStore.Of "postgresql://me:secret@db/sweeps" |> ignore)

        Assert.DoesNotContain("secret", other)

    [<Theory>]
    [<InlineData("Host=db;Database=sweeps;Username=me;Password=secret", "db:5432/sweeps")>]
    [<InlineData("Host=db,other:5433;Port=5431;Username=me;Password=secret", "db:5431,other:5433/me")>]
    [<InlineData("Host=db;Password=secret", "db:5432")>]
    member _.``a database in words has no password``(connection: string, words: string) =
        Assert.Equal($"postgres:{words}", ClusterStore.Of($"postgres:{connection}").Address)

    [<Fact>]
    member _.``what a connection string leaves open is chosen, and what it says stays``() =
        let open' (more: string) =
            use source = PostgresStore.Parse($"Host=db;{more}").Open()
            source.ConnectionString

        Assert.Equal(
            "Application Name=pipeline;Timeout=10;Command Timeout=10;GSS Encryption Mode=Disable;Host=db",
            open' ""
        )

        Assert.Equal(
            "Application Name=mine;Timeout=9;Command Timeout=10;GSS Encryption Mode=Require;Host=db",
            open' "Timeout=9;Application Name=mine;GSS Encryption Mode=Require;Password=secret"
        )

    [<FactWithPostgres>]
    member _.``a wrong password is refused``() =
        let address = (shared.Server.As "postgres" "pipeline").Replace("secret", "other")

        Assert.Equal(
            $"Cluster:Store, postgres:127.0.0.1:%d{shared.Server.Port}/postgres: expected a PostgreSQL database that can be reached, read and written, found password authentication failed for user \"pipeline\".",
            refused (fun () -> check address)
        )
