namespace Pipeline.Properties

open System.Runtime.Intrinsics
open Pipeline.Learning

/// The widths of register that a loop can run with. .NET computes those that the machine lacks lane by
/// lane, so every machine can hold them to each other.
[<RequireQualifiedAccess>]
module internal Registers =
    /// Those that so many elements fill.
    let forDouble (length: int) : (ILoop<float> -> unit) list = [
        fun loop -> loop.Run<float, Simd1<float>>()
        if length >= 2 then
            fun loop -> loop.Run<Vector128<float>, Simd128<float>>()
        if length >= 4 then
            fun loop -> loop.Run<Vector256<float>, Simd256<float>>()
        if length >= 8 then
            fun loop -> loop.Run<Vector512<float>, Simd512<float>>()
    ]

    let forSingle (length: int) : (ILoop<float32> -> unit) list = [
        fun loop -> loop.Run<float32, Simd1<float32>>()
        if length >= 4 then
            fun loop -> loop.Run<Vector128<float32>, Simd128<float32>>()
        if length >= 8 then
            fun loop -> loop.Run<Vector256<float32>, Simd256<float32>>()
        if length >= 16 then
            fun loop -> loop.Run<Vector512<float32>, Simd512<float32>>()
    ]

    /// The same of loops over bands, the last with a narrow register wherever one is enough.
    let bandsForDouble (rows: int) : (IBandLoop<float> -> unit) list = [
        fun loop -> loop.Run<float, Simd1<float>, float, Simd1<float>>()
        fun loop -> Simd.runBands rows loop
        if rows >= 2 then
            fun loop ->
                loop.Run<Vector128<float>, Simd128<float>, Vector128<float>, Simd128<float>>()
        if rows >= 4 then
            fun loop ->
                loop.Run<Vector256<float>, Simd256<float>, Vector256<float>, Simd256<float>>()
        if rows >= 4 && (rows - 1) % 16 < 14 then
            fun loop ->
                loop.Run<Vector256<float>, Simd256<float>, Vector128<float>, Simd128<float>>()
        if rows >= 8 then
            fun loop ->
                loop.Run<Vector512<float>, Simd512<float>, Vector512<float>, Simd512<float>>()
        if rows >= 8 && (rows - 1) % 32 < 26 then
            fun loop ->
                loop.Run<Vector512<float>, Simd512<float>, Vector128<float>, Simd128<float>>()
    ]

    let bandsForSingle (rows: int) : (IBandLoop<float32> -> unit) list = [
        fun loop -> loop.Run<float32, Simd1<float32>, float32, Simd1<float32>>()
        fun loop -> Simd.runBands rows loop
        if rows >= 16 then
            fun loop ->
                loop.Run<Vector512<float32>, Simd512<float32>, Vector512<float32>, Simd512<float32>>()
        if rows >= 16 && (rows - 1) % 64 < 52 then
            fun loop ->
                loop.Run<Vector512<float32>, Simd512<float32>, Vector128<float32>, Simd128<float32>>()
    ]
