namespace Pipeline.Learning.Formats

open System
open System.Numerics
open System.Text.RegularExpressions
open Pipeline.Learning

/// <summary>Models as ONNX graphs of version 17 of the operators, preprocessing and head
/// inside.</summary>
/// <remarks>Grey images enter as bytes (batch, rows, columns), others as (batch, channels, rows, columns). A table's numbers enter together, (batch,
/// columns), in double precision, and each column of categories by itself, as texts (batch, 1).
/// Operators that runtimes have in single precision alone are made of others in double.</remarks>
[<RequireQualifiedAccess>]
module Onnx =
    /// The set of operators for texts.
    [<Literal>]
    let TextDomain = "ai.onnx.ml"

    /// <summary>The version of ONNX's own operators.</summary>
    [<Literal>]
    let OperatorsVersion = 17

    /// <summary>The version of those for texts.</summary>
    [<Literal>]
    let TextOperatorsVersion = 2

    /// <summary>The version of the file format.</summary>
    [<Literal>]
    let FormatVersion = 8

    let private precision<'T> : OnnxType =
        if typeof<'T> = typeof<float32> then
            OnnxType.Single
        else
            OnnxType.Double

    let private input name elementType shape = {
        Name = name
        Type = elementType
        Shape = OnnxSize.Batch :: List.map OnnxSize.Fixed shape
    }

    /// A table's numbers: missing ones filled in, then scaled, in double precision. Where missing values are
    /// refused, they become NaN.
    let private numbers
        (reader: CellReader)
        (columns: NumberColumn list)
        (name: string)
        (draft: OnnxDraft)
        : string =
        let fill = columns |> List.map _.Fill
        let markers = reader.MissingNumbers

        let filled =
            if markers.IsEmpty && List.forall Double.IsNaN fill then
                name
            else
                let isMissing =
                    (draft.Add("IsNaN", [ name ]), markers)
                    ||> List.fold (fun isMissing marker ->
                        let isMarker = draft.Add("Equal", [ name; draft.Doubles [ marker ] ])
                        draft.Add("Or", [ isMissing; isMarker ]))

                draft.Add("Where", [ isMissing; draft.Doubles fill; name ])

        let centred =
            draft.Add("Sub", [ filled; draft.Doubles(columns |> List.map _.Centre) ])

        draft.Add("Div", [ centred; draft.Doubles(columns |> List.map _.Scale) ])
        |> draft.Cast

    /// The usual spellings of a category: 10 and 10.0, true, True and TRUE.
    let private spellings (reader: CellReader) (value: string) : string list = [
        value
        let canonical = reader.Canonical value

        match reader.Truth value, reader.Number value with
        | ValueSome isTrue, _ ->
            canonical
            string isTrue
            canonical.ToUpperInvariant()
        | _, ValueSome number ->
            canonical

            if
                Double.IsInteger number
                && canonical |> Seq.forall (fun c -> c = '-' || Char.IsAsciiDigit c)
            then
                canonical + string reader.Format.DecimalSeparator + "0"
        | _ -> ()
    ]

    /// The texts that mean a missing value, in capitals, in small letters and as they were given.
    let private missing (format: CellFormat) : string list = [
        ""
        for marker in format.MissingValues |> List.map _.Trim() do
            marker
            marker.ToUpperInvariant()
            marker.ToLowerInvariant()
    ]

    /// A column's categories: 1 for the category of the text, 0 for the others. An unknown text gives zeros, as a
    /// graph cannot report an error.
    let private categories
        (reader: CellReader)
        (column: CategoryColumn)
        (name: string)
        (draft: OnnxDraft)
        : string =
        let count = column.Values.Length

        let indices =
            [
                for place, value in List.indexed column.Values do
                    value, int64 place
                for place, value in List.indexed column.Values do
                    for spelling in spellings reader value do
                        spelling, int64 place
                if column.Fill <> "" then
                    let place = column.Values |> List.findIndex ((=) column.Fill)

                    for text in missing reader.Format do
                        text, int64 place
            ]
            |> List.distinctBy fst

        let place =
            draft.Add(
                "LabelEncoder",
                [ name ],
                [
                    "keys_strings", OnnxAttribute.Texts(List.map fst indices)
                    "values_int64s", OnnxAttribute.Integers(List.map snd indices)
                    "default_int64", OnnxAttribute.Integer(int64 count)
                ],
                TextDomain
            )

        let all = draft.Integers [ 0L .. int64 count - 1L ]
        draft.Cast(draft.Add("Equal", [ place; all ]))

    /// The names of the inputs of columns of categories: the columns' own, made other ones where a graph has
    /// them for things of its own (W1, Gemm_3), where another column has them, or where there are none:
    /// every name of a graph is of one thing, and none is empty. C ends a text at its first zero.
    let private inputNames (columns: CategoryColumn list) : string list =
        let isFree (name: string) =
            name <> ""
            && not (name.Contains '\000')
            && not (
                Regex.IsMatch(
                    name,
                    "^([A-Za-z]+(_?[0-9]+)+|numbers|pixels|probabilities|predictions)\\z"
                )
            )

        // A column that keeps its name goes before one that needs another.
        let kept = columns |> List.map _.Name |> List.filter isFree |> Set.ofList

        let rec another (taken: Set<string>) (name: string) =
            if isFree name && not (taken.Contains name) then
                name
            else
                another taken (name + "'")

        ((kept, []), columns)
        ||> List.fold (fun (taken, names) column ->
            if isFree column.Name then
                taken, column.Name :: names
            else
                let name = another taken (column.Name.Replace('\000', '\uFFFD') + "'")
                taken.Add name, name :: names)
        |> snd
        |> List.rev

    /// What enters the graph, and the name of what enters the first layer.
    let private preprocess
        (preprocessing: Preprocessing)
        (inputs: int)
        (draft: OnnxDraft)
        : OnnxValue list * string =
        match preprocessing with
        | Preprocessing.Numbers -> [ input "numbers" draft.Precision [ inputs ] ], "numbers"
        | Preprocessing.Pixels size ->
            let numbers = draft.Add("Div", [ draft.Cast "pixels"; draft.Number 255.0 ])

            let sizes =
                if size.Channels = 1 then
                    [ size.Rows; size.Columns ]
                else
                    [ size.Channels; size.Rows; size.Columns ]

            [ input "pixels" OnnxType.Byte sizes ],
            draft.Add("Flatten", [ numbers ], [ "axis", OnnxAttribute.Integer 1L ])
        | Preprocessing.Table encoding ->
            let reader = CellReader encoding.Format

            let values = [
                if not encoding.Numbers.IsEmpty then
                    input "numbers" OnnxType.Double [ encoding.Numbers.Length ],
                    numbers reader encoding.Numbers "numbers" draft
                for column, name in List.zip encoding.Categories (inputNames encoding.Categories) do
                    input name OnnxType.Text [ 1 ], categories reader column name draft
            ]

            List.map fst values,
            match values with
            | [ _, only ] -> only
            | _ -> draft.Add("Concat", List.map snd values, [ "axis", OnnxAttribute.Integer 1L ])

    /// <summary>The graph that computes what the model computes.</summary>
    /// <exception cref="T:System.ArgumentException">A layer does not implement <c>IOnnxLayer</c>.</exception>
    [<CompiledName("OfModel")>]
    let ofModel (model: Model<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : OnnxGraph =
        let file = Model.toTensors model
        let network = ForwardPass.folded model.Network
        let architecture = network.Architecture
        let draft = OnnxDraft precision<'T>
        let inputs, first = preprocess model.Preprocessing architecture.Inputs draft

        for tensor in file.Tensors do
            draft.Constant tensor |> ignore

        let names =
            List.map2 (fun (shapes: ParameterShapes) suffix ->
                shapes.Names |> List.map (fun name -> name + suffix))

        let parameters =
            names
                architecture.ParameterShapes
                (TensorNames.ofParameters architecture.ParameterShapes)

        let running =
            names architecture.RunningShapes (Architecture.runningSuffixes architecture)

        let logits, _ =
            ((first, (parameters, running)), architecture.Places)
            ||> List.fold (fun (input, (parameters, running)) place ->
                let struct (own, parameters) = LayerChain.take [] place.Parameters parameters
                let struct (ownRunning, running) = LayerChain.take [] place.Running running

                match place.Layer with
                | Exported layer ->
                    layer.ToOnnx(draft, own @ ownRunning, place.Input, input),
                    (parameters, running)
                | _ ->
                    invalidArg
                        (nameof model)
                        (invariant
                            $"expected layers that implement IOnnxLayer, found {place.Layer}"))

        let output =
            match architecture.Head with
            | Head.Softmax ->
                draft.Add("Softmax", [ logits ], [ "axis", OnnxAttribute.Integer -1L ])
                |> ignore

                "probabilities"
            | Head.Sigmoid ->
                draft.Add("Sigmoid", [ logits ]) |> ignore
                "probabilities"
            | Head.Identity ->
                // Layers that change nothing in evaluation add no operation.
                if draft.Nodes.IsEmpty then
                    draft.Add("Identity", [ logits ]) |> ignore

                "predictions"

        draft.Rename output

        {
            Name = string architecture
            Inputs = inputs
            Output = input output precision<'T> [ architecture.Outputs ]
            Constants = draft.Constants
            Nodes = draft.Nodes
            Metadata = file.Metadata
        }
