using Microsoft.Extensions.Hosting;
using Pipeline.Training;
using PipelineWorker;

try
{
    using var host = CustomerWorker.Create(args);
    return await host.RunTrainingAsync();
}
catch (RefusedException refused)
{
    foreach (var reason in refused.Reasons)
        Console.Error.WriteLine(reason);
    return 2;
}
