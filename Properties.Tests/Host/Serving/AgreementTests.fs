namespace Pipeline.Properties.Host

open System
open System.Globalization
open System.IO
open System.IO.Compression
open System.Net
open System.Text
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// The service says what the command predict says and what ONNX Runtime says of the exported graph.
module AgreementTests =
    /// The only run of a folder of runs.
    let private train (scratch: Scratch) (name: string) (options: string list) : string =
        let runs = scratch.Sub name
        let ended = Given.host ("train" :: $"--Run:Directory={runs}" :: options)
        Assert.Equal(0, ended.ExitCode)
        Path.Combine(Directory.GetDirectories(runs)[0], "model.safetensors")

    let private session (scratch: Scratch) (model: string) : InferenceSession =
        let path = scratch.Sub "exported.onnx"
        let ended = Given.host [ "export"; model; "--to"; "onnx"; "--output"; path ]
        Assert.Equal(0, ended.ExitCode)
        use options = new SessionOptions(IntraOpNumThreads = 1, InterOpNumThreads = 1)
        new InferenceSession(File.ReadAllBytes path, options)

    /// What the runtime makes of an input.
    let private asked (session: InferenceSession) (input: NamedOnnxValue) : float[] =
        use results = session.Run [ input ]
        let result = Seq.exactlyOne results

        if result.ElementType = TensorElementType.Double then
            result.AsTensor<float>() |> Array.ofSeq
        else
            result.AsTensor<float32>() |> Seq.map float |> Array.ofSeq

    /// The outputs of the service for a tensor.
    let private inferred (service: Service) (name: string) (tensor: string) (shape: int list) data =
        let sizes = shape |> List.map string |> String.concat ","

        let numbers =
            data
            |> Seq.map (fun (x: float) -> x.ToString("R", CultureInfo.InvariantCulture))
            |> String.concat ","

        let answer =
            service.Post(
                $"/v2/models/{name}/infer",
                "application/json",
                Encoding.UTF8.GetBytes
                    $"""{{"inputs":[{{"name":"{tensor}","shape":[{sizes}],"datatype":"FP64","data":[{numbers}]}}]}}"""
            )

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
        let output = (Serving.json answer).GetProperty("outputs")[0]

        [|
            for number in output.GetProperty("data").EnumerateArray() -> number.GetDouble()
        |]

    let private close (expected: float[]) (found: float[]) =
        Assert.Equal(expected.Length, found.Length)

        for one, other in Array.zip expected found do
            Assert.InRange(other, one - 1e-5, one + 1e-5)

    [<Fact>]
    let ``outputs that are not finite are refused however they are asked for`` () =
        use scratch = new Scratch()

        let write (name: string) (preprocessing: Preprocessing) (weight: float32) =
            let network: Network<float32> =
                Architecture.create Head.Identity (Shape.Vector 4) [ Layers.dense 1 ]
                |> orFail
                |> Network.initialise Initialiser.XavierNormal 1UL

            let huge =
                network.Parameters
                |> Parameters.mapArrays (fun _ values -> Array.create values.Length weight)

            let model = {
                Model.ofNetwork { network with Parameters = huge } with
                    Preprocessing = preprocessing
            }

            let path = scratch.Sub $"{name}.safetensors"
            File.WriteAllBytes(path, Safetensors.write model)
            path

        use service =
            Serving.start [
                "numbers", write "numbers" Preprocessing.Numbers 3e38f
                "images", write "images" (Preprocessing.Pixels(ImageSize.Grey(2, 2))) 3e38f
            ]

        let refused (path: string) kind (body: string) =
            let answer = service.Post(path, kind, Encoding.Latin1.GetBytes body)
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode)

            Assert.Contains(
                "outputs that are numbers",
                Encoding.UTF8.GetString(Serving.bytes answer)
            )

        let tensor name shape kind data =
            $"""{{"inputs":[{{"name":"{name}","shape":[{shape}],"datatype":"{kind}","data":[{data}]}}]}}"""

        refused "/models/numbers/predict" "application/json" "[[1,2,3,4]]"

        refused
            "/v2/models/numbers/infer"
            "application/json"
            (tensor "numbers" "1,4" "FP32" "1,2,3,4")

        refused "/models/images/predict" "application/octet-stream" (String('\255', 4))

        refused
            "/v2/models/images/infer"
            "application/json"
            (tensor "pixels" "1,2,2" "UINT8" "255,255,255,255")

    [<Theory>]
    [<InlineData("iris", "Single")>]
    [<InlineData("iris", "Double")>]
    [<InlineData("wine", "Single")>]
    [<InlineData("wine", "Double")>]
    let ``rows: the service, the command and ONNX Runtime agree``
        (name: string)
        (precision: string)
        =
        use scratch = new Scratch()

        let lines =
            File.ReadAllLines(DefaultPaths.PathOf $"data/tables/{name}.csv") |> Array.tail

        let inputs = lines[0].Split(',').Length - 1
        let header = [ for column in 0..inputs -> $"c{column}" ] |> String.concat ","
        let table = scratch.Sub "standard input.csv"
        File.WriteAllLines(table, Array.append [| header |] lines)

        let model =
            train scratch "runs" [
                "--preset=small-table"
                $"--Data:Train={table}"
                $"--Training:Precision={precision}"
                "--Training:Epochs=20"
            ]

        use service = Serving.start [ "rows", model ]

        let answer =
            service.Post("/models/rows/predict", "text/csv", File.ReadAllBytes table)

        let printed = Given.host [ "predict"; model; table; "--format"; "json" ]
        Assert.Equal(0, printed.ExitCode)

        Assert.Equal(
            printed.Output.Replace("standard input.csv", "standard input"),
            Encoding.UTF8.GetString(Serving.bytes answer)
        )

        let numbers = [|
            for line in lines do
                for cell in (line.Split ',')[.. inputs - 1] do
                    Double.Parse(cell, CultureInfo.InvariantCulture)
        |]

        let shape = [ lines.Length; inputs ]
        use session = session scratch model

        let expected =
            NamedOnnxValue.CreateFromTensor(
                "numbers",
                DenseTensor<float>(Memory numbers, ReadOnlySpan(Array.ofList shape))
            )
            |> asked session

        close expected (inferred service "rows" "numbers" shape numbers)

    [<Fact>]
    let ``digits: the service, the command and ONNX Runtime agree on all of the test set`` () =
        use scratch = new Scratch()

        let model =
            train scratch "runs" [ "--Training:Iterations=500"; "--Training:LearningRate=0.5" ]

        let images =
            use file = File.OpenRead(DefaultPaths.PathOf "data/mnist/t10k-images-idx3-ubyte.gz")
            use gzip = new GZipStream(file, CompressionMode.Decompress)
            use memory = new MemoryStream()
            gzip.CopyTo memory
            memory.ToArray()

        let pixels = images[16..]
        let file = scratch.Sub "digits-images-idx3-ubyte"
        File.WriteAllBytes(file, images)
        use service = Serving.start [ "digits", model ]

        let answer =
            service.Post("/models/digits/predict", "application/octet-stream", pixels)

        let printed = Given.host [ "predict"; model; file; "--format"; "json" ]
        Assert.Equal(0, printed.ExitCode)

        Assert.True(
            printed.Output.Replace("digits-images-idx3-ubyte", "standard input") =
                Encoding.UTF8.GetString(Serving.bytes answer),
            "the service and the command differ"
        )

        use session = session scratch model

        for part in 0..9 do
            let own = pixels[784_000 * part .. 784_000 * (part + 1) - 1]
            let shape = [ 1000; 28; 28 ]

            let expected =
                NamedOnnxValue.CreateFromTensor(
                    "pixels",
                    DenseTensor<byte>(Memory own, ReadOnlySpan(Array.ofList shape))
                )
                |> asked session

            close expected (inferred service "digits" "pixels" shape (Seq.map float own))
