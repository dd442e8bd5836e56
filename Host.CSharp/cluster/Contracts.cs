using System.Security.Cryptography;
using Orleans;
using Orleans.Concurrency;

namespace Pipeline.Cluster;

// What machines send each other: texts, numbers and bytes. Names (Alias) and numbers of members (Id) do not change.

/// <summary>A sweep, as the machine that submits it describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Plan">The plan, as the JSON of a file.</param>
/// <param name="Settings">The settings of all trials, as a JSON object of texts.</param>
/// <param name="Identity">The settings of the first trial, the data and the program, as JSON.</param>
/// <param name="Board">The results that the machine knows, as the JSON of board.json; empty for none.</param>
[GenerateSerializer, Immutable, Alias("pipeline.Submission")]
internal sealed record Submission(
    [property: Id(0)] string Name,
    [property: Id(1)] byte[] Plan,
    [property: Id(2)] byte[] Settings,
    [property: Id(3)] byte[] Identity,
    [property: Id(4)] byte[] Board
)
{
    /// <summary>Names the sweep and all that its trials depend on: what is kept of trials is kept by it.</summary>
    public string Key =>
        $"{Name}/{Convert.ToHexStringLower(SHA256.HashData([.. Plan, .. Settings, .. Identity]))[..16]}";
}

/// <summary>What is to happen with a sweep.</summary>
[GenerateSerializer, Alias("pipeline.SweepPhase")]
internal enum SweepPhase
{
    /// <summary>There is no such sweep.</summary>
    Unknown = 0,

    Running = 1,

    /// <summary>Trials are saved and nothing is taken until it is continued.</summary>
    Paused = 2,

    /// <summary>The same, until it is submitted again.</summary>
    Stopped = 3,

    /// <summary>All trials are settled.</summary>
    Done = 4,
}

/// <summary>A stage of a trial that a worker has taken.</summary>
/// <param name="Trial">The trial's number.</param>
/// <param name="Attempt">Which of the trial's attempts it is, from 1.</param>
/// <param name="Stage">The stage, from 0.</param>
/// <param name="Epoch">The epoch at which the stage ends; null for the last stage.</param>
/// <param name="Values">The trial's values.</param>
/// <param name="Sweep">The key of the sweep's submission.</param>
[GenerateSerializer, Immutable, Alias("pipeline.Lease")]
internal sealed record Lease(
    [property: Id(0)] int Trial,
    [property: Id(1)] int Attempt,
    [property: Id(2)] int Stage,
    [property: Id(3)] int? Epoch,
    [property: Id(4)] string[] Values,
    [property: Id(5)] string Sweep
);

/// <summary>The answer to a worker that asks for work.</summary>
/// <param name="Phase">What is to happen with the sweep.</param>
/// <param name="Lease">The stage to run; null if there is nothing to do now.</param>
[GenerateSerializer, Immutable, Alias("pipeline.Taken")]
internal sealed record Taken([property: Id(0)] SweepPhase Phase, [property: Id(1)] Lease? Lease);

/// <summary>What a worker is to do with the stage that it runs.</summary>
[GenerateSerializer, Alias("pipeline.LeaseState")]
internal enum LeaseState
{
    Held = 0,

    /// <summary>To save it and to give it back.</summary>
    Recalled = 1,

    /// <summary>To drop it: the lease has ended, or the result is known.</summary>
    Lost = 2,
}

/// <summary>The result of a stage.</summary>
/// <param name="Deficit">How far the goal is from the best possible; infinite where the loss diverged.</param>
/// <param name="Names">The names of the figures.</param>
/// <param name="Figures">The figures.</param>
/// <param name="Iterations">The iterations that the trial has done.</param>
/// <param name="Model">The SHA-256 of the model.</param>
/// <param name="HasEnded">Whether the run has ended.</param>
/// <param name="Seconds">The seconds that the work took.</param>
[GenerateSerializer, Immutable, Alias("pipeline.StageResult")]
internal sealed record StageResult(
    [property: Id(0)] double Deficit,
    [property: Id(1)] string[] Names,
    [property: Id(2)] double[] Figures,
    [property: Id(3)] long Iterations,
    [property: Id(4)] string Model,
    [property: Id(5)] bool HasEnded,
    [property: Id(6)] double Seconds
);

/// <summary>What the coordinator did with a result.</summary>
/// <param name="IsRecorded">Whether it knows it now; otherwise the sweep or an earlier result is gone.</param>
/// <param name="Alarm">A sentence if another result was known; empty otherwise.</param>
[GenerateSerializer, Immutable, Alias("pipeline.Recorded")]
internal sealed record Recorded([property: Id(0)] bool IsRecorded, [property: Id(1)] string Alarm);

