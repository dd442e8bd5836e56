namespace Pipeline.Properties.Host

open System
open System.IO
open System.Net
open System.Net.Http
open System.Text
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// Images of three channels from files to training, evaluation, prediction, serving and export.
module ColourTests =
    let private size = { Channels = 3; Rows = 8; Columns = 6 }

    /// Images with a bright square somewhere in one channel, which is the class, and dim noise in all.
    let private half (seed: uint64) (count: int) : IdxImages * int[] =
        let below limit draw i =
            RandomNumbers.below limit seed RandomStream.GradientCheck draw i

        let labels = Array.init count (below 3 0L)

        let pixels =
            Array.init (count * size.Count) (fun i ->
                let image, inside = i / size.Count, i % size.Count
                let channel, pixel = inside / size.Area, inside % size.Area
                let down = pixel / size.Columns - below 6 1L image
                let right = pixel % size.Columns - below 4 2L image

                if channel = labels[image] && down >= 0 && down < 3 && right >= 0 && right < 3 then
                    200uy
                else
                    byte (below 60 3L i))

        {
            Count = count
            Size = size
            Pixels = ReadOnlyMemory pixels
        },
        labels

    let private train, test = half 1UL 240, half 2UL 60

    /// A folder of IDX files of four dimensions.
    let private write (scratch: Scratch) : string =
        let folder = scratch.Sub "colours"
        Directory.CreateDirectory folder |> ignore

        for name, (images, labels) in [ "train", train; "t10k", test ] do
            let write kind (bytes: byte[]) =
                File.WriteAllBytes(Path.Combine(folder, $"{name}-{kind}-ubyte"), bytes)

            write "images-idx4" (Idx.writeImages images)
            write "labels-idx1" (Idx.writeLabels labels)

        folder

    /// An archive of the same images.
    let private archive (isChannelsLast: bool) (path: string) : unit =
        File.WriteAllBytes(
            path,
            NpzFile.Write [
                for name, (images, labels) in [ "train", train; "test", test ] do
                    let bytes = images.Pixels.ToArray()

                    let {
                            Channels = channels
                            Rows = rows
                            Columns = columns
                        } =
                        size

                    let shape, bytes =
                        if isChannelsLast then
                            [ images.Count; rows; columns; channels ],
                            Array.init bytes.Length (fun place ->
                                let pixel, channel = place / channels, place % channels
                                let image, inside = pixel / size.Area, pixel % size.Area
                                bytes[image * size.Count + channel * size.Area + inside])
                        else
                            [ images.Count; channels; rows; columns ], bytes

                    {
                        Name = $"x_{name}"
                        Shape = shape
                        Elements = Elements.Bytes(ReadOnlyMemory bytes)
                    }

                    {
                        Name = $"y_{name}"
                        Shape = [ labels.Length ]
                        Elements = Elements.Integers(Array.map int64 labels)
                    }
            ]
        )

    let private settings (scratch: Scratch) (changes: (string * string) list) = [
        "Data:Directory", write scratch
        "Data:Classes", "3"
        "Run:Directory", scratch.Sub "runs"
        "Model:Layers", "conv2d 4 3x3 padding 1,relu,maxpool2d 2,flatten,dense 3"
        "Model:Hidden", "50"
        "Training:BatchSize", "20"
        "Training:Epochs", "12"
        "Training:Iterations", ""
        "Training:Sampling", "Epoch"
        "Training:LearningRate", "0.2"
        yield! changes
    ]

    let private options scratch changes =
        settings scratch changes
        |> Map.ofList
        |> Seq.filter (fun setting -> setting.Value <> "")
        |> Seq.map (fun setting -> $"--{setting.Key}={setting.Value}")
        |> List.ofSeq

    let private trained scratch changes : string * Ended =
        let ended = Given.host (options scratch changes)
        Assert.True((ended.ExitCode = 0), ended.Errors)
        Assert.Single(Given.runs scratch), ended

    [<Fact>]
    let ``IDX and archives with the channels first or last give the same model`` () =
        let hash changes =
            use scratch = new Scratch()
            let file = scratch.Sub "colours.npz"

            let changes =
                match changes with
                | Some isChannelsLast ->
                    archive isChannelsLast file
                    [ "Data:Train", file ]
                | None -> []

            let _, ended = trained scratch changes

            if not changes.IsEmpty then
                Assert.Contains("3 channels of 8 × 6 pixels", ended.Output + ended.Errors)

            Told.text "parameters_sha256" (Told.summary scratch)

        let expected = hash None
        Assert.Equal(expected, hash (Some false))
        Assert.Equal(expected, hash (Some true))

    [<Fact>]
    let ``a convolution learns colours, and a stopped run goes on to the same bits`` () =
        use scratch = new Scratch()

        let augmented = [
            "Augmentation:Shift", "1"
            "Augmentation:Rotation", "5"
            "Augmentation:Mirror", "0.5"
        ]

        let folder, _ = trained scratch augmented
        let summary = Told.summary scratch
        Assert.InRange(summary.GetProperty("final_test_accuracy").GetDouble(), 0.9, 1.0)

        let plan =
            settings scratch (augmented @ [ "Run:Directory", scratch.Sub "stopped" ])
            |> List.filter (fun (_, value) -> value <> "")
            |> ResumedRuns.plan

        ResumedRuns.run ResumedRuns.onDisk plan 50L |> ignore
        let stopped = ResumedRuns.folderOf scratch "stopped"
        let ended = Given.host [ "train"; "--resume"; stopped ]
        Assert.True((ended.ExitCode = 0), ended.Errors)

        let model (folder: string) =
            File.ReadAllBytes(Path.Combine(folder, "model.safetensors"))

        Assert.Equal<byte>(model folder, model stopped)

    [<Fact>]
    let ``commands, the service, its pages and ONNX Runtime agree on images of colours`` () =
        use scratch = new Scratch()
        let folder, _ = trained scratch []
        let model = Path.Combine(folder, "model.safetensors")
        let images, _ = test

        let image i =
            images.Pixels.Slice(i * size.Count, size.Count).ToArray()

        let png = PngWriter.OfBytes(ByteImage(size, image 0))
        let path = scratch.Sub "standard input.png"
        File.WriteAllBytes(path, png)

        // What PNG and IDX hold is the same.
        let predict (path: string) (arguments: string list) =
            Given.host ("predict" :: folder :: path :: "--format" :: "json" :: arguments)

        let one = {
            images with
                Count = 1
                Pixels = ReadOnlyMemory(image 0)
        }

        let idx = scratch.Sub "standard input"
        File.WriteAllBytes(idx, Idx.writeImages one)
        let ofPng, ofIdx = predict path [], predict idx []
        Assert.True((ofPng.ExitCode = 0), ofPng.Errors)

        let named (ended: Ended) =
            ended.Output.Replace("standard input.png", "standard input")

        Assert.Equal(named ofIdx, named ofPng)
        let inked = predict path [ "--dark-ink" ]
        Assert.Equal(2, inked.ExitCode)
        Assert.Contains("dark ink applies to models of grey images", inked.Errors)

        // Images of another size, or without the channels, are refused with both sizes.
        for other in [ { size with Rows = 6; Columns = 8 }; ImageSize.Grey(8, 6) ] do
            File.WriteAllBytes(
                idx,
                Idx.writeImages {
                    Count = 1
                    Size = other
                    Pixels = ReadOnlyMemory(Array.zeroCreate other.Count)
                }
            )

            let refused = predict idx []
            Assert.Equal(2, refused.ExitCode)
            Assert.Contains($"expected images of {size}", refused.Errors)
            Assert.Contains($"found images of {other}", refused.Errors)

        let inspected = Given.host [ "inspect"; folder ]
        Assert.Contains("3 channels of 8 × 6 pixels, each divided by 255", inspected.Output)
        let evaluated = Given.host [ "evaluate"; folder ]
        Assert.True((evaluated.ExitCode = 0), evaluated.Errors)
        let page = File.ReadAllText(Path.Combine(folder, "evaluation.html"))
        Assert.Contains("--shape:3/3", page)
        Assert.Contains("Grey is 0.", page)
        let decoded = WebUtility.HtmlDecode page
        Assert.Contains("What the network sees", decoded)
        Assert.Contains("4 feature maps of 8 × 6 numbers of the convolution conv2d 4 3", decoded)
        Assert.Contains("add to the probability of", decoded)

        use service = Pages.start [ "colours", model ]
        let metadata = service.Get "/v2/models/colours" |> Serving.json

        Assert.Equal(
            "[-1,3,8,6]",
            (metadata.GetProperty "inputs")
                .[0].GetProperty("shape")
                .GetRawText()
                .Replace("\n", "")
                .Replace(" ", "")
        )

        // A body of bytes, a PNG and a tensor.
        let answer (kind: string) (body: byte[]) =
            let response = service.Post("/models/colours/predict", kind, body)
            Assert.Equal(HttpStatusCode.OK, response.StatusCode)
            (Encoding.UTF8.GetString(Serving.bytes response)).Trim()

        Assert.Equal(answer "application/octet-stream" (image 0), answer "image/png" png)
        Assert.Equal((named ofPng).Trim(), answer "image/png" png)

        service.Post("/models/colours/predict", "application/octet-stream", (image 0)[1..])
        |> Serving.refused 400 [ "images of 144 bytes"; "3 channels of 8 × 6 pixels" ]

        service.Post("/models/colours/predict?dark_ink=true", "image/png", png)
        |> Serving.refused 400 [ "dark ink" ]

        // A grey image has the same number in each channel.
        let grey = (image 0)[.. size.Area - 1]

        Assert.Equal(
            answer "application/octet-stream" (Array.concat [ grey; grey; grey ]),
            answer
                "image/png"
                (PngWriter.OfBytes(
                    ByteImage(ImageSize.Grey(8, 6), grey |> Array.map (fun x -> 255uy - x))
                ))
        )

        let data = image 0 |> Seq.map string |> String.concat ","

        let inferred =
            service.Post(
                "/v2/models/colours/infer",
                "application/json",
                Encoding.UTF8.GetBytes
                    $"""{{"inputs":[{{"name":"pixels","shape":[1,3,8,6],"datatype":"UINT8","data":[{data:string}]}}]}}"""
            )
            |> Serving.json

        let inferred = [
            for number in ((inferred.GetProperty "outputs").[0].GetProperty "data").EnumerateArray() ->
                number.GetDouble()
        ]

        let exported = scratch.Sub "model.onnx"
        Assert.Equal(0, (Given.host [ "export"; folder; "--output"; exported ]).ExitCode)
        use session = new InferenceSession(exported)

        use results =
            session.Run [
                NamedOnnxValue.CreateFromTensor(
                    "pixels",
                    DenseTensor<byte>(Memory(image 0), ReadOnlySpan [| 1; 3; 8; 6 |])
                )
            ]

        (Seq.exactlyOne results).AsTensor<float32>()
        |> Seq.map float
        |> Array.ofSeq
        |> Approximately.equal 1e-5 (Array.ofList inferred)

        // The page takes a file; nothing can be drawn.
        let page = Pages.visit service "/try/colours" |> Pages.text |> WebUtility.HtmlDecode
        Assert.DoesNotContain("<canvas", page)
        Assert.DoesNotContain("Dark ink", page)
        Assert.DoesNotContain("draw.js", page)
        Assert.Contains("images of 3 channels of 8 × 6 pixels", page)
        let content = new MultipartFormDataContent()
        content.Add(new ByteArrayContent(png), "image", "a.png")

        let request =
            new HttpRequestMessage(HttpMethod.Post, "/try/colours", Content = content)

        request.Headers.TryAddWithoutValidation("Accept", "text/html") |> ignore
        let tried = service.Send request
        Assert.Equal(HttpStatusCode.OK, tried.StatusCode)
        Assert.DoesNotContain("No answer yet", Pages.text tried)

    [<Fact>]
    let ``training and test images of different channels are refused`` () =
        use scratch = new Scratch()
        let folder = write scratch
        let images, _ = test

        let arguments =
            options scratch []
            |> List.filter (fun option -> not (option.StartsWith "--Data:Directory"))

        File.WriteAllBytes(
            Path.Combine(folder, "t10k-images-idx4-ubyte"),
            Idx.writeImages {
                images with
                    Size = ImageSize.Grey(size.Rows * 3, size.Columns)
            }
        )

        let ended = Given.host ($"--Data:Directory={folder}" :: arguments)
        Assert.Equal(2, ended.ExitCode)
        Assert.Contains("expected images of 3 channels of 8 × 6 pixels", ended.Errors)
        Assert.Contains("found 24 × 6 pixels", ended.Errors)
