using System.CommandLine;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Serving;
using Pipeline.Web;

namespace Pipeline.Training;

/// <summary><c>serve</c>: predictions of models over HTTP, and pages.</summary>
internal static class ServeCommand
{
    /// <summary>The shortest token.</summary>
    private const int ShortestToken = 32;

    /// <summary>Threads for short requests and health checks while long ones are answered.</summary>
    private const int SpareThreads = 8;

    public static Command Create(SettingOptions settings)
    {
        var models = new Argument<string[]>("models")
        {
            Description =
                $"run folders or {FileKinds.Models} files, as PATH or NAME=PATH; the name is part of the URLs",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command(
            "serve",
            "Answer with the predictions of models over HTTP, and show runs in a browser"
        )
        {
            models,
        };
        settings.AddTo(
            command,
            setting =>
                setting.Section is "Serve" or "Health"
                || setting.Key is "Telemetry:Exporter" or "Run:Directory",
            hasPreset: false
        );
        command.SetAction((parsed, _) => RunAsync(settings.Read(parsed), parsed.GetValue(models)!));
        return command;
    }

    private static async Task<int> RunAsync(CommandLineSettings given, string[] models)
    {
        var settings = ServiceRegistration.CreateBuilder(given, out var configuration);
        var serve = configuration.Settings.Serve;
        var named = models.Select(NameAndPath).ToArray();
        if (
            named.GroupBy(model => model.Item1).FirstOrDefault(same => same.Count() > 1) is
            { } twice
        )
        {
            throw RefusedException.Of(
                "the models",
                "different names (NAME=PATH gives one)",
                $"{twice.Key} more than once"
            );
        }
        var server = new ModelServer(
            AddressOf(serve),
            serve.Port,
            new(serve.Hosts, TokenOf(serve)),
            named
        );
        // Long requests keep a thread of every processor busy; others must not wait until the pool grows, which it does
        // by one or two threads a second.
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(workers + SpareThreads, ports);
        var liveness = new Liveness(configuration, TimeProvider.System);
        var health = new HealthServer(configuration, liveness);
        // First, so that probes are answered while models are read, and whatever requests there are.
        await health.StartAsync(default);
        await using var application = await server.StartAsync(
            logging => ServiceRegistration.AddLogging(logging, settings.Configuration),
            services =>
                services
                    .AddSingleton(liveness)
                    .AddHostedService<ServingHeartbeat>()
                    .AddHostedService<SystemdWatchdog>()
                    .AddSystemd()
                    .AddWindowsService()
                    .AddTelemetry(configuration.Exporter, ServingMetrics.Name)
                    .Configure<ServingOptions>(options => options.DriftWindow = serve.DriftWindow)
                    .AddPages(configuration.Settings.Run.Directory),
            application => application.UsePages()
        );
        liveness.Ready();
        foreach (var address in application.Urls)
        {
            Console.WriteLine($"listening on {address}");
            foreach (var (name, _) in named)
            {
                Console.WriteLine($"  {address}{TryPages.Of(name)}");
                Console.WriteLine($"  {address}{ModelEndpoints.PathOf(name)}");
            }
        }
        Console.Out.Flush();
        await application.WaitForShutdownAsync();
        await health.StopAsync(default);
        return (int)Outcome.Completed;
    }

    private static IPAddress? AddressOf(ServeSettings serve)
    {
        HealthSettings.TryParse(serve.Address, out var address);
        if (address is null || IPAddress.IsLoopback(address))
            return address;
        var faults = new List<string>();
        if (serve.TokenFile is null)
        {
            faults.Add(
                DataFile.Sentence(
                    "Serve:TokenFile",
                    $"a file with a token, as Serve:Address {serve.Address} can be reached from other machines",
                    "none"
                )
            );
        }
        if (serve.Hosts.Length == 0)
        {
            faults.Add(
                DataFile.Sentence(
                    "Serve:Hosts",
                    $"the names by which clients call the service, as Serve:Address {serve.Address} can be reached from other machines",
                    "none"
                )
            );
        }
        return faults.Count == 0 ? address : throw new RefusedException(faults);
    }

    /// <summary>The token of the file; null without a file.</summary>
    private static string? TokenOf(ServeSettings serve)
    {
        if (serve.TokenFile is not { } path)
            return null;
        var file = DataFile.Read(path, DataFile.UsualLimit, "Serve:TokenFile");
        var token = Encoding.UTF8.GetString(file.Content.Span).Trim();
        if (token.Length < ShortestToken)
        {
            throw RefusedException.Of(
                $"Serve:TokenFile, {file.Path}",
                $"a token of {ShortestToken} characters or more",
                $"{token.Length}"
            );
        }
        DataFile.RequireSecret(file.Path, "Serve:TokenFile");
        return token;
    }

    /// <summary>A model's name and path: <c>NAME=PATH</c>, or a path whose last part, without its ending, is the
    /// name; that of a run's model is the run's.</summary>
    private static (string, string) NameAndPath(string model)
    {
        var place = model.IndexOf('=');
        if (place > 0 && !File.Exists(model) && !Directory.Exists(model))
            return (model[..place], model[(place + 1)..]);
        var path = Path.GetFullPath(model);
        if (!Directory.Exists(path) && Path.GetFileName(path) == RunFolder.ModelName)
            path = Path.GetDirectoryName(path)!;
        var name = Directory.Exists(path)
            ? Path.GetFileName(Path.TrimEndingDirectorySeparator(path))
            : Path.GetFileNameWithoutExtension(path);
        return (name, model);
    }
}
