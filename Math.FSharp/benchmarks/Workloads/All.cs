using System.CommandLine;

namespace Pipeline.Benchmarks;

/// <summary><c>all</c>: the four workloads that other libraries are measured with.</summary>
internal static class All
{
    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var threads = WorkloadOptions.Threads();
        var command = new Command("all", "seed, wide, predict and gemm, one after the other")
        {
            data,
            threads,
        };
        command.SetAction(parsed =>
        {
            var (directory, counts) = (
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(threads)
            );
            Seed.Run(directory, counts);
            Wide.Workload.Run(directory, counts);
            Predict.Run(directory, counts);
            Gemm.Run(counts);
        });
        return command;
    }
}
