using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Which iterations or epochs are logged. This depends on their number only, so that a run that was
/// stopped and resumed writes the same lines as an undisturbed one.</summary>
/// <param name="Every">The multiples of this number, 1 or more. Null: each of the first 10,000, each tenth up
/// to 100,000, each hundredth up to a million, and so on, which makes 9,000 lines for ten times as many
/// iterations.</param>
internal readonly record struct Cadence(long? Every)
{
    private const long Dense = 10_000;

    public static Cadence Automatic => new(null);

    /// <summary>The cadence of a run's log.</summary>
    /// <exception cref="RefusedException">The run's settings do not contain it.</exception>
    public static Cadence Of(StoredRun run)
    {
        var every = (long?)run.Settings["run"]?["progress_every"];
        return every is < 1
            ? throw new RefusedException([
                Faults.Create($"{run.Path}, Run:ProgressEvery", "1 or more", $"{every}").ToString(),
            ])
            : new(every);
    }

    /// <summary>Whether a number, 0 or more, is logged.</summary>
    public bool IsDue(long number) => number % Step(number) == 0;

    /// <summary>The next logged number after another one.</summary>
    public long Next(long number)
    {
        var step = Step(number + 1);
        return ((number / step) + 1) * step;
    }

    public override string ToString() => Every is { } every ? $"{every}" : "automatic";

    /// <summary>The distance between logged numbers, up to a number.</summary>
    private long Step(long number)
    {
        if (Every is { } every)
            return every;
        var step = 1L;
        while ((number - 1) / step >= Dense)
            step *= 10;
        return step;
    }
}
