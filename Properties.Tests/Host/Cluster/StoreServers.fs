namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Text
open System.Threading
open Npgsql
open Xunit
open Xunit.Sdk

/// A server as the store of a cluster, which keeps every write.
[<AbstractClass>]
type StoreServer() =
    let port =
        use listener = new TcpListener(IPAddress.Loopback, 0)
        listener.Start()
        (listener.LocalEndpoint :?> IPEndPoint).Port

    let mutable running: Process option = None

    member _.Port = port

    /// Its name as a store.
    abstract Kind: string

    /// The value of Cluster:Store.
    abstract Address: string

    /// A part of it of its own, which is empty, as a value of Cluster:Store.
    abstract Fresh: unit -> string

    abstract Launch: unit -> Process
    abstract Answers: unit -> bool

    /// The store as an option.
    member server.Option = $"--Cluster:Store={server.Address}"

    member server.Start() : unit =
        let started = server.Launch()
        started.OutputDataReceived.Add ignore
        started.ErrorDataReceived.Add ignore
        started.BeginOutputReadLine()
        started.BeginErrorReadLine()
        running <- Some started

        Assert.True(
            SpinWait.SpinUntil(server.Answers, TimeSpan.FromSeconds 60.0),
            $"{server.Kind} does not start"
        )

    member _.Kill() : unit =
        for each in Option.toList running do
            each.Kill true
            each.WaitForExit()
            each.Dispose()

        running <- None

    abstract Dispose: unit -> unit
    default server.Dispose() = server.Kill()

    interface IDisposable with
        member server.Dispose() = server.Dispose()

/// A Redis server.
type RedisServer() =
    inherit StoreServer()
    let folder = new Scratch()
    let mutable databases = 0
    override _.Kind = "redis"
    override server.Address = $"redis:127.0.0.1:%d{server.Port}"

    override server.Fresh() =
        $"{server.Address},defaultDatabase=%d{Interlocked.Increment &databases}"

    override server.Launch() =
        Tools.start [] [
            "redis-server"
            "--port"
            string server.Port
            "--bind"
            "127.0.0.1"
            "--dir"
            folder.Path
            "--databases"
            "100"
            "--save"
            ""
            "--appendonly"
            "yes"
            "--appendfsync"
            "always"
        ]

    override server.Answers() =
        try
            use client = new TcpClient()
            client.Connect(IPAddress.Loopback, server.Port)
            client.GetStream().Write(ReadOnlySpan(Encoding.ASCII.GetBytes "PING\r\n"))
            client.GetStream().ReadByte() = int '+'
        with
        | :? SocketException
        | :? IOException -> false

    override server.Dispose() =
        base.Dispose()
        (folder :> IDisposable).Dispose()

/// A PostgreSQL server with a folder of its own, in which each user has the password "secret". Nothing is prepared.
type PostgresServer() =
    inherit StoreServer()
    let folder = new Scratch()
    let programs = Tools.postgres.Value |> Option.defaultValue ""
    let data = folder.Sub "data"
    let mutable databases = 0

    let finish (command: string list) =
        let ended = Tools.start [] command |> Given.finish
        Assert.True((ended.ExitCode = 0), ended.Output + ended.Errors)

    do
        let password = folder.Sub "password"
        File.WriteAllText(password, "secret")

        if Tools.isRoot then
            finish [ "chown"; "-R"; "nobody"; folder.Path ]

        finish (
            Tools.notAsRoot [
                Path.Combine(programs, "initdb")
                $"--pgdata={data}"
                "--username=pipeline"
                $"--pwfile={password}"
                "--auth=scram-sha-256"
                "--encoding=UTF8"
                "--no-locale"
                "--no-sync"
            ]
        )

    member private server.Of (database: string) (user: string) =
        $"Host=127.0.0.1;Port=%d{server.Port};Database={database};Username={user};Password=secret"

    /// A database as another user sees it, as a value of Cluster:Store.
    member server.As (database: string) (user: string) = $"postgres:{server.Of database user}"

    override _.Kind = "postgres"
    override server.Address = server.As "pipeline" "pipeline"

    /// Runs statements in a database; gives the first value.
    member server.Execute (database: string) (statements: string) : obj | null =
        let connection = server.Of database "pipeline" + ";Pooling=false"
        use source = NpgsqlDataSource.Create connection
        use command = source.CreateCommand statements
        command.ExecuteScalar()

    /// The name of a new database without tables.
    member server.Database() : string =
        let name = $"pipeline%d{Interlocked.Increment &databases}"
        server.Execute "postgres" $"CREATE DATABASE {name}" |> ignore
        name

    override server.Fresh() =
        let address = server.As (server.Database()) "pipeline"
        Pipeline.Cluster.ClusterStore.Of(address).PrepareAsync().Wait()
        address

    override server.Launch() =
        Tools.start
            []
            (Tools.notAsRoot [
                Path.Combine(programs, "postgres")
                "-D"
                data
                "-p"
                string server.Port
                "-c"
                "listen_addresses=127.0.0.1"
                "-c"
                "unix_socket_directories="
            ])

    override server.Answers() =
        try
            server.Execute "postgres" "SELECT 1" = box 1
        with :? NpgsqlException ->
            false

    override server.Dispose() =
        // A server that is killed leaves a segment of shared memory.
        finish (
            Tools.notAsRoot [
                Path.Combine(programs, "pg_ctl")
                "stop"
                "--mode=immediate"
                $"--pgdata={data}"
            ]
        )

        base.Dispose()
        (folder :> IDisposable).Dispose()

[<RequireQualifiedAccess>]
module StoreServer =
    /// A store that is ready to be used.
    let start (kind: string) : StoreServer =
        match kind with
        | "redis" ->
            let server = new RedisServer()
            server.Start()
            server
        | _ ->
            let server = new PostgresServer()
            server.Start()
            server.Execute "postgres" "CREATE DATABASE pipeline" |> ignore

            Given.host [ "worker"; "--Cluster:Prepare=true"; server.Option ]
            |> fun ended -> Assert.Equal(0, ended.ExitCode)

            server

    /// Why a store cannot be had here, if it cannot.
    let missing (kind: string) : string | null =
        match kind with
        | "redis" when Tools.redis.Value -> null
        | "redis" -> "needs a Redis server (Debian: redis-server)"
        | _ when Tools.postgres.Value.IsSome -> null
        | _ -> "needs a PostgreSQL server (Debian: postgresql)"

/// Runs a theory with each store; the servers that are not installed are skipped with the reason.
[<AttributeUsage(AttributeTargets.Method, AllowMultiple = true)>]
type WithStoreAttribute(kind: string) as data =
    inherit DataAttribute()
    do data.Skip <- StoreServer.missing kind
    override _.GetData _ = [ [| box kind |] ]

/// A test that needs a PostgreSQL server; without one, the test is skipped with the reason.
type FactWithPostgresAttribute() as fact =
    inherit FactAttribute()
    do fact.Skip <- StoreServer.missing "postgres"
