namespace Pipeline.Learning

/// The operations of a SIMD register of any width. A loop that uses them serves both precisions and every
/// machine; a single number is a register of one lane. Every member rounds each lane as IEEE 754 says, so
/// the width never changes a bit.
type internal ISimd<'V, 'T> =
    static abstract Count: int
    static abstract Create: 'T -> 'V
    static abstract Load: byref<'T> * nativeint -> 'V
    /// As many bytes as the register has lanes, as numbers.
    static abstract LoadBytes: byref<byte> * nativeint -> 'V
    static abstract Store: 'V * byref<'T> * nativeint -> unit
    static abstract Add: 'V * 'V -> 'V
    static abstract Subtract: 'V * 'V -> 'V
    static abstract Multiply: 'V * 'V -> 'V
    static abstract Divide: 'V * 'V -> 'V
    static abstract SquareRoot: 'V -> 'V
    /// x·y + z, rounded once.
    static abstract MultiplyAdd: 'V * 'V * 'V -> 'V
    /// Per lane: a > b ? x : y. False where either is not a number.
    static abstract WhereGreater: 'V * 'V * 'V * 'V -> 'V
    /// The greater of two: one that is not a number before all others, and 0 before −0.
    static abstract Max: 'V * 'V -> 'V
    /// The same numbers, with 0 in place of −0. Whether a sum of zeros is 0 or −0 depends on the signs of
    /// its zero products; loops that skip zeros agree with those that do not once both store 0.
    static abstract WithoutMinusZero: 'V -> 'V
    /// One bit a lane, the first lane lowest: whether the number is not 0.
    static abstract NonZero: 'V -> uint64
    /// 2ⁿ for a whole n in the low bits of the significand, where adding 1.5·2^(significand bits) puts it.
    static abstract PowerOfTwo: 'V -> 'V

/// A register's first lanes as a narrower register, or the register itself.
type internal INarrow<'V, 'W> =
    static abstract Narrow: 'V -> 'W
