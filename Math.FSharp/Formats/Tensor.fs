namespace Pipeline.Learning.Formats

open System
open System.Runtime.CompilerServices
open Pipeline.Learning

/// The numbers of a tensor, of the type that a file has them in.
[<RequireQualifiedAccess>]
type Elements =
    /// Whole numbers of 0 to 255.
    | Bytes of ReadOnlyMemory<byte>
    /// Whole numbers of up to 64 bits.
    | Integers of int64[]
    /// Single precision.
    | Singles of float32[]
    /// Double precision.
    | Doubles of float[]
    /// Texts.
    | Texts of string[]

/// Numbers, or texts, in a rectangle of any dimensions, as files exchange them.
type Tensor = {
    /// Its name in the file.
    Name: string
    /// Sizes along the dimensions; none of a single number.
    Shape: int list
    /// The numbers or texts, the last dimension's running fastest.
    Elements: Elements
}

/// A file of tensors.
type TensorFile = {
    /// Names and texts beside them.
    Metadata: (string * string) list
    /// The tensors, in the file's order.
    Tensors: Tensor list
}

/// What readers and writers of tensors have in common.
[<RequireQualifiedAccess>]
module Tensor =
    /// <summary>A tensor of numbers of either precision.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="shape">Sizes, whose product is the number of numbers.</param>
    /// <param name="numbers">The numbers, the last dimension's running fastest; kept, not
    /// copied.</param>
    let internal ofNumbers (name: string) (shape: int list) (numbers: 'T[]) : Tensor = {
        Name = name
        Shape = shape
        Elements =
            match box numbers with
            | :? (float32[]) as singles -> Elements.Singles singles
            | :? (float[]) as doubles -> Elements.Doubles doubles
            | _ ->
                invalidArg
                    (nameof numbers)
                    (invariant $"expected single or double, found {typeof<'T>}")
    }

    /// <summary>The type of the numbers: U8, I64, F32 or F64; of texts, texts.</summary>
    let internal typeName (tensor: Tensor) : string =
        match tensor.Elements with
        | Elements.Bytes _ -> "U8"
        | Elements.Integers _ -> "I64"
        | Elements.Singles _ -> "F32"
        | Elements.Doubles _ -> "F64"
        | Elements.Texts _ -> "texts"

    /// <summary>How many numbers or texts there are.</summary>
    let internal count (tensor: Tensor) : int =
        match tensor.Elements with
        | Elements.Bytes bytes -> bytes.Length
        | Elements.Integers integers -> integers.Length
        | Elements.Singles singles -> singles.Length
        | Elements.Doubles doubles -> doubles.Length
        | Elements.Texts texts -> texts.Length

    let private noNumbers (tensor: Tensor) : 'V =
        invalidArg (nameof tensor) "expected numbers, found texts"

    /// <summary>Every number in double precision, which holds all but the largest whole ones
    /// exactly.</summary>
    /// <exception cref="T:System.ArgumentException">They are texts.</exception>
    [<CompiledName("ToDoubles")>]
    let toDoubles (tensor: Tensor) : float[] =
        match tensor.Elements with
        | Elements.Bytes bytes -> bytes.ToArray() |> Array.map float
        | Elements.Integers integers -> integers |> Array.map float
        | Elements.Singles singles -> singles |> Array.map float
        | Elements.Doubles doubles -> Array.copy doubles
        | Elements.Texts _ -> noNumbers tensor

    /// <summary>The numbers' bytes, the low byte first.</summary>
    /// <exception cref="T:System.ArgumentException">They are texts.</exception>
    [<CompiledName("ToBytes")>]
    let toBytes (tensor: Tensor) : byte[] =
        match tensor.Elements with
        | Elements.Bytes bytes -> bytes.ToArray()
        | Elements.Integers integers -> LittleEndian.bytes integers
        | Elements.Singles singles -> LittleEndian.bytes singles
        | Elements.Doubles doubles -> LittleEndian.bytes doubles
        | Elements.Texts _ -> noNumbers tensor

    /// How many bytes numbers of a size take in a shape that a file claims: the product of any sizes,
    /// found without overflow.
    let internal bytesOf (shape: int64 list) (size: int) : bigint =
        List.fold (fun (product: bigint) (n: int64) -> product * bigint n) (bigint size) shape

    /// The shape as people write it: 784 × 50.
    let internal shapeText (shape: 'N list) : string =
        match shape with
        | [] -> "one number"
        | sizes -> sizes |> List.map string |> String.concat " × "

    /// <summary>The shape of a tensor as people write it: 784 × 50.</summary>
    [<CompiledName("ShapeText")>]
    let shapeTextOf (tensor: Tensor) : string = shapeText tensor.Shape

    /// What the elements are, whatever a file calls their type: half precision is read as single.
    let internal kindText (tensor: Tensor) : string =
        match tensor.Elements with
        | Elements.Bytes _
        | Elements.Integers _ -> "whole numbers"
        | Elements.Singles _ -> "numbers of single precision"
        | Elements.Doubles _ -> "numbers of double precision"
        | Elements.Texts _ -> "texts"

    /// The same of the numbers of a precision.
    let internal precisionText<'T> () : string =
        if Unsafe.SizeOf<'T>() = 4 then
            "numbers of single precision"
        else
            "numbers of double precision"

    /// The numbers of a tensor that is known to have them in that precision.
    let internal numbers<'T> (tensor: Tensor) : 'T[] voption =
        match tensor.Elements with
        | Elements.Singles singles when typeof<'T> = typeof<float32> ->
            ValueSome(unbox<'T[]>(box singles))
        | Elements.Doubles doubles when typeof<'T> = typeof<float> ->
            ValueSome(unbox<'T[]>(box doubles))
        | _ -> ValueNone
