using Orleans;
using Orleans.Runtime;

namespace Pipeline.Cluster;

/// <summary>Saving the state of a grain.</summary>
internal static class GrainState
{
    /// <summary>Writes the state. If that fails, memory and store may differ: the next call begins from the store.</summary>
    public static async Task SaveAsync<TState>(this Grain grain, IPersistentState<TState> stored)
    {
        try
        {
            await stored.WriteStateAsync();
        }
        catch
        {
            grain.GrainContext.Deactivate(
                new(DeactivationReasonCode.ApplicationError, "The state could not be saved.")
            );
            throw;
        }
    }
}
