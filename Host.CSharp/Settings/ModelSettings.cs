using System.ComponentModel;

namespace Pipeline.Training;

[Description("The network.")]
public sealed class ModelSettings
{
    [Description("widths of the hidden layers: 100,50, or none")]
    [Accepts("1 to 65536")]
    [DefaultText("50")]
    public int[]? Hidden { get; init; }

    [Description("the activation function of the hidden units")]
    [Accepts("Sigmoid, Tanh, Relu, Identity, LeakyRelu, Elu, Gelu, Silu or Softplus")]
    public string Activation { get; init; } = "Sigmoid";

    [Description(
        "whether hidden layers are normalised over the mini-batch; the saved model is the plain network that does the same"
    )]
    public bool Normalised { get; init; }

    [Description(
        "what the outputs stand for, and so the loss: Softmax for one class of several (cross entropy), Sigmoid for each class by itself (binary cross entropy), Identity for numbers (squared error)"
    )]
    [Accepts("Softmax, Sigmoid or Identity")]
    public string Head { get; init; } = "Softmax";

    [Description(
        "how the initial weights are drawn; Fixed: with the standard deviation WeightInitStd"
    )]
    [Accepts(
        "Fixed, XavierNormal, XavierUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform or Orthogonal"
    )]
    public string Initialiser { get; init; } = "Fixed";

    [Description("standard deviation of the initial weights where they are Fixed")]
    [Accepts("0 or more")]
    public double WeightInitStd { get; init; } = 0.01;
}
