using System.Numerics;
using Google.Protobuf;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training.Formats.Onnx;

namespace Pipeline.Training;

/// <summary>The core's graph in the bytes of an ONNX file.</summary>
internal static class OnnxFile
{
    private const string Batch = "batch";

    public static byte[] Write<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var graph = Learning.Formats.Onnx.OfModel(model);
        var file = new ModelProto
        {
            IrVersion = Learning.Formats.Onnx.FormatVersion,
            ProducerName = "Pipeline",
            ProducerVersion = RunFolder.Version ?? "",
            Graph = new()
            {
                Name = graph.Name,
                Node = { graph.Nodes.Select(Node) },
                Initializer = { graph.Constants.Select(Constant) },
                Input = { graph.Inputs.Select(Value) },
                Output = { Value(graph.Output) },
            },
            OpsetImport =
            {
                new OperatorSetIdProto { Version = Learning.Formats.Onnx.OperatorsVersion },
            },
            MetadataProps =
            {
                graph.Metadata.Select(entry => new StringStringEntryProto
                {
                    Key = entry.Item1,
                    Value = entry.Item2,
                }),
            },
        };
        if (graph.Nodes.Any(node => node.Domain == Learning.Formats.Onnx.TextDomain))
        {
            file.OpsetImport.Add(
                new OperatorSetIdProto
                {
                    Domain = Learning.Formats.Onnx.TextDomain,
                    Version = Learning.Formats.Onnx.TextOperatorsVersion,
                }
            );
        }
        return file.ToByteArray();
    }

    private static NodeProto Node(OnnxNode node) =>
        new()
        {
            Name = node.Output,
            OpType = node.Operator,
            Domain = node.Domain,
            Input = { node.Inputs },
            Output = { node.Output },
            Attribute = { node.Attributes.Select(entry => Attribute(entry.Item1, entry.Item2)) },
        };

    private static AttributeProto Attribute(string name, OnnxAttribute value) =>
        value switch
        {
            OnnxAttribute.Integer integer => new()
            {
                Name = name,
                Type = AttributeProto.Types.AttributeType.Int,
                I = integer.Item,
            },
            OnnxAttribute.Number number => new()
            {
                Name = name,
                Type = AttributeProto.Types.AttributeType.Float,
                F = number.Item,
            },
            OnnxAttribute.Integers integers => new()
            {
                Name = name,
                Type = AttributeProto.Types.AttributeType.Ints,
                Ints = { integers.Item },
            },
            OnnxAttribute.Texts texts => new()
            {
                Name = name,
                Type = AttributeProto.Types.AttributeType.Strings,
                Strings = { texts.Item.Select(ByteString.CopyFromUtf8) },
            },
            _ => throw new InvalidOperationException($"expected a known attribute, found {value}"),
        };

    private static TensorProto Constant(Tensor tensor)
    {
        var type = tensor.Elements switch
        {
            Elements.Integers => OnnxType.Integer,
            Elements.Singles => OnnxType.Single,
            Elements.Doubles => OnnxType.Double,
            _ => OnnxType.Byte,
        };
        return new()
        {
            Name = tensor.Name,
            DataType = (int)type,
            Dims = { tensor.Shape.Select(size => (long)size) },
            RawData = ByteString.CopyFrom(Tensors.ToBytes(tensor)),
        };
    }

    private static ValueInfoProto Value(OnnxValue value)
    {
        var dimensions = value.Shape.Select(size =>
            size is OnnxSize.Fixed known
                ? new TensorShapeProto.Types.Dimension { DimValue = known.Item }
                : new() { DimParam = Batch }
        );
        return new()
        {
            Name = value.Name,
            Type = new()
            {
                TensorType = new()
                {
                    ElemType = (int)value.Type,
                    Shape = new() { Dim = { dimensions } },
                },
            },
        };
    }
}
