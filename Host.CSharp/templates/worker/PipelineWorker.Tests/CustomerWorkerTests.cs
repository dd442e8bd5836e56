using Pipeline.Training;
using Xunit;

namespace PipelineWorker.Tests;

public class CustomerWorkerTests
{
    [Fact]
    public async Task The_worker_trains_a_model_that_predicts_customers()
    {
        var runs = Directory.CreateTempSubdirectory();
        using (
            var host = CustomerWorker.Create(
                "--Pipeline:Run:Mode",
                "Once",
                "--Pipeline:Run:Directory",
                runs.FullName
            )
        )
            Assert.Equal(0, await host.RunTrainingAsync());

        var model = TableModel.Load(Assert.Single(runs.GetDirectories()).FullName);
        Assert.Equal("yes", model.Predict(new Customer(30, "basic", 45, 7)).Class);
        Assert.Equal("no", model.Predict(new Customer(60, "premium", 20, 0)).Class);
        runs.Delete(recursive: true);
    }
}
