using System.Buffers.Binary;
using System.IO.Compression;
using Pipeline.Learning;
using Pipeline.Learning.Formats;
using Pipeline.Learning.Interop;
using Pipeline.Training;

namespace Pipeline.Fuzz;

/// <summary>Arrays of NumPy, and images.</summary>
internal static class ArrayTargets
{
    private const long Limit = 1 << 20;

    private static readonly RunConfiguration Training =
        RunConfiguration.Create(
            new()
            {
                Data = new() { Train = "x.npz", MaximumBytes = Limit },
            },
            out IReadOnlyList<Fault> _
        ) ?? throw new FoundException("settings are refused");

    private static readonly IdxImages Images = new(
        3,
        ImageSize.Grey(2, 2),
        new byte[] { 0, 255, 3, 4, 0, 0, 7, 8, 9, 1, 2, 3 }
    );

    public static IEnumerable<Target> All { get; } =
    [
        new(
            "npy",
            () =>
                [
                    .. Arrays().Select(Npy.Write),
                    Header("|S3", "(2,)", "abcd\0\0"u8),
                    Header("<U2", "(1, 1)", [65, 0, 0, 0, 66, 0, 0, 0]),
                    Header(">f2", "(2,)", [0x3c, 0, 0x7c, 0]),
                    Header("<i8", "()", [1, 0, 0, 0, 0, 0, 0, 0]),
                    Header("|b1", "(3,), 'fortran_order': True", [1, 0, 1]),
                ],
            input => Array("x", input),
            "'descr': ",
            "'fortran_order': ",
            "'shape': ",
            "True",
            "False",
            "<f4",
            "<f8",
            ">f2",
            "|u1",
            "|b1",
            "<i2",
            ">u8",
            "<U1",
            "|S1",
            "|S00",
            "(0, 2147483647)",
            "(0,)",
            "(2147483648, 0)",
            "(4294967296, 4294967296)",
            ", 1"
        ),
        new(
            "npz",
            () =>
                [
                    NpzFile.Write(Arrays()),
                    NpzFile.Write([
                        new("images", [4, 2, 2], Elements.NewBytes(new byte[16])),
                        new("labels", [4], Elements.NewBytes(new byte[] { 0, 1, 0, 1 })),
                    ]),
                    NpzFile.Write(Npz.ToArrays(Model.ToTensors(Models.OfRows))),
                    File.ReadAllBytes(Fixtures.Path("model-1.npz")),
                ],
            Archive,
            "PK\u0003\u0004",
            "PK\u0001\u0002",
            "PK\u0005\u0006",
            ".npy",
            "metadata"
        ),
        new(
            "idx",
            () =>
                [
                    Idx.WriteImages(Images),
                    Idx.WriteLabels([0, 9, 3]),
                    Typed(13, [1, 1, 1], [0x3f, 0, 0, 0]),
                    Typed(12, [1, 1], [0, 0, 0, 7]),
                    Typed(14, [1, 2, 1, 1], [.. new byte[16]]),
                    Typed(11, [2], [0, 1, 0, 2]),
                ],
            IdxFile
        ),
        new(
            "png",
            () =>
                [
                    PngWriter.OfBytes(
                        new(
                            ImageSize.Grey(3, 5),
                            [.. Enumerable.Range(0, 15).Select(i => (byte)(17 * i))]
                        )
                    ),
                    PngWriter.OfBytes(
                        new(new(3, 2, 2), [.. Enumerable.Range(0, 12).Select(i => (byte)i)])
                    ),
                    Packed(0, 16, 1, 1, [0, 0x12, 0x34]),
                    Packed(3, 2, 4, 1, [0, 0b00011011]),
                    Packed(4, 8, 1, 2, [1, 9, 255, 4, 7, 128]),
                    Packed(6, 8, 2, 2, [2, 1, 2, 3, 4, 5, 6, 7, 8, 3, 1, 2, 3, 4, 5, 6, 7, 8]),
                    Packed(
                        0,
                        1,
                        8,
                        8,
                        [.. Enumerable.Repeat(new byte[] { 0, 0x80 }, 15).SelectMany(row => row)],
                        1
                    ),
                ],
            Png,
            "IHDR",
            "IDAT",
            "IEND",
            "PLTE",
            "tRNS",
            "CgBI"
        ),
    ];

