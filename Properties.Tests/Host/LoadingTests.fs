namespace Pipeline.Properties.Host

open System
open System.IO
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
