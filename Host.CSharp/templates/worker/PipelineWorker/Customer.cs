namespace PipelineWorker;

/// <summary>A row without its label.</summary>
public sealed record Customer(int Age, string Plan, double MonthlyFee, int SupportCalls);
