namespace Pipeline.Learning

open System
open System.Numerics
open System.Text.RegularExpressions
open Pipeline.Learning.Formats

/// The types of numbers that graphs have, with ONNX's numbers for them.
type OnnxType =
    /// 32-bit floating point.
    | Single = 1
    /// Whole numbers of 0 to 255.
    | Byte = 2
    /// 64-bit whole numbers.
    | Integer = 7
    /// Texts.
    | Text = 8
    /// 64-bit floating point.
    | Double = 11

/// The size of a dimension.
[<RequireQualifiedAccess>]
type OnnxSize =
    /// The number of samples, which is free.
    | Batch
    /// Always the same.
    | Fixed of int

/// What enters or leaves a graph.
type OnnxValue = {
    /// Its name.
    Name: string
    /// What it is made of.
    Type: OnnxType
    /// Its dimensions.
    Shape: OnnxSize list
}

/// What a node is told besides its inputs.
[<RequireQualifiedAccess>]
type OnnxAttribute =
    /// A whole number.
    | Integer of int64
    /// Whole numbers.
    | Integers of int64 list
    /// A number.
    | Number of float32
    /// Texts.
    | Texts of string list

/// An operation.
type OnnxNode = {
    /// What it is called in ONNX.
    Operator: string
    /// The set of operators that it is of: empty for ONNX's own.
    Domain: string
    /// The names of what enters.
    Inputs: string list
    /// The name of what comes out.
    Output: string
    /// Names and values.
    Attributes: (string * OnnxAttribute) list
}

/// A network as a graph of ONNX's operators.
type OnnxGraph = {
    /// The network's sizes.
    Name: string
    /// What enters: samples as they are before preprocessing.
    Inputs: OnnxValue list
    /// What comes out.
    Output: OnnxValue
    /// Weights, biases and other numbers.
    Constants: Tensor list
    /// The operations, each after those it needs.
    Nodes: OnnxNode list
    /// Names and texts beside the graph.
    Metadata: (string * string) list
}

