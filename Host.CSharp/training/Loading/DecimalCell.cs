using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Pipeline.Training;

/// <summary>A cell as one number: a decimal, whose text can be made again, an empty cell, or another
/// text.</summary>
/// <remarks>A decimal is written with at most 15 digits, a point with digits on both sides or none, a minus sign or
/// none, and without any zero in front that is not needed. It is a whole number divided by a power of ten. Both are
/// exact in double precision, so that their quotient is the nearest double of the text.</remarks>
/// <param name="Code">The whole number, followed by four bits: the number of digits after the point and one more,
/// or 0 where there is no number.</param>
internal readonly record struct DecimalCell(long Code)
{
    private const int MostDigits = 15;

    private const int FormBits = 4;

    /// <summary>The lower seven bits of each byte.</summary>
    private const ulong Lows = 0x7F7F7F7F7F7F7F7F;

    /// <summary>What the whole number is divided by.</summary>
    private static readonly double[] Divisors =
    [
        double.NaN,
        1e0,
        1e1,
        1e2,
        1e3,
        1e4,
        1e5,
        1e6,
        1e7,
        1e8,
        1e9,
        1e10,
        1e11,
        1e12,
        1e13,
        1e14,
    ];

    /// <summary>A text that is no decimal.</summary>
    /// <param name="index">Its index among the others.</param>
    public static DecimalCell Other(int index) => new((index + 1L) << FormBits);

    /// <summary>A decimal.</summary>
    /// <param name="whole">Its text as a whole number, without its point.</param>
    /// <param name="decimals">The number of digits after the point.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecimalCell Of(long whole, int decimals) =>
        new((whole << FormBits) | (uint)(decimals + 1));

    /// <summary>The least whole number of a code of four bytes.</summary>
    public const int LeastOfInt = int.MinValue >> FormBits;

    /// <summary>The greatest one.</summary>
    public const int MostOfInt = int.MaxValue >> FormBits;

    /// <summary>The text as a whole number, without its point.</summary>
    public long Whole => Code >> FormBits;

    public bool IsNumber => Form != 0;

    public bool IsEmpty => Code == 0;

    /// <summary>The number of digits after the point.</summary>
    public int Decimals => Form - 1;

    /// <summary>The index of another text.</summary>
    public int Index => (int)(Whole - 1);

    /// <summary>The number, or NaN if the cell holds no number.</summary>
    public double Number
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Whole / Divisors[Form];
    }

    /// <summary>The number of a text; NaN if the whole text is no decimal.</summary>
    public static double NumberOf(ReadOnlySpan<byte> text) =>
        text.Length > 0 && Read(text, out var cell) == text.Length ? cell.Number : double.NaN;

    /// <summary>Ten to the power of the number of digits after the point.</summary>
    public static double Divisor(int decimals) => Divisors[decimals + 1];

    private int Form => (int)Code & ((1 << FormBits) - 1);

    /// <summary>Reads the decimal at the beginning of a text.</summary>
    /// <param name="text">The text, in which anything may follow.</param>
    /// <param name="cell">The decimal.</param>
    /// <returns>The length of the decimal in bytes, or 0 if the text does not begin with a decimal.</returns>
    public static int Read(ReadOnlySpan<byte> text, out DecimalCell cell)
    {
        cell = default;
        var place = 0;
        var isNegative = text[0] == '-';
        if (isNegative)
            place++;
        var first = place;
        long whole = 0;
        for (; place < text.Length && (uint)(text[place] - '0') <= 9; place++)
            whole = unchecked(10 * whole + (text[place] - '0'));
        var digits = place - first;
        if (digits is 0 or > MostDigits || (digits > 1 && text[first] == '0'))
            return 0;
        var decimals = 0;
        if (place < text.Length && text[place] == '.')
        {
            var point = place++;
            for (; place < text.Length && (uint)(text[place] - '0') <= 9; place++)
                whole = unchecked(10 * whole + (text[place] - '0'));
            decimals = place - point - 1;
            if (decimals == 0 || digits + decimals > MostDigits)
                return 0;
        }
        // The whole number has no sign where it is 0.
        if (isNegative && whole == 0)
            return 0;
        cell = Of(isNegative ? -whole : whole, decimals);
        return place;
    }

    /// <summary>Reads the decimal at the beginning of a text, if it has at most 7 characters besides a
    /// sign.</summary>
    /// <param name="text">The text, of nine bytes or more.</param>
    /// <param name="cell">The decimal.</param>
    /// <returns>The length of the decimal in bytes, or 0 if the text does not begin with a decimal of that length.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ReadShort(ReadOnlySpan<byte> text, out DecimalCell cell)
    {
        cell = default;
        var sign = text[0] == '-' ? 1 : 0;
        var word = BinaryPrimitives.ReadUInt64LittleEndian(text[sign..]);
        // Digits become 0 to 9; of any other byte the highest bit is set.
        var digits = word ^ 0x3030303030303030;
        var others = (((digits & Lows) + 0x7676767676767676) | digits) & ~Lows;
        var whole = BitOperations.TrailingZeroCount(others) >> 3;
        if (whole is 0 or 8 || (whole > 1 && (byte)digits == 0))
            return 0;
        var (length, decimals) = (whole, 0);
        if ((byte)(word >> (8 * whole)) == '.')
        {
            length = BitOperations.TrailingZeroCount(others & (others - 1)) >> 3;
            decimals = length - whole - 1;
            if (length == 8 || decimals == 0)
                return 0;
            // The point is left out.
            var before = (1UL << (8 * whole)) - 1;
            digits = (digits & before) | ((digits >> 8) & ~before);
        }
        // The last digit becomes the highest byte, with zeros below the first one.
        digits <<= 64 - 8 * (length - (decimals > 0 ? 1 : 0));
        // Neighbours are put together: digits to pairs, pairs to fours, fours to the number.
        digits = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FF;
        digits = (digits * 100 + (digits >> 16)) & 0x0000FFFF0000FFFF;
        digits = (digits * 10000 + (digits >> 32)) & 0x00000000FFFFFFFF;
        if (sign > 0 && digits == 0)
            return 0;
        cell = Of(((long)digits ^ -sign) + sign, decimals);
        return sign + length;
    }

    /// <summary>The text of the decimal as it was written, or an empty text if the cell holds no number.</summary>
    public override string ToString()
    {
        if (!IsNumber)
            return "";
        // .NET keeps the texts of small numbers.
        if (Form == 1)
            return Whole.ToString(CultureInfo.InvariantCulture);
        Span<char> text = stackalloc char[MostDigits + 2];
        var place = text.Length;
        var rest = Math.Abs(Whole);
        for (var digit = 0; rest > 0 || digit <= Decimals; digit++)
        {
            if (digit == Decimals)
                text[--place] = '.';
            text[--place] = (char)('0' + rest % 10);
            rest /= 10;
        }
        if (Whole < 0)
            text[--place] = '-';
        return new(text[place..]);
    }
}
