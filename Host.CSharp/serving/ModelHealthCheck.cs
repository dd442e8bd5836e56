using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pipeline.Serving;

/// <summary>Healthy while a model answers as its file says; degraded while the file cannot be used and the model before
/// it answers.</summary>
internal sealed class ModelHealthCheck(ServedModel model) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            model.Fault is { } fault
                ? HealthCheckResult.Degraded(fault)
                : HealthCheckResult.Healthy(model.Sha256)
        );
}
