using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>A tensor of a request: one of its three lists is there.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its sizes, the batch first; null if the request has none.</param>
/// <param name="Nesting">The lengths of its lists within lists; null if the data are one list.</param>
/// <param name="Pixels">Its numbers, if all of them are whole numbers of 0 to 255 and were read as such.</param>
/// <param name="Numbers">Its numbers otherwise.</param>
/// <param name="Strings">Its texts.</param>
internal sealed record InferenceInput(
    string Name,
    List<long>? Shape,
    List<long>? Nesting,
    ArraySegment<byte>? Pixels,
    double[]? Numbers,
    string[]? Strings
)
{
    /// <summary>The pixels of whole images.</summary>
    /// <param name="each">The sizes of an image.</param>
    /// <exception cref="RefusedException">The tensor holds something else.</exception>
    public ReadOnlySpan<byte> RequirePixels(params ReadOnlySpan<int> each)
    {
        const string Expected = "whole numbers of 0 to 255";
        if (Pixels is { } pixels)
        {
            RequireSamples(pixels.Count, each);
            return RequireBright(pixels);
        }
        var numbers = RequireNumbers(each);
        var bytes = new byte[numbers.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (numbers[i] is not (>= 0 and <= byte.MaxValue) || numbers[i] % 1 != 0)
                throw Refused(Expected, numbers[i].ToString("R", CultureInfo.InvariantCulture));
            bytes[i] = (byte)numbers[i];
        }
        return RequireBright(bytes);

        // Zeros and ones are the pixels of images of two colours, divided by 255: nearly black to the network.
        ReadOnlySpan<byte> RequireBright(ReadOnlySpan<byte> pixels) =>
            pixels.ContainsAnyExceptInRange((byte)0, (byte)1) || !pixels.Contains((byte)1)
                ? pixels
                : throw Refused(Expected, PixelRows.NoneAboveOne());
    }

    /// <summary>The numbers of whole samples.</summary>
    /// <param name="each">The sizes of a sample.</param>
    /// <exception cref="RefusedException">The tensor holds something else.</exception>
    public double[] RequireNumbers(params ReadOnlySpan<int> each)
    {
        var numbers =
            Numbers
            ?? (
                Pixels is { } pixels
                    ? Array.ConvertAll([.. pixels], pixel => (double)pixel)
                    : throw Refused("numbers", "texts")
            );
        RequireSamples(numbers.Length, each);
        return numbers;
    }

    /// <summary>The texts, one a sample.</summary>
    /// <exception cref="RefusedException">The tensor holds numbers.</exception>
    public string[] RequireTexts()
    {
        if (Strings is not { } texts)
            throw Refused("texts", "numbers");
        RequireSamples(texts.Length, 1);
        return texts;
    }

    /// <summary>Refuses values that are not whole samples, or are shaped in another way than samples.</summary>
    private void RequireSamples(int count, params ReadOnlySpan<int> each)
    {
        if (Shape is { } shape && Product(shape) != count)
            throw Refused($"as many values as the shape {InWords(shape)} has", $"{count}");
        var size = 1;
        foreach (var length in each)
            size *= length;
        if (count == 0 || count % size != 0)
            throw Refused($"{size} values a sample", $"{count} in all");
        RequireSizes(Shape, count / size, size, each);
        RequireSizes(Nesting, count / size, size, each);
    }

    /// <summary>The product of sizes, however large.</summary>
    private static BigInteger Product(List<long> sizes)
    {
        var product = BigInteger.One;
        foreach (var size in sizes)
            product *= size;
        return product;
    }

    /// <summary>Refuses sizes other than those of some samples, of one sample alone, or of samples whose values are in a
    /// row: the values would be in another order.</summary>
    private void RequireSizes(List<long>? sizes, int samples, int size, ReadOnlySpan<int> each)
    {
        if (sizes is null || IsLike(sizes, samples, each) || IsLike(sizes, samples, [size]))
            return;
        throw Refused(
            $"values of the shape {InWords([samples, .. each.ToArray()])}, the samples first",
            InWords(sizes)
        );
    }

    /// <summary>Whether sizes are those of some samples; sizes of 1 do not count.</summary>
    private static bool IsLike(List<long> sizes, int samples, ReadOnlySpan<int> each)
    {
        Span<long> own = stackalloc long[sizes.Count];
        sizes.CopyTo(own);
        Span<long> like = stackalloc long[1 + each.Length];
        like[0] = samples;
        for (var i = 0; i < each.Length; i++)
            like[i + 1] = each[i];
        return WithoutOnes(own).SequenceEqual(WithoutOnes(like));

        static ReadOnlySpan<long> WithoutOnes(Span<long> sizes)
        {
            var count = 0;
            foreach (var size in sizes)
            {
                if (size != 1)
                    sizes[count++] = size;
            }
            return sizes[..count];
        }
    }

    private static string InWords(IEnumerable<long> sizes) => string.Join(" × ", sizes);

    private RefusedException Refused(string expected, string found) =>
        RefusedException.Of($"input {Name}", expected, found);
}

