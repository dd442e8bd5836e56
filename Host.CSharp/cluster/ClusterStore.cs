using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Storage;
using Pipeline.Training;
using StackExchange.Redis;

namespace Pipeline.Cluster;

/// <summary>The server between the machines.</summary>
internal sealed class ClusterStore
{
    /// <summary>The name of the storage of grains.</summary>
    public const string Name = "pipeline";

    private const string Redis = "redis:";
    private const string Setting = "Cluster:Store";
    private const string Expected =
        "redis:HOST:PORT, with further options of StackExchange.Redis after commas";
    private static readonly TimeSpan ProbeExpiry = TimeSpan.FromMinutes(1);

    private readonly ConfigurationOptions options;

    private ClusterStore(ConfigurationOptions options)
    {
        this.options = options;
        Address = Redis + string.Join(',', options.EndPoints.Select(TextOf));
    }

    /// <summary>The store in words, without its password.</summary>
    public string Address { get; }

    /// <summary>The store of a setting.</summary>
    /// <exception cref="RefusedException">The setting is invalid.</exception>
    public static ClusterStore Of(string store)
    {
        if (!store.StartsWith(Redis, StringComparison.OrdinalIgnoreCase))
            throw RefusedException.Of(Setting, Expected, $"'{store}'");
        try
        {
            var options = ConfigurationOptions.Parse(store[Redis.Length..]);
            if (options.EndPoints.Count == 0)
                throw RefusedException.Of(Setting, Expected, $"'{store}'");
            // The connection comes back by itself.
            options.AbortOnConnectFail = false;
            options.ClientName = Name;
            return new(options);
        }
        catch (ArgumentException invalid)
        {
            throw RefusedException.Of(Setting, Expected, invalid.Message.TrimEnd('.'));
        }
    }

    /// <summary>Checks that the store can be reached, read and written.</summary>
    /// <exception cref="RefusedException">It cannot.</exception>
    public async Task CheckAsync()
    {
        try
        {
            var once = options.Clone();
            once.AbortOnConnectFail = true;
            await using var connection = await ConnectionMultiplexer.ConnectAsync(once);
            var database = connection.GetDatabase();
            var key = $"{Name}/check/{Guid.NewGuid():N}";
            await database.StringSetAsync(key, Name, ProbeExpiry);
            await database.ScriptEvaluateAsync("return redis.call('DEL', KEYS[1])", [key]);
        }
        catch (Exception broken) when (broken is RedisException or TimeoutException)
        {
            throw RefusedException.Of(
                $"{Setting}, {Address}",
                "a Redis server that can be reached and written",
                broken.Message.Split('\n')[0].Trim().TrimEnd('.')
            );
        }
    }

    /// <summary>Makes a silo use the store.</summary>
    public void AddTo(ISiloBuilder silo)
    {
        // Bytes stay bytes.
        silo.Services.AddSingleton<IGrainStorageSerializer, OrleansGrainStorageSerializer>();
        silo.UseRedisClustering(redis => redis.ConfigurationOptions = options.Clone());
        silo.AddRedisGrainStorage(
            Name,
            redis =>
            {
                redis.ConfigurationOptions = options.Clone();
                redis.DeleteStateOnClear = true;
            }
        );
    }

    /// <summary>Makes a client use the store.</summary>
    public void AddTo(IClientBuilder client) =>
        client.UseRedisClustering(redis => redis.ConfigurationOptions = options.Clone());

    private static string TextOf(System.Net.EndPoint end) =>
        end switch
        {
            System.Net.DnsEndPoint name => $"{name.Host}:{name.Port}",
            _ => $"{end}",
        };
}
