namespace Pipeline.Training;

/// <summary>Marks a setting, or a class of settings, that may change when a run is resumed: it does not
/// affect what the run has learned so far.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
internal sealed class ChangeableOnResumeAttribute : Attribute;

/// <summary>The values that a setting accepts, in words, where the core checks them.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AcceptsAttribute(string values) : Attribute
{
    public string Values => values;
}

/// <summary>The default of a setting in words, for a setting whose default is null or a path.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DefaultTextAttribute(string text) : Attribute
{
    public string Text => text;
}
