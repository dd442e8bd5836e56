namespace Pipeline.Learning

open System
open System.Globalization

/// A kind of layer as settings and model files write it.
type private LayerKind = {
    /// <c>dense OUTPUTS</c>, say.
    Usage: string
    /// The layer of these words; nothing where they are not of this kind.
    Parse: string list -> Layer option
}

/// The kinds of layers that settings and model files can name.
[<RequireQualifiedAccess>]
module LayerKinds =
    let private equals (one: string) (other: string) =
        one.Equals(other, StringComparison.OrdinalIgnoreCase)

    let private kind (word: string) (arguments: string) parse : LayerKind = {
        Usage = $"{word} {arguments}".TrimEnd()
        Parse =
            fun words ->
                match words with
                | head :: rest when equals head word -> parse rest
                | _ -> None
    }

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
        kind "batchnorm" "" (fun words ->
            if words.IsEmpty then
                Some Layers.batchNormalisation
            else
                None)
        kind "dropout" "FRACTION" (fun words ->
            match words with
            | [ text ] ->
                match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
                | true, fraction -> Some(Layers.dropout fraction)
                | _ -> None
            | _ -> None)
        for each in Activation.all do
            kind ((string each).ToLowerInvariant()) "" (fun words ->
                if words.IsEmpty then Some(Layers.activation each) else None)
    ]

    /// <summary>The layers with these names, from the input's side.</summary>
    /// <param name="own">Layers of your own, recognised by their names.</param>
    /// <param name="names"><c>dense 100</c>, <c>batchnorm</c>, <c>relu</c>, <c>dropout 0.2</c>, …, in any case of
    /// letters.</param>
    /// <returns>The layers, or a fault for each name that is not a layer's, with its position from 0.</returns>
    [<CompiledName("Parse")>]
    let parse (own: Layer list) (names: string list) : Result<Layer list, Fault list> =
        names
        |> List.mapi (fun i name ->
            let words = name.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

            match
                own |> List.tryFind (fun layer -> equals layer.Name (String.concat " " words)),
                kinds |> List.tryPick (fun kind -> kind.Parse words)
            with
            | Some layer, _
            | None, Some layer -> Ok layer
            | None, None ->
                let known =
                    (own |> List.map _.Name) @ (kinds |> List.map _.Usage) |> String.concat ", "

                Error [ Fault.create $"Layers:%d{i}" $"one of {known}" $"'{name}'" ])
        |> Fault.all
