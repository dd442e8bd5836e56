using System.Net;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Pipeline.Training;
using StackExchange.Redis;

namespace Pipeline.Cluster;

/// <summary>A Redis server as a store.</summary>
internal sealed class RedisStore : ClusterStore
{
    public const string Prefix = "redis:";
    public const string Expected =
        "redis:HOST:PORT, with further options of StackExchange.Redis after commas";
    private static readonly TimeSpan ProbeExpiry = TimeSpan.FromMinutes(1);

    private readonly ConfigurationOptions options;

    private RedisStore(ConfigurationOptions options)
    {
        this.options = options;
        Address = Prefix + string.Join(',', options.EndPoints.Select(TextOf));
    }

    public override string Address { get; }

    protected override string Usable => "a Redis server that can be reached and written";

    /// <summary>The store of host, port and options.</summary>
    /// <exception cref="RefusedException">They are invalid.</exception>
    public static RedisStore Parse(string text)
    {
        try
        {
            var options = ConfigurationOptions.Parse(text);
            if (options.EndPoints.Count == 0)
                throw RefusedException.Of(Setting, Expected, "no host");
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

    public override bool IsFailure(Exception exception) =>
        exception is RedisException or TimeoutException;

    protected override async Task TryAsync()
    {
        var once = options.Clone();
        once.AbortOnConnectFail = true;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(once);
        var database = connection.GetDatabase();
        var key = $"{Name}/check/{Guid.NewGuid():N}";
        await database.StringSetAsync(key, Name, ProbeExpiry);
        await database.ScriptEvaluateAsync("return redis.call('DEL', KEYS[1])", [key]);
    }

    protected override Task<string> CreateAsync() =>
        Task.FromResult("a Redis server needs no preparation.");

    protected override void AddMember(ISiloBuilder silo)
    {
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

    public override void AddTo(IClientBuilder client) =>
        client.UseRedisClustering(redis => redis.ConfigurationOptions = options.Clone());

    private static string TextOf(EndPoint end) =>
        end switch
        {
            DnsEndPoint name => $"{name.Host}:{name.Port}",
            _ => $"{end}",
        };
}
