namespace Pipeline.Properties

open System.Runtime.Intrinsics
open Pipeline.Learning

/// The widths of register that a loop can run with. .NET computes those that the machine lacks lane by
/// lane, so every machine can hold them to each other.
[<RequireQualifiedAccess>]
module internal Registers =
    /// Those that so many elements fill.
    let forDouble (length: int) : (ILoop<float> -> unit) list = [
        fun loop -> loop.Run<float, Lanes1<float>>()
        if length >= 2 then
            fun loop -> loop.Run<Vector128<float>, Lanes128<float>>()
        if length >= 4 then
            fun loop -> loop.Run<Vector256<float>, Lanes256<float>>()
        if length >= 8 then
            fun loop -> loop.Run<Vector512<float>, Lanes512<float>>()
    ]

    let forSingle (length: int) : (ILoop<float32> -> unit) list = [
        fun loop -> loop.Run<float32, Lanes1<float32>>()
        if length >= 4 then
            fun loop -> loop.Run<Vector128<float32>, Lanes128<float32>>()
        if length >= 8 then
            fun loop -> loop.Run<Vector256<float32>, Lanes256<float32>>()
        if length >= 16 then
            fun loop -> loop.Run<Vector512<float32>, Lanes512<float32>>()
    ]
