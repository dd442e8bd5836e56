using System.Text.Json.Nodes;
using Pipeline.Learning;
using Pipeline.Learning.Interop;
using Pipeline.Training;
using Pipeline.Web;

namespace Pipeline.Fuzz;

/// <summary>Files of settings, of sweeps and of runs.</summary>
internal static class SettingsTargets
{
    /// <summary>What a host and its settings use for any file.</summary>
    private const long Room = 16_000_000;

    /// <summary>The largest number of trials of a sweep that is started.</summary>
    private const int MostTrials = 1000;

    private static readonly Dictionary<string, string?> None = [];

    private static readonly string[] Words =
    [
        "\"Pipeline\":{",
        "\"Logging\":{",
        "\"Data\":{",
        "\"Model\":{",
        "\"Training\":{",
        "\"Run\":{",
        "\"Layers\":",
        "\"Hidden\":",
        "\"Classes\":",
        "\"Epochs\":",
        "\"Iterations\":",
        "\"LearningRate\":",
        "\"Optimizer\":",
        "\"Seed\":",
        "\"Threads\":",
        "\"TargetScaling\":",
        "\"Head\":\"Identity\"",
        "null",
        "true",
        "\"none\"",
        "1e999",
        "2147483648",
        "-1",
        "\\ud800",
        "\\u0000",
    ];

    private static readonly string Folder = Directory
        .CreateTempSubdirectory("pipeline-fuzz-")
        .FullName;

    /// <summary>The first lines of the logs of a run, by their names. The folder of the logs is made with them.</summary>
    private static readonly Lazy<Dictionary<string, byte[]>> Headers = new(() =>
    {
        var folder = Path.Combine(Folder, "logs");
        Directory.CreateDirectory(folder);
        new RunLogs(new DiskFiles(), folder).Continue(null);
        string[] names = [RunLogs.ProgressName, RunLogs.EpochsName];
        return names.ToDictionary(
            name => name,
            name => File.ReadAllBytes(Path.Combine(folder, name))
        );
    });

