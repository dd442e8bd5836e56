using Npgsql;

namespace Pipeline.Cluster;

/// <summary>The tables of a store in a PostgreSQL database.</summary>
internal static class PostgresSchema
{
    /// <summary>Any number: whoever else creates the tables at the same time takes the same one.</summary>
    private const long Lock = 7_400_926_081;

    /// <summary>Creates the tables, unless they are there.</summary>
    public static Task CreateAsync(NpgsqlDataSource source) =>
        RunAsync(
            source,
            $"""
            BEGIN;
            SELECT pg_advisory_xact_lock({Lock});
            CREATE TABLE IF NOT EXISTS pipeline_clusters (
                cluster text PRIMARY KEY,
                version integer NOT NULL
            );
            CREATE TABLE IF NOT EXISTS pipeline_members (
                cluster text NOT NULL REFERENCES pipeline_clusters ON DELETE CASCADE,
                silo text NOT NULL,
                version integer NOT NULL,
                name text NOT NULL,
                host text NOT NULL,
                gateway integer NOT NULL,
                status text NOT NULL,
                started timestamptz NOT NULL,
                alive timestamptz NOT NULL,
                suspects text[] NOT NULL,
                suspected timestamptz[] NOT NULL,
                PRIMARY KEY (cluster, silo)
            );
            CREATE TABLE IF NOT EXISTS pipeline_states (
                state text NOT NULL,
                grain text NOT NULL,
                tag text NOT NULL,
                bytes bytea NOT NULL,
                PRIMARY KEY (state, grain)
            );
            COMMIT;
            """
        );

    /// <summary>Uses the tables in every way in which members use them, and leaves nothing.</summary>
    public static Task TryAsync(NpgsqlDataSource source) =>
        RunAsync(
            source,
            """
            BEGIN;
            INSERT INTO pipeline_clusters VALUES ('check', 0) ON CONFLICT DO NOTHING;
            UPDATE pipeline_clusters SET version = version WHERE cluster = 'check';
            INSERT INTO pipeline_members
                VALUES ('check', 'check', 0, '', '', 0, '', now(), now(), '{}', '{}')
                ON CONFLICT DO NOTHING;
            UPDATE pipeline_members SET alive = alive WHERE cluster = 'check';
            DELETE FROM pipeline_members WHERE cluster = 'check';
            INSERT INTO pipeline_states VALUES ('check', 'check', '', '') ON CONFLICT DO NOTHING;
            UPDATE pipeline_states SET tag = tag WHERE state = 'check';
            DELETE FROM pipeline_states WHERE state = 'check';
            ROLLBACK;
            """
        );

    /// <summary>Runs statements in one message: no lock waits for this process.</summary>
    private static async Task RunAsync(NpgsqlDataSource source, string statements)
    {
        await using var command = source.CreateCommand(statements);
        await command.ExecuteNonQueryAsync();
    }
}
