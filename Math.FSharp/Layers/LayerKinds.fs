namespace Pipeline.Learning

open System
open System.Globalization

/// A kind of layer as settings and model files write it.
type private LayerKind = {
    /// <c>dense OUTPUTS</c>, say.
    Usage: string
    /// The layer of these words, given the layer of a name; nothing where the words are not of this kind.
    Parse: (string -> Layer option) -> string list -> Layer option
}

/// The kinds of layers that settings and model files can name.
[<RequireQualifiedAccess>]
module LayerKinds =
    let private equals (one: string) (other: string) =
        one.Equals(other, StringComparison.OrdinalIgnoreCase)

    let private kindOfLayers (word: string) (arguments: string) parse : LayerKind = {
        Usage = $"{word} {arguments}".TrimEnd()
        Parse =
            fun layerOf words ->
                match words with
                | head :: rest when equals head word -> parse layerOf rest
                | _ -> None
    }

    let private kind (word: string) (arguments: string) parse : LayerKind =
        kindOfLayers word arguments (fun _ -> parse)

    let private wholeNumber (text: string) : int option =
        match Int32.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
        | true, number -> Some number
        | _ -> None

    /// 3, or 990:16.
    let private block (word: string) : EmbeddingBlock option =
        match word.Split ':' |> List.ofArray |> List.map wholeNumber with
        | [ Some inputs ] -> Some(EmbeddingBlock.Unchanged inputs)
        | [ Some inputs; Some outputs ] -> Some(EmbeddingBlock.Embedded(inputs, outputs))
        | _ -> None

    let private square (_: Extent) = Extent.Square 1

    /// A convolution of OUTPUTS and a window.
    let private convolution (dimensions: WindowDimensions) (words: string list) : Layer option =
        match words with
        | [] -> None
        | outputs :: words ->
            match wholeNumber outputs, WindowText.parse dimensions square words with
            | Some outputs, Some(struct (window, others)) ->
                match others with
                | [] -> Some 1
                | [ "groups", groups ] -> Some groups
                | _ -> None
                |> Option.map (fun groups ->
                    match dimensions with
                    | WindowDimensions.One -> Layers.sequenceConvolution outputs window groups
                    | _ -> Layers.convolution outputs window groups)
            | _ -> None

    /// Pooling, which moves on by its window unless the words tell a stride.
    let private pooling
        (dimensions: WindowDimensions)
        (layer: Window -> Layer)
        (words: string list)
        : Layer option =
        match WindowText.parse dimensions id words with
        | Some(struct (window, [])) -> Some(layer window)
        | _ -> None

    let private fraction (layer: float -> Layer) (words: string list) : Layer option =
        match words with
        | [ text ] ->
            match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
            | true, fraction -> Some(layer fraction)
            | _ -> None
        | _ -> None

    /// <summary>The names in a text that lists layers: its parts between commas that stand outside of
    /// brackets.</summary>
    /// <param name="text"><c>dense 8,residual [dense 8, relu],dense 3</c> has three.</param>
    [<CompiledName("Split")>]
    let split (text: string) : string list =
        let depths =
            Seq.scan
                (fun depth letter ->
                    match letter with
                    | '[' -> depth + 1
                    | ']' -> depth - 1
                    | _ -> depth)
                0
                text

        let commas =
            Seq.zip text depths
            |> Seq.indexed
            |> Seq.choose (fun (i, (letter, depth)) ->
                if letter = ',' && depth = 0 then Some i else None)
            |> List.ofSeq

        List.zip (-1 :: commas) (commas @ [ text.Length ])
        |> List.map (fun (before, finish) -> text[before + 1 .. finish - 1].Trim())

    /// A residual block: layers in brackets, with commas between them.
    let private residual (layerOf: string -> Layer option) (words: string list) : Layer option =
        let text = String.concat " " words

        if text.StartsWith '[' && text.EndsWith ']' then
            let inner = split text[1 .. text.Length - 2] |> List.map layerOf

            if inner |> List.forall _.IsSome then
                Some(Layers.residual (List.choose id inner))
            else
                None
        else
            None

    let private only (layer: Layer) (words: string list) : Layer option =
        if words.IsEmpty then Some layer else None

    /// Every kind that settings can name.
    let private kinds: LayerKind list = [
        kind "dense" "OUTPUTS" (fun words ->
            match words with
            | [ outputs ] -> wholeNumber outputs |> Option.map Layers.dense
            | _ -> None)
        kind "embedding" "BLOCKS" (fun words ->
            let blocks = words |> List.choose block

            if words.IsEmpty || blocks.Length < words.Length then
                None
            else
                Some(Layers.embedding blocks))
        kind
            "conv2d"
            "OUTPUTS SIZE [stride N] [padding N] [dilation N] [groups N]"
            (convolution WindowDimensions.Two)
        kind
            "conv1d"
            "OUTPUTS SIZE [stride N] [padding N] [dilation N] [groups N]"
            (convolution WindowDimensions.One)
        kind
            "maxpool2d"
            "SIZE [stride N] [padding N] [dilation N]"
            (pooling WindowDimensions.Two Layers.maxPooling)
        kind
            "avgpool2d"
            "SIZE [stride N] [padding N] [dilation N]"
            (pooling WindowDimensions.Two Layers.averagePooling)
        kind
            "maxpool1d"
            "SIZE [stride N] [padding N] [dilation N]"
            (pooling WindowDimensions.One Layers.sequenceMaxPooling)
        kind
            "avgpool1d"
            "SIZE [stride N] [padding N] [dilation N]"
            (pooling WindowDimensions.One Layers.sequenceAveragePooling)
        kindOfLayers "residual" "[LAYER, LAYER, ...]" residual
        kind "globalavgpool" "" (only Layers.globalAveragePooling)
        kind "flatten" "" (only Layers.flatten)
        kind "batchnorm" "" (only Layers.batchNormalisation)
        kind "layernorm" "" (only Layers.layerNormalisation)
        kind "dropout" "FRACTION" (fraction Layers.dropout)
        kind "dropout2d" "FRACTION" (fraction Layers.channelDropout)
        for each in Activation.all do
            kind ((string each).ToLowerInvariant()) "" (only (Layers.activation each))
    ]

    /// How the kinds are written: <c>dense OUTPUTS</c>, …
    let internal usages: string list = kinds |> List.map _.Usage

    /// <summary>The layers with these names, from the input's side.</summary>
    /// <param name="own">Layers of your own, recognised by their names.</param>
    /// <param name="names"><c>dense 100</c>, <c>batchnorm</c>, <c>relu</c>, <c>dropout 0.2</c>, …, in any case of
    /// letters.</param>
    /// <returns>The layers, or a fault for each name that is not a layer's, with its position from 0.</returns>
    [<CompiledName("Parse")>]
    let parse (own: Layer list) (names: string list) : Result<Layer list, Fault list> =
        let rec layerOf (name: string) : Layer option =
            let words = name.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

            match
                own |> List.tryFind (fun layer -> equals layer.Name (String.concat " " words))
            with
            | Some layer -> Some layer
            | None -> kinds |> List.tryPick (fun kind -> kind.Parse layerOf words)

        names
        |> List.mapi (fun i name ->
            match layerOf name with
            | Some layer -> Ok layer
            | None ->
                let known = (own |> List.map _.Name) @ usages |> String.concat ", "

                Error [ Fault.create (invariant $"Layers:{i}") $"one of {known}" $"'{name}'" ])
        |> Fault.all
