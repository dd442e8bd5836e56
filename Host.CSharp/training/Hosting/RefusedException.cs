using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Training;

/// <summary>Settings or data that cannot be used, with a sentence for each reason. Equal reasons, found in
/// the training and the test rows for example, are reported once.</summary>
public class RefusedException(IEnumerable<string> reasons) : Exception
{
    /// <summary>One sentence for each reason.</summary>
    public IReadOnlyList<string> Reasons { get; } = [.. reasons.Distinct()];

    /// <summary>All reasons in one text.</summary>
    public override string Message => $"Settings or data were refused. {string.Join(' ', Reasons)}";

    /// <summary>The exception for one reason.</summary>
    /// <param name="subject">A setting, a file or a place in it.</param>
    /// <param name="expected">What is expected.</param>
    /// <param name="found">What was found instead.</param>
    internal static RefusedException Of(string subject, string expected, string found) =>
        new([Faults.Create(subject, expected, found).ToString()]);

    /// <summary>Makes the exception for faults that the core has found in a file.</summary>
    /// <param name="path">The file, or a place in it.</param>
    internal static Func<IReadOnlyList<Fault>, Exception> At(string path) =>
        faults => new RefusedException(
            faults.Select(fault => Faults.Within(path, fault).ToString())
        );
}

/// <summary>Another process works on the folder of a run.</summary>
internal sealed class RunInUseException(string reason) : RefusedException([reason]);
