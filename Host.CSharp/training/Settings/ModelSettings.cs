using System.ComponentModel;

namespace Pipeline.Training;

/// <summary>The network.</summary>
[Description("The network.")]
public sealed record ModelSettings
{
    /// <summary>Widths of the hidden layers: 100,50, or none. Accepts: 1 to 65536. Default: 50.</summary>
    [Description("widths of the hidden layers: 100,50, or none")]
    [Accepts("1 to 65536")]
    [DefaultText("50")]
    public int[]? Hidden { get; init; }

    /// <summary>All layers of the network, from the inputs to the outputs, in place of Hidden, Activation,
    /// Normalised and Training:Dropout: dense 100,batchnorm,relu,dropout 0.2,dense 10. Accepts: dense OUTPUTS, conv2d
    /// OUTPUTS SIZE, maxpool2d SIZE, avgpool2d SIZE, globalavgpool, flatten, residual [LAYER, …], embedding BLOCKS, batchnorm,
    /// layernorm, dropout FRACTION, dropout2d FRACTION, conv1d, maxpool1d or avgpool1d, or an activation: sigmoid, tanh,
    /// relu, …. Default: the layers that Hidden describes.</summary>
    [Description(
        "all layers of the network, from the inputs to the outputs, in place of Hidden, Activation, Normalised and Training:Dropout: dense 100,batchnorm,relu,dropout 0.2,dense 10"
    )]
    [Accepts(
        "dense OUTPUTS, conv2d OUTPUTS SIZE, maxpool2d SIZE, avgpool2d SIZE, globalavgpool, flatten, residual [LAYER, …], embedding BLOCKS, batchnorm, layernorm, dropout FRACTION, dropout2d FRACTION, conv1d, maxpool1d or avgpool1d, or an activation: sigmoid, tanh, relu, …"
    )]
    [DefaultText("the layers that Hidden describes")]
    public string[]? Layers { get; init; }

    /// <summary>How many learned numbers a column of categories becomes, in place of an input for each category; Auto:
    /// for columns of more than 20 categories, by their number. Accepts: Auto, COLUMN=SIZE for some columns, or both:
    /// Auto,town=8. Default: none.</summary>
    [Description(
        "how many learned numbers a column of categories becomes, in place of an input for each category; Auto: for columns of more than 20 categories, by their number"
    )]
    [Accepts("Auto, COLUMN=SIZE for some columns, or both: Auto,town=8")]
    [DefaultText("none")]
    public string[]? Embeddings { get; init; }

    /// <summary>Activation function of the hidden units. Accepts: Sigmoid, Tanh, Relu, Identity, LeakyRelu, Elu,
    /// Gelu, Silu or Softplus. Default: Sigmoid.</summary>
    [Description("activation function of the hidden units")]
    public string Activation { get; init; } = "Sigmoid";

    /// <summary>Whether hidden layers use batch normalisation; in the saved model it is folded into the weights.
    /// Accepts: true or false. Default: false.</summary>
    [Description(
        "whether hidden layers use batch normalisation; in the saved model it is folded into the weights"
    )]
    public bool Normalised { get; init; }

    /// <summary>Output function and loss: Softmax for one of several classes (cross entropy), Sigmoid for
    /// independent classes (binary cross entropy), Identity for numbers (squared error). Accepts: Softmax,
    /// Sigmoid or Identity. Default: Softmax.</summary>
    [Description(
        "output function and loss: Softmax for one of several classes (cross entropy), Sigmoid for independent classes (binary cross entropy), Identity for numbers (squared error)"
    )]
    [Accepts("Softmax, Sigmoid or Identity")]
    public string Head { get; init; } = "Softmax";

    /// <summary>How the initial weights are drawn; Fixed: with the standard deviation WeightInitStd. Accepts:
    /// Fixed, XavierNormal, XavierUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform or Orthogonal. Default:
    /// Fixed.</summary>
    [Description(
        "how the initial weights are drawn; Fixed: with the standard deviation WeightInitStd"
    )]
    [Accepts(
        "Fixed, XavierNormal, XavierUniform, HeNormal, HeUniform, LeCunNormal, LeCunUniform or Orthogonal"
    )]
    public string Initialiser { get; init; } = "Fixed";

    /// <summary>Standard deviation of the initial weights if Initialiser is Fixed. Accepts: 0 or more. Default:
    /// 0.01.</summary>
    [Description("standard deviation of the initial weights if Initialiser is Fixed")]
    [Accepts("0 or more")]
    public double WeightInitStd { get; init; } = 0.01;
}
