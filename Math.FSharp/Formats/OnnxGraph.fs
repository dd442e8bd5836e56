namespace Pipeline.Learning.Formats

open System
open Pipeline.Learning

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

    /// The case's name, and what belongs to it.
    override onnx.ToString() =
        match onnx with
        | Batch -> nameof Batch
        | Fixed size -> invariant $"Fixed {size}"

/// An input or an output of a graph.
type OnnxValue = {
    /// Its name.
    Name: string
    /// The type of its numbers or texts.
    Type: OnnxType
    /// Its dimensions.
    Shape: OnnxSize list
}

/// The value of a node's attribute.
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
    /// Its name in ONNX.
    Operator: string
    /// The set of operators that it is of: empty for ONNX's own.
    Domain: string
    /// The names of its inputs.
    Inputs: string list
    /// The name of its output.
    Output: string
    /// Names and values.
    Attributes: (string * OnnxAttribute) list
}

/// A network as a graph of ONNX's operators.
type OnnxGraph = {
    /// The network's sizes.
    Name: string
    /// The samples before preprocessing.
    Inputs: OnnxValue list
    /// The predictions.
    Output: OnnxValue
    /// Weights, biases and other numbers.
    Constants: Tensor list
    /// The operations, each after those it needs.
    Nodes: OnnxNode list
    /// Names and texts beside the graph.
    Metadata: (string * string) list
}

/// <summary>A graph under construction: every operation is added behind those it needs.</summary>
[<Sealed>]
type OnnxDraft internal (precision: OnnxType) =
    let nodes = Collections.Generic.List<OnnxNode>()
    let constants = Collections.Generic.List<Tensor>()
    member internal _.Nodes = List.ofSeq nodes
    member internal _.Constants = List.ofSeq constants

    /// The type of the network's numbers.
    member internal _.Precision = precision

    /// Whether the graph's numbers are of single precision. Some operators are for those alone.
    member _.IsSingle = (precision = OnnxType.Single)

    /// <summary>Adds an operation.</summary>
    /// <param name="operator">Its name in ONNX.</param>
    /// <param name="inputs">The names of its inputs.</param>
    /// <param name="attributes">Names and values.</param>
    /// <param name="domain">Its set of operators; by default ONNX's own.</param>
    /// <returns>The name of its output.</returns>
    member _.Add
        (
            operator: string,
            inputs: string list,
            ?attributes: (string * OnnxAttribute) list,
            ?domain: string
        ) : string =
        let output = invariant $"{operator}_{nodes.Count + 1}"

        nodes.Add {
            Operator = operator
            Domain = defaultArg domain ""
            Inputs = inputs
            Output = output
            Attributes = defaultArg attributes []
        }

        output

    /// <summary>Adds a constant.</summary>
    /// <returns>Its name.</returns>
    member _.Constant(tensor: Tensor) : string =
        constants.Add tensor
        tensor.Name

    /// <summary>Adds a number of the network's precision.</summary>
    /// <returns>Its name.</returns>
    member draft.Number(value: float) : string =
        let name = invariant $"number_{constants.Count + 1}"

        draft.Constant(
            if draft.IsSingle then
                Tensor.ofNumbers name [] [| float32 value |]
            else
                Tensor.ofNumbers name [] [| value |]
        )

    member internal draft.Integers(values: int64 list) : string =
        draft.Constant {
            Name = invariant $"integers_{constants.Count + 1}"
            Shape = [ values.Length ]
            Elements = Elements.Integers(Array.ofList values)
        }

    member internal draft.Doubles(values: float list) : string =
        let name = invariant $"numbers_{constants.Count + 1}"
        draft.Constant(Tensor.ofNumbers name [ values.Length ] (Array.ofList values))

    /// A value in the network's precision.
    member internal draft.Cast(input: string) : string =
        draft.Add("Cast", [ input ], [ "to", OnnxAttribute.Integer(int64 precision) ])

    /// Names the last output.
    member internal _.Rename(name: string) : unit =
        let last = nodes[nodes.Count - 1]
        nodes[nodes.Count - 1] <- { last with Output = name }
