namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics
open Pipeline.Learning.Arithmetic

/// A layer that applies a function of the user's to each number.
[<Sealed>]
type internal ElementwiseLayer(name: string, f: float -> float, slope: float -> float) =
    inherit Layer(name)

    override _.Forward<'T
        when 'T: struct
        and 'T :> ValueType
        and 'T: (new: unit -> 'T)
        and 'T :> IBinaryFloatingPointIeee754<'T>>
        (pass: LayerPass<'T>)
        : LayerOutput<'T> =
        let z = pass.Inputs.Numbers

        let of' (g: float -> float) (x: 'T) =
            'T.CreateTruncating(g (Double.CreateTruncating x))

        let kept = Kernels.values z
        let output = Array.map (of' f) kept |> Kernels.matrix z.RowCount z.ColumnCount

        {
            LayerOutput.create output (fun upstream ->
                let gradient = Kernels.values upstream

                for i in 0 .. gradient.Length - 1 do
                    gradient[i] <- gradient[i] * of' slope kept[i]

                LayerGradient.ofInputs upstream) with
                MayOverwrite = true
        }

/// A kind of layer as settings and model files write it.
type private LayerKind = {
    /// <c>dense OUTPUTS</c>, say.
    Usage: string
    /// The layer of these words; nothing where they are not of this kind.
    Parse: string list -> Layer option
}

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

    /// <summary>Batch normalisation of each unit: z = γ·(u − μ) / √(σ² + ε) + β.</summary>
    [<CompiledName("BatchNormalisation")>]
    let batchNormalisation: Layer = BatchNormalisation()

    /// <summary>Dropout in training.</summary>
    /// <param name="fraction">The fraction of units that a step sets to 0: 0 or more, less than 1, in steps of
    /// 1/65,536.</param>
    [<CompiledName("Dropout")>]
    let dropout (fraction: float) : Layer = Dropout fraction

    /// <summary>An activation of your own, computed in double precision.</summary>
    /// <param name="name">Its name in settings and model files: one word.</param>
    /// <param name="f">The function.</param>
    /// <param name="slope">Its derivative.</param>
    [<CompiledName("Elementwise")>]
    let elementwise (name: string) (f: float -> float) (slope: float -> float) : Layer =
        ElementwiseLayer(name, f, slope)

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

    let private number (parse: bool * 'N) (make: 'N -> Layer) =
        match parse with
        | true, value -> Some(make value)
        | _ -> None

    /// Every kind that settings can name.
    let private kinds: LayerKind list = [
        kind "dense" "OUTPUTS" (fun words ->
            match words with
            | [ outputs ] ->
                number
                    (Int32.TryParse(outputs, NumberStyles.None, CultureInfo.InvariantCulture))
                    dense
            | _ -> None)
        kind "batchnorm" "" (fun words -> if words.IsEmpty then Some batchNormalisation else None)
        kind "dropout" "FRACTION" (fun words ->
            match words with
            | [ fraction ] ->
                number
                    (Double.TryParse(fraction, NumberStyles.Float, CultureInfo.InvariantCulture))
                    dropout
            | _ -> None)
        for each in Activation.all do
            kind ((string each).ToLowerInvariant()) "" (fun words ->
                if words.IsEmpty then Some(activation each) else None)
    ]

    /// The activations between dense layers, where the layers are a dense one and any number of an activation
    /// and a dense one.
    let rec internal hiddenActivations (layers: Layer list) : Activation list voption =
        match layers |> List.truncate 3 |> List.map box with
        | [ :? Dense ] -> ValueSome []
        | [ :? Dense; (:? ActivationLayer as hidden); :? Dense ] ->
            hiddenActivations (List.skip 2 layers)
            |> ValueOption.map (fun above -> hidden.Activation :: above)
        | _ -> ValueNone

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