/// <summary>How far a trial is that runs.</summary>
/// <param name="Trial">The trial's number.</param>
/// <param name="Iteration">The iterations done.</param>
/// <param name="Total">The iterations of the whole run.</param>
[GenerateSerializer, Immutable, Alias("pipeline.Progress")]
internal sealed record Progress(
    [property: Id(0)] int Trial,
    [property: Id(1)] long Iteration,
    [property: Id(2)] long Total
);

/// <summary>A sweep as it is now.</summary>
/// <param name="Phase">What is to happen with it.</param>
/// <param name="Version">Changes with the board.</param>
/// <param name="Board">The JSON of board.json; empty if the asker has this version.</param>
/// <param name="Running">The trials that run.</param>
[GenerateSerializer, Immutable, Alias("pipeline.SweepView")]
internal sealed record SweepView(
    [property: Id(0)] SweepPhase Phase,
    [property: Id(1)] string Version,
    [property: Id(2)] byte[] Board,
    [property: Id(3)] Progress[] Running
);

/// <summary>The coordinator of a sweep; its key is the sweep's name.</summary>
[Alias("pipeline.ISweep")]
internal interface ISweep : IGrainWithStringKey
{
    /// <summary>Begins the sweep, or continues it.</summary>
    /// <returns>A sentence if another sweep has that name; empty otherwise.</returns>
    [Alias("Begin")]
    Task<string> Begin(Submission submission);

    /// <summary>The sweep as it was submitted; null if no sweep has this name.</summary>
    [Alias("Describe")]
    Task<Submission?> Describe();

    /// <summary>Takes a stage.</summary>
    [Alias("Take")]
    Task<Taken> Take(string worker);

    /// <summary>Makes a lease last longer, and says how far the trial is.</summary>
    [Alias("Renew")]
    Task<LeaseState> Renew(string worker, Lease lease, long iteration, long total);

    /// <summary>Gives a trial back whose stage is not done.</summary>
    [Alias("Release")]
    Task Release(string worker, Lease lease);

    /// <summary>Records the result of a stage, whoever found it.</summary>
    [Alias("Record")]
    Task<Recorded> Record(string worker, Lease lease, StageResult result);

    /// <summary>The sweep as it is now.</summary>
    /// <param name="known">The version that the asker has; empty for none.</param>
    [Alias("View")]
    Task<SweepView> View(string known);

    /// <summary>Pauses, continues or stops the sweep.</summary>
    /// <returns>What was to happen with it before.</returns>
    [Alias("Ask")]
    Task<SweepPhase> Ask(SweepPhase wanted);

    /// <summary>Removes the sweep with everything that is kept of it.</summary>
    [Alias("Remove")]
    Task Remove();
}

/// <summary>The names of the sweeps that have work. There is one such list, with the key 0.</summary>
[Alias("pipeline.ISweepNames")]
internal interface ISweepNames : IGrainWithIntegerKey
{
    [Alias("Add")]
    Task Add(string name);

    [Alias("Remove")]
    Task Remove(string name);

    [Alias("All")]
    Task<string[]> All();
}

/// <summary>What is kept of a trial: its run folders as an archive, whose parts are in the store.</summary>
/// <param name="Upload">The number of the upload, which the names of the parts have.</param>
/// <param name="Iteration">The iterations done.</param>
/// <param name="IsStageEnd">Whether it is from the end of a stage.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its SHA-256.</param>
/// <param name="Tags">The versions of its parts in the store.</param>
[GenerateSerializer, Immutable, Alias("pipeline.ArchiveEntry")]
internal sealed record ArchiveEntry(
    [property: Id(0)] long Upload,
    [property: Id(1)] long Iteration,
    [property: Id(2)] bool IsStageEnd,
    [property: Id(3)] long Bytes,
    [property: Id(4)] string Sha256,
    [property: Id(5)] string[] Tags
);

/// <summary>Which archive of a trial is the newest; its key is that of the submission and the trial's number.</summary>
[Alias("pipeline.ITrialArchive")]
internal interface ITrialArchive : IGrainWithStringKey
{
    /// <summary>The newest archive; null before the first one.</summary>
    [Alias("Newest")]
    Task<ArchiveEntry?> Newest();

    /// <summary>Announces an upload, so that its parts are deleted if it is never finished.</summary>
    /// <param name="parts">The number of its parts.</param>
    /// <returns>Its number.</returns>
    [Alias("Open")]
    Task<long> Open(int parts);

    /// <summary>Makes an upload the newest archive, unless a later one is known.</summary>
    /// <returns>Whether it is the newest.</returns>
    [Alias("Commit")]
    Task<bool> Commit(ArchiveEntry entry);

    /// <summary>Deletes everything.</summary>
    [Alias("Remove")]
    Task Remove();
}
