namespace Pipeline.Training;

/// <summary>Reports once a second that the service is alive, on a thread of those that answer requests: where none of
/// them is free, it reports nothing.</summary>
internal sealed class ServingHeartbeat(Liveness liveness, TimeProvider clock)
    : PeriodicService(clock)
{
    protected override void Act() => liveness.Beat();
}
