namespace Pipeline.Training;

/// <summary>Files that are whole or absent: written under another name, then renamed.</summary>
internal static class WholeFile
{
    public static void Write(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.tmp";
        File.WriteAllBytes(temporary, bytes);
        File.Move(temporary, path, overwrite: true);
    }
}
