using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning.Laws;
using Xunit;

public class SoftsignTests
{
    private static Matrix<double> Softsign(Matrix<double> z) => z.Map(z => z / (1 + Math.Abs(z)));

    private static Matrix<double> Slope(Matrix<double> z) =>
        z.Map(z => 1 / Math.Pow(1 + Math.Abs(z), 2));

    [Fact]
    public void Keeps_every_law() => Law.Check(ActivationLaw.All(Softsign, Slope));

    [Fact]
    public void A_slip_is_caught()
    {
        var broken = Assert.Throws<LawBrokenException>(() =>
            Law.Check(ActivationLaw.All(Softsign, z => z.Map(z => 1 / (1 + Math.Abs(z)))))
        );
        Assert.StartsWith("broken laws: 1", broken.Message);
    }
}
