namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Diagnostics.Metrics
open System.IO
open System.Net
open System.Net.Http
open System.Text
open System.Text.Json
open System.Threading
open System.Threading.Tasks
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Logging
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Serving
open Pipeline.Training
open Xunit

/// Keeps the warnings and messages of serving.
type private ServingLog() =
    member val Lines = List<string>()

    interface ILoggerProvider with
        member log.CreateLogger category = {
            new ILogger with
                member _.BeginScope _ = null
                member _.IsEnabled _ = true

                member _.Log(level, _, state, error, format) =
                    if category.StartsWith "Pipeline.Serving" then
                        lock log.Lines (fun () ->
                            log.Lines.Add $"{level}: {format.Invoke(state, error)}")
        }

        member _.Dispose() = ()

/// Samples that are counted and compared with training.
module DriftTests =
    let private uniform draw i =
        RandomNumbers.uniform 5UL RandomStream.GradientCheck draw i

    let private age row = floor (20.0 + 50.0 * uniform 0L row)
    let private calls row = floor (6.0 * uniform 1L row)

    let private plan row =
        if uniform 2L row < 0.5 then "basic" else "plus"

    /// A model of rows with the statistics of some rows.
    let rowsModel (seed: uint64) : Model<float32> =
        let model: Model<float32> = Serving.ofRows seed

        let rows =
            SmallTables.table [
                "age", Cells.Numbers(Array.init 2000 age)
                "calls", Cells.Numbers(Array.init 2000 calls)
                "plan", SmallTables.texts (Array.init 2000 plan)
            ]

        match model.Preprocessing with
        | Preprocessing.Table encoding ->
            let samples = TableData.withoutLabels encoding 2 rows |> orFail
            model |> Model.withStatistics (Drift.ofTable encoding rows) samples
        | _ -> model

    /// A model of images with the statistics of some.
    let private imagesModel (seed: uint64) (pixels: byte[]) : Model<float32> =
        let model: Model<float32> = Serving.ofImages seed

        let data =
            Dataset.ofIdx
                3
                {
                    Count = pixels.Length / 6
                    Size = ImageSize.Grey(2, 3)
                    Pixels = ReadOnlyMemory pixels
                }
                (Array.zeroCreate (pixels.Length / 6))
            |> orFail

        model |> Model.withStatistics (Drift.ofSamples model.Preprocessing data) data

    let private pixelsOf (from: int) (count: int) : byte[] =
        Array.init (6 * count) (fun i -> byte (255.0 * uniform 3L (6 * from + i)))

    let csv (rows: (float * float * string) list) : byte[] =
        let lines = [ for age, calls, plan in rows -> $"{age},{calls},{plan}" ]
        String.concat "\n" ("age,calls,plan" :: lines) |> Encoding.UTF8.GetBytes

    let usual from count = [ for row in from .. from + count - 1 -> age row, calls row, plan row ]

    let monitor (service: Service) =
        service.Application.Services.GetServices<IHostedService>()
        |> Seq.pick (fun one ->
            match one with
            | :? DriftMonitor as monitor -> Some monitor
            | _ -> None)

    let private state (service: Service) (name: string) : JsonElement =
        Serving.json (service.Get $"/models/{name}/drift")

    let private samples (state: JsonElement) = state.GetProperty("samples").GetInt64()

    [<Fact>]
    let ``the log, the metrics and the answer report that a column shifts, and that the shift ends``
        ()
        =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.safetensors"
        Serving.write path (rowsModel 1UL)
        let log = new ServingLog()

        use service =
            Serving.startAs
                (AccessRules([], null))
                [ "rows", path ]
                (fun logging -> logging.AddProvider log |> ignore)
                (fun services ->
                    services.Configure<ServingOptions>(fun (options: ServingOptions) ->
                        options.DriftWindow <- 200)
                    |> ignore)

        let factory = service.Application.Services.GetRequiredService<IMeterFactory>()
        let measured = Dictionary<string, float>()
        use listener = new MeterListener()

        listener.InstrumentPublished <-
            fun instrument listener ->
                if
                    obj.ReferenceEquals(instrument.Meter.Scope, factory)
                    && instrument.Name.StartsWith "pipeline.serving.drift"
                then
                    listener.EnableMeasurementEvents instrument

        let keep (instrument: Instrument) (value: float) =
            lock measured (fun () -> measured[instrument.Name] <- value)

        listener.SetMeasurementEventCallback<int>(fun one value _ _ -> keep one (float value))
        listener.SetMeasurementEventCallback<int64>(fun one value _ _ -> keep one (float value))
        listener.SetMeasurementEventCallback<float>(fun one value _ _ -> keep one value)
        listener.Start()

        let ask rows =
            let answer = service.Post("/models/rows/predict", "text/csv", csv rows)
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)

        /// The window that ends with some rows.
        let window rows =
            ask rows
            // The service itself looks once a second, too.
            let isOver () =
                (monitor service).Look()
                samples (state service "rows") = 0L

            Assert.True(isOver ())
            (state service "rows").GetProperty "last"

        let told () =
            lock log.Lines (fun () -> log.Lines |> Seq.filter _.Contains("training") |> List.ofSeq)

        Assert.Equal(JsonValueKind.Null, (state service "rows").GetProperty("last").ValueKind)
        ask (usual 5000 150)
        (monitor service).Look()
        Assert.Equal(150L, samples (state service "rows"))
        Assert.True((state service "rows").GetProperty("is_watched").GetBoolean())
        let last = window (usual 6000 250)
        Assert.Equal(400L, samples last)
        Assert.False(last.GetProperty("drifted").GetBoolean())
        Assert.Empty(told ())

        let older = [ for age, calls, plan in usual 7000 300 -> age + 30.0, calls, plan ]
        let last = window older
        Assert.True(last.GetProperty("drifted").GetBoolean())
        Assert.Equal("age", last.GetProperty("most").GetString())
        Assert.StartsWith("age: ", last.GetProperty("sentence").GetString())

        let line = Assert.Single(told ())
        Assert.StartsWith("Warning: Model rows: samples have drifted from training. age: ", line)
        Assert.Contains("of 300 samples are above ", line)
        Assert.True(measured["pipeline.serving.drift.features"] >= 1.0)
        Assert.InRange(measured["pipeline.serving.drift.shift"], 0.3, 1.0)

        // The log has one line for a shift.
        window older |> ignore
        Assert.Single(told ()) |> ignore
        let last = window (usual 8000 300)
        Assert.False(last.GetProperty("drifted").GetBoolean())

        Assert.Equal(
            "Information: Model rows: 300 samples are as in training again",
            List.last (told ())
        )

        Assert.Equal(0.0, measured["pipeline.serving.drift.features"])

        // Another model begins anew; one without statistics is not watched.
        window older |> ignore
        ask (usual 0 10)
        Serving.write path (rowsModel 2UL)
        Serving.look service
        let fresh = state service "rows"
        Assert.Equal(0L, samples fresh)
        Assert.Equal(JsonValueKind.Null, fresh.GetProperty("last").ValueKind)
        Assert.Equal(0.0, measured["pipeline.serving.drift.shift"])
        Serving.write path (Serving.ofRows 3UL: Model<float32>)
        Serving.look service
        Assert.False((state service "rows").GetProperty("is_watched").GetBoolean())
        Assert.Contains("drift is not watched", List.last (told ()))
        ask (usual 0 300)
        (monitor service).Look()
        Assert.Equal(0L, samples (state service "rows"))
        service.Get "/models/none/drift" |> Serving.refused 404 [ "none" ]

    [<Fact>]
    let ``every way of asking is counted, and nothing that is refused`` () =
        use scratch = new Scratch()

        let rows, images, numbers =
            scratch.Sub "rows.safetensors",
            scratch.Sub "images.safetensors",
            scratch.Sub "numbers.safetensors"

        Serving.write rows (rowsModel 1UL)
        Serving.write images (imagesModel 1UL (pixelsOf 0 500))
        let model: Model<float> = Serving.ofNumbers 1UL

        let data =
            Dataset.ofColumns
                2
                (MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.Dense(
                    3,
                    50,
                    fun i s -> uniform 4L (3 * s + i)
                ))
                (Targets.Columns(MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.Dense(2, 50)))

        model
        |> Model.withStatistics (Drift.ofSamples Preprocessing.Numbers data) data
        |> Serving.write numbers

        use service = Serving.start [ "rows", rows; "images", images; "numbers", numbers ]
        let services = service.Application.Services

        let predictor (name: string) =
            services.GetRequiredKeyedService<IPredictor> name

        let count name = samples (state service name)

        let counted (name: string) (expected: int64) (act: unit -> unit) =
            let before = count name
            act ()
            Assert.Equal(before + expected, count name)

        let post (path: string) (kind: string) (body: byte[]) (status: HttpStatusCode) () =
            Assert.Equal(status, service.Post(path, kind, body).StatusCode)

        let text (body: string) = Encoding.UTF8.GetBytes body
        let raw, json = "application/octet-stream", "application/json"
        counted "images" 1L (post "/models/images/predict" raw (pixelsOf 0 1) HttpStatusCode.OK)
        counted "images" 7L (post "/models/images/predict" raw (pixelsOf 0 7) HttpStatusCode.OK)

        counted "images" 0L (post "/models/images/predict" raw [| 1uy |] HttpStatusCode.BadRequest)

        counted
            "images"
            2L
            (post
                "/v2/models/images/infer"
                json
                (text """{"inputs":[{"name":"pixels","data":[1,2,3,4,5,6,7,8,9,10,11,12]}]}""")
                HttpStatusCode.OK)

        counted
            "images"
            3L
            (post
                "/models/images/predict"
                "text/csv"
                (text "a,b,c,d,e,f\n1,2,3,4,5,6\n6,5,4,3,2,1\n0,0,0,0,0,9\n")
                HttpStatusCode.OK)

        counted "images" 1L (fun () ->
            (predictor "images").PredictImage(ReadOnlySpan(pixelsOf 3 1)) |> ignore)

        counted
            "rows"
            4L
            (post "/models/rows/predict" "text/csv" (csv (usual 0 4)) HttpStatusCode.OK)

        counted
            "rows"
            0L
            (post
                "/models/rows/predict"
                "text/csv"
                (csv [ 20.0, 1.0, "none" ])
                HttpStatusCode.BadRequest)

        counted
            "rows"
            2L
            (post
                "/v2/models/rows/infer"
                json
                (text
                    """{"inputs":[{"name":"plan","data":["basic","plus"]},{"name":"numbers","data":[25,3.5,30,1]}]}""")
                HttpStatusCode.OK)

        counted "rows" 1L (fun () ->
            (predictor "rows").Predict {|
                Age = 30
                Calls = 1
                Plan = "basic"
            |}
            |> ignore)

        counted
            "numbers"
            1L
            (post
                "/v2/models/numbers/infer"
                json
                (text """{"inputs":[{"name":"numbers","data":[1,2,3]}]}""")
                HttpStatusCode.OK)

        counted
            "numbers"
            2L
            (post
                "/models/numbers/predict"
                "text/csv"
                (text "a,b,c\n1,2,3\n4,5,6\n")
                HttpStatusCode.OK)

        counted "numbers" 1L (fun () ->
            let outputs: float[] = Array.zeroCreate 2
            (predictor "numbers").PredictNumbers(ReadOnlySpan [| 1.0; 2.0; 3.0 |], Span outputs))

    [<Fact>]
    let ``of many threads, every sample is counted once, however often the counts are taken`` () =
        let counts = DriftCounts 5
        let each, threads = 20_000, 8
        let taken = Array.zeroCreate<int64> 5
        use stop = new CancellationTokenSource()

        let take () =
            counts.Drain() |> Array.iteri (fun i count -> taken[i] <- taken[i] + count)

        let run (act: unit -> unit) =
            Task.Factory.StartNew(act, TaskCreationOptions.LongRunning)

        let draining =
            run (fun () ->
                while not stop.IsCancellationRequested do
                    take ())

        let adding =
            Array.init threads (fun thread ->
                run (fun () ->
                    for i in 1..each do
                        counts.Add(
                            1,
                            ReadOnlySpan [| thread % 2; 2 |],
                            ReadOnlySpan [| (if i % 4 = 0 then 3 else 4) |]
                        )))

        (Task.WhenAll adding).Wait()
        stop.Cancel()
        draining.Wait()
        take ()
        let all = int64 (each * threads)
        Assert.Equal<int64>([| all / 2L; all / 2L; all; all / 4L; 3L * all / 4L |], taken)
        Assert.Equal(0L, counts.Samples)

    [<Fact>]
    let ``requests of many clients are all counted`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"
        Serving.write path (imagesModel 1UL (pixelsOf 0 500))

        use service =
            Serving.startAs (AccessRules([], null)) [ "images", path ] ignore (fun services ->
                services.Configure<ServingOptions>(fun (options: ServingOptions) ->
                    options.DriftWindow <- Int32.MaxValue)
                |> ignore)

        let clients =
            Array.init 4 (fun client ->
                Task.Factory.StartNew(
                    (fun () ->
                        for i in 1..50 do
                            let answer =
                                service.Post(
                                    "/models/images/predict",
                                    "application/octet-stream",
                                    pixelsOf (client * 50 + i) (1 + i % 3)
                                )

                            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)),
                    TaskCreationOptions.LongRunning
                ))

        (Task.WhenAll clients).Wait()
        let expected = 4L * List.sumBy (fun i -> 1L + int64 (i % 3)) [ 1..50 ]
        Assert.Equal(expected, samples (state service "images"))

    /// Digits of the test set, which a run of 600 iterations has not seen.
    let private digits =
        lazy
            (let scratch = new Scratch()

             let ended =
                 Given.host [
                     "train"
                     "--Training:Iterations=600"
                     "--Training:LearningRate=0.5"
                     $"--Run:Directory={scratch.Path}"
                 ]

             Assert.Equal(0, ended.ExitCode)

             let path =
                 Path.Combine(Directory.GetDirectories(scratch.Path)[0], "model.safetensors")

             let bytes = File.ReadAllBytes path
             (scratch :> IDisposable).Dispose()

             let unpacked (name: string) =
                 use file = File.OpenRead(DefaultPaths.PathOf $"data/mnist/{name}.gz")
                 use gzip = new Compression.GZipStream(file, Compression.CompressionMode.Decompress)
                 use memory = new MemoryStream()
                 gzip.CopyTo memory
                 memory.ToArray()

             bytes,
             (unpacked "t10k-images-idx3-ubyte")[16..],
             (unpacked "t10k-labels-idx1-ubyte")[8..])

    /// A window of digits, compared with training.
    let private compared (change: byte -> byte) (chosen: int[]) : DriftReport =
        let model, pixels, _ = digits.Value
        use scratch = new Scratch()
        let path = scratch.Sub "digits.safetensors"
        File.WriteAllBytes(path, model)
        let watch = nonNull (LoadedModel.Read path).Watch
        let loaded = LoadedModel.Read path

        let window =
            chosen
            |> Array.collect (fun index -> pixels[784 * index .. 784 * index + 783])
            |> Array.map change

        let outputs = Array.zeroCreate<float> 10

        for image in 0 .. chosen.Length - 1 do
            let own = ReadOnlySpan(window, 784 * image, 784)
            loaded.PredictPixels(own, Span outputs)
            watch.CountImage(own, ReadOnlySpan outputs)

        (nonNull (watch.Look(1, DateTimeOffset.UnixEpoch))).Report

    [<Fact>]
    let ``digits: unseen ones are as in training, inverted and shifted ones and another mix of classes are not``
        ()
        =
        let _, _, labels = digits.Value

        let drawn (window: int) (size: int) =
            Array.init size (fun i ->
                RandomNumbers.below 10_000 9UL RandomStream.GradientCheck (int64 window) i)

        // Of the training digits and the test digits, other people wrote many.
        let alarms =
            [ 0..49 ]
            |> List.filter (fun window -> (compared id (drawn window 500)).Most.IsSome)

        Assert.Empty alarms
        let inverted = compared (fun pixel -> 255uy - pixel) (drawn 60 300)
        Assert.Contains("ink", inverted.Most.Value.Name)
        let faint = compared (fun pixel -> pixel / 2uy) (drawn 61 300)
        Assert.Equal("ink", faint.Most.Value.Name)

        // Twice as many of one class.
        let sevens =
            drawn 62 1500
            |> Array.filter (fun index ->
                labels[index] = 7uy
                || RandomNumbers.below 2 9UL RandomStream.GradientCheck 63L index = 0)

        let mixed = compared id sevens
        let answer = mixed.Features |> List.find _.IsAnswer
        Assert.True answer.HasDrifted
        Assert.Equal("7", answer.Bin)
