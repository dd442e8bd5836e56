using Npgsql;
using Orleans;
using Orleans.Runtime;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Pipeline.Cluster;

/// <summary>The states of grains in a PostgreSQL database. Each write gives a new tag, and needs the tag that was read.</summary>
internal sealed class PostgresStates(
    NpgsqlDataSource source,
    IGrainStorageSerializer serializer,
    IActivatorProvider activators
) : IGrainStorage
{
    public async Task ReadStateAsync<T>(
        string stateName,
        GrainId grainId,
        IGrainState<T> grainState
    )
    {
        await using var command = Command(
            "SELECT tag, bytes FROM pipeline_states WHERE state = @state AND grain = @grain",
            stateName,
            grainId
        );
        await using var reader = await command.ExecuteReaderAsync();
        if (await reader.ReadAsync())
        {
            var bytes = reader.GetFieldValue<byte[]>(1);
            grainState.State = serializer.Deserialize<T>(new BinaryData(bytes))!;
            grainState.ETag = reader.GetString(0);
            grainState.RecordExists = true;
        }
        else
            Empty(grainState);
    }

    public async Task WriteStateAsync<T>(
        string stateName,
        GrainId grainId,
        IGrainState<T> grainState
    )
    {
        var tag = $"{Guid.NewGuid():N}";
        await using var command = Command(
            grainState.ETag is null
                ? """
                INSERT INTO pipeline_states (state, grain, tag, bytes) VALUES (@state, @grain, @tag, @bytes)
                ON CONFLICT DO NOTHING
                """
                : """
                UPDATE pipeline_states SET tag = @tag, bytes = @bytes
                WHERE state = @state AND grain = @grain AND tag = @read
                """,
            stateName,
            grainId
        );
        command.Parameters.AddWithValue("tag", tag);
        command.Parameters.AddWithValue("bytes", serializer.Serialize(grainState.State).ToMemory());
        command.Parameters.AddWithValue("read", grainState.ETag ?? "");
        if (await command.ExecuteNonQueryAsync() == 0)
            throw Conflict(stateName, grainId, grainState.ETag);
        grainState.ETag = tag;
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(
        string stateName,
        GrainId grainId,
        IGrainState<T> grainState
    )
    {
        // Without a tag, there must be nothing to clear.
        await using var command = Command(
            """
            WITH deleted AS (
                DELETE FROM pipeline_states WHERE state = @state AND grain = @grain AND tag = @read
                RETURNING tag)
            SELECT (SELECT count(*) FROM deleted) = 1 OR @read = '' AND NOT EXISTS (
                SELECT FROM pipeline_states WHERE state = @state AND grain = @grain)
            """,
            stateName,
            grainId
        );
        command.Parameters.AddWithValue("read", grainState.ETag ?? "");
        if (await command.ExecuteScalarAsync() is not true)
            throw Conflict(stateName, grainId, grainState.ETag);
        Empty(grainState);
    }

    private void Empty<T>(IGrainState<T> grainState)
    {
        grainState.State = activators.GetActivator<T>().Create();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private NpgsqlCommand Command(string statement, string state, GrainId grain)
    {
        var command = source.CreateCommand(statement);
        command.Parameters.AddWithValue("state", state);
        command.Parameters.AddWithValue("grain", $"{grain}");
        return command;
    }

    private static InconsistentStateException Conflict(string state, GrainId grain, string? read) =>
        new($"Another one has written the state {state} of {grain}.", "unknown", read);
}
