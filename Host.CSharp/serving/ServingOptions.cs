namespace Pipeline.Serving;

/// <summary>Options of all served models: <c>services.Configure&lt;ServingOptions&gt;(…)</c>.</summary>
public sealed class ServingOptions
{
    /// <summary>The least window of samples.</summary>
    internal const int LeastWindow = 30;

    /// <summary>The samples after which those that a model was asked about are compared with those it was trained on. A
    /// window ends at the first second with as many samples or more.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The window is below 30 samples, of which nothing can be
    /// said.</exception>
    public int DriftWindow
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, LeastWindow);
            field = value;
        }
    } = 1000;
}
