namespace Pipeline.Learning

/// Networks for one sample at a time.
[<RequireQualifiedAccess>]
module internal SingleSampleLayers =
    /// The layers of a network in evaluation; an affine layer and the elementwise function above it are one.
    let ofNetwork (network: Network<'T>) : SampleLayer<'T>[] =
        let dense parameters : IMapUser<'T, SampleLayer<'T>> = {
            new IMapUser<'T, SampleLayer<'T>> with
                member _.Use op = DenseSample(op, parameters)
        }

        let convolution place convolution parameters : IMapUser<'T, SampleLayer<'T>> = {
            new IMapUser<'T, SampleLayer<'T>> with
                member _.Use op =
                    ConvolutionSample(op, convolution, place.Input, parameters)
        }

        let rec build layers =
            match layers with
            | struct ({ Layer = :? Convolution as layer } as place, parameters, _) :: struct ({
                                                                                                  Layer = Elementwise upper
                                                                                              }, _,
                                                                                              _) :: rest ->
                upper.Use(convolution place layer parameters) :: build rest
            | struct ({ Layer = :? Convolution as layer } as place, parameters, _) :: rest ->
                (convolution place layer parameters).Use(IdentityOp<'T>()) :: build rest
            | struct ({ Layer = :? Pooling as layer } as place, _, _) :: rest ->
                let struct (channels, image) = layer.Image place.Input

                let by (pooling: 'P :> IPooling<'T>) : SampleLayer<'T> =
                    PoolingSample(pooling, layer.Window, channels, image)

                match layer.Kind with
                | PoolingKind.Max -> by (MaxPooling<'T>()) :: build rest
                | PoolingKind.Average -> by (AveragePooling<'T>()) :: build rest
            | struct ({ Layer = :? Flatten }, _, _) :: (_ :: _ as rest) -> build rest
            | struct ({ Layer = :? Dense }, parameters, _) :: struct ({ Layer = Elementwise upper },
                                                                      _, _) :: rest ->
                upper.Use(dense parameters) :: build rest
            | struct ({ Layer = :? Dense }, parameters, _) :: rest ->
                (dense parameters).Use(IdentityOp<'T>()) :: build rest
            | struct ({ Layer = :? Embedding as embedding }, parameters, _) :: rest ->
                EmbeddingSample(embedding, parameters) :: build rest
            | struct (place, parameters, running) :: rest ->
                AnySample(place, parameters, running) :: build rest
            | [] -> []

        ForwardPass.layers network |> build |> Array.ofList
