namespace Pipeline.Learning

/// <summary>The numbers of an image as a vector, channel after channel, row by row.</summary>
/// <remarks>Dense layers take images as vectors anyway; the layer says so in the list.</remarks>
[<Sealed>]
type internal Flatten() =
    inherit Layer("flatten")

    override _.OutputShape(input) = Ok(Shape.Vector input.Size)

    override _.Forward(pass) = {
        LayerOutput.create pass.Inputs.Numbers LayerGradient.ofInputs with
            MayOverwrite = pass.MayOverwrite
    }

    interface IOnnxLayer with
        member _.ToOnnx(_, _, _, input) = input