/// <summary>Models as ONNX graphs of version 17 of the operators, preprocessing and head
/// inside.</summary>
/// <remarks>Images enter as bytes (batch, rows, columns). A table's numbers enter together, (batch,
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

    /// A graph while it is made: every operation is added behind those it needs.
    type private Draft<'T>() =
        let nodes = Collections.Generic.List<OnnxNode>()
        let constants = Collections.Generic.List<Tensor>()
        member _.Nodes = List.ofSeq nodes
        member _.Constants = List.ofSeq constants

        /// Adds an operation; gives the name of what comes out.
        member _.Add(operator, inputs, ?attributes, ?domain) : string =
            let output = $"{operator}_%d{nodes.Count + 1}"

            nodes.Add {
                Operator = operator
                Domain = defaultArg domain ""
                Inputs = inputs
                Output = output
                Attributes = defaultArg attributes []
            }

            output

        /// Adds a constant; gives its name.
        member _.Constant(tensor: Tensor) : string =
            constants.Add tensor
            tensor.Name

        member draft.Integers(values: int64 list) : string =
            draft.Constant {
                Name = $"integers_%d{constants.Count + 1}"
                Shape = [ values.Length ]
                Elements = Elements.Integers(Array.ofList values)
            }

        member draft.Doubles(values: float list) : string =
            let name = $"numbers_%d{constants.Count + 1}"
            draft.Constant(Tensor.ofNumbers name [ values.Length ] (Array.ofList values))

        /// A number of the network's precision.
        member draft.Number(value: float) : string =
            let number: 'T[] =
                if typeof<'T> = typeof<float32> then
                    unbox (box [| float32 value |])
                else
                    unbox (box [| value |])

            draft.Constant(Tensor.ofNumbers $"number_%d{constants.Count + 1}" [] number)

        /// Names the last output.
        member _.Rename(name: string) : unit =
            let last = nodes[nodes.Count - 1]
            nodes[nodes.Count - 1] <- { last with Output = name }

    let private elementType<'T> () =
        if typeof<'T> = typeof<float32> then
            OnnxType.Single
        else
            OnnxType.Double

    let private cast<'T> (draft: Draft<'T>) (input: string) : string =
        let code = OnnxAttribute.Integer(int64 (elementType<'T>()))
        draft.Add("Cast", [ input ], [ "to", code ])

    /// Φ(x) in double: ½ erfc(−x/√2) by the series of NormalDistribution.Cumulative, Clenshaw's rule
    /// written out.
    let private normalCumulative (draft: Draft<'T>) (x: string) : string =
        let one, two, half = draft.Number 1.0, draft.Number 2.0, draft.Number 0.5
        let w = draft.Add("Mul", [ draft.Add("Abs", [ x ]); draft.Number(Math.Sqrt 0.5) ])
        let t = draft.Add("Div", [ two; draft.Add("Add", [ two; w ]) ])
        let place = draft.Add("Sub", [ draft.Add("Mul", [ t; two ]); one ])
        let twice = draft.Add("Mul", [ place; two ])

        let struct (above, sum) =
            List.foldBack
                (fun coefficient (struct (above, sum)) ->
                    let product = draft.Add("Mul", [ twice; sum ])
                    let rest = draft.Add("Sub", [ draft.Number coefficient; above ])
                    struct (sum, draft.Add("Add", [ product; rest ])))
                (List.ofArray NormalTail.coefficients).Tail
                (struct (draft.Number 0.0, draft.Number 0.0))

        let first = draft.Number NormalTail.coefficients[0]

        let ratio =
            draft.Add(
                "Add",
                [ draft.Add("Mul", [ place; sum ]); draft.Add("Sub", [ first; above ]) ]
            )

        let square = draft.Add("Mul", [ w; w ])
        let exponential = draft.Add("Exp", [ draft.Add("Neg", [ square ]) ])

        let tail =
            draft.Add(
                "Mul",
                [ draft.Add("Mul", [ t; half ]); draft.Add("Mul", [ exponential; ratio ]) ]
            )

        let positive = draft.Add("Greater", [ x; draft.Number 0.0 ])
        draft.Add("Where", [ positive; draft.Add("Sub", [ one; tail ]); tail ])

    let private activate (activation: Activation) (draft: Draft<'T>) (z: string) : string =
        let isSingle = (elementType<'T>() = OnnxType.Single)

        match activation with
        | Activation.Identity -> z
        | Activation.Sigmoid -> draft.Add("Sigmoid", [ z ])
        | Activation.Tanh -> draft.Add("Tanh", [ z ])
        | Activation.Relu -> draft.Add("Relu", [ z ])
        | Activation.LeakyRelu when isSingle ->
            draft.Add("LeakyRelu", [ z ], [ "alpha", OnnxAttribute.Number 0.01f ])
        | Activation.LeakyRelu ->
            // An attribute would hold the slope in single precision.
            draft.Add("Max", [ z; draft.Add("Mul", [ z; draft.Number 0.01 ]) ])
        | Activation.Silu -> draft.Add("Mul", [ z; draft.Add("Sigmoid", [ z ]) ])
        | Activation.Elu when isSingle ->
            draft.Add("Elu", [ z ], [ "alpha", OnnxAttribute.Number 1.0f ])
        | Activation.Elu ->
            // max(z, 0) + e^min(z, 0) − 1.
            let low = draft.Add("Min", [ z; draft.Number 0.0 ])
            let less = draft.Add("Sub", [ draft.Add("Exp", [ low ]); draft.Number 1.0 ])
            draft.Add("Add", [ draft.Add("Relu", [ z ]); less ])
        | Activation.Softplus when isSingle -> draft.Add("Softplus", [ z ])
        | Activation.Softplus ->
            // max(z, 0) + ln(1 + e^−|z|).
            let low = draft.Add("Neg", [ draft.Add("Abs", [ z ]) ])
            let sum = draft.Add("Add", [ draft.Add("Exp", [ low ]); draft.Number 1.0 ])
            draft.Add("Add", [ draft.Add("Relu", [ z ]); draft.Add("Log", [ sum ]) ])
        | Activation.Gelu when isSingle ->
            let scaled = draft.Add("Mul", [ z; draft.Number(Math.Sqrt 0.5) ])
            let twice = draft.Add("Add", [ draft.Add("Erf", [ scaled ]); draft.Number 1.0 ])
            let half = draft.Add("Mul", [ z; draft.Number 0.5 ])
            draft.Add("Mul", [ half; twice ])
        | Activation.Gelu -> draft.Add("Mul", [ z; normalCumulative draft z ])

    let private input name elementType shape = {
        Name = name
        Type = elementType
        Shape = OnnxSize.Batch :: List.map OnnxSize.Fixed shape
    }

    /// A table's numbers: missing ones filled in, then scaled, in double precision.
    let private numbers (columns: NumberColumn list) (name: string) (draft: Draft<'T>) : string =
        let filled =
            if columns |> List.forall (fun column -> Double.IsNaN column.Fill) then
                name
            else
                let fill = draft.Doubles(columns |> List.map _.Fill)
                draft.Add("Where", [ draft.Add("IsNaN", [ name ]); fill; name ])

        let centred =
            draft.Add("Sub", [ filled; draft.Doubles(columns |> List.map _.Centre) ])

        draft.Add("Div", [ centred; draft.Doubles(columns |> List.map _.Scale) ])
        |> cast draft

    /// A column's categories: 1 at the one that the text is, 0 elsewhere. A text that is none of them has
    /// zeros alone: a graph cannot refuse.
    let private categories (column: CategoryColumn) (name: string) (draft: Draft<'T>) : string =
        let count = column.Values.Length

        let places =
            (column.Values |> List.mapi (fun place value -> value, int64 place))
            @ [
                if column.Fill <> "" then
                    "", int64 (List.findIndex ((=) column.Fill) column.Values)
            ]

        let place =
            draft.Add(
                "LabelEncoder",
                [ name ],
                [
                    "keys_strings", OnnxAttribute.Texts(List.map fst places)
                    "values_int64s", OnnxAttribute.Integers(List.map snd places)
                    "default_int64", OnnxAttribute.Integer(int64 count)
                ],
                TextDomain
            )

        // A row for each category, and one of zeros.
        let rows =
            [
                for row in 0..count do
                    for k in 0 .. count - 1 do
                        if row = k then 1.0 else 0.0
            ]
            |> draft.Doubles

        let square =
            draft.Add("Reshape", [ rows; draft.Integers [ int64 count + 1L; int64 count ] ])

        let found = draft.Add("Gather", [ square; place ])

        draft.Add("Reshape", [ found; draft.Integers [ -1L; int64 count ] ])
        |> cast draft

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
                    "^([A-Za-z]+_?[0-9]+|numbers|pixels|probabilities|predictions)\\z"
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
        (draft: Draft<'T>)
        : OnnxValue list * string =
        match preprocessing with
        | Preprocessing.Numbers -> [ input "numbers" (elementType<'T>()) [ inputs ] ], "numbers"
        | Preprocessing.Pixels(rows, columns) ->
            let numbers = draft.Add("Div", [ cast draft "pixels"; draft.Number 255.0 ])

            [ input "pixels" OnnxType.Byte [ rows; columns ] ],
            draft.Add("Flatten", [ numbers ], [ "axis", OnnxAttribute.Integer 1L ])
        | Preprocessing.Table encoding ->
            let values = [
                if not encoding.Numbers.IsEmpty then
                    input "numbers" OnnxType.Double [ encoding.Numbers.Length ],
                    numbers encoding.Numbers "numbers" draft
                for column, name in List.zip encoding.Categories (inputNames encoding.Categories) do
                    input name OnnxType.Text [ 1 ], categories column name draft
            ]

            List.map fst values,
            match values with
            | [ _, only ] -> only
            | _ -> draft.Add("Concat", List.map snd values, [ "axis", OnnxAttribute.Integer 1L ])

    /// <summary>The graph that says what the model says.</summary>
    [<CompiledName("OfModel")>]
    let ofModel (model: Model<'T> when 'T :> IBinaryFloatingPointIeee754<'T>) : OnnxGraph =
        let file = Model.toTensors model
        let architecture = model.Network.Architecture
        let draft = Draft<'T>()
        let inputs, first = preprocess model.Preprocessing architecture.Inputs draft
        let names = file.Tensors |> List.map draft.Constant |> List.chunkBySize 2

        let sums =
            (first, names, (architecture.Hidden |> List.map _.Activation) @ [ Activation.Identity ])
            |||> List.fold2 (fun x parameters activation ->
                // X·W + b, W in the book's shape.
                draft.Add("Gemm", x :: parameters) |> activate activation draft)

        let output =
            match architecture.Head with
            | Head.Softmax ->
                draft.Add("Softmax", [ sums ], [ "axis", OnnxAttribute.Integer -1L ]) |> ignore

                "probabilities"
            | Head.Sigmoid ->
                draft.Add("Sigmoid", [ sums ]) |> ignore
                "probabilities"
            | Head.Identity -> "predictions"

        draft.Rename output

        {
            Name = string architecture
            Inputs = inputs
            Output = input output (elementType<'T>()) [ architecture.Outputs ]
            Constants = draft.Constants
            Nodes = draft.Nodes
            Metadata = file.Metadata
        }