    private static IEnumerable<Tensor> Arrays() =>
        [
            new("x_train", [2, 2], Elements.NewSingles([1, 2, 3, float.NaN])),
            new("y_train", [2], Elements.NewIntegers([0, 1])),
            new("x_test", [1, 2], Elements.NewDoubles([1, -0.0])),
            new("y_test", [1], Elements.NewBytes(new byte[] { 1 })),
        ];

    private static byte[] Header(string type, string shape, ReadOnlySpan<byte> data)
    {
        var order = shape.Contains("fortran") ? "" : ", 'fortran_order': False";
        var text = $"{{'descr': '{type}', 'shape': {shape}{order}, }}\n";
        return
        [
            0x93,
            .. "NUMPY"u8,
            1,
            0,
            (byte)text.Length,
            (byte)(text.Length >> 8),
            .. System.Text.Encoding.ASCII.GetBytes(text),
            .. data,
        ];
    }

    private static byte[] Typed(byte type, int[] sizes, byte[] data)
    {
        var bytes = new byte[4 * (sizes.Length + 1)];
        (bytes[2], bytes[3]) = (type, (byte)sizes.Length);
        for (var i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 * (i + 1)), sizes[i]);
        return [.. bytes, .. data];
    }

    /// <summary>A PNG of any type, with a palette and transparency.</summary>
    private static byte[] Packed(
        byte colour,
        byte depth,
        int columns,
        int rows,
        byte[] raw,
        byte interlaced = 0
    )
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(raw);
        byte[] sizes = [0, 0, 0, (byte)columns, 0, 0, 0, (byte)rows];
        byte[] palette = [0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 9, 9];
        return
        [
            0x89,
            .. "PNG\r\n"u8,
            0x1A,
            (byte)'\n',
            .. Chunk("IHDR"u8, [.. sizes, depth, colour, 0, 0, interlaced]),
            .. colour == 3 ? Chunk("PLTE"u8, palette) : [],
            .. colour == 3 ? Chunk("tRNS"u8, [0, 128]) : [],
            .. Chunk("IDAT"u8, packed.ToArray()),
            .. Chunk("IEND"u8, []),
        ];
    }

    /// <summary>A chunk whose checksum is 0, as no reader here looks at it.</summary>
    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] content) =>
        [0, 0, 0, (byte)content.Length, .. type, .. content, 0, 0, 0, 0];

    /// <summary>An array: its length is the declared one, and written it is the same.</summary>
    private static void Array(string name, byte[] input)
    {
        var declared = Npy.DeclaredLength(input);
        var tensor = Oracle.Bounded(
            input.Length,
            () => Npy.Parse(name, input).OrThrow(RefusedException.At("x.npy"))
        );
        Oracle.Require(
            declared.IsNone || declared.Value == input.Length,
            $"{input.Length} bytes, and {declared} by the header"
        );
        Uses(tensor);
        if (tensor.Elements.IsTexts)
            return;
        var again = Npy.Parse(name, Npy.Write(tensor))
            .OrThrow(faults => Oracle.Refused("a written array", faults));
        Oracle.Same(tensor, again);
    }

    /// <summary>What the program does with arrays as inputs and as labels.</summary>
    private static void Uses(Tensor tensor)
    {
        if (Tables.OfTensor(tensor).TryGet(out var table, out _))
        {
            foreach (var column in table.Columns)
                Oracle.Require(Tables.TextsOf(column).Count == table.Rows, "other rows");
        }
        if (ClassLabels.OfTensor(tensor).TryGet(out var labels, out _))
        {
            ClassLabels.Classes(10, labels.Labels).TryGet(out _, out _);
            if (labels.Labels.Elements.IsTexts)
                TextLabels.Classes(labels.Labels).TryGet(out _, out _);
        }
        if (!tensor.Elements.IsTexts && tensor.Shape.Length is 3 or 4)
            ImagesOf(tensor);
    }

    /// <summary>Images of numbers of any type: the files of their bytes give them again.</summary>
    private static void ImagesOf(Tensor tensor)
    {
        if (
            !Pixels.ScaleOf(tensor).TryGet(out var scale, out _)
            || !Pixels.OfTensor(scale, tensor).TryGet(out var images, out _)
        )
            return;
        Pixels.Assumption(scale, tensor);
        Pixels.Dimensions(tensor);
        var again = Idx.ParseImages(Idx.WriteImages(images))
            .OrThrow(faults => Oracle.Refused("written images", faults));
        Oracle.Require(
            again.Count == images.Count
                && again.Size.Equals(images.Size)
                && again.Pixels.Span.SequenceEqual(images.Pixels.Span),
            "written images are others"
        );
        var twice = Pixels.Transpose(Pixels.Transpose(images));
        Oracle.Require(
            twice.Pixels.Span.SequenceEqual(images.Pixels.Span),
            "transposed twice, images are others"
        );
    }

    /// <summary>An archive: its arrays are the same when it is written and read.</summary>
    private static void Archive(byte[] input)
    {
        var arrays = Oracle.Bounded(
            input.Length,
            () => NpzFile.Parse(input, Limit, "x.npz"),
            4 * Limit
        );
        foreach (var array in arrays)
            Uses(array);
        if (arrays.All(array => !array.Elements.IsTexts))
        {
            var again = NpzFile.Parse(NpzFile.Write(arrays), Limit, "x.npz");
            Oracle.Require(again.Count == arrays.Count, "another number of arrays");
            foreach (var (one, other) in arrays.Zip(again))
                Oracle.Same(one, other);
        }
        // Samples to train with, where the arrays have their names.
        Oracle.OrNull(() =>
        {
            var file = DataFile.Of("x.npz", input);
            return ArrayFiles.Parse(Training, file, null, [file]).Encode<float>();
        });
        if (Npz.OfArrays(arrays).TryGet(out var file, out _))
            ModelTargets.Uses(new("x.npz", file));
    }

    /// <summary>Images and labels: both readers of each agree, and written they are the same.</summary>
    private static void IdxFile(byte[] input)
    {
        var declared = Idx.DeclaredLength(input);
        if (Idx.ParseImages(input).TryGet(out var images, out _))
        {
            Oracle.Require(
                Idx.WriteImages(images).AsSpan().SequenceEqual(input) || images.Size.Channels == 1,
                "written images are others"
            );
            var numbers = Idx.ParseImageTensor(input)
                .OrThrow(faults => Oracle.Refused("an image file of bytes", faults));
            Oracle.Require(
                Tensors.ToBytes(numbers).AsSpan().SequenceEqual(images.Pixels.Span),
                "the readers of images differ"
            );
        }
        if (Idx.ParseLabels(256, input).TryGet(out var labels, out _))
        {
            Oracle.Require(
                Idx.WriteLabels(labels).AsSpan().SequenceEqual(input),
                "written labels are others"
            );
            var numbers = Idx.ParseLabelTensor(input)
                .OrThrow(faults => Oracle.Refused("a label file of bytes", faults));
            Oracle.Require(
                Tensors.ToDoubles(numbers).SequenceEqual(labels.Select(label => (double)label)),
                "the readers of labels differ"
            );
        }
        Tensor? tensor = null;
        if (
            Oracle
                .Bounded(input.Length, () => Idx.ParseImageTensor(input))
                .TryGet(out var found, out var faults)
            || Oracle
                .Bounded(input.Length, () => Idx.ParseLabelTensor(input))
                .TryGet(out found, out _)
        )
            tensor = found;
        if (tensor is null)
            throw RefusedException.At("x")(faults);
        Oracle.Require(
            declared.IsSome && declared.Value == input.Length,
            $"{input.Length} bytes, and {declared} by the header"
        );
        Uses(tensor);
    }

    /// <summary>An image: written and read again it is the same.</summary>
    private static void Png(byte[] input)
    {
        var refused = new List<RefusedException>();
        foreach (var (channels, isDarkInk) in ((int, bool)[])[(1, false), (1, true), (3, false)])
        {
            try
            {
                // The library and the check of the size unpack the image several times.
                var image = Oracle.Bounded(
                    input.Length,
                    () =>
                        PngReader.Parse(
                            input,
                            channels,
                            isDarkInk,
                            Limit,
                            "x.png",
                            isChecked: false
                        ),
                    8 * Limit
                );
                Oracle.Require(image.Numbers.Length == image.Size.Count, "another size");
                var again = PngReader.Parse(
                    PngWriter.OfBytes(image),
                    channels,
                    channels == 1,
                    16 * Limit,
                    "x.png"
                );
                Oracle.Require(
                    again.Size.Equals(image.Size)
                        && again.Numbers.AsSpan().SequenceEqual(image.Numbers),
                    "a written image is another one"
                );
            }
            catch (RefusedException found)
            {
                refused.Add(found);
            }
        }
        Oracle.Require(refused.Count is 0 or 3, "an image that is refused as one of some channels");
        if (refused.Count > 0)
            throw refused[0];
    }
}
