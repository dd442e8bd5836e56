using System.CommandLine;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary><c>purity</c>: what it costs that a step makes new arrays and changes none, alone and among
/// others.</summary>
internal static class Purity
{
    private const int Block = 500;

    public static Command Create()
    {
        var data = WorkloadOptions.Data();
        var iterations = WorkloadOptions.Iterations(10_000);
        var command = new Command("purity", "The chapter's step pure and in place, on one thread")
        {
            data,
            iterations,
        };
        command.SetAction(parsed =>
            Run(parsed.GetRequiredValue(data), parsed.GetValue(iterations))
        );
        return command;
    }

    private static void Run(string directory, int iterations)
    {
        MathNet.Numerics.Control.MaxDegreeOfParallelism = 1;
        var train = Chapter.Load<float>(directory).Train;
        var state = Trainer.Start<float>(Hyperparameters.Default, Chapter.Architecture);
        var step = new InPlaceStep(train, state.Network.Parameters);
        var (single, several, inPlace) = (new Tally(), new Tally(), new Tally());
        var together = state;
        // In turns, so that a busy machine slows both alike.
        for (var done = 0; done < iterations; done += Block)
        {
            var steps = Math.Min(Block, iterations - done);
            single.Add(
                steps,
                () =>
                {
                    for (var i = 0; i < steps; i++)
                        state = Trainer.Step(Hyperparameters.Default, train, state);
                }
            );
            several.Add(
                steps,
                () =>
                    together = Runs.Advance(
                        Hyperparameters.Default,
                        train,
                        steps,
                        (_, _) => true,
                        together
                    )
            );
            inPlace.Add(
                steps,
                () =>
                {
                    for (var i = 0; i < steps; i++)
                        step.Step();
                }
            );
        }
        bool Same(TrainingState<float> state) =>
            Parameters.ToVector(state.Network.Parameters).AsArray().SequenceEqual(step.Values);
        List<Figures> runs =
        [
            new Figures { ["arrays"] = "new ones every step (Trainer.step)" }.With(
                single.Figures()
            ),
            new Figures { ["arrays"] = "taken again (Trainer.advance)" }.With(several.Figures()),
            new Figures { ["arrays"] = "made once (the same loops)" }.With(inPlace.Figures()),
        ];
        Report.Best(
            "purity",
            runs,
            new()
            {
                ["ms_per_iteration_best_block_step"] = single.Best,
                ["ms_per_iteration_best_block_advance"] = several.Best,
                ["ms_per_iteration_best_block_in_place"] = inPlace.Best,
                ["step_over_in_place"] = single.Best / inPlace.Best,
                ["advance_over_in_place"] = several.Best / inPlace.Best,
            },
            new()
            {
                ["dtype"] = "float32",
                ["threads"] = 1,
                ["iterations"] = iterations,
                ["same_parameters_after"] = Same(state) && Same(together),
            }
        );
    }

    /// <summary>Time and memory of steps of one kind.</summary>
    private sealed class Tally
    {
        private int steps;
        private double seconds;
        private long bytes;
        private int collections;
        private TimeSpan paused;

        /// <summary>Milliseconds a step in the quickest block.</summary>
        public double Best { get; private set; } = double.PositiveInfinity;

        public void Add(int count, Action act)
        {
            var (allocated, collected, pause) = (
                GC.GetTotalAllocatedBytes(precise: true),
                GC.CollectionCount(0),
                GC.GetTotalPauseDuration()
            );
            var taken = Measure.Seconds(act);
            paused += GC.GetTotalPauseDuration() - pause;
            collections += GC.CollectionCount(0) - collected;
            bytes += GC.GetTotalAllocatedBytes(precise: true) - allocated;
            seconds += taken;
            steps += count;
            Best = Math.Min(Best, 1e3 * taken / count);
        }

        public Figures Figures() =>
            new()
            {
                ["ms_per_iteration"] = 1e3 * seconds / steps,
                ["ms_per_iteration_best_block"] = Best,
                ["bytes_per_iteration"] = (double)bytes / steps,
                ["collections"] = collections,
                ["gc_pause_share"] = paused.TotalSeconds / seconds,
            };
    }
}
