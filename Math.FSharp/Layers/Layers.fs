namespace Pipeline.Learning

/// <summary>The layers that networks are made of.</summary>
/// <remarks>A layer of your own is a value of a class that inherits <c>Layer</c>.</remarks>
[<RequireQualifiedAccess>]
module Layers =
    /// <summary>A dense layer: W·x + b.</summary>
    /// <param name="outputs">1 to 65,536.</param>
    [<CompiledName("Dense")>]
    let dense (outputs: int) : Layer = Dense(outputs, true)

    /// <summary>An activation of each number.</summary>
    [<CompiledName("Activation")>]
    let activation (activation: Activation) : Layer = ActivationLayer activation

    /// <summary>Batch normalisation of each unit, or of each channel of images: z = γ·(u − μ) / √(σ² + ε) + β.</summary>
    [<CompiledName("BatchNormalisation")>]
    let batchNormalisation: Layer = BatchNormalisation()

    /// <summary>Dropout in training.</summary>
    /// <param name="fraction">The fraction of units that a step sets to 0: 0 or more, less than 1, in steps of
    /// 1/65,536.</param>
    [<CompiledName("Dropout")>]
    let dropout (fraction: float) : Layer = Dropout fraction

    /// <summary>An embedding: some blocks of inputs x become E·x, others stay. For a one-hot block that is the column of E
    /// for its category.</summary>
    /// <param name="blocks">The blocks from the first input on; one of them or more has a matrix E.</param>
    /// <remarks>E: (outputs, inputs) of its block. Its first numbers are normal with a standard deviation of 0.05.
    /// Source: Guo and Berkhahn, Entity embeddings of categorical variables, 2016.</remarks>
    [<CompiledName("Embedding")>]
    let embedding (blocks: EmbeddingBlock list) : Layer = Embedding blocks

    /// <summary>A convolution over images: y(o, p) = b(o) + Σₖ W(o, k)·x(p, k), the sum over what a window sees at its
    /// place p.</summary>
    /// <param name="outputs">Output channels, 1 to 65,536.</param>
    /// <param name="window">The window.</param>
    /// <param name="groups">Groups of channels, each of which sees its own: 1 for all channels.</param>
    /// <remarks>W: (outputs, channels / groups · rows · columns of the window). The window is not flipped.</remarks>
    [<CompiledName("Convolution")>]
    let convolution (outputs: int) (window: Window) (groups: int) : Layer =
        Convolution(WindowDimensions.Two, outputs, window, groups, true)

    /// <summary>A convolution over sequences: images of one row, or vectors.</summary>
    /// <param name="outputs">Output channels, 1 to 65,536.</param>
    /// <param name="window">The window, of one row.</param>
    /// <param name="groups">Groups of channels, each of which sees its own: 1 for all channels.</param>
    [<CompiledName("SequenceConvolution")>]
    let sequenceConvolution (outputs: int) (window: Window) (groups: int) : Layer =
        Convolution(WindowDimensions.One, outputs, window, groups, true)

    /// <summary>The greatest number of each place of a window, channel by channel.</summary>
    /// <remarks>Padding is left out. The gradient goes to the first of equal numbers.</remarks>
    [<CompiledName("MaxPooling")>]
    let maxPooling (window: Window) : Layer =
        Pooling(PoolingKind.Max, WindowDimensions.Two, window)

    /// <summary>The mean of each place of a window, channel by channel; padding counts as zeros.</summary>
    [<CompiledName("AveragePooling")>]
    let averagePooling (window: Window) : Layer =
        Pooling(PoolingKind.Average, WindowDimensions.Two, window)

    /// <summary>The greatest number of each place of a window over sequences.</summary>
    [<CompiledName("SequenceMaxPooling")>]
    let sequenceMaxPooling (window: Window) : Layer =
        Pooling(PoolingKind.Max, WindowDimensions.One, window)

    /// <summary>The mean of each place of a window over sequences; padding counts as zeros.</summary>
    [<CompiledName("SequenceAveragePooling")>]
    let sequenceAveragePooling (window: Window) : Layer =
        Pooling(PoolingKind.Average, WindowDimensions.One, window)

    /// <summary>The mean of each channel: a vector.</summary>
    [<CompiledName("GlobalAveragePooling")>]
    let globalAveragePooling: Layer = GlobalAveragePooling()

    /// <summary>The numbers of an image as a vector, channel after channel, row by row.</summary>
    [<CompiledName("Flatten")>]
    let flatten: Layer = Flatten()

    /// <summary>Layer normalisation: z = γ·(x − μ) / √(σ² + ε) + β with the mean and the variance of the sample's own
    /// numbers.</summary>
    [<CompiledName("LayerNormalisation")>]
    let layerNormalisation: Layer = LayerNormalisation()

    /// <summary>Dropout of whole channels in training.</summary>
    /// <param name="fraction">The fraction of channels that a step sets to 0: 0 or more, less than 1, in steps of
    /// 1/65,536.</param>
    [<CompiledName("ChannelDropout")>]
    let channelDropout (fraction: float) : Layer = ChannelDropout fraction

    /// <summary>A residual block: x + f(x).</summary>
    /// <param name="layers">f: layers, from the input's side, whose outputs have the shape of their inputs.</param>
    [<CompiledName("Residual")>]
    let residual (layers: Layer list) : Layer = Residual layers

    /// The number of inputs that the first layers take; nothing where they take any.
    let internal inputsOf (layers: Layer list) : int voption =
        layers
        |> Seq.takeWhile (fun layer -> not (layer :? Dense))
        |> Seq.tryPick (fun layer ->
            match layer with
            | :? Embedding as embedding -> Some embedding.Inputs
            | _ -> None)
        |> ValueOption.ofOption

    /// <summary>An activation of your own, computed in double precision.</summary>
    /// <param name="name">Its name in settings and model files: one word.</param>
    /// <param name="f">The function.</param>
    /// <param name="slope">Its derivative.</param>
    [<CompiledName("Elementwise")>]
    let elementwise (name: string) (f: float -> float) (slope: float -> float) : Layer =
        ElementwiseLayer(name, f, slope)

    /// The activations between dense layers, where the layers are a dense one and any number of an activation
    /// and a dense one.
    let rec internal hiddenActivations (layers: Layer list) : Activation list voption =
        match layers |> List.truncate 3 |> List.map box with
        | [ :? Dense ] -> ValueSome []
        | [ :? Dense; (:? ActivationLayer as hidden); :? Dense ] ->
            hiddenActivations (List.skip 2 layers)
            |> ValueOption.map (fun above -> hidden.Activation :: above)
        | _ -> ValueNone
