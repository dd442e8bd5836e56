/// Idx.fs: what is written is read, and what is broken is told.
module Pipeline.Properties.IdxLaws

open System
open System.Buffers.Binary
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

/// What parsing makes of it, with the pixels as an array, so that = compares them.
let private images (bytes: byte[]) =
    Idx.parseImages (ReadOnlyMemory bytes)
    |> Result.map (fun images -> images.Count, images.Size, images.Pixels.ToArray())

let private labels classes (bytes: byte[]) =
    Idx.parseLabels classes (ReadOnlyMemory bytes)

let private words (values: uint32 list) : byte[] =
    values
    |> List.map (fun value ->
        let word = Array.zeroCreate 4
        BinaryPrimitives.WriteUInt32BigEndian(Span word, value)
        word)
    |> Array.concat

[<Law>]
let ``parsing undoes writing images`` (Images original) =
    images (Idx.writeImages original)
    |> Exactly.equal (Ok(original.Count, original.Size, original.Pixels.ToArray()))

/// The same numbers as images of several channels.
let private ofChannels (images: IdxImages) : IdxImages =
    let size = images.Size

    {
        images with
            Size = {
                Channels = size.Columns + 1
                Rows = 1
                Columns = size.Rows
            }
            Pixels =
                ReadOnlyMemory(
                    Array.init (images.Count * size.Rows * (size.Columns + 1)) (fun i -> byte i)
                )
    }

[<Law>]
let ``images of several channels are read as they were written, from four dimensions``
    (Images grey)
    =
    let original = ofChannels grey
    let bytes = Idx.writeImages original

    images bytes
    |> Exactly.equal (Ok(original.Count, original.Size, original.Pixels.ToArray()))

    let tensor = Idx.parseImageTensor (ReadOnlyMemory bytes) |> orFail

    Exactly.equal [ original.Count; original.Size.Channels; 1; original.Size.Columns ] tensor.Shape

    Exactly.equal (ValueSome(int64 bytes.Length)) (Idx.declaredLength (ReadOnlyMemory bytes[..19]))

    Exactly.equal ValueNone (Idx.declaredLength (ReadOnlyMemory bytes[..18]))

    for length in 0 .. bytes.Length - 1 do
        Assert.True((images bytes[.. length - 1]).IsError, $"the first {length} bytes")
        let cut = Idx.parseImageTensor (ReadOnlyMemory bytes[.. length - 1])
        Assert.True(cut.IsError, $"the first {length} bytes")

    Assert.True((images (Array.append bytes [| 0uy |])).IsError)

[<Law>]
let ``parsing undoes writing labels`` (Classed(classes, original)) =
    labels classes (Idx.writeLabels original) |> Exactly.equal (Ok original)

[<Law>]
let ``writing undoes parsing`` (Images original) (Classed(classes, known)) =
    let bytes = Idx.writeImages original

    let parsed = Idx.parseImages (ReadOnlyMemory bytes) |> orFail
    Exactly.bits bytes (Idx.writeImages parsed)

    let bytes = Idx.writeLabels known
    Exactly.equal (Ok bytes) (labels classes bytes |> Result.map Idx.writeLabels)

[<Law>]
let ``any cut of the bytes gives a fault`` (Images original) (Classed(classes, known)) =
    let bytes = Idx.writeImages original

    for length in 0 .. bytes.Length - 1 do
        Assert.True((images bytes[.. length - 1]).IsError, $"the first {length} bytes")

    let bytes = Idx.writeLabels known

    for length in 0 .. bytes.Length - 1 do
        Assert.True((labels classes bytes[.. length - 1]).IsError, $"the first {length} bytes")

[<Law>]
let ``trailing bytes give a fault``
    (Images original)
    (Classed(classes, known))
    (more: FsCheck.NonEmptyArray<byte>)
    =
    images (Array.append (Idx.writeImages original) more.Get)
    |> Exactly.faulted [
        $"{16 + original.Pixels.Length} bytes"
        $"{16 + original.Pixels.Length + more.Get.Length}"
    ]

    labels classes (Array.append (Idx.writeLabels known) more.Get)
    |> Exactly.faulted [ $"{8 + known.Length} bytes"; $"{8 + known.Length + more.Get.Length}" ]

[<Law>]
let ``any other magic number gives a fault that names both``
    (Images original)
    (Classed(classes, known))
    (magic: uint32)
    =
    let withMagic magic (bytes: byte[]) =
        Array.append (words [ magic ]) bytes[4..]

    for magic in [ magic; 2049u; 2051u; 2050u ] do
        if magic <> 2051u then
            images (withMagic magic (Idx.writeImages original))
            |> Exactly.faulted [ "2051"; $"{magic}" ]

        if magic <> 2049u then
            labels classes (withMagic magic (Idx.writeLabels known))
            |> Exactly.faulted [ "2049"; $"{magic}" ]

