using Pipeline.Learning;

namespace Pipeline.Training;

/// <summary>The names of metrics in reports and messages.</summary>
internal static class MetricText
{
    public static string Of(Metric metric) =>
        metric.IsAccuracy ? "accuracy"
        : metric.IsBalancedAccuracy ? "balanced accuracy"
        : metric.IsMacroF1 ? "macro F1"
        : metric.IsAreaUnderRoc ? "area under the ROC curve"
        : metric.IsLogLoss ? "log-loss"
        : metric.IsRootMeanSquaredError ? "root mean squared error"
        : metric.IsMeanAbsoluteError ? "mean absolute error"
        : "R²";
}
