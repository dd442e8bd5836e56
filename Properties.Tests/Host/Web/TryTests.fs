namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Net
open System.Net.Http
open System.Net.Http.Headers
open System.Text
open System.Text.Json
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// Models whose page is tried.
[<RequireQualifiedAccess>]
module Tried =
    /// A text that would run as a script if it were HTML.
    let hostile = "<img src=x onerror=alert(1)>"

    /// Rows with numbers and a category whose names and texts are hostile; missing values are filled in.
    let ofHostileRows () : Model<float32> =
        let model: Model<float32> = Serving.ofRows 1UL

        {
            model with
                Preprocessing =
                    Preprocessing.Table {
                        Numbers = [
                            {
                                Name = hostile
                                Fill = 3.0
                                Centre = 2.0
                                Scale = 1.0
                            }
                            {
                                Name = "__proto__"
                                Fill = -1.0
                                Centre = 0.0
                                Scale = 2.0
                            }
                        ]
                        Categories = [
                            {
                                Name = "\"'&"
                                Values = [ "</select>" + hostile; "two\nlines" ]
                                Fill = "two\nlines"
                            }
                        ]
                        Format = {
                            CellFormat.Default with
                                DecimalSeparator = ','
                        }
                    }
                Classes = [ hostile; "__proto__" ]
        }

    /// A model of three numbers with more classes than are shown.
    let ofManyClasses () : Model<float32> =
        LayerKinds.parse [] [ "dense 25" ]
        |> Result.bind (Architecture.create Head.Softmax (Shape.Vector 3))
        |> orFail
        |> Network.initialise (Initialiser.Fixed 0.7) 1UL
        |> Model.ofNetwork

    /// Writes a model, and starts a service that calls it by this name.
    let start (scratch: Scratch) (name: string) (model: Model<float32>) : Service =
        let path = scratch.Sub $"{name}.safetensors"
        Serving.write path model
        Pages.start [ name, path ]