    static SettingsTargets() =>
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Folder, true);

    public static IEnumerable<Target> All { get; } =
    [
        new(
            "settings",
            () =>
                Target.Texts(
                    """{"Pipeline":{"Model":{"Hidden":[50,20],"Activation":"Relu"},"Training":{"Epochs":3,"LearningRate":0.1,"Optimizer":"Adam"}}}""",
                    """{"Pipeline:Model:Layers":"dense 10, relu, dense 10","Pipeline":{"Data":{"MissingValues":["NA","-"],"Validation":0.1}}}""",
                    """{"Logging":{"LogLevel":{"Default":"Information"},"Console":{"FormatterName":"json"}},"Pipeline":{"Run":{"Name":"x"}}}""",
                    """{"Pipeline":{"Data":{"Train":"x.csv","Label":"y","Ignore":["id"]},"Model":{"Head":"Identity"},"Training":{"Schedule":"Cosine","WarmUp":5}}}"""
                ),
            Settings,
            Words
        ),
        new(
            "run",
            () =>
                Target.Texts(
                    """{"settings":{"data":{"directory":"d","classes":10},"model":{"hidden":[50],"normalised":false},"training":{"iterations":100,"learning_rate":0.1,"seed":1}},"data_sha256":{"a":"b"}}"""
                ),
            Run,
            [
                .. Words,
                "\"settings\":{",
                "\"data_sha256\":{",
                "\"began_with\":",
                "\"model\":{",
                "\"training\":{",
                "\"run\":{",
                "\"progress_every\":",
            ]
        ),
        new(
            "record",
            () =>
                Target.Texts(
                    """{"settings":{"data":{"train":"x.csv"},"model":{"layers":["dense 2"]},"training":{}},"data_sha256":{}}"""
                        + "\u0001"
                        + """{"outcome":"completed","final_test_accuracy":0.5,"train_seconds":1}"""
                        + "\u00010,0,2.5,0.1,2.5,0.1,0.01,,\n1,2,2.4,0.1,2.5,0.1,0.02,2.5,0.1\n"
                ),
            Record,
            "\"outcome\":",
            "\"final_test_loss\":",
            "\"final_validation_accuracy\":",
            "\"train_seconds\":",
            "\"hidden\":[",
            "\"layers\":[",
            "\\ud800",
            "1e999",
            "null",
            ",,"
        ),
        new(
            "sweep",
            () =>
                Target.Texts(
                    """{"name":"s","settings":{"Data":{"Validation":0.1}},"space":{"Training:LearningRate":{"from":0.05,"to":5,"scale":"Log"},"Model:Hidden":[50,100],"Model:Activation":["Tanh","Relu"]},"method":"TPE","trials":9,"rungs":[1,4],"goal":"ValidationAccuracy"}""",
                    """{"space":{"Training:BatchSize":{"from":10,"to":20,"whole":true,"steps":3},"Training:Seed":[1,2]},"method":"Grid","seed":5,"settings":{"Training:Epochs":2,"Model:Hidden":[5,6]}}""",
                    """{"preset":"book","space":{"Training:LearningRate":{"from":0.1,"to":1}},"method":"Sobol","trials":4,"seeds":2}""",
                    """{"space":{"Model:Hidden":[5,6]},"method":"Random","trials":3,"rungs":[1],"factor":2}"""
                ),
            Sweep,
            "\"space\":{",
            "\"settings\":{",
            "\"method\":",
            "\"Grid\"",
            "\"Sobol\"",
            "\"Random\"",
            "\"TPE\"",
            "\"trials\":",
            "\"rungs\":[",
            "\"factor\":",
            "\"lag\":",
            "\"seeds\":",
            "\"folds\":",
            "\"from\":",
            "\"to\":",
            "\"scale\":\"Log\"",
            "\"whole\":true",
            "\"steps\":",
            "1e308",
            "2147483647",
            "\\ud800"
        ),
        new(
            "board",
            () =>
                [
                    BoardFile.Of(Recorded(), ["a difference."]).ToJson(),
                    BoardFile.Of(SweepBoards.Start(Plan()), []).ToJson(),
                ],
            Board,
            "\"number\":",
            "\"results\":[",
            "\"deficit\":null",
            "\"recorders\":[",
            "\"attempts\":",
            "\"figures\":{",
            "2147483647",
            "-1",
            "null"
        ),
        new(
            "logs",
            () =>
                Target.Texts(
                    "1,0,2.5,0.1,0.01\n2,0,2.4,0.1,0.02\n3,1,NaN,0.1,0.03\n\u00010,0,2.5,0.1,2.5,0.1,0.01,,\n1,2,2.4,0.1,2.5,0.1,0.02,2.5,0.1\n"
                ),
            Logs,
            ",,",
            "NaN",
            "1e999",
            "\n"
        ),
    ];

    /// <summary>A file of settings: those of the run that it makes give the same run.</summary>
    private static void Settings(byte[] input)
    {
        var path = Path.Combine(Folder, "preset.json");
        File.WriteAllBytes(path, input);
        Again(
            Oracle.Bounded(
                input.Length,
                () =>
                {
                    ServiceRegistration.CreateBuilder(new(None, path), out var configuration);
                    return configuration;
                },
                Room
            )
        );
    }

    /// <summary>The settings that a run stores make the same run.</summary>
    private static void Again(RunConfiguration configuration)
    {
        var stored = new StoredRun(
            Path.Combine(Folder, "run"),
            SettingsJson.Of(configuration),
            new Dictionary<string, string>()
        );
        var read = JsonNode.Parse(stored.Settings.ToJsonString(JsonText.Options))!;
        Oracle.Require(
            JsonNode.DeepEquals(read, stored.Settings),
            "settings are others once stored"
        );
        var again = Oracle.Again(
            "a file of settings that a run has stored",
            () =>
                ServiceRegistration.ConfigurationAlone(
                    new(None, Run: stored.Values().ToDictionary())
                )
        );
        var differences = stored.Differences(again);
        Oracle.Require(differences.Count == 0, string.Join(' ', differences));
    }

    /// <summary>The settings of an earlier run.</summary>
    private static void Run(byte[] input)
    {
        var folder = Path.Combine(Folder, "earlier");
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, RunFolder.SettingsFile), input);
        var run = Oracle.Bounded(input.Length, () => StoredRun.Read(folder), Room);
        Cadence.Of(run);
        Again(ServiceRegistration.ConfigurationAlone(new(None, Run: run.Values().ToDictionary())));
    }

    /// <summary>The files of a run, with a byte 1 between them: the list of runs has a line for it, whatever they
    /// hold.</summary>
    private static void Record(byte[] input)
    {
        var runs = Path.Combine(Folder, "runs");
        var folder = Path.Combine(runs, "20300101T000000Z-run");
        Directory.CreateDirectory(folder);
        string[] names = [RunFolder.SettingsFile, RunFolder.SummaryFile, RunLogs.EpochsName];
        var rest = input.AsSpan();
        foreach (var name in names)
        {
            var length = rest.IndexOf((byte)1);
            var part = length < 0 ? rest : rest[..length];
            File.WriteAllBytes(
                Path.Combine(folder, name),
                name == RunLogs.EpochsName ? [.. Headers.Value[name], .. part] : part.ToArray()
            );
            rest = length < 0 ? [] : rest[(length + 1)..];
        }
        var rows = Oracle.Bounded(input.Length, () => new RunFolders(runs).List(), Room);
        Oracle.Require(rows.Count == 1, $"{rows.Count} runs in the list");
        StoredRun.FinishedAs(folder);
        var record = Oracle.Bounded(input.Length, () => RunRecord.Read(folder), Room);
        foreach (var setting in SettingCatalog.All)
            record.Value(setting);
        foreach (var (name, _) in record.Summary)
            record.Figure(name);
    }

    /// <summary>A plan: its board is written and read the same, before and after results.</summary>
    private static void Sweep(byte[] input)
    {
        var file = Oracle.Bounded(input.Length, () => SweepFile.Parse("plan.json", input), Room);
        foreach (var values in SweepPlans.Examples(file.Plan).Take(10))
            Oracle.Require(
                values.Count == SweepPlans.Space(file.Plan).Count,
                "another number of values"
            );
        var board = Oracle.Bounded(input.Length, () => SweepBoards.Start(file.Plan), Room);
        if (board.Trials.Length > MostTrials)
            return;
        Stored(file.Plan, board);
        for (var i = 0; i < 8; i++)
        {
            if (!SweepBoards.TryTake("w", i, 1000, ref board, out var lease))
                break;
            SweepBoards.Record("w", lease, 1, Result(i), ref board);
        }
        Stored(file.Plan, board);
        SweepBoards.Ranking(board);
        SweepBoards.Influence(board);
    }

    private static TrialResult Result(int i) =>
        SweepBoards.Result(
            i == 3 ? double.PositiveInfinity : 1.0 / (i + 1),
            [("accuracy", 0.5)],
            10,
            "hash",
            hasEnded: i % 2 == 0
        );

    private static SweepPlan Plan() =>
        SweepFile
            .Parse(
                "plan.json",
                """{"space":{"Model:Hidden":[5,6,7],"Training:LearningRate":{"from":0.1,"to":1}},"method":"Random","trials":4,"rungs":[1,3],"factor":2}"""u8.ToArray()
            )
            .Plan;

    private static SweepBoard Recorded()
    {
        var board = SweepBoards.Start(Plan());
        for (var i = 0; i < 5 && SweepBoards.TryTake("w", i, 1000, ref board, out var lease); i++)
            SweepBoards.Record("w", lease, 1.5, Result(i), ref board);
        return board;
    }

    private static void Stored(SweepPlan plan, SweepBoard board)
    {
        var bytes = BoardFile.Of(board, []).ToJson();
        var again = Oracle.Again(
            "a written board",
            () => BoardFile.Parse("board.json", bytes).Restore(plan, "board.json")
        );
        var differs = SweepBoards
            .Ranking(again)
            .Zip(SweepBoards.Ranking(board))
            .Any(pair => pair.First.Number != pair.Second.Number);
        Oracle.Require(!differs, "a board that is read ranks trials otherwise");
    }

    /// <summary>A board: what is restored is written and read the same.</summary>
    private static void Board(byte[] input)
    {
        var plan = Plan();
        var board = Oracle.Bounded(
            input.Length,
            () => BoardFile.Parse("board.json", input).Restore(plan, "board.json"),
            Room
        );
        Stored(plan, board);
        SweepBoards.Best(board);
        SweepBoards.Influence(board);
        while (SweepBoards.TryTake("w", 5, 1000, ref board, out var lease))
            SweepBoards.Record("w", lease, 1, Result(1), ref board);
    }

    /// <summary>The two logs of a run, with a byte 1 between them.</summary>
    private static void Logs(byte[] input)
    {
        var folder = Path.Combine(Folder, "logs");
        var place = input.AsSpan().IndexOf((byte)1);
        var (progress, epochs) = place < 0 ? (input, []) : (input[..place], input[(place + 1)..]);
        Write(RunLogs.ProgressName, progress);
        Write(RunLogs.EpochsName, epochs);
        Oracle.Bounded(
            input.Length,
            () => new RunLogs(new DiskFiles(), folder).Find(3, 2, Cadence.Automatic, [])
        );

        void Write(string name, byte[] lines) =>
            File.WriteAllBytes(Path.Combine(folder, name), [.. Headers.Value[name], .. lines]);
    }
}
