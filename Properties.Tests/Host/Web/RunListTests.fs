namespace Pipeline.Properties.Host

open System
open System.IO
open System.Net
open System.Text.RegularExpressions
open Xunit
open FsCheck
open Microsoft.AspNetCore.Http
open Microsoft.Extensions.Primitives
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Pipeline.Web

/// The list of runs.
module RunListTests =
    /// The names of the runs on a page, in order.
    let private listed (page: string) : string list = [
        for found in Regex.Matches(page, "name=\"runs\" value=\"([^\"]*)\"") ->
            nonNull (WebUtility.HtmlDecode found.Groups[1].Value)
    ]

    let private now = DateTime(2030, 1, 2, 0, 0, 0, DateTimeKind.Utc)

    /// A query as an address has it.
    let private query (parts: (string * string) list) : RunsQuery =
        RunsQuery.Of(
            QueryCollection(
                Collections.Generic.Dictionary(
                    dict [ for name, value in parts -> name, StringValues value ]
                )
            )
        )

    let private outcomes: (string | null) list = [ "completed"; "diverged"; null ]

    /// Some runs of a few names, times and figures, so that many are the same.
    let private draw (seed: uint64) (count: int) : RunRow list =
        let random limit place i =
            RandomNumbers.below limit seed RandomStream.GradientCheck (int64 i) place

        [
            for i in 0 .. count - 1 ->
                let figure place =
                    if random 3 place i = 0 then
                        Nullable()
                    else
                        Nullable(float (random 5 (place + 10) i) / 4.0)

                let began = now.AddHours(float -(random 20 0 i))
                let kind = [ "digits"; "Digits"; "iris"; "" ][random 4 1 i]
                let stamp = began.ToString "yyyyMMdd'T'HHmmss'Z'"
                let hasTime = random 5 2 i > 0

                RunRow(
                    (if hasTime then $"{stamp}-{kind}-{i}" else $"{kind}{i}"),
                    (if hasTime then Nullable began else Nullable()),
                    outcomes[random 3 3 i],
                    [ "mnist"; "iris.csv" ][random 2 4 i],
                    [ "50 Sigmoid"; "100,30 Relu" ][random 2 5 i],
                    (if random 4 6 i = 0 then
                         Nullable()
                     else
                         Nullable(int64 (random 4 7 i))),
                    BestFigures(figure 8, figure 9),
                    BestFigures(figure 20, figure 21),
                    figure 22,
                    now.AddSeconds(float -(random 300 23 i))
                )
        ]

    [<Law(MaxTest = 50)>]
    let ``runs are sorted by any column, what has no value last, and none is lost``
        (Seed seed)
        (isDescending: bool)
        =
        let runs = draw seed 40

        for column in RunColumn.All do
            let sign = if isDescending then "-" else ""
            let sorted = (query [ "sort", sign + column.Key ]).Apply(runs, now) |> List.ofSeq

            Assert.Equal<string list>(
                List.sort [ for run in runs -> run.Id ],
                List.sort [ for run in sorted -> run.Id ]
            )

            let values = [
                for run in sorted ->
                    match column.Value.Invoke(run, now) with
                    | null -> None
                    | :? string as text -> Some(text.ToUpperInvariant() :> IComparable)
                    | value -> Some value
            ]

            let known = List.choose id values

            Assert.Equal<IComparable option list>(
                List.map Some known,
                List.take known.Length values
            )

            for one, next in List.pairwise known do
                let order = one.CompareTo next
                Assert.True((if isDescending then order >= 0 else order <= 0), column.Key)

            // Runs with the same value: newest first.
            for (run, value), (next, nextValue) in List.pairwise (List.zip sorted values) do
                if value = nextValue && run.Began.HasValue && next.Began.HasValue then
                    Assert.True(run.Began.Value >= next.Began.Value)

    [<Law(MaxTest = 50)>]
    let ``a run is shown if it has every word, wherever it has it`` (Seed seed) (choice: int) =
        let runs = draw seed 40

        let words = [
            "digits"
            "MNIST"
            "iris"
            "relu"
            "completed"
            "unfinished"
            "running"
            "2030"
            "x"
        ]

        let random place =
            abs (choice / (1 + 7 * place)) % words.Length

        let asked =
            [ words[random 0]; words[random 1] ] |> List.truncate (1 + abs choice % 2)

        let has (run: RunRow) (word: string) =
            let texts = [ run.Id; run.Status now; run.Data; run.Network ]

            texts
            |> List.exists (fun text -> text.ToLowerInvariant().Contains(word.ToLowerInvariant()))

        let expected = [
            for run in runs do
                if List.forall (has run) asked then
                    run.Id
        ]

        let found = (query [ "q", String.concat "  " asked ]).Apply(runs, now)
        Assert.Equal<string list>(List.sort expected, List.sort [ for run in found -> run.Id ])

    [<Law>]
    let ``an address says its query, and a wrong one is the first page``
        (NonEmptyString text)
        (page: int)
        (choice: int)
        (isDescending: bool)
        =
        let column = RunColumn.All[abs (choice % RunColumn.All.Count)]
        let asked = RunsQuery(text.Trim(), column, isDescending, max 1 page)

        let asked =
            if asked.Text.Length > 200 then
                RunsQuery("", column, isDescending, 1)
            else
                asked

        let address = Uri("http://localhost" + asked.Address)
        let parts = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery address.Query
        // Halves of pairs have no place in an address.
        if not (String.exists Char.IsSurrogate asked.Text) then
            Assert.Equal(asked, RunsQuery.Of(QueryCollection parts))

        let first = query []
        Assert.Equal(first, query [ "sort", "none"; "page", "x"; "other", "1" ])
        Assert.Equal("/runs", first.Address)

    let private settings = PipelineSettings()

    [<Fact>]
    let ``pages hold a hundred runs each, and together all of them once`` () =
        use scratch = new Scratch()

        let names = [
            for i in 0..249 ->
                let stamp = now.AddMinutes(float i).ToString "yyyyMMdd'T'HHmmss'Z'"
                $"{stamp}-run{i}"
        ]

        for name in names do
            let logs = Folders.create scratch.Path name settings
            Folders.epoch logs 0L 2.0 0.1

        for name in names[..99] do
            Folders.finish scratch.Path name "completed" 0.5 0.75

        // What is no run is not listed.
        Directory.CreateDirectory(scratch.Sub "other") |> ignore
        Folders.create scratch.Path ".hidden" settings |> ignore
        use service = Pages.ofRuns scratch.Path

        let page address =
            Pages.text (Pages.visit service address)

        let first = page "/runs"
        Assert.Contains("250 runs", first)
        Assert.Contains("Page 1 of 3", first)

        let pages = [ first; page "/runs?page=2"; page "/runs?page=3" ] |> List.map listed
        Assert.Equal<int list>([ 100; 100; 50 ], List.map List.length pages)
        Assert.Equal<string list>(List.rev names, List.concat pages)
        // There is no fourth page, and no page 0.
        Assert.Equal<string list>(pages[2], listed (page "/runs?page=4"))
        Assert.Equal<string list>(pages[0], listed (page "/runs?page=0"))
        // The links lead on, with the filter and the order.
        let ended = page "/runs?q=completed&sort=name"

        Assert.Equal<string list>(
            names[..99] |> List.sortBy (fun name -> (name.Split '-')[1]),
            listed ended
        )

        Assert.Contains("aria-sort=\"ascending\"", ended)
        Assert.Contains("href=\"/runs?q=completed&amp;sort=-name\"", ended)
        Assert.Contains("href=\"/runs?page=2\"", first)
        // A run that is gone is gone from the list, and a new one is in it.
        Directory.Delete(Path.Combine(scratch.Path, names[249]), true)
        Folders.create scratch.Path "20310101T000000Z-new" settings |> ignore

        Assert.Equal<string list>(
            "20310101T000000Z-new" :: names[248] :: [],
            List.take 2 (listed (page "/runs"))
        )

    [<Fact>]
    let ``the list tells how runs are going`` () =
        use scratch = new Scratch()
        let name = "20300101T000000Z-a"

        let logs =
            Folders.create
                scratch.Path
                name
                (PipelineSettings(Data = DataSettings(Train = "/x/iris.csv")))

        use service = Pages.ofRuns scratch.Path

        let cells () =
            let row =
                Regex.Match(
                    Pages.text (Pages.visit service "/runs"),
                    "<tbody>(.*)</tbody>",
                    RegexOptions.Singleline
                )

            [
                for cell in
                    Regex.Matches(
                        row.Groups[1].Value,
                        "<t[dh][^>]*>(.*?)</t[dh]>",
                        RegexOptions.Singleline
                    ) ->
                    Regex.Replace(cell.Groups[1].Value, "<[^>]*>", "")
                    |> WebUtility.HtmlDecode
                    |> nonNull
            ]
            |> List.tail

        Assert.Equal<string list>(
            [ "a"; "running"; "2030-01-01 00:00:00"; "iris.csv"; "–" ],
            cells ()
        )

        Folders.epoch logs 0L 2.0 0.1
        Folders.epoch logs 1L 0.25 0.9
        Folders.epoch logs 2L 0.5 0.8

        Assert.Equal<string list>(
            [ "a"; "running"; "2030-01-01 00:00:00"; "2"; "0.2500"; "0.9000"; "2.0" ],
            List.take 7 (cells ())
        )
        // It was killed long ago.
        for file in Directory.GetFiles(Path.Combine(scratch.Path, name)) do
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours -1.0)

        Assert.Equal("unfinished", (cells ())[1])
        Folders.finish scratch.Path name "completed" 0.125 0.95

        Assert.Equal<string list>(
            [ "a"; "completed"; "2030-01-01 00:00:00"; "2"; "0.1250"; "0.9500"; "1.5" ],
            List.take 7 (cells ())
        )
        // Damaged files leave a run in the list.
        File.WriteAllText(Path.Combine(scratch.Path, name, "summary.json"), "{")
        File.WriteAllText(Path.Combine(scratch.Path, name, "settings.json"), "[]")
        Assert.Equal("a", (cells ())[0])

    [<Fact>]
    let ``a folder that does not exist has no runs`` () =
        use scratch = new Scratch()
        use service = Pages.ofRuns (scratch.Sub "none")
        Assert.Contains("No run has been made here yet", Pages.text (Pages.visit service "/runs"))
        Assert.Equal(HttpStatusCode.NotFound, (service.Get "/runs/x").StatusCode)

    [<Fact>]
    let ``names in addresses are looked up, and are no paths`` () =
        use scratch = new Scratch()
        let runs = scratch.Sub "runs"

        let odd = [
            "20300101T000000Z-<img src=x onerror=alert(1)>"
            "20300101T000000Z-100% ü?#&+ a"
            "a..b"
        ]

        for name in odd do
            Folders.create runs name settings |> ignore

        // A run beside the folder.
        Folders.create scratch.Path "outside" settings |> ignore
        File.WriteAllText(scratch.Sub "settings.json", "{}")
        use service = Pages.ofRuns runs

        for name in odd do
            let page = Pages.visit service ("/runs/" + Uri.EscapeDataString name)
            Assert.Equal(HttpStatusCode.OK, page.StatusCode)
            Assert.DoesNotContain("<img src=x", Pages.text page)

        let list = Pages.text (Pages.visit service "/runs")
        Assert.DoesNotContain("<img", list)
        Assert.Equal<string list>(List.sort odd, List.sort (listed list))

        for name in
            [
                "none"
                "."
                ".."
                "%2e%2e"
                "..%2Foutside"
                "%2e%2e%2foutside"
                "..%5Coutside"
                "a..b%00"
                "A..B"
                "%ff"
                scratch.Path.Replace("/", "%2F")
            ] do
            for part in
                [
                    ""
                    "/progress"
                    "/curves.svg"
                    "/points"
                    "/first-layer.png"
                    "/evaluation.html"
                ] do
                let status = int (service.Get $"/runs/{name}{part}").StatusCode
                // Some of them mean another page once dots are taken out, such as the list itself.
                if not (name = "." || name = ".." || name = "%2e%2e") then
                    Assert.True((status = 404 || status = 400), $"{name}{part}: {status}")
                else
                    Assert.NotEqual(500, status)
