using System.Text;
using System.Text.Unicode;
using MathNet.Numerics;

namespace Pipeline.Training;

/// <summary>The text of files as UTF-8, whatever encoding they have.</summary>
internal static class TextFile
{
    /// <summary>The end-of-file mark of MS-DOS: Ctrl-Z.</summary>
    private const byte EndOfFile = 0x1A;

    /// <summary>Byte order marks, the longer ones first: UTF-32's begins with UTF-16's.</summary>
    private static readonly Encoding[] Marked =
    [
        new UTF32Encoding(bigEndian: false, byteOrderMark: true),
        new UTF32Encoding(bigEndian: true, byteOrderMark: true),
        new UTF8Encoding(encoderShouldEmitUTF8Identifier: true),
        new UnicodeEncoding(bigEndian: false, byteOrderMark: true),
        new UnicodeEncoding(bigEndian: true, byteOrderMark: true),
    ];

    static TextFile() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Whether there is an encoding of that name.</summary>
    public static bool IsEncoding(string name) => Find(name) is not null;

    /// <summary>The text in UTF-8, without a byte order mark.</summary>
    /// <param name="content">The file's bytes.</param>
    /// <param name="encoding">The encoding's name; if null, UTF-8. A byte order mark overrides it.</param>
    /// <param name="path">The path, for messages.</param>
    /// <exception cref="RefusedException">The bytes are not of the encoding, or hold a zero.</exception>
    public static ReadOnlyMemory<byte> ToUtf8(
        ReadOnlyMemory<byte> content,
        string? encoding,
        string path
    )
    {
        if (BinaryFormat.Of(content.Span) is { } other)
            throw RefusedException.Of(path, "a text file", other);
        var marked = Marked.FirstOrDefault(one => content.Span.StartsWith(one.Preamble));
        if (marked is not null)
            content = content[marked.Preamble.Length..];
        var from = marked ?? (encoding is null ? null : Find(encoding)) ?? Encoding.UTF8;
        var text = from.CodePage == Encoding.UTF8.CodePage ? content : Convert(content, from, path);
        if (text.Span is [.., (byte)'\n' or (byte)'\r', EndOfFile])
            text = text[..^1];
        Check(text, path);
        return text;
    }

    /// <summary>The line of a byte, counted from 1. CR, LF and CRLF end lines.</summary>
    public static int LineOf(ReadOnlySpan<byte> text, int place) =>
        1 + LineEnds(text[..Math.Min(place, text.Length)]);

    /// <summary>The number of line ends in a text.</summary>
    public static int LineEnds(ReadOnlySpan<byte> text) =>
        text.Count((byte)'\n') + text.Count((byte)'\r') - text.Count("\r\n"u8);

    private static Encoding? Find(string name)
    {
        try
        {
            return Encoding.GetEncoding(
                name.Trim(),
                EncoderFallback.ExceptionFallback,
                DecoderFallback.ExceptionFallback
            );
        }
        catch (Exception unknown) when (unknown is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Converts the text to UTF-8 part by part.</summary>
    private static ReadOnlyMemory<byte> Convert(
        ReadOnlyMemory<byte> content,
        Encoding from,
        string path
    )
    {
        const int Part = 1 << 16;
        from = Encoding.GetEncoding(
            from.CodePage,
            EncoderFallback.ExceptionFallback,
            DecoderFallback.ExceptionFallback
        );
        var decoder = from.GetDecoder();
        var chars = new char[from.GetMaxCharCount(Part)];
        var encoder = Encoding.UTF8.GetEncoder();
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(chars.Length)];
        var text = new MemoryStream(content.Length);
        var place = 0;
        try
        {
            while (place < content.Length)
            {
                var part = content.Span[place..Math.Min(place + Part, content.Length)];
                var isLast = place + part.Length == content.Length;
                var count = decoder.GetChars(part, chars, isLast);
                text.Write(bytes, 0, encoder.GetBytes(chars.AsSpan(0, count), bytes, isLast));
                place += part.Length;
            }
        }
        catch (DecoderFallbackException broken)
        {
            // The position of the fault is counted within the part; the lines of earlier parts are added.
            var known = text.GetBuffer().AsSpan(0, (int)text.Length);
            var before = content.Span[
                place..Math.Min(place + Math.Max(0, broken.Index), content.Length)
            ];
            throw Refused(
                path,
                1 + LineEnds(known) + LineEnds(before),
                $"text in {from.WebName}",
                $"the bytes {System.Convert.ToHexString(broken.BytesUnknown ?? [])}"
            );
        }
        return text.GetBuffer().AsMemory(0, (int)text.Length);
    }

    /// <summary>Refuses bytes that are not UTF-8, and zeros.</summary>
    private static void Check(ReadOnlyMemory<byte> content, string path)
    {
        if (ArePlain(content))
            return;
        var text = content.Span;
        if (text.Contains((byte)0))
        {
            throw Refused(
                path,
                LineOf(text, text.IndexOf((byte)0)),
                "text in UTF-8, or Data:Encoding (utf-16 say) to name another encoding",
                "a zero byte"
            );
        }
        if (Utf8.IsValid(text))
            return;
        var place = 0;
        while (
            Rune.DecodeFromUtf8(text[place..], out _, out var length)
            == System.Buffers.OperationStatus.Done
        )
            place += length;
        throw Refused(
            path,
            LineOf(text, place),
            "text in UTF-8, or Data:Encoding (windows-1252 say) to name another encoding",
            $"the byte 0x{text[place]:X2}"
        );
    }

    /// <summary>Whether all bytes are ASCII and none is zero; parts of long texts are gone through on several
    /// threads.</summary>
    private static bool ArePlain(ReadOnlyMemory<byte> content)
    {
        const int Part = 1 << 20;
        var result = Parallel.For(
            0,
            (content.Length + Part - 1) / Part,
            new() { MaxDegreeOfParallelism = Control.MaxDegreeOfParallelism },
            (i, state) =>
            {
                var part = content.Span[(i * Part)..];
                part = part[..Math.Min(part.Length, Part)];
                if (part.Contains((byte)0) || !Ascii.IsValid(part))
                    state.Stop();
            }
        );
        return result.IsCompleted;
    }

    private static RefusedException Refused(string path, int line, string expected, string found) =>
        new([DataFile.Sentence($"{path}, line {line}", expected, found)]);
}
