using Pipeline.Learning;
using Pipeline.Learning.Formats;

namespace Pipeline.Training;

/// <summary>Rows of tables.</summary>
internal sealed class ParsedTables(
    RunConfiguration configuration,
    Table train,
    Table? test,
    IReadOnlyList<DataFile> files
) : ParsedData
{
    public override LoadedData<T> Encode<T>(KnownData? known = null)
    {
        var data = MemoryBudget.Guard(
            files[0].Path,
            () => DataFiles.OfTables<T>(configuration, known, train, test, files)
        );
        return data with { Notes = [.. Notes, .. data.Notes] };
    }
}