[<Law>]
let ``any other count, height or width gives a fault``
    (Images original)
    (Classed(classes, known))
    (other: uint32)
    =
    let bytes = Idx.writeImages original
    let sizes = [ original.Count; original.Size.Rows; original.Size.Columns ]

    for word in 0..2 do
        for other in [ other; uint32 sizes[word] + 1u; uint32 sizes[word] - 1u; UInt32.MaxValue ] do
            if other <> uint32 sizes[word] then
                let changed = List.updateAt word other (List.map uint32 sizes)

                images (Array.concat [ words (2051u :: changed); bytes[16..] ])
                |> Exactly.faulted [ $"{original.Pixels.Length + 16}" ]

    for other in [ other; uint32 known.Length + 1u; UInt32.MaxValue ] do
        if other <> uint32 known.Length then
            Assert.True(
                (labels classes (Array.append (words [ 2049u; other ]) (Array.map byte known)))
                    .IsError
            )

[<Law>]
let ``a label that is no class gives a fault that names its place and its value``
    (Classed(classes, known))
    (excess: byte)
    =
    for wrong in [ classes; classes + int excess ] do
        if wrong < 256 then
            let place = known.Length / 2
            let spoilt = Array.concat [ known[.. place - 1]; [| wrong |]; known[place..] ]

            labels classes (Idx.writeLabels spoilt)
            |> Exactly.faulted [ $"label {place}"; $"0 to {classes - 1}"; $"{wrong}" ]

[<Law>]
let ``random bytes give a fault and never an exception`` (bytes: byte[]) (tail: byte[]) =
    // Every header of 16 bytes or fewer with its magic number right, and one with it wrong.
    for start in [ [||]; words [ 2051u ]; words [ 2052u ]; words [ 2049u ] ] do
        let bytes = Array.append start bytes

        match images bytes with
        | Error faults -> Assert.NotEmpty faults
        | Ok(count, size, pixels) -> Exactly.equal (count * size.Count) pixels.Length

        match labels 10 bytes with
        | Error faults -> Assert.NotEmpty faults
        | Ok labels -> Assert.All(labels, (fun label -> Assert.InRange(label, 0, 9)))

    // Enough sizes to overflow any product of machine words.
    let sizes = [ for b in Array.append tail [| 255uy; 255uy; 255uy |] -> uint32 b * 16843009u ]

    Assert.True((images (Array.append (words (2051u :: List.take 3 sizes)) [| 1uy; 2uy |])).IsError)

[<Theory>]
[<InlineData(0u, 1u, 1u)>]
[<InlineData(1u, 0u, 1u)>]
[<InlineData(1u, 1u, 0u)>]
[<InlineData(0u, 0u, 0u)>]
let ``no image, or images of no pixels, give a fault``
    (count: uint32, rows: uint32, columns: uint32)
    =
    images (words [ 2051u; count; rows; columns ])
    |> Exactly.faulted [ "at least one image" ]

[<Fact>]
let ``a header that claims four billion images allocates nothing for them`` () =
    let bytes = words [ 2051u; UInt32.MaxValue; UInt32.MaxValue; UInt32.MaxValue ]

    images bytes
    |> Exactly.faulted [ "79228162458924105385300197391"; "4294967295 × 4294967295 × 4294967295" ]

    labels 10 (words [ 2049u; UInt32.MaxValue ]) |> Exactly.faulted [ "4294967303" ]
    let before = GC.GetAllocatedBytesForCurrentThread()
    images bytes |> ignore
    labels 10 (words [ 2049u; UInt32.MaxValue ]) |> ignore
    Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0L, 100_000L)

[<Law>]
let ``a header claims the length that its file has`` (Images original) (Classed(_, known)) =
    for bytes in [ Idx.writeImages original; Idx.writeLabels known ] do
        let claimed = Idx.declaredLength (ReadOnlyMemory bytes[..15])
        Exactly.equal (ValueSome(int64 bytes.Length)) claimed

        // No more of the file is looked at.
        Exactly.equal claimed (Idx.declaredLength (ReadOnlyMemory bytes))

[<Fact>]
let ``what is no header claims nothing, and what is beyond any file claims the most there is`` () =
    for bytes in
        [
            [||]
            [| 0uy; 0uy; 8uy; 3uy |]
            words [ 2051u; 1u; 1u ]
            words [ 7u; 1u; 1u; 1u ]
        ] do
        Exactly.equal ValueNone (Idx.declaredLength (ReadOnlyMemory bytes))

    words [ 2051u; UInt32.MaxValue; UInt32.MaxValue; UInt32.MaxValue ]
    |> ReadOnlyMemory
    |> Idx.declaredLength
    |> Exactly.equal (ValueSome Int64.MaxValue)

[<Law>]
let ``the pixels are the file's own bytes, not a copy`` (Images original) =
    let bytes = Idx.writeImages original

    match Idx.parseImages (ReadOnlyMemory bytes) with
    | Ok images -> images.Pixels.Equals(ReadOnlyMemory(bytes, 16, bytes.Length - 16))
    | Error _ -> false
