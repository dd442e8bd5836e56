using System.Text;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Pictures;

namespace Pipeline.Training;

/// <summary>The picture of a sweep: the best result so far over the trials, the settings of each trial as a line, and how
/// much each setting matters.</summary>
internal static class SweepPicture
{
    /// <summary>The size of the picture, in pixels; the height is that of each chart.</summary>
    public const int Width = 900;
    public const int Height = 320;

    /// <summary>How many of the best trials are drawn in colour.</summary>
    private const int MostColoured = 3;

    /// <summary>How many trials are drawn.</summary>
    private const int MostDrawn = 300;

    public static byte[] ToSvg(SweepFile file, SweepBoard board) =>
        Encoding.UTF8.GetBytes(
            Picture.ToSvg(
                "sweep",
                Width,
                Height,
                [Progress(file, board), Coordinates(file, board), Influence(board)]
            )
        );

    private static Chart Progress(SweepFile file, SweepBoard board)
    {
        IEnumerable<(double, double)> Results(bool isDone) =>
            board
                .Trials.Where(trial => trial.State.IsDone == isDone)
                .Select(trial => ((double)trial.Number, TrialText.FigureOf(trial, file.Goal)));

        return new(
            $"{file.Name}: results and the best so far",
            Axis.Linear("trial").Within(-0.5, board.Trials.Length - 0.5),
            WithoutWorst(file, board),
            [
                Mark.NewPoints("at a rung", Results(false)),
                Mark.NewPoints("at the end", Results(true)),
                Mark.NewLine("best so far", BestSoFar(file, board)),
            ]
        );
    }

    /// <summary>The axis of the results. The worst quarter may lie outside, as it would press all others
    /// together.</summary>
    private static Axis WithoutWorst(SweepFile file, SweepBoard board)
    {
        var axis = Axis.Linear(file.Goal.Name);
        double[] figures =
        [
            .. SweepBoards
                .Ranking(board)
                .Where(trial => double.IsFinite(trial.Results[^1].Deficit))
                .OrderBy(trial => trial.Results[^1].Deficit)
                .Select(trial => TrialText.FigureOf(trial, file.Goal)),
        ];
        if (figures.Length < 4)
            return axis;
        var (best, last) = (figures[0], figures[figures.Length * 3 / 4]);
        var margin = 0.05 * Math.Abs(best - last);
        return margin == 0
            ? axis
            : axis.Within(Math.Min(best, last) - margin, Math.Max(best, last) + margin);
    }

    /// <summary>The steps of the best result of the trials that ran to their end.</summary>
    private static List<(double, double)> BestSoFar(SweepFile file, SweepBoard board)
    {
        List<(double Trial, double Figure)> steps = [];
        var lowest = double.PositiveInfinity;
        foreach (var trial in board.Trials.Where(trial => trial.State.IsDone))
        {
            if (trial.Results[^1].Deficit is var deficit && deficit >= lowest)
                continue;
            lowest = deficit;
            if (steps.Count > 0)
                steps.Add((trial.Number, steps[^1].Figure));
            steps.Add((trial.Number, TrialText.FigureOf(trial, file.Goal)));
        }
        if (steps.Count > 0)
            steps.Add((board.Trials.Length - 1, steps[^1].Figure));
        return steps;
    }

    /// <summary>Parallel coordinates: an axis for each setting and one for the result, each from its lowest to its highest
    /// value.</summary>
    private static Chart Coordinates(SweepFile file, SweepBoard board)
    {
        var space = SweepPlans.Space(board.Plan);
        var ranking = SweepBoards.Ranking(board);
        var last = space.Count;
        SweepTrial[] drawn =
        [
            .. EvenlySpaced
                .Of([.. ranking.Where(trial => double.IsFinite(trial.Results[^1].Deficit))])
                .Take(MostDrawn),
        ];

        IEnumerable<(double, double)> Line(int place)
        {
            var trial = drawn[place];
            for (var i = 0; i < space.Count; i++)
                yield return (i, SettingRanges.PositionOf(space[i].Item2, trial.Values[i]));
            // The best is on top.
            yield return (last, drawn.Length == 1 ? 1 : 1 - ((double)place / (drawn.Length - 1)));
        }

        var places = Enumerable.Range(0, drawn.Length);
        return new(
            "Settings of the trials and their rank, the best ones in colour",
            Axis.Names([.. space.Select(TitleOf), "rank"]),
            Axis.Linear("from the lowest to the highest").Within(-0.05, 1.05),
            [
                .. places
                    .Skip(MostColoured)
                    .Reverse()
                    .Select(place => Mark.NewFaint("", Line(place))),
                .. Enumerable.Range(0, last + 1).Select(place => Mark.NewVertical("", place)),
                .. places
                    .Take(MostColoured)
                    .Select(place =>
                        Mark.NewLine(
                            FormattableString.Invariant($"trial {drawn[place].Number}"),
                            Line(place)
                        )
                    ),
            ]
        );
    }

    private static string TitleOf((string Name, SettingRange Range) setting)
    {
        var corners = setting.Range.Corners;
        var name = TrialText.ShortName(setting.Name);
        return corners.Length == 1 ? name : $"{name}, {corners[0]} to {corners.Last()}";
    }

    private static Chart Influence(SweepBoard board)
    {
        var influence = SweepBoards
            .Influence(board)
            .OrderByDescending(setting => setting.Item2)
            .ToArray();
        return new(
            "Importance: share of the differences after the first rung that a setting explains",
            Axis.Linear("share").Within(0, 1),
            Axis.Names(influence.Select(setting => setting.Item1)),
            [Mark.NewBars("", influence.Select(setting => setting.Item2))]
        );
    }
}