/// The page to try a model without scripts: a form, and the answer as HTML.
module TryTests =
    let private post (service: Service) (path: string) (fields: (string * string) list) =
        let content =
            new FormUrlEncodedContent([ for name, value in fields -> KeyValuePair(name, value) ])

        let request = new HttpRequestMessage(HttpMethod.Post, path, Content = content)
        request.Headers.TryAddWithoutValidation("Accept", "text/html") |> ignore
        service.Send request

    let private ask (service: Service) (query: string) (body: 'Body) : HttpResponseMessage =
        service.Post(
            "/models/rows/predict" + query,
            "application/json",
            JsonSerializer.SerializeToUtf8Bytes body
        )

    /// The page's text, tags left out.
    let private shown (response: HttpResponseMessage) : string =
        let text = RegularExpressions.Regex.Replace(Pages.text response, "<[^>]*>", " ")
        RegularExpressions.Regex.Replace(WebUtility.HtmlDecode text |> string, @"\s+", " ")

    /// The answer for the first sample.
    let private answerOf (response: HttpResponseMessage) : JsonElement =
        (Serving.json response).EnumerateArray() |> Seq.head

    let private fixedText (number: float) : string =
        number.ToString("F4", Globalization.CultureInfo.InvariantCulture)

    [<Fact>]
    let ``a row's form begins with a typical row and gives what the plain endpoint gives`` () =
        use scratch = new Scratch()
        use service = Tried.start scratch "rows" (Serving.ofRows 1UL)
        let first = Pages.text (Pages.visit service "/try/rows")
        // The centre where missing values are refused, otherwise what they are filled with.
        Assert.Contains("data-column=\"age\" value=\"40\" required", first)
        Assert.Contains("data-column=\"calls\" value=\"1\" placeholder=\"missing\"", first)
        Assert.DoesNotContain("(missing)", first)

        Assert.Contains(
            "Class yes is answered if its probability is at least 0.3000",
            shown (Pages.visit service "/try/rows")
        )

        for age, calls, plan in [ "25", "3", "basic"; "61.5", "", "plus"; "-1e3", "2", "plus" ] do
            let answer =
                post service "/try/rows" [
                    "column0", age
                    "column1", calls
                    "column2", plan
                    "explain", "on"
                ]

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
            let page = shown answer

            let said =
                (ask service "?explain=true" {|
                    age = age
                    calls = calls
                    plan = plan
                 |}
                 |> answerOf)

            let named = said.GetProperty("class").GetString() |> nonNull

            let probability (name: string) =
                said.GetProperty("outputs").GetProperty(name).GetDouble() |> fixedText

            let set =
                [ for name in said.GetProperty("set").EnumerateArray() -> string name ]
                |> String.concat ", "

            Assert.Contains($"Answer {named} ({probability named}) 90 %% set: {set} Class", page)

            Assert.Contains($"""no {probability "no"} yes {probability "yes"}""", page)

            for part in said.GetProperty("explanation").GetProperty("columns").EnumerateObject() do
                let adds = part.Value.GetDouble()
                let sign = if adds < 0.0 then "−" else "+"
                Assert.Contains($"{part.Name} {sign}{fixedText (abs adds)}", page)

            // The form keeps what was asked.
            Assert.Contains($"value=\"{age}\"", Pages.text answer)
            Assert.Matches($"<option value=\"{plan}\" selected", Pages.text answer)

        let plain =
            post service "/try/rows" [ "column0", "25"; "column1", "3"; "column2", "basic" ]

        Assert.DoesNotContain("which is", shown plain)

    [<Fact>]
    let ``a text in a form stays the text of its cell`` () =
        use scratch = new Scratch()
        use service = Tried.start scratch "rows" (Serving.ofRows 1UL)

        for text in
            [
                "\""
                "\\"
                "25\",\"plan\":\"plus"
                "25,3,plus"
                "25}, {\"age\": 1"
                "]"
                "25\n61"
                "25&column1=7"
                "=1+1"
                "\u0007"
                "\u202E25"
                "NaN"
                "1e400"
                " 25 "
                "plus"
                Tried.hostile
            ] do
            for place in 0..2 do
                let cells =
                    [ "25"; "3"; "basic" ]
                    |> List.mapi (fun i cell -> if i = place then text else cell)

                let answer =
                    post service "/try/rows" [
                        for i, cell in List.indexed cells do
                            $"column{i}", cell
                    ]

                let expected =
                    ask service "" {|
                        age = cells[0]
                        calls = cells[1]
                        plan = cells[2]
                    |}

                Assert.Equal(expected.StatusCode, answer.StatusCode)
                Assert.DoesNotContain("<img", Pages.text answer)

                if answer.StatusCode = HttpStatusCode.OK then
                    let outputs = (answerOf expected).GetProperty "outputs"
                    let yes = outputs.GetProperty("yes").GetDouble()
                    Assert.Contains($"yes {fixedText yes}", shown answer)
                else
                    for said in (Serving.json expected).GetProperty("errors").EnumerateArray() do
                        let sentence = (string said).Replace("standard input", "the form")
                        Assert.Contains(sentence, WebUtility.HtmlDecode(Pages.text answer))

    [<Fact>]
    let ``hostile names and categories are texts, and a category may have several lines`` () =
        use scratch = new Scratch()
        use service = Tried.start scratch "hostile" (Tried.ofHostileRows ())

        for cells in [ [ "2.125"; ""; "two\r\nlines" ]; [ ""; "1"; "</select>" + Tried.hostile ] ] do
            let answer =
                post service "/try/hostile" [
                    "explain", "on"
                    for i, cell in List.indexed cells do
                        $"column{i}", cell
                ]

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
            Assert.DoesNotContain("<img", Pages.text answer)
            Assert.Contains("&lt;img src=x onerror=alert(1)&gt;", Pages.text answer)

    [<Fact>]
    let ``a line of numbers and a file are sent as forms too`` () =
        use scratch = new Scratch()
        use numbers = Tried.start scratch "numbers" (Serving.ofNumbers 1UL)

        let printed (service: Service) (path: string) (kind: string) (body: byte[]) =
            (service.Post(path, kind, body) |> answerOf).GetProperty "outputs"

        let expected =
            printed numbers "/models/numbers/predict" "application/json" "[1, -2.5, 1e2]"B

        for line in [ "1 -2.5 1e2"; "1,-2.5,1e2"; " 1;\r\n-2.5;1e2\n" ] do
            let page = post numbers "/try/numbers" [ "numbers", line ] |> shown

            for output in expected.EnumerateObject() do
                Assert.Contains($"{output.Name} {output.Value.GetRawText()}", page)

        for line, word in [ "1 2", "found 2"; " ", "found none"; "1 2 x", "'x'" ] do
            let refused = post numbers "/try/numbers" [ "numbers", line ]
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode)
            Assert.Contains(word, shown refused)

        use images = Tried.start scratch "images" (Serving.ofImages 1UL)

        let upload (bytes: byte[]) (isDarkInk: bool) =
            let content = new MultipartFormDataContent()
            content.Add(new ByteArrayContent(bytes), "image", "a.png")

            if isDarkInk then
                content.Add(new StringContent "on", "dark_ink")

            let request =
                new HttpRequestMessage(HttpMethod.Post, "/try/images", Content = content)

            request.Headers.TryAddWithoutValidation("Accept", "text/html") |> ignore
            images.Send request

        let png =
            PngWriter.OfBytes(
                ByteImage(ImageSize.Grey(2, 3), [| 0uy; 255uy; 0uy; 7uy; 99uy; 0uy |])
            )

        for isDarkInk in [ false; true ] do
            let query = if isDarkInk then "?dark_ink=true" else ""
            let expected = printed images ("/models/images/predict" + query) "image/png" png
            let answer = upload png isDarkInk
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)

            for output in expected.EnumerateObject() do
                Assert.Contains(
                    $"{output.Name} {fixedText (output.Value.GetDouble())}",
                    shown answer
                )

        for bytes, words in
            [
                PngWriter.OfBytes(ByteImage(ImageSize.Grey(3, 3), Array.zeroCreate 9)),
                "images of 3 × 3 pixels"
                "not an image"B, "a PNG file, found 12 bytes"
                [||], "a PNG file, found none"
                png[.. png.Length - 4], "cut short"
            ] do
            let refused = upload bytes false
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode)
            Assert.Contains(words, shown refused)

    [<Fact>]
    let ``forms are limited, and those of other origins are refused`` () =
        use scratch = new Scratch()
        use service = Tried.start scratch "rows" (Serving.ofRows 1UL)

        service.Post("/try/rows", "application/json", "{}"B)
        |> Serving.refused 415 [ "application/x-www-form-urlencoded" ]

        service.Post("/try/rows", "", "column0=1"B) |> Serving.refused 415 [ "none" ]

        let form = "application/x-www-form-urlencoded"
        service.Post("/try/rows", form, "column0=%00"B) |> Serving.refused 400 []
        let many = String.concat "&" [ for i in 0..100 -> $"column{i}=1" ]

        service.Post("/try/rows", form, Encoding.UTF8.GetBytes many)
        |> Serving.refused 400 []

        // The client waits for a word of the service before it sends so much.
        service.Client.DefaultRequestHeaders.ExpectContinue <- true

        service.Post("/try/rows", form, Array.create (9 <<< 20) (byte 'a'))
        |> Serving.refused 413 []

        service.Client.DefaultRequestHeaders.ExpectContinue <- false

        for kind in [ "multipart/form-data"; "multipart/form-data; boundary=x" ] do
            service.Post("/try/rows", kind, "--x\r\nContent-Disp"B)
            |> Serving.refused 400 []

        let foreign =
            new HttpRequestMessage(
                HttpMethod.Post,
                "/try/rows",
                Content = new StringContent("column0=1", MediaTypeHeaderValue form)
            )

        foreign.Headers.Add("Origin", "http://evil.example")
        service.Send foreign |> Serving.refused 403 [ "another origin" ]

        service.Post("/try/none", form, "column0=1"B)
        |> Serving.refused 404 [ "'none'" ]

    [<Fact>]
    let ``pages tell whether the samples of a model are those of its training`` () =
        use scratch = new Scratch()
        let path, plain = scratch.Sub "rows.safetensors", scratch.Sub "plain.safetensors"
        Serving.write path (DriftTests.rowsModel 1UL)
        Serving.write plain (Serving.ofRows 1UL: Model<float32>)
        use service = Pages.start [ "rows", path; "plain", plain ]

        let page address =
            Pages.text (Pages.visit service address)

        let ask rows =
            let answer = service.Post("/models/rows/predict", "text/csv", DriftTests.csv rows)
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
            (DriftTests.monitor service).Look()

        ask (DriftTests.usual 5000 10)
        Assert.Contains("10 samples so far; the first window ends with 1000.", page "/try/rows")
        Assert.Contains("no statistics of its training", page "/try/plain")
        ask (DriftTests.usual 6000 1000)
        Assert.Contains("The last 1,010 samples are as in training.", page "/try")

        ask [
            for age, calls, plan in DriftTests.usual 8000 1000 -> age + 30.0, calls, plan
        ]

        for address in [ "/try"; "/try/rows" ] do
            Assert.Contains("Drifted. age: ", page address)

        Assert.Contains("<th scope=\"row\">calls</th>", page "/try/rows")
