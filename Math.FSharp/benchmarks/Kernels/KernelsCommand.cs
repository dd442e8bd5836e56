using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Running;

namespace Pipeline.Benchmarks;

/// <summary><c>kernels</c>: hands the rest of the command line to BenchmarkDotNet.</summary>
internal static class KernelsCommand
{
    public static Command Create()
    {
        var command = new Command(
            "kernels",
            "Kernels and steps under BenchmarkDotNet, which takes the rest: --filter '*', --list flat"
        )
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        // In this process, whose runtime is set as the host's: a process that BenchmarkDotNet builds
        // would not be.
        command.SetAction(parsed =>
            BenchmarkSwitcher
                .FromAssembly(typeof(KernelsCommand).Assembly)
                .Run(
                    ["--inProcess", .. parsed.UnmatchedTokens],
                    DefaultConfig.Instance.AddDiagnoser(MemoryDiagnoser.Default)
                )
        );
        return command;
    }
}
