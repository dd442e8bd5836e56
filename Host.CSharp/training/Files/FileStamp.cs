namespace Pipeline.Training;

/// <summary>The time and the length of a file. If one of them differs, the file has changed.</summary>
/// <param name="Time">When it was written.</param>
/// <param name="Length">Its length in bytes.</param>
internal readonly record struct FileStamp(DateTime Time, long Length)
{
    /// <summary>File systems round times, FAT to two seconds.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromSeconds(2);

    /// <summary>Whether the file may change again and keep its stamp.</summary>
    /// <param name="now">The time before the stamp was read.</param>
    public bool MayBeKept(DateTimeOffset now) => (now.UtcDateTime - Time).Duration() <= Rounding;
}
