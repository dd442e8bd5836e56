using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;
using Orleans.Hosting;
using Orleans.Messaging;
using Orleans.Runtime.Hosting;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>A PostgreSQL database as a store.</summary>
internal sealed class PostgresStore : ClusterStore
{
    public const string Prefix = "postgres:";
    public const string Expected = "postgres: with a connection string of Npgsql after it";

    private readonly NpgsqlConnectionStringBuilder connection;

    private PostgresStore(NpgsqlConnectionStringBuilder connection)
    {
        this.connection = connection;
        var hosts = connection
            .Host!.Split(',')
            .Select(host => host.Contains(':') ? host : $"{host}:{connection.Port}");
        // Without a database, it is the one that is called like the user; without a user, as on this machine.
        Address =
            $"{Prefix}{string.Join(',', hosts)}/{connection.Database ?? connection.Username}".TrimEnd(
                '/'
            );
    }

    public override string Address { get; }

    protected override string Usable =>
        "a PostgreSQL database that can be reached, read and written";

    /// <summary>The store of a connection string.</summary>
    /// <exception cref="RefusedException">It is invalid.</exception>
    public static PostgresStore Parse(string text)
    {
        var connection = new NpgsqlConnectionStringBuilder
        {
            ApplicationName = Name,
            // Callers repeat what fails, so it need not be waited for long.
            Timeout = 10,
            CommandTimeout = 10,
            // Otherwise the first connection complains where Kerberos is not installed.
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        // Messages of Npgsql repeat what they do not understand, which may be a part of a password.
        var given = new DbConnectionStringBuilder();
        try
        {
            given.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            throw RefusedException.Of(Setting, Expected, "another text after postgres:");
        }
        foreach (string keyword in given.Keys)
        {
            try
            {
                connection[keyword] = given[keyword];
            }
            catch (ArgumentException)
            {
                throw RefusedException.Of(
                    Setting,
                    Expected,
                    connection.ContainsKey(keyword)
                        ? $"an invalid value of {keyword}"
                        : "a keyword that Npgsql does not know"
                );
            }
        }
        return string.IsNullOrEmpty(connection.Host)
            ? throw RefusedException.Of(Setting, Expected, "no Host")
            : new(connection);
    }

    /// <summary>Opens the database.</summary>
    public NpgsqlDataSource Open() => NpgsqlDataSource.Create(connection);

    public override bool IsFailure(Exception exception) =>
        exception is NpgsqlException or TimeoutException;

    protected override async Task TryAsync()
    {
        await using var source = Open();
        await PostgresSchema.TryAsync(source);
    }

    protected override async Task<string> CreateAsync()
    {
        await using var source = Open();
        await PostgresSchema.CreateAsync(source);
        return "the tables are there.";
    }

    public override RefusedException Refusal(Exception failure) =>
        failure switch
        {
            PostgresException { SqlState: PostgresErrorCodes.UndefinedTable } missing => Refusal(
                "the tables that the command worker --Cluster:Prepare true --Cluster:Store postgres:… creates",
                missing.MessageText
            ),
            PostgresException refused => Refusal(Usable, refused.MessageText),
            _ => base.Refusal(failure),
        };

    protected override void AddMember(ISiloBuilder silo)
    {
        silo.Services.AddSingleton(_ => Open()).AddSingleton<IMembershipTable, PostgresMembers>();
        silo.Services.AddGrainStorage(
            Name,
            (services, _) => ActivatorUtilities.CreateInstance<PostgresStates>(services)
        );
    }

    public override void AddTo(IClientBuilder client) =>
        client
            .Services.AddSingleton(_ => Open())
            .AddSingleton<PostgresMembers>()
            .AddSingleton<IGatewayListProvider, PostgresGateways>();
}
