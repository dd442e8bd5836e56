using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Pipeline.Cluster;

/// <summary>The members of a cluster in a PostgreSQL database. The version of the list is a number, which every change but that
/// of a time raises; the tag of a row is the version with which it was written.</summary>
internal sealed class PostgresMembers(NpgsqlDataSource source, IOptions<ClusterOptions> options)
    : IMembershipTable
{
    private readonly string cluster = options.Value.ClusterId;

    public async Task InitializeMembershipTable(bool tryInitTableVersion)
    {
        if (!tryInitTableVersion)
            return;
        await using var command = Command(
            "INSERT INTO pipeline_clusters (cluster, version) VALUES (@cluster, 0) ON CONFLICT DO NOTHING"
        );
        await command.ExecuteNonQueryAsync();
    }

    public async Task DeleteMembershipTableEntries(string clusterId)
    {
        await using var command = source.CreateCommand(
            "DELETE FROM pipeline_clusters WHERE cluster = @cluster"
        );
        command.Parameters.AddWithValue("cluster", clusterId);
        await command.ExecuteNonQueryAsync();
    }

    public async Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate)
    {
        await using var command = Command(
            """
            DELETE FROM pipeline_members
            WHERE cluster = @cluster AND status = @dead
                AND greatest(started, alive, (SELECT max(time) FROM unnest(suspected) AS time)) < @before
            """
        );
        command.Parameters.AddWithValue("dead", nameof(SiloStatus.Dead));
        command.Parameters.AddWithValue("before", beforeDate.UtcDateTime);
        await command.ExecuteNonQueryAsync();
    }

    public Task<MembershipTableData> ReadRow(SiloAddress key) => ReadAsync(key);

    public Task<MembershipTableData> ReadAll() => ReadAsync(null);

    /// <summary>Reads the version with one row or all, in one statement and therefore of one moment.</summary>
    private async Task<MembershipTableData> ReadAsync(SiloAddress? silo)
    {
        await using var command = Command(
            """
            SELECT clusters.version, silo, members.version, name, host, gateway, status, started, alive,
                suspects, suspected
            FROM pipeline_clusters AS clusters
            LEFT JOIN pipeline_members AS members
                ON members.cluster = clusters.cluster AND silo = coalesce(@silo, silo)
            WHERE clusters.cluster = @cluster
            """
        );
        command.Parameters.AddWithValue("silo", (object?)silo?.ToParsableString() ?? DBNull.Value);
        await using var reader = await command.ExecuteReaderAsync();
        var version = 0;
        List<Tuple<MembershipEntry, string>> members = [];
        while (await reader.ReadAsync())
        {
            version = reader.GetInt32(0);
            if (!reader.IsDBNull(1))
                members.Add(new(EntryOf(reader), TagOf(reader.GetInt32(2))));
        }
        return new(members, new(version, TagOf(version)));
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        ChangeAsync(
            """
            WITH raised AS (
                UPDATE pipeline_clusters SET version = @version
                WHERE cluster = @cluster AND version::text = @tag AND NOT EXISTS (
                    SELECT FROM pipeline_members WHERE cluster = @cluster AND silo = @silo)
                RETURNING cluster)
            INSERT INTO pipeline_members (
                cluster, silo, version, name, host, gateway, status, started, alive, suspects, suspected)
            SELECT
                cluster, @silo, @version, @name, @host, @gateway, @status, @started, @alive, @suspects, @suspected
            FROM raised
            """,
            entry,
            row: "",
            tableVersion
        );

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        ChangeAsync(
            """
            WITH raised AS (
                UPDATE pipeline_clusters SET version = @version
                WHERE cluster = @cluster AND version::text = @tag AND EXISTS (
                    SELECT FROM pipeline_members
                    WHERE cluster = @cluster AND silo = @silo AND version::text = @row
                    FOR UPDATE)
                RETURNING cluster)
            UPDATE pipeline_members AS members
            SET version = @version, name = @name, host = @host, gateway = @gateway, status = @status,
                started = @started, alive = @alive, suspects = @suspects, suspected = @suspected
            FROM raised
            WHERE members.cluster = raised.cluster AND silo = @silo
            """,
            entry,
            etag,
            tableVersion
        );

    public async Task UpdateIAmAlive(MembershipEntry entry)
    {
        await using var command = Command(
            "UPDATE pipeline_members SET alive = @alive WHERE cluster = @cluster AND silo = @silo"
        );
        command.Parameters.AddWithValue("silo", entry.SiloAddress.ToParsableString());
        command.Parameters.AddWithValue("alive", Utc(entry.IAmAliveTime));
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Raises the version and writes a row, or does neither. It is one statement: if this process is cut off or
    /// stopped, no lock waits for it. Changes wait for each other at the row of the version.</summary>
    /// <returns>Whether version and row were as they were read.</returns>
    private async Task<bool> ChangeAsync(
        string statement,
        MembershipEntry entry,
        string row,
        TableVersion version
    )
    {
        await using var command = Command(statement);
        AddTo(command.Parameters, entry);
        command.Parameters.AddWithValue("version", version.Version);
        command.Parameters.AddWithValue("tag", version.VersionEtag);
        command.Parameters.AddWithValue("row", row);
        return await command.ExecuteNonQueryAsync() == 1;
    }

    private static void AddTo(NpgsqlParameterCollection parameters, MembershipEntry entry)
    {
        var suspects = entry.SuspectTimes ?? [];
        parameters.AddWithValue("silo", entry.SiloAddress.ToParsableString());
        parameters.AddWithValue("name", entry.SiloName ?? "");
        parameters.AddWithValue("host", entry.HostName ?? "");
        parameters.AddWithValue("gateway", entry.ProxyPort);
        parameters.AddWithValue("status", $"{entry.Status}");
        parameters.AddWithValue("started", Utc(entry.StartTime));
        parameters.AddWithValue("alive", Utc(entry.IAmAliveTime));
        parameters.AddWithValue(
            "suspects",
            suspects.Select(each => each.Item1.ToParsableString()).ToArray()
        );
        parameters.AddWithValue("suspected", suspects.Select(each => Utc(each.Item2)).ToArray());
    }

    private static MembershipEntry EntryOf(NpgsqlDataReader reader)
    {
        var suspects = reader
            .GetFieldValue<string[]>(9)
            .Select(SiloAddress.FromParsableString)
            .Zip(reader.GetFieldValue<DateTime[]>(10), Tuple.Create)
            .ToList();
        return new()
        {
            SiloAddress = SiloAddress.FromParsableString(reader.GetString(1)),
            SiloName = reader.GetString(3),
            HostName = reader.GetString(4),
            ProxyPort = reader.GetInt32(5),
            Status = Enum.Parse<SiloStatus>(reader.GetString(6)),
            StartTime = reader.GetDateTime(7),
            IAmAliveTime = reader.GetDateTime(8),
            SuspectTimes = suspects.Count == 0 ? null : suspects,
        };
    }

    private NpgsqlCommand Command(string statement)
    {
        var command = source.CreateCommand(statement);
        command.Parameters.AddWithValue("cluster", cluster);
        return command;
    }

    private static string TagOf(int version) => version.ToString(CultureInfo.InvariantCulture);

    /// <summary>Orleans gives times in UTC, not all of which say so.</summary>
    private static DateTime Utc(DateTime time) => DateTime.SpecifyKind(time, DateTimeKind.Utc);
}
