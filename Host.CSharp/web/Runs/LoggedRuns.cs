namespace Pipeline.Web;

/// <summary>What is remembered of the runs that were looked at last.</summary>
internal sealed class LoggedRuns
{
    private const int Most = 64;

    private readonly Lock gate = new();
    private readonly LinkedList<(string Path, LoggedRun Run)> recent = new();

    /// <summary>The run of a folder.</summary>
    public LoggedRun Of(string path)
    {
        lock (gate)
        {
            var found = recent.First;
            while (found is not null && found.Value.Path != path)
                found = found.Next;
            if (found is null)
                found = new((path, new(path)));
            else
                recent.Remove(found);
            recent.AddFirst(found);
            if (recent.Count > Most)
                recent.RemoveLast();
            return found.Value.Run;
        }
    }
}
