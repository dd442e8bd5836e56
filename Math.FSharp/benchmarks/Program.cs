using System.CommandLine;
using Pipeline.Benchmarks;
using Pipeline.Training;

var root = new RootCommand("Measures the core: its kernels, and whole workloads.")
{
    KernelsCommand.Create(),
    Seed.Create(),
    Dense.Create(),
    Wide.Workload.Create(),
    LeNet.Workload.Create(),
    Small.Create(),
    Predict.Create(),
    Answers.Create(),
    Gemm.Create(),
    Numerical.Create(),
    Scaling.Create(),
    Purity.Create(),
    All.Create(),
};

try
{
    return root.Parse(args).Invoke(new() { EnableDefaultExceptionHandler = false });
}
catch (RefusedException refused)
{
    foreach (var reason in refused.Reasons)
        Console.Error.WriteLine(reason);
    return (int)Outcome.Refused;
}
