namespace Pipeline.Learning.Laws

open System
open System.Numerics
open System.Runtime.InteropServices

/// What a law says of values that break it.
[<Sealed>]
type LawBrokenException(message: string) =
    inherit Exception(message)

/// How close is equal. A check that fails shows the first place where the two sides differ, and both
/// values there.
[<RequireQualifiedAccess>]
module Approximately =
    /// The unit roundoff of single precision: half the distance from 1 to the next number.
    [<CompiledName("SingleRounding")>]
    let singleRounding = 1.0 / 16777216.0

    /// The unit roundoff of double precision.
    [<CompiledName("DoubleRounding")>]
    let doubleRounding = 1.0 / 9007199254740992.0

    /// For a few dozen operations in double on numbers up to about 100: 2⁻⁵³ · 100 · 100, rounded up.
    [<CompiledName("Rounding")>]
    let rounding = 1e-11

    /// For a derivative against `Reference.slope` with its step of 5·10⁻⁴: the truncation is
    /// h⁴/30 · f⁽⁵⁾ ≈ 2·10⁻¹⁵ · f⁽⁵⁾, where f⁽⁵⁾ of the generated functions stays below about 10⁵; the
    /// rounding is 2⁻⁵³ · |f| / h ≈ 2·10⁻¹³ · |f|, with |f| below about 10³. A wrong derivative is
    /// wrong in its first digits.
    [<CompiledName("Definition")>]
    let definition = 1e-7

    /// For what single precision makes of a generated network, against double: four layers of at most
    /// four inputs and numbers up to 10 round by 4 · 6 · 2⁻²⁴ · 10 ≈ 1.5·10⁻⁵ on the way.
    [<CompiledName("FollowsDouble")>]
    let followsDouble = 1e-4

    let private fail place (expected: 'T) (actual: 'T) (why: string) =
        raise (
            LawBrokenException
                $"at {string place}: expected {string expected}, found {string actual}{why}"
        )

    let private sameLength (expected: 'T[]) (actual: 'T[]) =
        if expected.Length <> actual.Length then
            raise (
                LawBrokenException $"expected %d{expected.Length} numbers, found %d{actual.Length}"
            )

    /// |actual − expected| ≤ tolerance · max(1, |expected|) everywhere; not a number equals only itself.
    [<CompiledName("Equal")>]
    let equal (tolerance: float) (expected: float[]) (actual: float[]) : unit =
        sameLength expected actual

        for i in 0 .. expected.Length - 1 do
            let e, a = expected[i], actual[i]

            let close =
                e = a
                || (Double.IsNaN e && Double.IsNaN a)
                || abs (a - e) <= tolerance * max 1.0 (abs e)

            if not close then
                fail
                    i
                    e
                    a
                    $", {string (abs (a - e))} apart; allowed {string (tolerance * max 1.0 (abs e))}"

    /// |actual − expected| ≤ bound, each place with a bound of its own.
    [<CompiledName("Within")>]
    let within (bounds: float[]) (expected: float[]) (actual: float[]) : unit =
        sameLength expected actual

        for i in 0 .. expected.Length - 1 do
            if not (abs (actual[i] - expected[i]) <= bounds[i]) then
                fail
                    i
                    expected[i]
                    actual[i]
                    $", {string (abs (actual[i] - expected[i]))} apart; allowed {string (bounds[i])}"

    /// Doubles in the order of their values, as whole numbers one apart.
    let private ordinal (x: float) =
        let bits = BitConverter.DoubleToInt64Bits x
        if bits < 0L then Int64.MinValue - bits else bits

    let private ordinalSingle (x: float32) =
        let bits = BitConverter.SingleToInt32Bits x
        int64 (if bits < 0 then Int32.MinValue - bits else bits)

    let private requireUlps<'T when 'T :> INumber<'T>>
        (ordinal: 'T -> int64)
        (most: int64)
        (expected: 'T)
        (actual: 'T)
        : unit =
        let close =
            if 'T.IsFinite expected && 'T.IsFinite actual then
                abs (ordinal actual - ordinal expected) <= most
            else
                'T.op_Equality (expected, actual) || ('T.IsNaN expected && 'T.IsNaN actual)

        if not close then
            fail "the result" expected actual $", more than %d{most} units in the last place apart"

    /// At most so many representable numbers apart. Infinities and not a number equal only themselves.
    [<CompiledName("Ulps")>]
    let ulps (most: int64) (expected: float) (actual: float) : unit =
        requireUlps ordinal most expected actual

    /// At most so many representable single-precision numbers apart.
    [<CompiledName("UlpsSingle")>]
    let ulpsSingle (most: int64) (expected: float32) (actual: float32) : unit =
        requireUlps ordinalSingle most expected actual

/// When not one bit may differ.
[<RequireQualifiedAccess>]
module Exactly =
    /// The very same bits.
    [<CompiledName("Bits")>]
    let bits (expected: 'T[]) (actual: 'T[]) : unit =
        if expected.Length <> actual.Length then
            raise (
                LawBrokenException $"expected %d{expected.Length} elements, found %d{actual.Length}"
            )

        let same (first: 'T[]) (second: 'T[]) =
            MemoryMarshal
                .AsBytes(ReadOnlySpan first)
                .SequenceEqual(MemoryMarshal.AsBytes(ReadOnlySpan second))

        if not (same expected actual) then
            let place =
                Seq.init expected.Length id
                |> Seq.find (fun i -> not (same [| expected[i] |] [| actual[i] |]))

            raise (
                LawBrokenException
                    $"at %d{place}: expected {string (expected[place])}, found {string (actual[place])}, in other bits"
            )

    /// Equal as F# says.
    [<CompiledName("Equal")>]
    let equal (expected: 'V) (actual: 'V) : unit =
        if expected <> actual then
            raise (LawBrokenException $"expected %A{expected}, found %A{actual}")
