using Microsoft.Extensions.Hosting;
using Pipeline.Training;

namespace PipelineWorker;

/// <summary>The host of the worker.</summary>
public static class CustomerWorker
{
    /// <summary>A host that trains as appsettings.json says.</summary>
    /// <param name="args">Settings that override those of the file: --Pipeline:Run:Mode Once.</param>
    public static IHost Create(params string[] args)
    {
        var builder = Host.CreateApplicationBuilder(args);
        builder.AddPipelineTraining();
        return builder.Build();
    }
}
