namespace Pipeline.Properties.Host

open System
open System.IO
open System.Net
open System.Net.Http
open System.Text
open System.Text.Json
open System.Text.RegularExpressions
open System.Xml.Linq
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Pipeline.Web
open StbImageSharp

/// The page of a run, and what it asks for while the run trains.
module RunPageTests =
    let private name = "20300101T000000Z-a"
    let private settings = PipelineSettings()

    /// The lines of logs of a run, and of the same run resumed, which took other times.
    let private logs (seed: uint64) : (string list * string list) * (string list * string list) =
        let random limit place i =
            RandomNumbers.below limit seed RandomStream.GradientCheck (int64 i) place

        let steps (salt: int) = [
            for i in 1..1300 ->
                let loss = 1.0 + float (random 1000 0 i) / 999.0

                $"{i},{(i - 1) / 20},{loss},0.1,{i}.{random 10 salt i}"
        ]

        let epochs (salt: int) = [
            for i in 0..65 ->
                let loss = float (random 1000 5 i) / 333.0

                $"{i},{20 * i},{loss},0.5,{loss},0.25,{i}.{random 10 salt i},,"
        ]

        (steps 1, epochs 2), (steps 3, epochs 4)

    let private bytes (header: string) (lines: string list) : byte[] =
        header :: lines
        |> List.map (fun line -> line + "\n")
        |> String.concat ""
        |> Encoding.UTF8.GetBytes

    [<Law(MaxTest = 15)>]
    let ``what a page has shown, piece by piece, is what a first look shows, also when a resumed run has cut its logs off``
        (Seed seed)
        =
        use scratch = new Scratch()
        Folders.create scratch.Path name settings |> ignore
        let path = scratch.Sub name
        let file (log: string) = Path.Combine(path, log)
        let (steps, epochs), (stepsAgain, epochsAgain) = logs seed
        let stepsHeader = File.ReadAllText(file "progress.csv").Trim()
        let epochsHeader = File.ReadAllText(file "epochs.csv").Trim()
        let whole = [| bytes stepsHeader steps; bytes epochsHeader epochs |]
        let names = [| "progress.csv"; "epochs.csv" |]
        let headers = [| stepsHeader; epochsHeader |]
        let lines = [| steps, stepsAgain; epochs, epochsAgain |]
        let kept = LoggedRun path
        let mutable cursor = RunCursor()
        let mutable rows: string[] list = []

        let random limit place draw =
            RandomNumbers.below limit seed RandomStream.GradientCheck (int64 draw) place

        for turn in 0..14 do
            for log in 0..1 do
                if turn > 0 && random 4 (20 + log) turn = 0 then
                    // Cut off after some lines; from there on the resumed run writes its own.
                    let before, after = lines[log]
                    let left = random (before.Length + 1) (30 + log) turn
                    let resumed = List.take left before @ List.skip left after
                    lines[log] <- (resumed, before)
                    whole[log] <- bytes headers[log] resumed
                    let size = (bytes headers[log] (List.take left before)).Length
                    let grown = min whole[log].Length (size + random 3000 (40 + log) turn)
                    File.WriteAllBytes(file names[log], whole[log][.. grown - 1])
                else
                    // Some bytes more; the last line may be a part of one.
                    let size = int (FileInfo(file names[log])).Length
                    let grown = min whole[log].Length (size + random 6000 (50 + log) turn)
                    File.WriteAllBytes(file names[log], whole[log][.. grown - 1])

            let state = kept.Look cursor
            cursor <- RunCursor.Parse(string state.Cursor)
            let fresh = RunTexts.Epochs state.Epochs |> List.ofSeq

            rows <-
                List.truncate RunState.MostEpochs (if state.IsReset then fresh else fresh @ rows)

            let first = LoggedRun path
            let seen = first.Look()
            Assert.False seen.IsReset
            Assert.Equal<string[] list>(List.ofSeq (RunTexts.Epochs seen.Epochs), rows)

            Assert.Equal<string[] list>(
                List.ofSeq (RunTexts.Figures seen),
                List.ofSeq (RunTexts.Figures state)
            )

            if turn % 3 = 0 then
                let struct (svg, points) = kept.Draw()
                let struct (firstSvg, firstPoints) = first.Draw()
                Assert.Equal(firstSvg, svg)
                Assert.Equal<byte[]>(firstPoints, points)

            // Nothing is new where nothing has happened.
            let again = kept.Look cursor
            Assert.Empty again.Epochs
            Assert.False again.IsReset
            Assert.Equal(state.Cursor, again.Cursor)

    /// An element of a list.
    let private item (name: string) (place: int) (element: JsonElement) : JsonElement =
        (element.GetProperty name).EnumerateArray() |> Seq.item place

    let private json (response: HttpResponseMessage) = Serving.json response

    let private progress (service: Service) (since: string) =
        let response = service.Get $"/runs/{name}/progress?since={since}"
        Assert.Equal(HttpStatusCode.OK, response.StatusCode)
        json response

    let private strings (element: JsonElement) = [
        for one in element.EnumerateArray() -> string one
    ]

    let private rows (state: JsonElement) = [
        for row in (state.GetProperty "rows").EnumerateArray() -> strings row
    ]

    [<Fact>]
    let ``a place that is none of the log begins anew`` () =
        use scratch = new Scratch()
        let logs = Folders.create scratch.Path name settings
        use service = Pages.ofRuns scratch.Path
        let start = progress service ""
        Assert.Empty(rows start)

        for epoch in 0L .. 29L do
            Folders.step logs (5L * epoch + 1L) 0.5 (float epoch)
            Folders.epoch logs epoch 0.5 0.5

        let state = progress service (string (start.GetProperty "cursor"))
        Assert.False((state.GetProperty "reset").GetBoolean())
        // The newest twenty.
        Assert.Equal<string list>(
            [ for epoch in 29..-1..10 -> string epoch ],
            rows state |> List.map List.head
        )

        let cursor = string (state.GetProperty "cursor")
        Assert.Empty(rows (progress service cursor))
        let parts = cursor.Split '-'
        Folders.epoch logs 30L 0.5 0.5
        let next = progress service cursor
        Assert.Equal<string list>([ "30" ], rows next |> List.map List.head)

        for wrong in
            [
                $"{parts[0]}-{int parts[1] - 1}-{parts[2]}"
                $"{parts[0]}-{parts[1]}-{uint32 parts[2] ^^^ 1u}"
                $"{parts[0]}-{Int64.MaxValue}-{parts[2]}"
                $"{Int64.MaxValue}-{parts[1]}-{parts[2]}"
            ] do
            let state = progress service wrong
            Assert.True((state.GetProperty "reset").GetBoolean(), wrong)
            Assert.Equal(20, (rows state).Length)

        // What is no place is the beginning.
        for none in [ "x"; "-1-2-3"; "1-2"; "1-2-99999999999"; "%00"; String('9', 500) ] do
            Assert.Equal(20, (rows (progress service none)).Length)

    [<Fact>]
    let ``figures are those of the summary once there is one, and numbers that are none are not shown``
        ()
        =
        use scratch = new Scratch()
        let logs = Folders.create scratch.Path name settings
        use service = Pages.ofRuns scratch.Path

        let figures () =
            let state = progress service ""

            string (state.GetProperty "status"),
            [
                for figure in (state.GetProperty "figures").EnumerateArray() -> strings figure
            ]

        Folders.step logs 1L nan 0.5
        Folders.epoch logs 0L nan nan
        Folders.step logs 2L infinity 2.0
        let status, early = figures ()
        Assert.Equal("running", status)
        Assert.DoesNotContain(early, fun figure -> (List.head figure).Contains "loss")
        Assert.Equal(HttpStatusCode.OK, (service.Get $"/runs/{name}/curves.svg").StatusCode)
        let points = json (service.Get $"/runs/{name}/points")
        let losses = points |> item "charts" 0 |> item "lines" 0
        Assert.Equal(JsonValueKind.Null, (item "y" 0 losses).ValueKind)
        Folders.epoch logs 1L 0.9447 0.9447
        Assert.Contains([ "test accuracy"; "0.9447" ], snd (figures ()))
        Folders.finish scratch.Path name "completed" 0.25 0.9474
        let status, last = figures ()
        Assert.Equal("completed", status)
        Assert.Contains([ "test accuracy"; "0.9474" ], last)
        Assert.Contains([ "test loss"; "0.2500" ], last)
        let page = Pages.text (Pages.visit service $"/runs/{name}")
        Assert.Contains("<dt>test accuracy</dt><dd>0.9474</dd>", page)
        Assert.Contains("&lt;b&gt;a finding&lt;/b&gt;", page)
        // The last evaluation is in the picture.
        let points = json (service.Get $"/runs/{name}/points")
        let lines = (item "charts" 0 points).GetProperty "lines"

        let test = [
            for line in lines.EnumerateArray() do
                if string (line.GetProperty "name") = "test set" then
                    line
        ]

        Assert.Equal<float list>(
            [ 0.0; 5.0; 10.0 ],
            [ for x in (test[0].GetProperty "x").EnumerateArray() -> x.GetDouble() ]
        )

    [<Fact>]
    let ``documents of a run's folder can do nothing`` () =
        use scratch = new Scratch()
        Folders.create scratch.Path name settings |> ignore
        use service = Pages.ofRuns scratch.Path

        service.Get $"/runs/{name}/evaluation.html"
        |> Serving.refused 404 [ "evaluation.html" ]

        File.WriteAllText(
            Path.Combine(scratch.Path, name, "evaluation.html"),
            "<script>alert(1)</script>"
        )

        for document in [ "evaluation.html"; "curves.svg" ] do
            let response = service.Get $"/runs/{name}/{document}"
            Assert.Equal(HttpStatusCode.OK, response.StatusCode)
            let policy = response.Headers.GetValues "Content-Security-Policy" |> Seq.exactlyOne

            Assert.Equal(
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox",
                policy
            )

        Assert.Contains(
            "href=\"/runs/20300101T000000Z-a/evaluation.html\"",
            Pages.text (Pages.visit service $"/runs/{name}")
        )

    [<Fact>]
    let ``a run whose settings are damaged says so`` () =
        use scratch = new Scratch()
        Folders.create scratch.Path name settings |> ignore
        File.WriteAllText(Path.Combine(scratch.Path, name, "settings.json"), "{")
        use service = Pages.ofRuns scratch.Path

        for part in [ ""; "/progress"; "/curves.svg"; "/points" ] do
            service.Get $"/runs/{name}{part}" |> Serving.refused 422 [ "settings.json" ]

    let private weights = [| 0.5f; -1f; 0f; 0.25f; 1f; -0.5f |]

    /// A model of images of 2 × 3 pixels whose two units have these weights, forwards and backwards.
    let private model () : Model<float32> =
        let architecture = Architecture.dense Activation.Tanh [ 6; 2; 3 ]

        let network = Network.initialise (Initialiser.Fixed 0.1) 1UL architecture
        let layers = network.Parameters.Layers
        let first = layers.Head

        let matrix =
            Kernels.matrix 2 6 [|
                for i in 0..5 do
                    weights[i]
                    weights[5 - i]
            |]

        let first = {
            first with
                Matrices = [ (fst first.Matrices.Head, matrix) ]
        }

        {
            Model.ofNetwork {
                network with
                    Parameters = {
                        network.Parameters with
                            Layers = first :: layers.Tail
                    }
            } with
                Preprocessing = Preprocessing.Pixels(ImageSize.Grey(2, 3))
        }

    [<Fact>]
    let ``the picture of the first layer has a tile for each unit`` () =
        use scratch = new Scratch()
        Folders.create scratch.Path name settings |> ignore
        use service = Pages.ofRuns scratch.Path
        service.Get $"/runs/{name}/first-layer.png" |> Serving.refused 404 [ "images" ]
        Serving.write (Path.Combine(scratch.Path, name, "model.safetensors")) (model ())
        let response = service.Get $"/runs/{name}/first-layer.png"
        Assert.Equal("image/png", (nonNull response.Content.Headers.ContentType).MediaType)
        // Another reader of PNG than that of the program.
        let image =
            ImageResult.FromMemory(Serving.bytes response, ColorComponents.RedGreenBlue)

        Assert.Equal((7, 2), (image.Width, image.Height))

        for row in 0..1 do
            for column in 0..6 do
                let red, green, blue =
                    let at = 3 * (row * 7 + column)
                    int image.Data[at], int image.Data[at + 1], int image.Data[at + 2]

                let weight =
                    if column < 3 then weights[row * 3 + column]
                    elif column = 3 then 0f
                    else weights[5 - (row * 3 + column - 4)]

                let blend full =
                    255.0 + float (abs weight) * (full - 255.0) |> Math.Round |> int

                let expected =
                    if column = 3 then
                        // The line between them.
                        221, 227, 234
                    elif weight < 0f then
                        blend 33.0, blend 102.0, blend 172.0
                    else
                        blend 178.0, blend 24.0, blend 43.0

                Assert.Equal(expected, (red, green, blue))

        Assert.Contains("first-layer.png", Pages.text (Pages.visit service $"/runs/{name}"))
        // A model of rows has a table.
        Serving.write
            (Path.Combine(scratch.Path, name, "model.safetensors"))
            (Serving.ofRows 1UL: Model<float>)

        let page = Pages.text (Pages.visit service $"/runs/{name}")
        Assert.Contains("<th scope=\"row\">calls</th>", page)
        Assert.DoesNotContain("first-layer.png", page)
        File.WriteAllText(Path.Combine(scratch.Path, name, "model.safetensors"), "damaged")

        Assert.Contains(
            "The model cannot be shown",
            Pages.text (Pages.visit service $"/runs/{name}")
        )

    [<Fact>]
    let ``runs are compared by their losses, figures and settings`` () =
        use scratch = new Scratch()

        for i in 1..9 do
            let name = $"20300101T00000{i}Z-run{i}"

            let logs =
                Folders.create
                    scratch.Path
                    name
                    (PipelineSettings(Training = TrainingSettings(LearningRate = 0.125 * float i)))

            Folders.epoch logs 0L 2.0 0.1
            Folders.epoch logs 1L (1.0 / float i) 0.5

            if i < 3 then
                Folders.finish scratch.Path name "completed" 0.5 (float i / 16.0)

        use service = Pages.ofRuns scratch.Path

        let query numbers =
            [ for i in numbers -> $"runs=20300101T00000{i}Z-run{i}" ] |> String.concat "&"

        let page = Pages.text (Pages.visit service $"/compare?{query [ 1; 2; 3 ]}")

        Assert.Matches(
            "<th scope=\"row\">Training:LearningRate</th>\\s*<td>0.125</td>\\s*<td>0.25</td>\\s*<td>0.375</td>",
            page
        )

        Assert.Matches(
            "<th scope=\"row\">final_test_accuracy</th>\\s*<td>0.0625</td>\\s*<td>0.125</td>\\s*<td>–</td>",
            WebUtility.HtmlDecode page
        )

        Assert.DoesNotContain("Training:BatchSize", page)
        let svg = Pages.text (service.Get $"/compare/losses.svg?{query [ 1; 2; 3 ]}")

        let texts = [
            for element in (XDocument.Parse svg).Descendants() do
                if element.Name.LocalName = "text" then
                    element.Value
        ]

        for i in 1..3 do
            Assert.Contains($"20300101T00000{i}Z-run{i}", texts)

        let points = json (service.Get $"/compare/points?{query [ 1; 2; 3 ]}")
        let lines = (item "charts" 0 points).GetProperty "lines"

        Assert.Equal<float list list>(
            [ for i in 1..3 -> [ 2.0; 1.0 / float i ] ],
            [
                for line in lines.EnumerateArray() ->
                    [ for y in (line.GetProperty "y").EnumerateArray() -> y.GetDouble() ]
            ]
        )

        Assert.Equal(HttpStatusCode.OK, (service.Get $"/compare?{query [ 1..8 ]}").StatusCode)

        for wrong in [ ""; query [ 1 ]; query [ 1; 1 ]; query [ 1..9 ] ] do
            service.Get $"/compare?{wrong}" |> Serving.refused 400 [ "2 to 8" ]

        service.Get $"/compare?{query [ 1 ]}&runs=../x"
        |> Serving.refused 404 [ "'../x'" ]
