using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Storage;
using Pipeline.Training;

namespace Pipeline.Cluster;

/// <summary>The server between the machines: it lists the members of the cluster and keeps the states of grains.</summary>
internal abstract class ClusterStore
{
    /// <summary>The name of the storage of grains.</summary>
    public const string Name = "pipeline";

    protected const string Setting = "Cluster:Store";

    /// <summary>The store in words, without its password.</summary>
    public abstract string Address { get; }

    /// <summary>What the store must be, in words.</summary>
    protected abstract string Usable { get; }

    /// <summary>The store of a setting.</summary>
    /// <exception cref="RefusedException">The setting is invalid.</exception>
    public static ClusterStore Of(string store)
    {
        string? After(string prefix) =>
            store.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
                ? store[prefix.Length..]
                : null;

        return After(RedisStore.Prefix) is { } redis ? RedisStore.Parse(redis)
            : After(PostgresStore.Prefix) is { } postgres ? PostgresStore.Parse(postgres)
            : throw RefusedException.Of(
                Setting,
                $"{RedisStore.Expected}, or {PostgresStore.Expected}",
                // It may contain a password.
                "a text that begins otherwise"
            );
    }

    /// <summary>Checks that the store can be reached, read and written.</summary>
    /// <exception cref="RefusedException">It cannot.</exception>
    public async Task CheckAsync()
    {
        try
        {
            await TryAsync();
        }
        catch (Exception failure) when (IsFailure(failure))
        {
            throw Refusal(failure);
        }
    }

    /// <summary>Creates what the store needs before it is used.</summary>
    /// <returns>A sentence that says what was done.</returns>
    /// <exception cref="RefusedException">The store cannot be reached or written.</exception>
    public async Task<string> PrepareAsync()
    {
        try
        {
            return $"{Address}: {await CreateAsync()}";
        }
        catch (Exception failure) when (IsFailure(failure))
        {
            throw Refusal(failure);
        }
    }

    /// <summary>Makes a silo use the store.</summary>
    public void AddTo(ISiloBuilder silo)
    {
        // Bytes stay bytes.
        silo.Services.AddSingleton<IGrainStorageSerializer, OrleansGrainStorageSerializer>();
        AddMember(silo);
    }

    /// <summary>Makes a client use the store.</summary>
    public abstract void AddTo(IClientBuilder client);

    /// <summary>Whether an exception says that the store cannot be used.</summary>
    public abstract bool IsFailure(Exception exception);

    /// <summary>Reads and writes the store.</summary>
    protected abstract Task TryAsync();

    /// <summary>Creates what the store needs, unless it is there.</summary>
    /// <returns>What was done, in words.</returns>
    protected abstract Task<string> CreateAsync();

    /// <summary>Adds the list of members and the storage of grains.</summary>
    protected abstract void AddMember(ISiloBuilder silo);

    /// <summary>The sentence for a store that cannot be used.</summary>
    public virtual RefusedException Refusal(Exception failure) => Refusal(Usable, failure.Message);

    protected RefusedException Refusal(string expected, string found) =>
        RefusedException.Of(
            $"{Setting}, {Address}",
            expected,
            found.Split('\n')[0].Trim().TrimEnd('.')
        );
}
