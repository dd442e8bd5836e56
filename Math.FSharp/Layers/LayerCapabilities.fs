namespace Pipeline.Learning

open System
open System.Numerics
open Pipeline.Learning.Formats

/// A layer that is γ·x + β for each feature once it is trained: batch normalisation.
type internal IScaleAndShift =
    /// γ and β of every feature.
    abstract ScaleAndShift<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> :
        parameters: LayerParameters<'T> * running: LayerParameters<'T> -> struct ('T[] * 'T[])

/// A layer W·x + b: it needs no biases where the layer above shifts its output, and can take over what a trained
/// layer above does to each feature.
type internal IAffine =
    /// The same layer without biases.
    abstract WithoutBiases: Layer

    /// The layer that gives γ·output + β.
    abstract Absorb<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>> :
        scale: 'T[] * shift: 'T[] * parameters: LayerParameters<'T> ->
            struct (Layer * LayerParameters<'T>)

/// A layer that changes nothing where the network is evaluated: dropout.
type internal IOnlyInTraining = interface end

/// A layer made of others.
type internal IBlock =
    /// The block without the layers that draw random numbers.
    abstract WithoutRandomLayers: Layer

/// Units whose slope is nearly 0 for much of their inputs.
type internal Saturation = {
    /// The greatest slope of a unit.
    GreatestSlope: float
    /// What a stuck unit does: "dead: they give 0".
    Stuck: string
}

/// A layer whose units can be stuck.
type internal ISaturates =
    /// How they are stuck; nothing if they cannot be.
    abstract Saturation: Saturation voption

/// Something to do with the loop of an elementwise function.
type internal IMapUser<'T, 'R> =
    abstract Use<'Op when 'Op :> IMap<'T>> : op: 'Op -> 'R

/// A layer that is one function of each number.
type internal IElementwise =
    abstract Use<'T, 'R when 'T :> INumber<'T>> : user: IMapUser<'T, 'R> -> 'R

/// A layer that an ONNX graph can have.
type IOnnxLayer =
    /// <summary>Adds the layer's operations to a graph.</summary>
    /// <param name="draft">The graph.</param>
    /// <param name="parameters">The names of the layer's parameters in the graph, matrices first, then of its
    /// running statistics. A matrix is there as the book has it, (inputs, outputs).</param>
    /// <param name="shape">The shape of an input.</param>
    /// <param name="input">The name of the layer's input, (batch, features).</param>
    /// <returns>The name of its output, (batch, features).</returns>
    abstract ToOnnx:
        draft: OnnxDraft * parameters: string list * shape: Shape * input: string -> string

/// What layers can do besides.
[<AutoOpen>]
module internal LayerPatterns =
    let private capability<'I when 'I: not null> (layer: Layer) : 'I voption =
        match box layer with
        | :? 'I as capability -> ValueSome capability
        | _ -> ValueNone

    [<return: Struct>]
    let (|Affine|_|) (layer: Layer) = capability<IAffine> layer

    [<return: Struct>]
    let (|ScaleAndShift|_|) (layer: Layer) = capability<IScaleAndShift> layer

    [<return: Struct>]
    let (|OnlyInTraining|_|) (layer: Layer) = capability<IOnlyInTraining> layer

    [<return: Struct>]
    let (|Elementwise|_|) (layer: Layer) = capability<IElementwise> layer

    [<return: Struct>]
    let (|Exported|_|) (layer: Layer) = capability<IOnnxLayer> layer

    [<return: Struct>]
    let (|Block|_|) (layer: Layer) = capability<IBlock> layer

    [<return: Struct>]
    let (|Saturates|_|) (layer: Layer) =
        capability<ISaturates> layer |> ValueOption.map _.Saturation