/// <summary>A request of the Open Inference Protocol.</summary>
/// <param name="Id">What the client calls it.</param>
/// <param name="Inputs">The tensors.</param>
/// <param name="Outputs">The names of the tensors that it asks for; null for all.</param>
internal sealed record InferenceRequest(
    string? Id,
    IReadOnlyList<InferenceInput> Inputs,
    IReadOnlyList<string>? Outputs
) : IDisposable
{
    /// <summary>The types of tensors of numbers in the protocol, and the numbers that they hold.</summary>
    private static readonly OrderedDictionary<string, NumberType> NumberTypes = new()
    {
        ["BOOL"] = new(0, 1, IsWhole: true),
        ["UINT8"] = new(byte.MinValue, byte.MaxValue, IsWhole: true),
        ["UINT16"] = new(ushort.MinValue, ushort.MaxValue, IsWhole: true),
        ["UINT32"] = new(uint.MinValue, uint.MaxValue, IsWhole: true),
        ["UINT64"] = new(ulong.MinValue, ulong.MaxValue, IsWhole: true),
        ["INT8"] = new(sbyte.MinValue, sbyte.MaxValue, IsWhole: true),
        ["INT16"] = new(short.MinValue, short.MaxValue, IsWhole: true),
        ["INT32"] = new(int.MinValue, int.MaxValue, IsWhole: true),
        ["INT64"] = new(long.MinValue, long.MaxValue, IsWhole: true),
        // Below these, numbers round to one of the type.
        ["FP16"] = NumberType.Below(65520),
        ["FP32"] = NumberType.Below(Math.ScaleB(1 - Math.ScaleB(1, -25), 128)),
        ["FP64"] = NumberType.Below(double.PositiveInfinity),
    };

    /// <summary>The type of truth values, which may also be written as <c>true</c> and <c>false</c>.</summary>
    private const string Truth = "BOOL";

    /// <summary>The type of texts.</summary>
    private const string Texts = "BYTES";

    /// <summary>The deepest nesting of lists and objects.</summary>
    private const int Deepest = 16;

    /// <exception cref="RefusedException">The body is not a request of the protocol.</exception>
    public static InferenceRequest Parse(ReadOnlySpan<byte> body)
    {
        if (body.StartsWith(Encoding.UTF8.Preamble))
            body = body[Encoding.UTF8.Preamble.Length..];
        try
        {
            return Parse(body, isFast: true);
        }
        catch (RefusedException)
        {
            // The places in messages are those of a whole reading.
            return Parse(body, isFast: false);
        }
    }

    /// <param name="body">The request.</param>
    /// <param name="isFast">Whether lists of pixels are read by a loop of their own, several times as fast.</param>
    /// <exception cref="RefusedException">The body is not a request of the protocol.</exception>
    public static InferenceRequest Parse(ReadOnlySpan<byte> body, bool isFast)
    {
        try
        {
            var json = new Utf8JsonReader(body, new() { MaxDepth = Deepest });
            // What the reader has not seen yet: a list that is read otherwise is cut out of it.
            var rest = isFast ? body : default;
            Expect(ref json, JsonTokenType.StartObject, "an object");
            string? id = null;
            List<InferenceInput>? inputs = null;
            List<string>? outputs = null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("id"u8))
                {
                    Once(id is null, "id");
                    Expect(ref json, JsonTokenType.String, "a text as id");
                    id = json.GetString();
                }
                else if (json.ValueTextEquals("inputs"u8))
                {
                    Once(inputs is null, "inputs");
                    Expect(ref json, JsonTokenType.StartArray, "a list of inputs");
                    inputs = [];
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                        inputs.Add(Input(ref json, ref rest));
                }
                else if (json.ValueTextEquals("outputs"u8))
                {
                    Once(outputs is null, "outputs");
                    Expect(ref json, JsonTokenType.StartArray, "a list of outputs");
                    outputs = [];
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                        outputs.Add(Output(ref json));
                }
                else
                {
                    json.Skip();
                }
            }
            if (json.Read())
                throw Refused("nothing after the request", "more");
            return new(id, inputs ?? throw Refused("a list of inputs", "none"), outputs);
        }
        catch (JsonException broken)
        {
            var (place, found) = JsonFault.Of(broken, body);
            throw Refused($"JSON{place}", found);
        }
        catch (InvalidOperationException)
        {
            // Bytes that are not UTF-8.
            throw Refused("texts in UTF-8", "others");
        }
    }

    /// <summary>Gives the memory of the pixels back: they must not be used afterwards.</summary>
    public void Dispose()
    {
        foreach (var input in Inputs)
        {
            if (input.Pixels is { Array: { } pixels })
                ArrayPool<byte>.Shared.Return(pixels);
        }
    }

    /// <summary>Refuses a request whose inputs do not have these names, each once.</summary>
    public void RequireInputs(string[] names)
    {
        // One tensor may have any name, as a model of one input leaves no doubt.
        if (names.Length == 1 && Inputs.Count == 1)
            return;
        var found = Inputs.Select(input => input.Name).ToArray();
        if (!found.Order(StringComparer.Ordinal).SequenceEqual(names.Order(StringComparer.Ordinal)))
        {
            throw Refused(
                $"the inputs {string.Join(", ", names)}",
                found.Length == 0 ? "none" : string.Join(", ", found)
            );
        }
    }

    /// <summary>Refuses a request that asks for another output.</summary>
    public void RequireOutputs(string name)
    {
        foreach (var other in Outputs ?? [])
        {
            if (other != name)
                throw Refused($"the output {name}", other);
        }
    }

    /// <summary>The input of a name; the only one, if there is one alone. A column of categories may have the name of the
    /// columns of numbers.</summary>
    public InferenceInput Of(string name, bool isText) =>
        Inputs.Count == 1
            ? Inputs[0]
            : Inputs
                .Where(input => input.Name == name)
                .MaxBy(input => input.Strings is not null == isText)!;

    private static string Output(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw Refused("an object for each output", InWords(json.TokenType));
        string? name = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("name"u8))
            {
                Once(name is null, "name");
                Expect(ref json, JsonTokenType.String, "a text as the output's name");
                name = json.GetString();
            }
            else
            {
                json.Skip();
            }
        }
        return name ?? throw Refused("a name of each output", "none");
    }

    /// <summary>Refuses a name that comes again.</summary>
    private static void Once(bool isFirst, string name)
    {
        if (!isFirst)
            throw Refused($"{name} once", "it twice");
    }

    private static InferenceInput Input(ref Utf8JsonReader json, ref ReadOnlySpan<byte> rest)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw Refused("an object for each input", InWords(json.TokenType));
        string? name = null;
        string? type = null;
        List<long>? shape = null;
        Values? data = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("name"u8))
            {
                Once(name is null, "name");
                Expect(ref json, JsonTokenType.String, "a text as the input's name");
                name = json.GetString();
            }
            else if (json.ValueTextEquals("shape"u8))
            {
                Once(shape is null, "shape");
                Expect(ref json, JsonTokenType.StartArray, "a list of sizes as the shape");
                shape = [];
                while (json.Read() && json.TokenType == JsonTokenType.Number)
                {
                    shape.Add(
                        json.TryGetInt64(out var size) && size is >= 0 and <= int.MaxValue
                            ? size
                            : throw Refused("whole numbers of 0 or greater in the shape", "others")
                    );
                }
                if (json.TokenType != JsonTokenType.EndArray || shape.Count > Deepest)
                    throw Refused($"a shape of at most {Deepest} sizes", "another");
            }
            else if (json.ValueTextEquals("datatype"u8))
            {
                Once(type is null, "datatype");
                Expect(ref json, JsonTokenType.String, "a text as the datatype");
                type = json.GetString()!;
                if (type != Texts && !NumberTypes.ContainsKey(type))
                {
                    throw Refused(
                        $"one of the datatypes {string.Join(", ", NumberTypes.Keys)}, {Texts}",
                        $"'{type}'"
                    );
                }
            }
            else if (json.ValueTextEquals("data"u8))
            {
                Once(data is null, "data");
                data = Data(ref json, ref rest);
            }
            else
            {
                json.Skip();
            }
        }
        if (data is not { } values)
            throw Refused($"data of the input {name}", "none");
        if (type == Texts && values.Numbers is { Length: 0 })
            values = values with { Numbers = null, Strings = [] };
        RequireType(type, values);
        return new(
            name ?? throw Refused("a name of each input", "none"),
            shape,
            values.Nesting,
            values.Pixels,
            values.Numbers,
            values.Strings
        );
    }

    /// <summary>Refuses values that are not of a tensor's type.</summary>
    private static void RequireType(string? type, Values values)
    {
        if (values.HasTruth && type != Truth)
            throw Refused(AllOfOneKind, InWords(JsonTokenType.True));
        if (type is null)
            return;
        if (type == Texts)
        {
            if (values.Strings is null)
                throw Refused($"texts as data of the datatype {type}", "numbers");
            return;
        }
        if (values.Strings is not null)
            throw Refused($"numbers as data of the datatype {type}", "texts");
        var range = NumberTypes[type];
        if (values.Pixels is { } pixels)
        {
            var most = (byte)Math.Min(range.Greatest, byte.MaxValue);
            var place = pixels.AsSpan().IndexOfAnyExceptInRange(byte.MinValue, most);
            if (place >= 0)
                throw Refused($"numbers of the datatype {type}", $"{pixels[place]}");
        }
        foreach (var number in values.Numbers ?? [])
        {
            if (number < range.Least || number > range.Greatest || range.IsWhole && number % 1 != 0)
            {
                throw Refused(
                    $"numbers of the datatype {type}",
                    number.ToString("R", CultureInfo.InvariantCulture)
                );
            }
        }
    }

    /// <summary>The numbers of a type.</summary>
    private readonly record struct NumberType(double Least, double Greatest, bool IsWhole)
    {
        public static NumberType Below(double bound) =>
            new(-Math.BitDecrement(bound), Math.BitDecrement(bound), IsWhole: false);
    }

    /// <summary>The data of a tensor: one of the last three lists is there.</summary>
    private readonly record struct Values(
        List<long>? Nesting,
        ArraySegment<byte>? Pixels,
        double[]? Numbers,
        string[]? Strings,
        bool HasTruth = false
    );

    private const string AllOfOneKind = "data that are all numbers or all texts";

    /// <summary>A list of pixels, of numbers or of texts, nested or not.</summary>
    private static Values Data(ref Utf8JsonReader json, ref ReadOnlySpan<byte> rest)
    {
        Expect(ref json, JsonTokenType.StartArray, "a list as data");
        if (
            !rest.IsEmpty
            && PixelList.Read(rest[(int)json.BytesConsumed..], out var length, out var pixels)
                is { } values
        )
        {
            rest = rest[((int)json.BytesConsumed + length)..];
            json = new(rest, isFinalBlock: true, json.CurrentState);
            json.Read();
            return new(null, new(values, 0, pixels), null, null);
        }
        var numbers = new double[64];
        var count = 0;
        var hasTruth = false;
        List<string>? texts = null;
        var nesting = new Nesting();
        while (nesting.IsOpen && json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.StartArray:
                    nesting.Begin();
                    break;
                case JsonTokenType.EndArray:
                    nesting.End();
                    break;
                case JsonTokenType.Number when texts is null:
                    var number = json.GetDouble();
                    if (!double.IsFinite(number))
                        throw Refused("numbers within the range of double precision", "others");
                    Add(number);
                    break;
                case JsonTokenType.True or JsonTokenType.False when texts is null:
                    hasTruth = true;
                    Add(json.GetBoolean() ? 1 : 0);
                    break;
                case JsonTokenType.String when count == 0:
                    nesting.Value();
                    (texts ??= []).Add(json.GetString()!);
                    break;
                default:
                    throw Refused(AllOfOneKind, InWords(json.TokenType));
            }
        }
        if (!nesting.IsRegular)
            throw Refused("lists of one length within lists", "others");
        return new(
            nesting.Lengths,
            null,
            texts is null ? numbers[..count] : null,
            texts?.ToArray(),
            hasTruth
        );

        void Add(double number)
        {
            nesting.Value();
            if (count == numbers.Length)
                Array.Resize(ref numbers, 2 * count);
            numbers[count++] = number;
        }
    }

    /// <summary>The lengths of lists within a list.</summary>
    private sealed class Nesting
    {
        /// <summary>Of the lists that are open, how many values or lists they have.</summary>
        private readonly List<long> counts = [0];

        /// <summary>The lengths at each depth; −1 before the first list there has ended.</summary>
        private readonly List<long> lengths = [-1];

        /// <summary>The depth of the values; 0 before the first.</summary>
        private int depth;

        public bool IsOpen => counts.Count > 0;

        /// <summary>Whether all lists of a depth have the same length, and all values the same depth.</summary>
        public bool IsRegular { get; private set; } = true;

        /// <summary>The lengths, from the outermost list; null for a list without lists.</summary>
        public List<long>? Lengths => lengths.Count > 1 ? lengths : null;

        public void Begin()
        {
            counts[^1]++;
            counts.Add(0);
            if (lengths.Count < counts.Count)
                lengths.Add(-1);
        }

        public void End()
        {
            var place = counts.Count - 1;
            if (lengths[place] < 0)
                lengths[place] = counts[place];
            IsRegular &= lengths[place] == counts[place];
            counts.RemoveAt(place);
        }

        public void Value()
        {
            counts[^1]++;
            if (depth == 0)
                depth = counts.Count;
            IsRegular &= depth == counts.Count;
        }
    }

    private static void Expect(ref Utf8JsonReader json, JsonTokenType type, string what)
    {
        if (!json.Read() || json.TokenType != type)
            throw Refused(what, InWords(json.TokenType));
    }

    private static string InWords(JsonTokenType type) =>
        type switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "a list",
            JsonTokenType.String => "a text",
            JsonTokenType.Number => "a number",
            JsonTokenType.True or JsonTokenType.False => "a truth value",
            JsonTokenType.Null => "null",
            _ => "something else",
        };

    private static RefusedException Refused(string expected, string found) =>
        RefusedException.Of("the request", expected, found);
}
