using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>A service of its own for some models.</summary>
/// <param name="Address">Its address; null for localhost.</param>
/// <param name="Port">Its port.</param>
/// <param name="Access">Who may call it.</param>
/// <param name="Models">The models' names and files.</param>
internal sealed record ModelServer(
    IPAddress? Address,
    int Port,
    AccessRules Access,
    IReadOnlyList<(string Name, string Path)> Models
)
{
    private const int MostBytes = 8 << 20;

    /// <summary>Clients that open a thousand connections and say nothing leave room for others; what a connection takes is
    /// bounded, as <see cref="WorkLimiter.IsLong"/> lets few long bodies be read at once.</summary>
    internal const int MostConnections = 2048;
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);

    /// <summary>What requests that have begun have left when the service is to end.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(4);

    /// <summary>Reads the models and starts to listen.</summary>
    /// <param name="addLogging">Adds the destinations of log messages.</param>
    /// <param name="addServices">Adds further services.</param>
    /// <param name="addEndpoints">Adds what the service answers besides predictions; first of all, so that it can
    /// set headers of every answer.</param>
    /// <exception cref="RefusedException">A model cannot be used, or the address or the port is not
    /// available.</exception>
    public async Task<WebApplication> StartAsync(
        Action<ILoggingBuilder> addLogging,
        Action<IServiceCollection> addServices,
        Action<WebApplication> addEndpoints
    )
    {
        // As empty as possible: nothing listens, reads settings or writes files that was not asked for here.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Configure);
        addLogging(builder.Logging);
        builder.Services.AddRoutingCore();
        builder.Services.AddRequestTimeouts(timeouts =>
            timeouts.DefaultPolicy = new RequestTimeoutPolicy
            {
                Timeout = RequestTimeout,
                WriteTimeoutResponse = context =>
                    Problem.WriteAsync(
                        context,
                        StatusCodes.Status504GatewayTimeout,
                        $"The answer took longer than {RequestTimeout.TotalSeconds:F0} s."
                    ),
            }
        );
        builder.Services.AddSingleton(Access);
        builder.Services.AddServing();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        foreach (var (name, path) in Models)
            builder.Services.AddPipelineModel(name, path);
        addServices(builder.Services);
        var server = builder.Build();
        addEndpoints(server);
        server.Use(Access.ApplyAsync);
        server.UseStatusCodePages(WriteStatusAsync);
        server.UseRouting();
        server.UseRequestTimeouts();
        server.MapPipelineModels();
        try
        {
            await server.StartAsync();
            return server;
        }
        catch (SocketException absent)
            when (absent.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            throw RefusedException.Of("Serve:Address", "an address of this machine", $"{Address}");
        }
        catch (Exception taken) when (taken is IOException or SocketException)
        {
            throw RefusedException.Of(
                "Serve:Port",
                "a free port that this user may open",
                $"{Port} ({taken.Message.TrimEnd('.')})"
            );
        }
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = MostBytes;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
        if (Address is null)
            kestrel.ListenLocalhost(Port, listen => listen.Protocols = HttpProtocols.Http1);
        else
            kestrel.Listen(Address, Port, listen => listen.Protocols = HttpProtocols.Http1);
    }

    /// <summary>What no endpoint answers: unknown paths and methods.</summary>
    private static Task WriteStatusAsync(Microsoft.AspNetCore.Diagnostics.StatusCodeContext status)
    {
        var context = status.HttpContext;
        var (method, path) = (context.Request.Method, context.Request.Path);
        var code = context.Response.StatusCode;
        return Problem.WriteAsync(
            context,
            code,
            code switch
            {
                StatusCodes.Status404NotFound =>
                    $"{path} does not exist; /openapi.json describes what does.",
                StatusCodes.Status405MethodNotAllowed =>
                    $"{path}: expected {context.Response.Headers.Allow}, found {method}.",
                _ => $"{method} {path} cannot be answered.",
            }
        );
    }
}
