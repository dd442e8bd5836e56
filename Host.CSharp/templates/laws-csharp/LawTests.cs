using Pipeline.Learning.Laws;
using Xunit;

namespace PipelineLaws;

public class LawTests
{
    [Fact]
    public void Softsign_has_its_derivative() =>
        Law.Check(ActivationLaw.All(Softsign.Apply, Softsign.Derivative));

    [Fact]
    public void Scale_has_its_gradients() =>
        Law.Check(LayerLaw.All(Scale.Shapes, Scale.Forward, Scale.Backward));
}
