using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.CSharp;

/// <summary>A sweep of an application's own function.</summary>
public static class Sweeps
{
    /// <summary>Tries values of a number, each trial in one stage.</summary>
    /// <param name="trials">How many.</param>
    /// <param name="deficit">The function, lower where it is better.</param>
    public static SweepBoard Minimise(int trials, Func<double, double> deficit)
    {
        SettingRange range;
        if (
            !SettingRanges
                .OfNumbers("x", 0, 1, isLogarithmic: false, isWhole: false, steps: null)
                .TryGet(out range!, out var faults)
        )
            throw new ArgumentException(string.Join(' ', faults));
        var plan = SweepPlans
            .Create([("x", range)], SearchMethod.NewTreeParzen(1), trials, [], 2, 1)
            .OrThrow(found => new ArgumentException(string.Join(' ', found)));
        var board = SweepBoards.Start(plan);
        for (
            var time = 0L;
            SweepBoards.TryTake("alone", time, 10, ref board, out var lease);
            time++
        )
        {
            if (!SweepBoards.TryRenew("alone", lease, time, 10, ref board))
                throw new InvalidOperationException("A lease that has not expired is held.");
            var x = double.Parse(
                lease.Values[0],
                System.Globalization.CultureInfo.InvariantCulture
            );
            var result = SweepBoards.Result(deficit(x), [("y", deficit(x))], 1, $"{x:R}", true);
            if (!SweepBoards.Record("alone", lease, 0.1, result, ref board).IsNew)
                throw new InvalidOperationException("A trial is recorded once.");
        }
        return board;
    }
}
