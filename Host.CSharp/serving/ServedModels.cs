namespace Pipeline.Serving;

/// <summary>The models that an application serves.</summary>
internal sealed class ServedModels(IEnumerable<ServedModel> models)
{
    private readonly Dictionary<string, ServedModel> byName = models.ToDictionary(
        model => model.Name,
        StringComparer.Ordinal
    );

    /// <summary>All models, in the order of their registration.</summary>
    public IReadOnlyCollection<ServedModel> All => byName.Values;

    public ServedModel? Find(string name) => byName.GetValueOrDefault(name);
}
