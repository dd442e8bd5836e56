using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Pipeline.Training;

namespace Pipeline.Serving;

/// <summary>A tensor of a request: one of its three lists is there.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its sizes, the batch first; null if the request has none.</param>
/// <param name="Pixels">Its numbers, if all of them are whole numbers of 0 to 255 and were read as such.</param>
/// <param name="Numbers">Its numbers otherwise.</param>
/// <param name="Strings">Its texts.</param>
internal sealed record InferenceInput(
    string Name,
    IReadOnlyList<long>? Shape,
    ArraySegment<byte>? Pixels,
    double[]? Numbers,
    string[]? Strings
)
{
    /// <summary>The pixels of whole images.</summary>
    /// <param name="each">The pixels of an image.</param>
    /// <exception cref="RefusedException">The tensor holds something else.</exception>
    public ReadOnlySpan<byte> RequirePixels(int each)
    {
        if (Pixels is { } pixels)
        {
            RequireSamples(pixels.Count, each);
            return pixels;
        }
        var numbers = RequireNumbers(each);
        var bytes = new byte[numbers.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (numbers[i] is not (>= 0 and <= byte.MaxValue) || numbers[i] % 1 != 0)
            {
                throw RefusedException.Of(
                    $"input {Name}",
                    "whole numbers of 0 to 255",
                    numbers[i].ToString("R", CultureInfo.InvariantCulture)
                );
            }
            bytes[i] = (byte)numbers[i];
        }
        return bytes;
    }

    /// <summary>The numbers of whole samples.</summary>
    /// <param name="each">The numbers of a sample.</param>
    /// <exception cref="RefusedException">The tensor holds something else.</exception>
    public double[] RequireNumbers(int each)
    {
        var numbers =
            Numbers
            ?? (
                Pixels is { } pixels
                    ? Array.ConvertAll([.. pixels], pixel => (double)pixel)
                    : throw RefusedException.Of($"input {Name}", "numbers", "texts")
            );
        RequireSamples(numbers.Length, each);
        return numbers;
    }

    /// <summary>The texts, one a sample.</summary>
    /// <exception cref="RefusedException">The tensor holds numbers.</exception>
    public string[] RequireTexts()
    {
        if (Strings is not { } texts)
            throw RefusedException.Of($"input {Name}", "texts", "numbers");
        RequireShape(texts.Length);
        return texts;
    }

    private void RequireSamples(int count, int each)
    {
        RequireShape(count);
        if (count == 0 || count % each != 0)
        {
            throw RefusedException.Of(
                $"input {Name}",
                $"{each} numbers a sample",
                $"{count} numbers in all"
            );
        }
    }

    private void RequireShape(int count)
    {
        // No whole number of 64 bits holds every product of sizes.
        if (
            Shape is { } shape
            && shape.Aggregate(BigInteger.One, (product, size) => product * size) != count
        )
        {
            throw RefusedException.Of(
                $"input {Name}",
                $"as many values as the shape {string.Join(" × ", shape)} has",
                $"{count}"
            );
        }
    }
}

/// <summary>A request of the Open Inference Protocol.</summary>
/// <param name="Id">What the client calls it.</param>
/// <param name="Inputs">The tensors.</param>
internal sealed record InferenceRequest(string? Id, IReadOnlyList<InferenceInput> Inputs)
    : IDisposable
{
    /// <summary>The deepest nesting of lists and objects.</summary>
    private const int Deepest = 16;

    /// <exception cref="RefusedException">The body is not a request of the protocol.</exception>
    public static InferenceRequest Parse(ReadOnlySpan<byte> body)
    {
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
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("id"u8))
                {
                    Expect(ref json, JsonTokenType.String, "a text as id");
                    id = json.GetString();
                }
                else if (json.ValueTextEquals("inputs"u8))
                {
                    Expect(ref json, JsonTokenType.StartArray, "a list of inputs");
                    inputs = [];
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                        inputs.Add(Input(ref json, ref rest));
                }
                else
                {
                    json.Read();
                    json.Skip();
                }
            }
            if (json.Read())
                throw Refused("nothing after the request", "more");
            return new(id, inputs ?? throw Refused("a list of inputs", "none"));
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

    /// <summary>The input of a name; the only one, if there is one alone.</summary>
    public InferenceInput Of(string name) =>
        Inputs.Count == 1 ? Inputs[0] : Inputs.First(input => input.Name == name);

    private static InferenceInput Input(ref Utf8JsonReader json, ref ReadOnlySpan<byte> rest)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw Refused("an object for each input", InWords(json.TokenType));
        string? name = null;
        List<long>? shape = null;
        (ArraySegment<byte>?, double[]?, string[]?)? data = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("name"u8))
            {
                Expect(ref json, JsonTokenType.String, "a text as the input's name");
                name = json.GetString();
            }
            else if (json.ValueTextEquals("shape"u8))
            {
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
            else if (json.ValueTextEquals("data"u8))
                data = Data(ref json, ref rest);
            else
            {
                json.Read();
                json.Skip();
            }
        }
        var (pixels, numbers, texts) = data ?? throw Refused($"data of the input {name}", "none");
        return new(
            name ?? throw Refused("a name of each input", "none"),
            shape,
            pixels,
            numbers,
            texts
        );
    }

    /// <summary>A list of pixels, of numbers or of texts, nested or not.</summary>
    private static (ArraySegment<byte>?, double[]?, string[]?) Data(
        ref Utf8JsonReader json,
        ref ReadOnlySpan<byte> rest
    )
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
            return (new(values, 0, pixels), null, null);
        }
        var numbers = new double[64];
        var count = 0;
        List<string>? texts = null;
        for (var depth = 1; depth > 0 && json.Read(); )
        {
            switch (json.TokenType)
            {
                case JsonTokenType.StartArray:
                    depth++;
                    break;
                case JsonTokenType.EndArray:
                    depth--;
                    break;
                case JsonTokenType.Number when texts is null:
                    if (count == numbers.Length)
                        Array.Resize(ref numbers, 2 * count);
                    var number = json.GetDouble();
                    if (!double.IsFinite(number))
                        throw Refused("numbers within the range of double precision", "others");
                    numbers[count++] = number;
                    break;
                case JsonTokenType.String when count == 0:
                    (texts ??= []).Add(json.GetString()!);
                    break;
                default:
                    throw Refused(
                        "data that are all numbers or all texts",
                        InWords(json.TokenType)
                    );
            }
        }
        return texts is null ? (null, numbers[..count], null) : (null, null, [.. texts]);
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
