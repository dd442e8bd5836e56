namespace Pipeline.Learning

open System
open System.Numerics
open MathNet.Numerics.LinearAlgebra

/// What a convolution gives for a sample: a map for each of its output channels.
type FeatureMaps = {
    /// The place of the layer in the network, from 0.
    Index: int
    /// The layer, as settings have it.
    Name: string
    /// The channels, each of which is a map, and the size of a map.
    Size: ImageSize
    /// The numbers: channel after channel, row after row.
    Numbers: float[]
}

/// The outputs of convolutions inside a network.
[<RequireQualifiedAccess>]
module FeatureMaps =
    /// <summary>The outputs of the first convolutions over images for a sample, as evaluation computes them; those inside of
    /// residual blocks are left out.</summary>
    /// <param name="most">The largest number of convolutions, 0 or more.</param>
    /// <param name="network">The network.</param>
    /// <param name="inputs">A sample's inputs.</param>
    /// <returns>From the input's side.</returns>
    /// <exception cref="T:System.ArgumentException">There are not as many inputs as the network has.</exception>
    [<CompiledName("OfInputs")>]
    let ofInputs
        (most: int)
        (network: Network<'T> when 'T :> IBinaryFloatingPointIeee754<'T>)
        (inputs: Vector<'T>)
        : FeatureMaps list =
        if inputs.Count <> network.Architecture.Inputs then
            invalidArg
                (nameof inputs)
                (invariant $"expected {network.Architecture.Inputs} inputs, found {inputs.Count}")

        let layers = ForwardPass.layers network

        let sizeOf (place: PlacedLayer) : ImageSize voption =
            match place.Layer with
            | :? Convolution as convolution when convolution.TakesImages -> place.Output.ImageSize
            | _ -> ValueNone

        List.indexed layers
        |> List.choose (fun (i, struct (place, _, _)) ->
            match sizeOf place with
            | ValueSome size -> Some(i, place, size)
            | ValueNone -> None)
        |> List.truncate most
        |> List.map (fun (i, place, size) ->
            // A later layer may overwrite what an earlier one gave, so only those up to this one run.
            let traced =
                Inputs.Columns(inputs.ToColumnMatrix())
                |> LayerChain.run ValueNone (List.take (i + 1) layers)

            {
                Index = i
                Name = place.Layer.Name
                Size = size
                Numbers =
                    Kernels.values traced.Head.Output.Numbers |> Array.map Double.CreateTruncating
            })
