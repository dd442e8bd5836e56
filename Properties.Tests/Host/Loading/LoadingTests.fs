namespace Pipeline.Properties.Host

open System
open System
open System.IO
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// What the service makes of a data folder, whole or damaged.
module LoadingTests =
    let private load folder =
        DataFiles.LoadFolder<float32>(folder, 10)

    let private images = "train-images-idx3-ubyte"
    let private labels = "train-labels-idx1-ubyte"

    let private edit folder name (change: byte[] -> byte[]) =
        let path = Path.Combine(folder, name)
        File.WriteAllBytes(path, change (File.ReadAllBytes path))

    let private put at value (bytes: byte[]) =
        bytes[at] <- value
        bytes

    /// Every way to damage a data folder, with the file and the words that the sentence must have.
    let private damages: (string * string * string * (string -> unit)) list =
        let zip folder name = Given.zip (Path.Combine(folder, name))

        [
            "missing", images, "neither", (fun folder -> File.Delete(Path.Combine(folder, images)))
            "truncated",
            images,
            "expected 4816 bytes for the 300 × 4 × 4 images",
            (fun folder -> edit folder images (fun bytes -> bytes[..999]))
            "header cut",
            images,
            "a header of 16 bytes",
            (fun folder -> edit folder images (fun bytes -> bytes[..9]))
            "empty",
            labels,
            "a header of 8 bytes",
            (fun folder -> edit folder labels (fun _ -> [||]))
            "wrong magic",
            images,
            "the magic number 2051",
            (fun folder -> edit folder images (put 3 9uy))
            "labels for images",
            images,
            "the magic number 2051 of IDX images, found 2049",
            (fun folder ->
                File.Copy(Path.Combine(folder, labels), Path.Combine(folder, images), true))
            "wrong count",
            labels,
            "expected 264 bytes for the 256 labels",
            (fun folder -> edit folder labels (fun bytes -> bytes |> put 6 1uy |> put 7 0uy))
            "trailing bytes",
            labels,
            "expected 308 bytes",
            (fun folder -> edit folder labels (fun bytes -> Array.append bytes [| 0uy |]))
            "a label out of range",
            labels,
            "label 5: expected a class of 0 to 9, found 10",
            (fun folder -> edit folder labels (put 13 10uy))
            "fewer labels than images",
            labels,
            "one for each of the 300 images, found 299",
            (fun folder ->
                edit folder labels (fun bytes -> bytes[..306] |> put 6 1uy |> put 7 43uy))
            "images of another size",
            "t10k-images-idx3-ubyte",
            "images of 4 × 4 pixels, as the training images are, found 2 × 8",
            (fun folder ->
                edit folder "t10k-images-idx3-ubyte" (fun bytes ->
                    bytes |> put 11 2uy |> put 15 8uy))
            "not gzip",
            images + ".gz",
            "a gzip stream",
            (fun folder ->
                File.Move(Path.Combine(folder, images), Path.Combine(folder, images + ".gz")))
            "gzip under a plain name",
            images,
            "an IDX file, found a gzip stream",
            (fun folder ->
                zip folder images
                File.Move(Path.Combine(folder, images + ".gz"), Path.Combine(folder, images)))
            "gzip cut short",
            images + ".gz",
            "one whole gzip stream, found one that is cut short",
            (fun folder ->
                zip folder images
                edit folder (images + ".gz") (fun bytes -> bytes[.. bytes.Length / 2]))
            "gzip damaged",
            images + ".gz",
            "one whole gzip stream",
            (fun folder ->
                zip folder images

                edit folder (images + ".gz") (fun bytes ->
                    put (bytes.Length / 2) (bytes[bytes.Length / 2] ^^^ 0x55uy) bytes))
            "gzip that claims more than it holds",
            images + ".gz",
            "one whole gzip stream",
            (fun folder ->
                zip folder images

                edit folder (images + ".gz") (fun bytes ->
                    Array.append bytes[.. bytes.Length - 5] [| 255uy; 255uy; 255uy; 255uy |]))
            "gzip that claims less than it holds",
            images + ".gz",
            "one whole gzip stream",
            (fun folder ->
                zip folder images

                edit folder (images + ".gz") (fun bytes ->
                    Array.append bytes[.. bytes.Length - 5] [| 16uy; 0uy; 0uy; 0uy |]))
            "more behind gzip",
            images + ".gz",
            "more that follows",
            (fun folder ->
                zip folder images
                edit folder (images + ".gz") (fun bytes -> Array.append bytes [| 1uy; 2uy |]))
        ]

    [<Fact>]
    let ``a folder of one class is refused, and a class that is only tested is told of`` () =
        use scratch = new Scratch()
        let folder = scratch.Sub "data"
        Given.write folder 1UL (fun _ -> 7)
        let refused = Assert.Throws<RefusedException>(fun () -> load folder |> ignore)

        Assert.Equal(
            $"{Path.Combine(folder, labels)}: expected labels of 2 classes or more, found one, 7.",
            Assert.Single refused.Reasons
        )

        Given.write folder 1UL (fun label -> if label = 7 then 3 else label)

        Assert.Equal(
            "The class 7 has no training sample, so that it cannot be learned.",
            Assert.Single (load folder).Warnings
        )

        Given.write folder 1UL id
        Assert.Empty (load folder).Warnings

    let damageNames: TheoryData<string> =
        TheoryData<string>(damages |> Seq.map (fun (name, _, _, _) -> name))

    [<Theory>]
    [<MemberData(nameof damageNames)>]
    let ``a damaged file is refused in one sentence that names it`` (damage: string) =
        use scratch = new Scratch()
        let folder = Given.data scratch

        let _, file, words, apply =
            damages |> List.find (fun (name, _, _, _) -> name = damage)

        apply folder
        let refused = Assert.Throws<RefusedException>(fun () -> load folder |> ignore)
        let reason = Assert.Single refused.Reasons
        Assert.StartsWith(Path.Combine(folder, file), reason)
        Assert.Contains(words, reason)

    [<Fact>]
    let ``the faults of all files are said at once, set after set`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch
        edit folder images (put 3 9uy)
        edit folder labels (put 13 10uy)
        edit folder "t10k-images-idx3-ubyte" (fun bytes -> bytes[..99])
        File.Delete(Path.Combine(folder, "t10k-labels-idx1-ubyte"))
        let refused = Assert.Throws<RefusedException>(fun () -> load folder |> ignore)

        // A file that cannot be read is named before what is wrong inside the other of its set.
        let files = [ images; labels; "t10k-labels-idx1-ubyte"; "t10k-images-idx3-ubyte" ]
        Assert.Equal(files.Length, refused.Reasons.Count)

        for file, reason in Seq.zip files refused.Reasons do
            Assert.StartsWith(Path.Combine(folder, file), reason)

    [<Fact>]
    let ``a folder that is not there is one fault, not four`` () =
        let refused =
            Assert.Throws<RefusedException>(fun () -> load "/no/such/folder" |> ignore)

        Assert.Contains("no such folder", Assert.Single refused.Reasons)

    [<Fact>]
    let ``a zipped file holds what the plain one does`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let plain = load folder

        for path in Directory.GetFiles folder do
            Given.zip path

        let zipped = load folder

        Assert.Equal<Collections.Generic.IReadOnlyDictionary<string, string>>(
            plain.Hashes,
            zipped.Hashes
        )

        Assert.Equal(300, zipped.Train.Count)
        Assert.Equal(60, zipped.Test.Count)
        Assert.Equal(16, zipped.Train.Features)

    /// The bytes of an IDX file of a type: numbers of this size, the high byte first.
    let private idx (code: byte) (sizes: int list) (number: 'V -> byte[]) (values: 'V[]) : byte[] =
        let big (bytes: byte[]) = Array.rev bytes

        Array.concat [
            [| 0uy; 0uy; code; byte sizes.Length |]
            sizes |> List.map (BitConverter.GetBytes >> big) |> Array.concat
            values |> Array.collect (number >> big)
        ]

    let private bytesOf (x: int) = [| byte x |]

    /// The pixels and labels of the small data, by file.
    let private parts (folder: string) = [
        for half in [ "train"; "t10k" ] ->
            let read kind =
                ReadOnlyMemory(File.ReadAllBytes(Path.Combine(folder, $"{half}-{kind}-ubyte")))

            let images = Idx.parseImages (read "images-idx3") |> orFail
            let labels = Idx.parseLabels 10 (read "labels-idx1") |> orFail
            half, (images.Count, images.Pixels.ToArray() |> Array.map int, labels)
    ]

    let private plainOf (data: LoadedData<float32>) = [
        for set in [ data.Train; data.Test ] ->
            let batch = Dataset.take [| 0 .. set.Count - 1 |] set

            batch.Inputs.ToColumnMajorArray(),
            match set.Targets with
            | Targets.Labels labels -> labels
            | Targets.Columns _ -> failwith "expected labels"
    ]

    let private refusalOf folder =
        let refused = Assert.Throws<RefusedException>(fun () -> load folder |> ignore)
        String.concat "\n" refused.Reasons

    /// Ways to write pixels of 0 to 255, by the format's types.
    let private pixelTypes: (byte * (int -> byte[])) list = [
        0x08uy, bytesOf
        0x0Buy, (fun x -> BitConverter.GetBytes(int16 x))
        0x0Cuy, (fun x -> BitConverter.GetBytes x)
        0x0Duy, (fun x -> BitConverter.GetBytes(float32 x / 255f))
        0x0Duy, (fun x -> BitConverter.GetBytes(float32 x))
        0x0Euy, (fun x -> BitConverter.GetBytes(float x / 255.0))
    ]

    /// Ways to write labels.
    let private labelTypes: (byte * (int -> byte[])) list = [
        0x08uy, bytesOf
        0x09uy, bytesOf
        0x0Buy, (fun x -> BitConverter.GetBytes(int16 x))
        0x0Cuy, (fun x -> BitConverter.GetBytes x)
        0x0Euy, (fun x -> BitConverter.GetBytes(float x))
    ]

    [<Fact>]
    let ``images and labels of every type are the same samples`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let expected = plainOf (load folder)
        let parts = parts folder

        for (pixelCode, pixel), (labelCode, label) in List.allPairs pixelTypes labelTypes do
            for half, (count, pixels, labels) in parts do
                let write kind (bytes: byte[]) =
                    File.WriteAllBytes(Path.Combine(folder, $"{half}-{kind}-ubyte"), bytes)

                write "images-idx3" (idx pixelCode [ count; 4; 4 ] pixel pixels)
                write "labels-idx1" (idx labelCode [ count ] label labels)

            let data = load folder
            Exactly.equal expected (plainOf data)

            // The numbers of the images are at most 250.
            if pixelCode = 0x0Duy || pixelCode = 0x0Euy then
                Assert.Contains("pixels are taken for 0 to", String.concat "\n" data.Notes)
            else
                Assert.Empty data.Notes

    /// Where the four files of other sets are, and where the small data's are.
    let private sets: (string * string list) list =
        let usual (name: string -> string -> string) = [
            for half in [ "train"; "t10k" ] do
                for kind in [ "images-idx3"; "labels-idx1" ] -> name half kind
        ]

        [
            "a dot", usual (fun half kind -> $"{half}-{kind.Replace('-', '.')}-ubyte")
            "capitals", usual (fun half kind -> $"{half}-{kind}-ubyte".ToUpperInvariant())
            "a name before",
            usual (fun half kind -> $"""qmnist-{half.Replace("t10k", "test")}-{kind}-ubyte""")
            "underscores",
            usual (fun half kind ->
                $"""{half.Replace("t10k", "test")}_{kind.Replace('-', '_')}_ubyte""")
        ]

    let private rename (folder: string) (names: string list) =
        let usual = [
            for half in [ "train"; "t10k" ] do
                for kind in [ "images-idx3"; "labels-idx1" ] -> $"{half}-{kind}-ubyte"
        ]

        for from, into in List.zip usual names do
            File.Move(Path.Combine(folder, from), Path.Combine(folder, into))

    [<Fact>]
    let ``files of other makers' names are found, plain or zipped, and watched`` () =
        for set, names in sets do
            use scratch = new Scratch()
            let folder = Given.data scratch
            let expected = plainOf (load folder)
            rename folder names
            Exactly.equal expected (plainOf (load folder))
            let watched = DataFiles.Paths(DataSettings(Directory = folder)) |> Set.ofSeq

            for name in names do
                Assert.True(watched.Contains(Path.Combine(folder, name)), $"{set}: {name}")
                Given.zip (Path.Combine(folder, name))

            Exactly.equal expected (plainOf (load folder))

    [<Fact>]
    let ``QMNIST's labels are the first of their columns`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let expected = plainOf (load folder)

        for half, (count, _, labels) in parts folder do
            File.Delete(Path.Combine(folder, $"{half}-labels-idx1-ubyte"))
            let name = half.Replace("t10k", "test")

            File.Move(
                Path.Combine(folder, $"{half}-images-idx3-ubyte"),
                Path.Combine(folder, $"qmnist-{name}-images-idx3-ubyte")
            )

            let columns = [|
                for i, label in Array.indexed labels do
                    label
                    yield! [| 1; 2; 3; 4; 5; 6; 1000 + i |]
            |]

            File.WriteAllBytes(
                Path.Combine(folder, $"qmnist-{name}-labels-idx2-int"),
                idx 0x0Cuy [ count; 8 ] (fun (x: int) -> BitConverter.GetBytes x) columns
            )

        let data = load folder
        Exactly.equal expected (plainOf data)
        Assert.Contains("the first of its 8 columns", String.concat "\n" data.Notes)

    [<Fact>]
    let ``EMNIST's images, which are transposed, are turned, and that is told`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let expected = plainOf (load folder)

        for half, (count, pixels, _) in parts folder do
            let turned =
                pixels
                |> Array.chunkBySize 16
                |> Array.collect (fun image -> Array.init 16 (fun i -> image[i % 4 * 4 + i / 4]))

            let name = half.Replace("t10k", "test")

            File.WriteAllBytes(
                Path.Combine(folder, $"emnist-digits-{name}-images-idx3-ubyte"),
                idx 0x08uy [ count; 4; 4 ] bytesOf turned
            )

            File.Delete(Path.Combine(folder, $"{half}-images-idx3-ubyte"))

            File.Move(
                Path.Combine(folder, $"{half}-labels-idx1-ubyte"),
                Path.Combine(folder, $"emnist-digits-{name}-labels-idx1-ubyte")
            )

        let data = load folder
        Exactly.equal expected (plainOf data)

        Assert.Equal(
            2,
            data.Notes
            |> Seq.filter _.Contains("rows and columns are exchanged")
            |> Seq.length
        )

    [<Fact>]
    let ``labels that begin with 1 are refused with the number of classes that takes them`` () =
        use scratch = new Scratch()
        let folder = Given.data scratch

        for half, (count, _, labels) in parts folder do
            File.WriteAllBytes(
                Path.Combine(folder, $"{half}-labels-idx1-ubyte"),
                idx 0x08uy [ count ] bytesOf (labels |> Array.map ((+) 1))
            )

        Assert.Contains(
            "expected a class of 0 to 9, found 10: labels of 1 to 10 (there is no 0) take Data:Classes 11",
            refusalOf folder
        )

    [<Fact>]
    let ``a folder of several sets is refused, and of two files of one name the plain one is read``
        ()
        =
        use scratch = new Scratch()
        let folder = Given.data scratch
        let expected = plainOf (load folder)

        let copy from into =
            File.Copy(Path.Combine(folder, from), Path.Combine(folder, into))

        // MNIST's own name goes before another.
        copy images "emnist-digits-train-images-idx3-ubyte"
        let data = load folder
        Exactly.equal expected (plainOf data)
        Assert.Contains("not emnist-digits-train-images-idx3-ubyte", Assert.Single data.Notes)
        File.Delete(Path.Combine(folder, "emnist-digits-train-images-idx3-ubyte"))

        // A zipped copy that is another's.
        copy labels (images + "2")
        Given.zip (Path.Combine(folder, images + "2"))
        File.Move(Path.Combine(folder, images + "2.gz"), Path.Combine(folder, images + ".gz"))
        let data = load folder
        Exactly.equal expected (plainOf data)
        Assert.Contains($"not {images}.gz", Assert.Single data.Notes)
        File.Delete(Path.Combine(folder, images + ".gz"))

        copy images "emnist-letters-train-images-idx3-ubyte"

        File.Move(
            Path.Combine(folder, images),
            Path.Combine(folder, "emnist-digits-train-images-idx3-ubyte")
        )

        let said = refusalOf folder
        Assert.Contains("expected one file of training images", said)
        Assert.Contains("emnist-digits-train-images-idx3-ubyte", said)
        Assert.Contains("emnist-letters-train-images-idx3-ubyte", said)
        File.Delete(Path.Combine(folder, "emnist-letters-train-images-idx3-ubyte"))
        Assert.Contains("expected four files of one set of images", refusalOf folder)
