using System.Numerics;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>Counts the samples and answers of a model and, a window after the other, compares them with those of its
/// training. No sample is kept.</summary>
internal sealed class DriftWatch
{
    private readonly TrainingStatistics statistics;
    private readonly bool takesRows;
    private readonly DriftCounter counter;
    private readonly DriftCounts counts;
    private WindowReport? last;

    /// <param name="statistics">The statistics of training.</param>
    /// <param name="preprocessing">The model's preprocessing.</param>
    /// <param name="decision">When the model answers a class; null for the most probable class.</param>
    public DriftWatch(
        TrainingStatistics statistics,
        Preprocessing preprocessing,
        Decision? decision
    )
    {
        this.statistics = statistics;
        takesRows = preprocessing.IsTable;
        counter = new(statistics, preprocessing, decision);
        counts = new(counter.Count);
    }

    /// <summary>The last whole window; null before the first.</summary>
    public WindowReport? Last => Volatile.Read(ref last);

    /// <summary>The samples of the window that has begun.</summary>
    public long Samples => counts.Samples;

    public void CountImage(ReadOnlySpan<byte> pixels, ReadOnlySpan<double> outputs)
    {
        Span<int> inputs = stackalloc int[counter.Inputs];
        counter.OfImage(pixels, inputs);
        Count(inputs, outputs);
    }

    public void CountNumbers(ReadOnlySpan<double> numbers, ReadOnlySpan<double> outputs)
    {
        Span<int> inputs = stackalloc int[counter.Inputs];
        counter.OfNumbers(numbers, inputs);
        Count(inputs, outputs);
    }

    /// <param name="rows">The rows, before they are encoded.</param>
    /// <param name="outputs">The outputs for each row.</param>
    public void CountRows(Table rows, IEnumerable<double[]> outputs) =>
        counts.Add(rows.Rows, counter.OfRows(rows), AnswersOf(rows.Rows, outputs));

    /// <param name="samples">The samples of a file.</param>
    /// <param name="outputs">The outputs for each.</param>
    public void Count<T>(NamedSamples<T> samples, IEnumerable<double[]> outputs)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        if (takesRows)
            CountRows(samples.Rows!, outputs);
        else
        {
            var answers = AnswersOf(samples.Data.Count, outputs);
            counts.Add(samples.Data.Count, counter.OfSamples(samples.Data), answers);
        }
    }

    /// <summary>Forgets the samples of the window that has begun.</summary>
    public void Restart() => counts.Drain();

    /// <summary>Ends the window if it has samples enough.</summary>
    /// <param name="window">The samples of a window, or more.</param>
    /// <param name="now">The time.</param>
    /// <returns>The comparison of the window that has ended; null if it goes on.</returns>
    public WindowReport? Look(int window, DateTimeOffset now)
    {
        if (counts.Samples < window)
            return null;
        var report = new WindowReport(
            now,
            Drift.Compare(DriftOptions.Default, statistics, counts.Drain())
        );
        Volatile.Write(ref last, report);
        return report;
    }

    private int[] AnswersOf(int samples, IEnumerable<double[]> outputs)
    {
        var answers = new int[samples * counter.Answers];
        var place = 0;
        foreach (var output in outputs)
        {
            counter.OfAnswer(output, answers.AsSpan(place, counter.Answers));
            place += counter.Answers;
        }
        return answers;
    }

    private void Count(ReadOnlySpan<int> inputs, ReadOnlySpan<double> outputs)
    {
        Span<int> answers = stackalloc int[counter.Answers];
        counter.OfAnswer(outputs, answers);
        counts.Add(1, inputs, answers);
    }
}

/// <summary>A window that has ended.</summary>
/// <param name="Ended">When.</param>
/// <param name="Report">The comparison with training.</param>
internal sealed record WindowReport(DateTimeOffset Ended, DriftReport Report);
