using Orleans;
using Orleans.Concurrency;

namespace Pipeline.Cluster;

// What the store keeps. Names and numbers of members do not change.

/// <summary>A sweep in the store.</summary>
[GenerateSerializer, Alias("pipeline.SweepState")]
internal sealed class SweepState
{
    /// <summary>The sweep as it was submitted; null before it is submitted.</summary>
    [Id(0)]
    public Submission? Submission { get; set; }

    /// <summary>The JSON of board.json.</summary>
    [Id(1)]
    public byte[] Board { get; set; } = [];

    /// <summary>Running, Paused or Stopped.</summary>
    [Id(2)]
    public SweepPhase Wanted { get; set; }
}

/// <summary>The names of the sweeps that have work.</summary>
[GenerateSerializer, Alias("pipeline.SweepNamesState")]
internal sealed class SweepNamesState
{
    [Id(0)]
    public List<string> Names { get; set; } = [];
}

/// <summary>An upload that was announced.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Parts">The number of its parts.</param>
[GenerateSerializer, Immutable, Alias("pipeline.Upload")]
internal sealed record Upload([property: Id(0)] long Number, [property: Id(1)] int Parts);

/// <summary>The archives of a trial.</summary>
[GenerateSerializer, Alias("pipeline.TrialArchiveState")]
internal sealed class TrialArchiveState
{
    /// <summary>The newest archive; null before the first one.</summary>
    [Id(0)]
    public ArchiveEntry? Newest { get; set; }

    /// <summary>Uploads that have not been finished.</summary>
    [Id(1)]
    public List<Upload> Open { get; set; } = [];

    /// <summary>The number of the last upload.</summary>
    [Id(2)]
    public long Last { get; set; }
}

/// <summary>A part of an archive.</summary>
[GenerateSerializer, Alias("pipeline.ArchivePart")]
internal sealed class ArchivePart
{
    [Id(0)]
    public byte[] Bytes { get; set; } = [];
}
