namespace Pipeline.Web;

/// <summary>A run that has a page.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Name">What the page calls it.</param>
/// <param name="Address">The address of its page.</param>
internal sealed record ShownRun(string Path, string Name, string Address);
