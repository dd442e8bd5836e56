using System.Numerics;
using System.Runtime.ExceptionServices;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Fuzz;

/// <summary>What must hold for every input.</summary>
internal static class Oracle
{
    /// <summary>The bytes that a parser may use for any input, for messages of .NET for example.</summary>
    private const long Room = 2_000_000;

    /// <summary>The bytes that a parser may use for each byte of its input.</summary>
    private const long Each = 60;

    public static void Require(bool holds, string fault)
    {
        if (!holds)
            throw new FoundException(fault);
    }

    /// <summary>The value that a parser makes, in memory that is bounded by the size of the input.</summary>
    /// <param name="size">The size of the input in bytes, unpacked.</param>
    /// <param name="parse">The parser.</param>
    /// <param name="room">The bytes that it may use besides.</param>
    public static TValue Bounded<TValue>(long size, Func<TValue> parse, long room = 0)
    {
        var allowed = Room + room + (Each * size);
        // Code that runs for the first time makes its constants.
        if (
            Used(parse, out var value, out var refused) > allowed
            && Used(parse, out value, out refused) is var used
            && used > allowed
        )
            throw new FoundException($"{used} bytes of memory for {size}");
        if (refused is not null)
            ExceptionDispatchInfo.Throw(refused);
        return value!;
    }

    /// <summary>The bytes that a parser uses.</summary>
    private static long Used<TValue>(
        Func<TValue> parse,
        out TValue? value,
        out RefusedException? refused
    )
    {
        (value, refused) = (default, null);
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            value = parse();
        }
        catch (RefusedException found)
        {
            refused = found;
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>The value, or null where the parser refuses.</summary>
    public static TValue? OrNull<TValue>(Func<TValue> parse)
        where TValue : class
    {
        try
        {
            return parse();
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    /// <summary>The value in what the program has written, which no parser may refuse.</summary>
    /// <param name="what">What it has written, for messages.</param>
    /// <param name="parse">The parser.</param>
    public static TValue Again<TValue>(string what, Func<TValue> parse)
    {
        try
        {
            return parse();
        }
        catch (RefusedException refused)
        {
            throw new FoundException($"{what} is refused: {refused.Message}");
        }
    }

    /// <summary>Requires two tables to have the same names, texts and numbers.</summary>
    public static void Same(Table one, Table other, string what)
    {
        Require(
            one.Columns.Select(column => column.Name)
                .SequenceEqual(other.Columns.Select(column => column.Name)),
            $"{what}: other names: {Names(one)} and {Names(other)}"
        );
        Require(one.Rows == other.Rows, $"{what}: {one.Rows} rows and {other.Rows}");
        foreach (var (first, second) in one.Columns.Zip(other.Columns))
        {
            var (texts, others) = (Tables.TextsOf(first), Tables.TextsOf(second));
            for (var row = 0; row < one.Rows; row++)
            {
                Require(
                    texts[row] == others[row],
                    $"{what}: column {first.Name}, row {row}: '{texts[row]}' and '{others[row]}'"
                );
            }
        }
    }

    private static string Names(Table table) =>
        string.Join('|', table.Columns.Select(column => column.Name));

    /// <summary>Requires two tensors to be the same, bit for bit.</summary>
    public static void Same(Tensor one, Tensor other)
    {
        Require(one.Name == other.Name, $"names {one.Name} and {other.Name}");
        Require(one.Shape.SequenceEqual(other.Shape), $"{one.Name}: other shapes");
        Require(one.Elements.Tag == other.Elements.Tag, $"{one.Name}: other types");
        Require(
            Tensors.ToBytes(one).AsSpan().SequenceEqual(Tensors.ToBytes(other)),
            $"{one.Name}: other numbers"
        );
    }

    public static void Same(TensorFile one, TensorFile other)
    {
        Require(one.Metadata.SequenceEqual(other.Metadata), "other metadata");
        Require(one.Tensors.Length == other.Tensors.Length, "another number of tensors");
        foreach (var (first, second) in one.Tensors.Zip(other.Tensors))
            Same(first, second);
    }

    /// <summary>Requires a model to be the same after it was written and read, and its uses not to fail.</summary>
    public static void Usable<T>(Model<T> model)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var bytes = Safetensors.Write(model);
        var again = Model
            .OfTensors<T>(
                ModelDefaults.None,
                Safetensors.Parse(bytes).OrThrow(faults => Refused("a written model", faults))
            )
            .OrThrow(faults => Refused("a written model", faults));
        Require(
            Safetensors.Write(again).AsSpan().SequenceEqual(bytes),
            "a model that is read from its file and written gives another file"
        );
        var arrays = NpzFile.Parse(
            NpzFile.Write(Npz.ToArrays(Model.ToTensors(model))),
            DataFile.UsualLimit,
            "model.npz"
        );
        var ofArrays = Model
            .OfTensors<T>(
                ModelDefaults.None,
                Npz.OfArrays(arrays).OrThrow(faults => Refused("a written archive", faults))
            )
            .OrThrow(faults => Refused("a written archive", faults));
        Require(
            Safetensors.Write(ofArrays).AsSpan().SequenceEqual(bytes),
            "a model in an archive is another one"
        );
        OnnxFile.Write(model);
        var (inputs, outputs) = (
            model.Network.Architecture.Inputs,
            model.Network.Architecture.Outputs
        );
        new Predictor<T>(model.Network).Predict(new T[inputs], new T[outputs]);
        ModelPredictions.Of(model, []);
    }

    /// <summary>What a fault is of something that the program itself has written.</summary>
    public static Exception Refused(string what, IEnumerable<Fault> faults) =>
        new FoundException($"{what} is refused: {string.Join(' ', faults)}");
}
