using Pipeline.Serving;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddPipelineModel("iris", "iris.safetensors");

var app = builder.Build();
app.MapPipelineModels();
app.MapHealthChecks("/health");
app.MapPost("/flower", (Flower flower, IPredictor iris) => iris.Predict(flower).Class);
app.Run();

record Flower(double SepalLength, double SepalWidth, double PetalLength, double PetalWidth);
