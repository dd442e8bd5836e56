namespace Pipeline.Training;

/// <summary>A setting that changes no bit of what a run has learned so far, or a class of such.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
internal sealed class ChangeableOnResumeAttribute : Attribute;

/// <summary>The values that a setting accepts, in words, where the core checks them.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AcceptsAttribute(string values) : Attribute
{
    public string Values => values;
}

/// <summary>What holds unless a setting is set, for people: of a setting whose default is no value, or is a
/// path.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DefaultTextAttribute(string text) : Attribute
{
    public string Text => text;
}
