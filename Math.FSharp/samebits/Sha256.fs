namespace Pipeline.SameBits

open System
open System.Buffers.Binary
open System.Numerics

/// <summary>SHA-256, written in managed code: .NET's own asks the operating system for a library, which some of the
/// platforms under test do not have.</summary>
/// <remarks>Source: FIPS 180-4.</remarks>
[<RequireQualifiedAccess>]
module Sha256 =
    /// The first 64.
    let private primes =
        seq { 2..311 }
        |> Seq.filter (fun n -> Seq.forall (fun d -> n % d <> 0) (seq { 2 .. n - 1 }))
        |> Array.ofSeq

    /// The first 32 bits of the fraction of a prime's root: the greatest r with rᵏ ≤ prime · 2³²ᵏ, less its whole
    /// part.
    let private fraction (degree: int) (prime: int) : uint32 =
        let target = BigInteger prime <<< (32 * degree)
        let mutable root = BigInteger.Zero

        for bit in 35..-1..0 do
            let next = root + (BigInteger.One <<< bit)

            if BigInteger.Pow(next, degree) <= target then
                root <- next

        uint32 (root &&& BigInteger UInt32.MaxValue)

    let private initial = primes |> Array.truncate 8 |> Array.map (fraction 2)
    let private constants = primes |> Array.map (fraction 3)

    let private turn (x: uint32) (bits: int) : uint32 = BitOperations.RotateRight(x, bits)

    /// The message with a bit of 1, zeros, and its length in bits: a multiple of 64 bytes.
    let private padded (message: byte[]) : byte[] =
        let blocks = Array.zeroCreate ((message.Length + 72) / 64 * 64)
        message.CopyTo(blocks, 0)
        blocks[message.Length] <- 0x80uy

        BinaryPrimitives.WriteInt64BigEndian(
            blocks.AsSpan(blocks.Length - 8),
            8L * int64 message.Length
        )

        blocks

    /// <summary>The hash of a message.</summary>
    /// <param name="message">Any bytes.</param>
    /// <returns>64 digits of base 16, in lower case.</returns>
    [<CompiledName("Of")>]
    let ofBytes (message: byte[]) : string =
        let blocks = padded message
        let hash = Array.copy initial
        let words = Array.zeroCreate 64

        for start in 0..64 .. blocks.Length - 64 do
            for i in 0..15 do
                words[i] <-
                    BinaryPrimitives.ReadUInt32BigEndian(ReadOnlySpan(blocks, start + 4 * i, 4))

            for i in 16..63 do
                let early, late = words[i - 15], words[i - 2]
                let s0 = turn early 7 ^^^ turn early 18 ^^^ (early >>> 3)
                let s1 = turn late 17 ^^^ turn late 19 ^^^ (late >>> 10)
                words[i] <- words[i - 16] + s0 + words[i - 7] + s1

            let s = Array.copy hash

            for i in 0..63 do
                let s1 = turn s[4] 6 ^^^ turn s[4] 11 ^^^ turn s[4] 25
                let choice = (s[4] &&& s[5]) ^^^ (~~~s[4] &&& s[6])
                let first = s[7] + s1 + choice + constants[i] + words[i]
                let s0 = turn s[0] 2 ^^^ turn s[0] 13 ^^^ turn s[0] 22
                let majority = (s[0] &&& s[1]) ^^^ (s[0] &&& s[2]) ^^^ (s[1] &&& s[2])
                Array.Copy(s, 0, s, 1, 7)
                s[4] <- s[4] + first
                s[0] <- first + s0 + majority

            for i in 0..7 do
                hash[i] <- hash[i] + s[i]

        let bytes = Array.zeroCreate 32

        for i in 0..7 do
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 * i), hash[i])

        Convert.ToHexStringLower bytes
