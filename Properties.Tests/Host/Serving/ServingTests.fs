namespace Pipeline.Properties.Host

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.Diagnostics.Metrics
open System.IO
open System.Net
open System.Net.Http
open System.Text
open System.Text.Json
open System.Threading
open Microsoft.AspNetCore.Routing
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Diagnostics.HealthChecks
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Serving
open Pipeline.Training
open Xunit
open FsCheck

/// Models over HTTP.
module ServingTests =
    let private rowsCsv = "id,age,calls,plan\n7,25,3,basic\n8,61,,plus\n9,40,2,basic\n"

    let private rowsJson =
        """[{"age":25,"calls":3,"plan":"basic"},{"age":61,"plan":"plus","calls":null}]"""

    [<Fact>]
    let ``the plain endpoint answers what predict prints, byte for byte`` () =
        use scratch = new Scratch()

        let single, double =
            scratch.Sub "single.safetensors", scratch.Sub "double.safetensors"

        Serving.write single (Serving.ofRows 1UL: Model<float32>)
        Serving.write double (Serving.ofRows 2UL: Model<float>)
        use service = Serving.start [ "single", single; "double", double ]

        for name, path in [ "single", single; "double", double ] do
            for kind, from, body in
                [
                    "text/csv; charset=utf-8", "csv", rowsCsv
                    "application/json", "json", rowsJson
                ] do
                let file = scratch.Sub "standard input"
                File.WriteAllText(file + "." + from, body)

                let answer =
                    service.Post($"/models/{name}/predict", kind, Encoding.UTF8.GetBytes body)

                Assert.Equal(HttpStatusCode.OK, answer.StatusCode)

                let printed = Given.host [ "predict"; path; $"{file}.{from}"; "--format"; "json" ]

                Assert.Equal(0, printed.ExitCode)

                Assert.Equal(
                    printed.Output.Replace($"standard input.{from}", "standard input"),
                    Encoding.UTF8.GetString(Serving.bytes answer)
                )

                Assert.Equal(
                    Convert.ToHexStringLower(
                        Security.Cryptography.SHA256.HashData(File.ReadAllBytes path)
                    ),
                    Serving.hash answer
                )

    [<Fact>]
    let ``an explanation and kept columns are asked for by the address`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.safetensors"
        Serving.write path (Serving.ofRows 1UL: Model<float32>)
        use service = Serving.start [ "rows", path ]
        let body = Encoding.UTF8.GetBytes rowsCsv

        let explained =
            Serving.json (service.Post("/models/rows/predict?explain=true", "text/csv", body))

        let parts = explained[0].GetProperty("explanation").GetProperty "columns"
        Assert.True(parts.TryGetProperty("plan", ref Unchecked.defaultof<_>))

        let kept =
            Serving.json (service.Post("/models/rows/predict?keep=id,%20plan", "text/csv", body))

        let own = kept[1].GetProperty "kept"

        Assert.Equal(
            ("8", "plus"),
            (string (own.GetProperty "id"), string (own.GetProperty "plan"))
        )

        service.Post("/models/rows/predict?keep=name", "text/csv", body)
        |> Serving.refused 400 [ "column name"; "id, age, calls, plan" ]

        service.Post("/models/rows/predict?explain=yes", "text/csv", body)
        |> Serving.refused 400 [ "explain"; "true or false"; "'yes'" ]

    [<Fact>]
    let ``predict keeps columns in every format`` () =
        use scratch = new Scratch()
        let path, rows = scratch.Sub "rows.safetensors", scratch.Sub "rows.csv"
        Serving.write path (Serving.ofRows 1UL: Model<float32>)
        File.WriteAllText(rows, rowsCsv)

        let predict (format: string) =
            let ended = Given.host [ "predict"; path; rows; "--keep"; "id"; "--format"; format ]
            Assert.Equal(0, ended.ExitCode)
            ended.Output

        Assert.StartsWith("rows.csv row 1 (id 7): ", predict "text")
        Assert.StartsWith("sample,id,class,no,yes,set", predict "csv")
        Assert.Contains("\nrows.csv row 3,9,", predict "csv")
        Assert.Contains("\"kept\": {\n      \"id\": \"8\"\n    }", predict "json")
        // A model of plain numbers takes the other columns.
        let numbers = scratch.Sub "numbers.safetensors"
        Serving.write numbers (Serving.ofNumbers 1UL: Model<float32>)
        File.WriteAllText(rows, "id,a,b,c\nx1,1,2,3\n")
        let ended = Given.host [ "predict"; numbers; rows; "--keep"; "id" ]
        Assert.StartsWith("rows.csv row 1 (id x1): ", ended.Output)

        File.WriteAllBytes(
            scratch.Sub "image.png",
            [| 137uy; 80uy; 78uy; 71uy; 13uy; 10uy; 26uy; 10uy |]
        )

        let refused =
            Given.host [ "predict"; numbers; scratch.Sub "image.png"; "--keep"; "id" ]

        Assert.Equal(2, refused.ExitCode)
        Assert.Contains("columns to keep (id)", refused.Errors)

    [<Fact>]
    let ``raw pixels and tensors give the network's own outputs`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"
        let model: Model<float32> = Serving.ofImages 3UL
        Serving.write path model
        use service = Serving.start [ "images", path ]
        let pixels = [| 0uy; 255uy; 17uy; 80uy; 3uy; 200uy; 9uy; 0uy; 0uy; 255uy; 128uy; 64uy |]

        let expected =
            pixels
            |> Array.map (fun pixel -> float32 pixel / 255f)
            |> Kernels.matrix 6 2
            |> Network.predict model.Network
            |> Kernels.values

        let raw =
            service.Post("/models/images/predict", "application/octet-stream", pixels)
            |> Serving.json

        let outputs = [|
            for answer in raw.EnumerateArray() do
                for output in (answer.GetProperty "outputs").EnumerateObject() do
                    output.Value.GetSingle()
        |]

        Exactly.bits expected outputs

        for body in
            [
                """{"id":"x1","inputs":[{"name":"pixels","datatype":"UINT8","shape":[2,2,3],"data":[0,255,17,80,3,200,9,0,0,255,128,64]}]}"""
                """{"inputs":[{"data":[[[0,255,17],[80,3,200]],[[9,0,0],[255,128,64]]],"name":"pixels"}],"outputs":[{"name":"probabilities"}],"id":"x1"}"""
            ] do
            let answer =
                service.Post(
                    "/v2/models/images/infer",
                    "application/json",
                    Encoding.UTF8.GetBytes body
                )

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
            let told = Serving.json answer
            Assert.Equal("x1", told.GetProperty("id").GetString())
            Assert.Equal(Serving.hash answer, told.GetProperty("model_version").GetString())
            let output = told.GetProperty("outputs")[0]
            Assert.Equal("probabilities", output.GetProperty("name").GetString())
            Assert.Equal("FP32", output.GetProperty("datatype").GetString())

            Exactly.bits expected [|
                for number in (output.GetProperty "data").EnumerateArray() -> number.GetSingle()
            |]

    [<Fact>]
    let ``a request is refused if its values may be meant in another order, or it asks for what is not done``
        ()
        =
        use scratch = new Scratch()

        let images, rows, numbers =
            scratch.Sub "images.safetensors",
            scratch.Sub "rows.safetensors",
            scratch.Sub "numbers.safetensors"

        Serving.write images (Serving.ofImages 1UL: Model<float32>)
        Serving.write rows (Serving.ofRows 1UL: Model<float32>)
        Serving.write numbers (Serving.ofNumbers 1UL: Model<float32>)
        use service = Serving.start [ "images", images; "rows", rows; "numbers", numbers ]

        let infer name (body: string) =
            service.Post(
                $"/v2/models/{name}/infer",
                "application/json",
                Encoding.UTF8.GetBytes body
            )

        let pixels shape (data: string) =
            $"""{{"inputs":[{{"name":"pixels",{shape}"data":{data}}}]}}"""

        // Two images of 2 × 3 pixels.
        for shape in [ "3,2,2"; "6,2"; "2,3,2"; "2,1,3,2"; "12" ] do
            infer "images" (pixels $"\"shape\":[{shape}]," "[0,1,2,3,4,5,6,7,8,9,10,11]")
            |> Serving.refused 400 [ "input pixels"; "the samples first" ]

        for shape in [ "2,2,3"; "2,6"; "2,1,2,3" ] do
            let answer =
                infer "images" (pixels $"\"shape\":[{shape}]," "[0,1,2,3,4,5,6,7,8,9,10,11]")

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)

        // An image alone.
        for shape in [ "2,3"; "6"; "1,6" ] do
            let answer = infer "images" (pixels $"\"shape\":[{shape}]," "[0,1,2,3,4,5]")
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)

        infer "images" (pixels "" "[[[0,1],[2,3],[4,5]]]")
        |> Serving.refused 400 [ "1 × 2 × 3"; "1 × 3 × 2" ]

        for ragged in [ "[[0,1,2],[3,4],[5]]"; "[[0,1,2],3,4,5]"; "[[[0,1,2]],[3,4,5]]" ] do
            infer "images" (pixels "" ragged)
            |> Serving.refused 400 [ "lists of one length" ]

        infer "images" (pixels "\"datatype\":\"BYTES\"," "[0,1,2,3,4,5]")
        |> Serving.refused 400 [ "texts"; "BYTES" ]

        infer "images" (pixels "\"datatype\":\"PIXELS\"," "[0,1,2,3,4,5]")
        |> Serving.refused 400 [ "UINT8"; "'PIXELS'" ]

        infer "images" (pixels "\"data\":[5,4,3,2,1,0]," "[0,1,2,3,4,5]")
        |> Serving.refused 400 [ "data once" ]

        infer
            "images"
            """{"inputs":[{"name":"pixels","data":[0,1,2,3,4,5]}],"inputs":[{"name":"pixels","data":[0,1,2,3,4,5]}]}"""
        |> Serving.refused 400 [ "inputs once" ]

        infer
            "images"
            """{"inputs":[{"name":"pixels","data":[0,1,2,3,4,5]}],"outputs":[{"name":"logits"}]}"""
        |> Serving.refused 400 [ "output probabilities"; "logits" ]

        let ask query kind (body: string) =
            service.Post($"/models/rows/predict{query}", kind, Encoding.UTF8.GetBytes body)

        ask "?explian=true" "text/csv" rowsCsv
        |> Serving.refused 400 [ "explain, keep"; "'explian'" ]

        ask "?explain" "text/csv" rowsCsv |> Serving.refused 400 [ "true or false" ]
        ask "?dark_ink=true" "text/csv" rowsCsv |> Serving.refused 400 [ "'dark_ink'" ]

        ask "" "text/csv; charset=iso-8859-1" rowsCsv
        |> Serving.refused 415 [ "UTF-8"; "'iso-8859-1'" ]

        Assert.Equal(HttpStatusCode.OK, (ask "" "text/csv; charset=\"UTF-8\"" rowsCsv).StatusCode)

        service.Post(
            "/models/images/predict?dark_ink=true",
            "application/octet-stream",
            Array.zeroCreate 6
        )
        |> Serving.refused 400 [ "no parameters"; "'dark_ink'" ]

        // The names say another order than that of the inputs.
        service.Post("/models/numbers/predict", "application/json", """{"c": 1, "b": 2, "a": 3}"""B)
        |> Serving.refused 400 [ "lists of values"; "c, b, a" ]

    [<Fact>]
    let ``tensors of a table's columns and of numbers are those of the model`` () =
        use scratch = new Scratch()

        let rows, numbers =
            scratch.Sub "rows.safetensors", scratch.Sub "numbers.safetensors"

        Serving.write rows (Serving.ofRows 1UL: Model<float>)
        let network: Model<float> = Serving.ofNumbers 4UL
        Serving.write numbers network
        use service = Serving.start [ "rows", rows; "numbers", numbers ]

        let infer name (body: string) =
            service.Post(
                $"/v2/models/{name}/infer",
                "application/json",
                Encoding.UTF8.GetBytes body
            )

        let outputs response =
            let output = (Serving.json response).GetProperty("outputs")[0]

            [|
                for number in (output.GetProperty "data").EnumerateArray() -> number.GetDouble()
            |]

        let rowsAnswer =
            service.Post("/models/rows/predict", "text/csv", Encoding.UTF8.GetBytes rowsCsv)
            |> Serving.json

        let plain = [|
            for answer in rowsAnswer.EnumerateArray() do
                for output in (answer.GetProperty "outputs").EnumerateObject() do
                    output.Value.GetDouble()
        |]

        let both =
            infer
                "rows"
                """{"inputs":[{"name":"plan","datatype":"BYTES","shape":[2,1],"data":["basic","basic"]},{"name":"numbers","datatype":"FP64","shape":[2,2],"data":[25,3,40,2]}]}"""
            |> outputs

        Exactly.bits (Array.append plain[0..1] plain[4..5]) both

        Exactly.bits
            ([| 0.5; -1.0; 2.0 |]
             |> Kernels.matrix 3 1
             |> Network.predict network.Network
             |> Kernels.values)
            (infer "numbers" """{"inputs":[{"name":"numbers","shape":[1,3],"data":[0.5,-1,2]}]}"""
             |> outputs)

        let metadata = Serving.json (service.Get "/v2/models/rows")

        Assert.Equal<string>(
            [ "numbers"; "plan" ],
            [
                for input in (metadata.GetProperty "inputs").EnumerateArray() ->
                    input.GetProperty("name").GetString() |> nonNull
            ]
        )

        for name, body, words in
            [
                "rows", """{"inputs":[{"name":"numbers","data":[25,3]}]}""", [ "numbers, plan" ]
                "rows",
                """{"inputs":[{"name":"plan","data":["gold"]},{"name":"numbers","data":[25,3]}]}""",
                [ "column plan"; "basic, plus"; "'gold'" ]
                "numbers",
                """{"inputs":[{"name":"numbers","data":[1,2]}]}""",
                [ "3 values a sample" ]
                "numbers",
                """{"inputs":[{"name":"numbers","shape":[2,3],"data":[1,2,3]}]}""",
                [ "2 × 3"; "3" ]
                "numbers",
                """{"inputs":[{"name":"numbers","data":["x"]}]}""",
                [ "numbers"; "texts" ]
                "numbers", """{"inputs":[{"name":"numbers","data":[1,null,2]}]}""", [ "null" ]
                "numbers",
                """{"inputs":[{"name":"numbers","data":[1e999,1,2]}]}""",
                [ "double precision" ]
                "numbers", """{"inputs":[]}""", [ "numbers"; "none" ]
                "numbers", """{"id":"a"}""", [ "a list of inputs"; "none" ]
                "numbers", """[1,2,3]""", [ "an object"; "a list" ]
                "numbers", """{"inputs":[{"name":"numbers","data":[1,2,3]""", [ "JSON" ]
                "numbers", "", [ "JSON" ]
                "numbers", String.replicate 2000 "[", [ "an object" ]
            ] do
            infer name body |> Serving.refused 400 words

    [<Fact>]
    let ``what cannot be answered is a problem with a sentence`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"
        Serving.write path (Serving.ofImages 3UL: Model<float32>)
        let token = String('t', 40)

        use service =
            Serving.startWith (AccessRules([ "models.example" ], token)) [ "images", path ]

        let own = service.Client.DefaultRequestHeaders
        service.Get "/models" |> Serving.refused 401 [ "Authorization"; "none" ]
        own.Add("Authorization", "Bearer wrong")
        service.Get "/models" |> Serving.refused 401 [ "another" ]
        // Who only asks whether the service lives needs none.
        Assert.Equal(HttpStatusCode.OK, (service.Get "/v2/health/live").StatusCode)
        own.Remove "Authorization" |> ignore
        own.Add("Authorization", $"bearer {token}")
        Assert.Equal(HttpStatusCode.OK, (service.Get "/models").StatusCode)

        service.Get "/other" |> Serving.refused 404 [ "/other"; "openapi.json" ]
        service.Get "/v2/models/digits" |> Serving.refused 404 [ "images"; "'digits'" ]

        service.Get "/v2/models/images/versions/1"
        |> Serving.refused 404 [ "version"; "'1'" ]

        service.Get "/models/images/predict" |> Serving.refused 405 [ "POST"; "GET" ]

        let head =
            service.Client
                .SendAsync(new HttpRequestMessage(HttpMethod.Head, "/v2/health/ready"))
                .Result

        Assert.Equal(HttpStatusCode.OK, head.StatusCode)
        Assert.Empty(Serving.bytes head)

        service.Post("/models/images/predict", "text/html", [||])
        |> Serving.refused 415 [ "image/png"; "'text/html'" ]

        service.Post("/models/images/predict", "", [||])
        |> Serving.refused 415 [ "none" ]

        service.Post("/v2/models/images/infer", "text/plain", [||])
        |> Serving.refused 415 [ "application/json" ]

        for path, kind, body in
            [
                "/models/images/predict", "application/octet-stream", Array.zeroCreate 6
                "/v2/models/images/infer", "application/json", "{}"B
            ] do
            let content = new ByteArrayContent(body)
            content.Headers.ContentType <- Headers.MediaTypeHeaderValue kind
            content.Headers.ContentEncoding.Add "gzip"

            let answer =
                service.Send(new HttpRequestMessage(HttpMethod.Post, path, Content = content))

            Exactly.equal [ "identity" ] (List.ofSeq (answer.Headers.GetValues "Accept-Encoding"))
            answer |> Serving.refused 415 [ "Content-Encoding"; "'gzip'" ]

        service.Post("/models/images/predict", "application/octet-stream", [| 1uy |])
        |> Serving.refused 400 [ "6 bytes"; "1 bytes" ]

        service.Post("/models/images/predict", "text/csv", "a,b\n1,2"B)
        |> Serving.refused 400 [ "6 columns"; "found 2" ]

        // The client waits for a word of the service before it sends so much.
        own.ExpectContinue <- true

        service.Post(
            "/models/images/predict",
            "application/octet-stream",
            Array.zeroCreate (9 <<< 20)
        )
        |> Serving.refused 413 [ "8388608" ]

        own.ExpectContinue <- false

        let asked (name: string, value: string) =
            let request =
                new HttpRequestMessage(
                    HttpMethod.Post,
                    "/models/images/predict",
                    Content = new ByteArrayContent [||]
                )

            request.Headers.TryAddWithoutValidation(name, value) |> ignore
            service.Send request

        asked ("Host", "evil.example")
        |> Serving.refused 421 [ "Serve:Hosts"; "'evil.example'" ]

        asked ("Host", "localhost.evil.example") |> Serving.refused 421 [ "Host" ]
        // A name of the list passes, with or without a port.
        asked ("Host", "MODELS.example:1234") |> Serving.refused 415 []

        asked ("Sec-Fetch-Site", "cross-site")
        |> Serving.refused 403 [ "another origin" ]

        asked ("Origin", "http://localhost:1")
        |> Serving.refused 403 [ "another origin" ]

        asked ("Origin", service.Address) |> Serving.refused 415 []
        asked ("Sec-Fetch-Site", "same-origin") |> Serving.refused 415 []

    [<Fact>]
    let ``a service that has too much to do says so, and a slow request ends`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"
        Serving.write path (Serving.ofImages 3UL: Model<float32>)
        use service = Serving.start [ "images", path ]
        let limiter = service.Application.Services.GetRequiredService<WorkLimiter>()
        use stop = new CancellationTokenSource()
        let factory = service.Application.Services.GetRequiredService<IMeterFactory>()
        let counted = ConcurrentBag<int>()
        use listener = new MeterListener()

        listener.InstrumentPublished <-
            fun instrument listener ->
                if
                    obj.ReferenceEquals(instrument.Meter.Scope, factory)
                    && instrument.Name = "pipeline.serving.refusals"
                then
                    listener.EnableMeasurementEvents instrument

        listener.SetMeasurementEventCallback<int64>(fun _ _ tags _ ->
            for tag in tags do
                match tag.Key, tag.Value with
                | "status", (:? int as status) -> counted.Add status
                | _ -> ())

        listener.Start()

        // Every processor is taken.
        let working = [|
            for _ in 1 .. Environment.ProcessorCount ->
                limiter.AcquireAsync(CancellationToken.None).AsTask().Result
        |]

        /// A request of unknown length, which may be a long one.
        let ask () =
            let content = new StreamContent(new MemoryStream(Array.zeroCreate<byte> 6))

            content.Headers.ContentType <-
                Headers.MediaTypeHeaderValue.Parse "application/octet-stream"

            let request =
                new HttpRequestMessage(HttpMethod.Post, "/models/images/predict", Content = content)

            request.Headers.TransferEncodingChunked <- true
            service.Client.SendAsync request

        let waiting = [|
            for _ in 1 .. WorkLimiter.MostWaiting -> limiter.AcquireAsync(stop.Token).AsTask()
        |]

        let refused = (ask ()).Result
        Serving.refused 503 [ "64 long requests" ] refused

        Assert.Equal(Nullable(TimeSpan.FromSeconds 1.0), (nonNull refused.Headers.RetryAfter).Delta)

        // Short requests pass.
        Assert.Equal(
            HttpStatusCode.OK,
            (service.Post("/models/images/predict", "application/octet-stream", Array.zeroCreate 6))
                .StatusCode
        )

        // Those that waited are gone, and the next one waits in vain.
        stop.Cancel()
        Assert.True(waiting |> Array.forall (fun one -> one.IsCanceled))
        (ask ()).Result |> Serving.refused 503 [ "1 s each" ]

        let begun () =
            let tcp = new Sockets.TcpClient("127.0.0.1", (Uri service.Address).Port)
            let stream = tcp.GetStream()

            stream.Write(
                Encoding.ASCII.GetBytes
                    "POST /models/images/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: 60000\r\n\r\nx"
            )

            stream

        // A body that does not come ends, and so does one that comes too slowly to be whole in time.
        use silent = begun ()
        use slow = begun ()
        let answer = new StreamReader(slow)
        let status = answer.ReadLineAsync()

        // The service may close the connection while the client writes.
        let isOpen () =
            try
                slow.Write(ReadOnlySpan(Array.zeroCreate<byte> 400))
                true
            with :? IOException ->
                false

        while not (status.Wait 100) && isOpen () do
            ()

        Assert.StartsWith("HTTP/1.1 504", status.Result)
        use reader = new StreamReader(silent)
        Assert.StartsWith("HTTP/1.1 408", reader.ReadLine())

        for lease in working do
            lease.Dispose()

        Assert.Equal(HttpStatusCode.OK, (ask ()).Result.StatusCode)

        let long = new ByteArrayContent(Array.zeroCreate ((8 <<< 20) + 1))
        long.Headers.ContentType <- Headers.MediaTypeHeaderValue.Parse "application/octet-stream"

        let isTooLong =
            try
                service.Client.PostAsync("/models/images/predict", long).Result.StatusCode =
                    HttpStatusCode.RequestEntityTooLarge
            with :? AggregateException ->
                // The service closes the connection before the whole body is sent.
                true

        Assert.True isTooLong
        let expected = [ 408; 413; 503; 503; 504 ]

        let isCounted () =
            List.sort (List.ofSeq counted) = expected

        Assert.True(
            SpinWait.SpinUntil(isCounted, TimeSpan.FromSeconds 20.0),
            $"expected {expected}, found {List.sort (List.ofSeq counted)}"
        )

    [<Fact>]
    let ``a request that is cut or changed is refused or answered, never a failure`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.safetensors"
        Serving.write path (Serving.ofRows 1UL: Model<float32>)
        use service = Serving.start [ "rows", path ]

        let sound = [
            "/v2/models/rows/infer",
            "application/json",
            """{"id":"a","inputs":[{"name":"plan","shape":[1],"data":["basic"]},{"name":"numbers","shape":[1,2],"data":[25,3.5]}]}"""
            "/models/rows/predict", "application/json", rowsJson
            "/models/rows/predict", "text/csv", rowsCsv
        ]

        for path, kind, body in sound do
            let body = Encoding.UTF8.GetBytes body

            for draw in 0 .. Given.times "HOSTILE_INPUTS" 150 - 1 do
                let random limit place =
                    RandomNumbers.below limit 11UL RandomStream.GradientCheck (int64 draw) place

                let changed =
                    if draw % 3 = 0 then
                        body[.. random body.Length 0 - 1]
                    else
                        let copy = Array.copy body

                        for i in 0 .. draw % 4 do
                            copy[random copy.Length (2 * i)] <- byte (random 256 (2 * i + 1))

                        copy

                let answer = service.Post(path, kind, changed)

                if answer.StatusCode <> HttpStatusCode.OK then
                    Serving.refused 400 [] answer

    [<Law(MaxTest = 500)>]
    let ``the loop over whole numbers reads what a reader of JSON reads, or nothing``
        (numbers: NonEmptyArray<uint32>)
        (seed: Seed)
        =
        let (Seed seed) = seed

        let random limit draw =
            RandomNumbers.below limit seed RandomStream.GradientCheck 0L draw

        let pick draw (texts: string list) = texts[random texts.Length draw]

        let written =
            numbers.Get
            |> Array.mapi (fun i number ->
                let text =
                    match random 40 (3 * i) with
                    | 0 -> $"{number}.5"
                    | 1 -> $"-{number}"
                    | 2 -> $"0{number}"
                    | 3 -> "null"
                    | 4 -> ""
                    | kind when kind < 8 -> $"{number}"
                    | _ -> $"{number % 256u}"

                pick (3 * i + 1) [ ""; ""; " "; "\n\t" ]
                + text
                + pick (3 * i + 2) [ ""; ""; " " ])
            |> String.concat ","

        let body =
            $"""{{"inputs":[{{"data":[{written}],"name":"a"}},{{"name":"b","data":["x"]}}],"id":"1"}}"""
            |> Encoding.UTF8.GetBytes

        let body =
            if random 4 1_000_000 = 0 then
                body[.. random body.Length 1_000_001]
            else
                body

        let parsed (isFast: bool) =
            try
                use request = InferenceRequest.Parse(ReadOnlySpan body, isFast)

                Ok(
                    request.Id,
                    [
                        for input in request.Inputs ->
                            input.Name,
                            (if input.Pixels.HasValue then
                                 Some(Seq.map float input.Pixels.Value |> List.ofSeq)
                             else
                                 input.Numbers |> Option.ofObj |> Option.map List.ofArray),
                            input.Strings
                    ]
                )
            with :? RefusedException as refused ->
                Error(List.ofSeq refused.Reasons)

        match parsed false, parsed true with
        | Error _, Error _ -> ()
        | slow, fast -> Exactly.equal slow fast

        // The messages are those of the reader that parses every number.
        let told =
            try
                InferenceRequest.Parse(ReadOnlySpan body) |> ignore
                None
            with :? RefusedException as refused ->
                Some(List.ofSeq refused.Reasons)

        match parsed false with
        | Ok _ -> Exactly.equal None told
        | Error reasons -> Exactly.equal (Some reasons) told

    let private health (service: Service) =
        service.Application.Services
            .GetRequiredService<HealthCheckService>()
            .CheckHealthAsync()
            .Result.Status

    [<Fact>]
    let ``a new model takes over, and a bad file never does`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"
        Serving.write path (Serving.ofImages 1UL: Model<float32>)
        use service = Serving.start [ "images", path ]
        let pixels = [| 1uy; 2uy; 3uy; 4uy; 5uy; 6uy |]

        let ask () =
            service.Post("/models/images/predict", "application/octet-stream", pixels)

        let first = Serving.hash (ask ())
        let second: Model<float32> = Serving.ofImages 2UL
        Serving.write path second
        Serving.look service
        let replaced = Serving.hash (ask ())
        Assert.NotEqual<string>(first, replaced)
        Assert.Equal(HealthStatus.Healthy, health service)
        // A double-precision model of the same kind may take its place too.
        Serving.write path (Serving.ofImages 3UL: Model<float>)
        Serving.look service
        let current = Serving.hash (ask ())
        Assert.NotEqual<string>(replaced, current)
        let whole = Safetensors.write second

        let broken: (string * (unit -> unit)) list = [
            "cut", (fun () -> File.WriteAllBytes(path, whole[.. whole.Length / 2]))
            "empty", (fun () -> File.WriteAllBytes(path, [||]))
            "something else", (fun () -> File.WriteAllText(path, String('x', 5000)))
            "another shape", (fun () -> Serving.write path (Serving.ofNumbers 1UL: Model<float32>))
            "other classes",
            (fun () ->
                Serving.write path {
                    (Serving.ofImages 1UL: Model<float32>) with
                        Classes = [ "a"; "b"; "d" ]
                })
            "removed", (fun () -> File.Delete path)
            "a folder", (fun () -> Directory.CreateDirectory path |> ignore)
        ]

        for what, damage in broken do
            damage ()
            Serving.look service
            let answer = ask ()
            Assert.True((HttpStatusCode.OK = answer.StatusCode), what)
            Assert.Equal(current, Serving.hash answer)
            Assert.Equal(HealthStatus.Degraded, health service)
            Assert.Equal(HttpStatusCode.OK, (service.Get "/v2/health/ready").StatusCode)

        Directory.Delete path
        Serving.write path second
        Serving.look service
        Assert.Equal(replaced, Serving.hash (ask ()))
        Assert.Equal(HealthStatus.Healthy, health service)

    [<Fact>]
    let ``while models are replaced, every answer is of one of them`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"
        let models = [| for seed in 1UL .. 2UL -> (Serving.ofImages seed: Model<float32>) |]
        let pixels = [| 10uy; 200uy; 30uy; 40uy; 250uy; 6uy |]

        let expected =
            dict [
                for model in models do
                    let outputs =
                        pixels
                        |> Array.map (fun pixel -> float32 pixel / 255f)
                        |> Kernels.matrix 6 1
                        |> Network.predict model.Network
                        |> Kernels.values

                    Convert.ToHexStringLower(
                        Security.Cryptography.SHA256.HashData(Safetensors.write model)
                    ),
                    outputs
            ]

        Serving.write path models[0]
        use service = Serving.start [ "images", path ]
        use stop = new CancellationTokenSource()

        let answered = Array.zeroCreate<int> 3

        let clients =
            Array.init answered.Length (fun client ->
                let run () =
                    while not stop.IsCancellationRequested do
                        let answer =
                            service.Post(
                                "/models/images/predict",
                                "application/octet-stream",
                                pixels
                            )

                        Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
                        let first = (Serving.json answer)[0]

                        let outputs = [|
                            for output in (first.GetProperty "outputs").EnumerateObject() ->
                                output.Value.GetSingle()
                        |]

                        Exactly.bits expected[Serving.hash answer] outputs
                        Interlocked.Increment &answered[client] |> ignore

                // Threads of their own: those of the pool answer.
                Tasks.Task.Factory.StartNew(run, Tasks.TaskCreationOptions.LongRunning))

        let swaps = Given.times "MODEL_SWAPS" 100
        let turn = ref 0

        let replace () =
            turn.Value <- turn.Value + 1
            Serving.write path models[turn.Value % 2]
            Serving.look service

        // Until each client has been answered meanwhile, however busy the machine is.
        while turn.Value < swaps
              || turn.Value < 50 * swaps
                 && answered |> Array.exists (fun count -> count < 5)
                 && not (clients |> Array.exists _.IsCompleted) do
            replace ()

        // Other parts of the process may grow now and then; models that are kept would grow each time.
        let growth _ =
            let before = GC.GetTotalMemory true

            for _ in 1 .. swaps / 2 do
                replace ()

            GC.GetTotalMemory true - before

        let isKept = Seq.init 5 growth |> Seq.forall (fun bytes -> bytes > 1_000_000L)
        stop.Cancel()
        (Tasks.Task.WhenAll clients).Wait()
        Assert.True(answered |> Array.forall (fun count -> count >= 5))
        Assert.False isKept

    [<Fact>]
    let ``openapi.json describes the mapped routes, and no others`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"
        Serving.write path (Serving.ofImages 1UL: Model<float32>)
        use service = Serving.start [ "images", path ]

        let mapped =
            service.Application.Services.GetServices<EndpointDataSource>()
            |> Seq.collect _.Endpoints
            |> Seq.choose (fun endpoint ->
                match endpoint with
                | :? RouteEndpoint as route ->
                    let methods = route.Metadata.GetMetadata<HttpMethodMetadata>() |> nonNull

                    // What answers GET answers HEAD.
                    if Seq.contains "GET" methods.HttpMethods then
                        Assert.Contains("HEAD", methods.HttpMethods)

                    Some [
                        for verb in methods.HttpMethods do
                            if verb <> "HEAD" then
                                $"{verb} {route.RoutePattern.RawText}"
                    ]
                | _ -> None)
            |> Seq.concat
            |> Seq.sort

        let openApi = Serving.json (service.Get "/openapi.json")

        let described = [
            for path in (openApi.GetProperty "paths").EnumerateObject() do
                for verb in path.Value.EnumerateObject() do
                    if verb.Name <> "parameters" then
                        $"{verb.Name.ToUpperInvariant()} {path.Name}"
        ]

        Assert.Equal<string>(mapped, List.sort described)

    [<Fact>]
    let ``names that are no part of a URL are refused`` () =
        let add (name: string) =
            ServiceCollection().AddPipelineModel(name, "x.safetensors")

        for name in [ ""; ".hidden"; "a/b"; "a b"; "ü"; String('a', 201); "a\n" ] do
            Exactly.equal
                $"the model's name: expected 1 to 200 letters of A to Z, digits, points, hyphens and underscores, not beginning with a point, found '{name}'."
                (refusal (fun () -> add name))

        for name in [ "digits"; "A-1_b.2"; "_"; String('a', 200) ] do
            add name |> ignore

    [<Fact>]
    let ``notes of predict are headers, and a byte order mark is no part of a request`` () =
        use scratch = new Scratch()
        let images, rows = scratch.Sub "images.safetensors", scratch.Sub "rows.safetensors"
        Serving.write images (Serving.ofImages 3UL: Model<float32>)
        Serving.write rows (Serving.ofRows 3UL: Model<float32>)
        use service = Serving.start [ "images", images; "rows", rows ]

        let notes (answer: HttpResponseMessage) =
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)

            match answer.Headers.TryGetValues "Pipeline-Note" with
            | true, values -> List.ofSeq (nonNull values)
            | _ -> []

        let blank = PngWriter.OfBytes(ByteImage(ImageSize.Grey(2, 3), Array.zeroCreate 6))

        Assert.Contains(
            "standard input is blank",
            Assert.Single(notes (service.Post("/models/images/predict", "image/png", blank)))
        )

        Assert.Empty(
            notes (service.Post("/models/rows/predict", "text/csv", Encoding.UTF8.GetBytes rowsCsv))
        )

        // A header is ASCII whatever a note names.
        Exactly.equal @"column gr\u00f6\u00dfe\n" (PlainEndpoint.HeaderText "column größe\n")

        let marked (text: string) =
            Array.append [| 0xEFuy; 0xBBuy; 0xBFuy |] (Encoding.UTF8.GetBytes text)

        let tensor =
            """{"inputs":[{"name":"pixels","shape":[1,2,3],"datatype":"UINT8","data":[1,2,3,4,5,6]}]}"""

        for path, text in [ "/v2/models/images/infer", tensor; "/models/rows/predict", rowsJson ] do
            let plain = service.Post(path, "application/json", Encoding.UTF8.GetBytes text)
            let answer = service.Post(path, "application/json", marked text)
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
            Exactly.bits (Serving.bytes plain) (Serving.bytes answer)
