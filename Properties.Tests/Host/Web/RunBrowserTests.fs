namespace Pipeline.Properties.Host

open System
open System.Diagnostics.Metrics
open System.IO
open System.Net
open Microsoft.AspNetCore.Builder
open Microsoft.AspNetCore.Hosting
open Microsoft.AspNetCore.Http
open Microsoft.Extensions.DependencyInjection
open Pipeline.Learning
open Pipeline.Serving
open Pipeline.Training
open Xunit

/// Pages of runs in a browser.
[<Collection("Chromium")>]
type RunBrowserTests(chromium: Chromium) =
    let settings = PipelineSettings()

    /// Two runs of some evaluations; the first has ended, with a model of images.
    let make (runs: string) (name: string) : string =
        let ended = $"20300101T000000Z-{name}"

        for name in [ ended; "20300101T000001Z-going" ] do
            let logs = Folders.create runs name settings

            for i in 1L .. 50L do
                Folders.step logs i (2.0 / float i) (float i / 10.0)

            for epoch in 0L .. 10L do
                Folders.epoch logs epoch (1.0 / float (epoch + 1L)) (float epoch / 12.0)

        let path = Path.Combine(runs, ended)

        Serving.write
            (Path.Combine(path, "model.safetensors"))
            (Serving.ofImages 1UL: Model<float32>)

        File.WriteAllText(
            Path.Combine(path, "evaluation.html"),
            "<title>Evaluation</title><h1 style='color:red'>Evaluation</h1>"
        )

        Folders.finish runs ended "completed" 0.25 0.9474
        ended

    /// How many requests for predictions a service counts while something happens.
    let predictions (service: Service) (act: unit -> unit) : int64 =
        let factory = service.Application.Services.GetRequiredService<IMeterFactory>()
        let mutable count = 0L
        use listener = new MeterListener()

        listener.InstrumentPublished <-
            fun instrument listener ->
                if
                    instrument.Meter.Name = ServingMetrics.Name
                    && obj.ReferenceEquals(instrument.Meter.Scope, factory)
                then
                    listener.EnableMeasurementEvents instrument

        listener.SetMeasurementEventCallback<int64>(fun _ value _ _ -> count <- count + value)
        listener.Start()
        act ()
        count

    [<FactWithChromium>]
    member _.``every page of runs is clean, and a first load is small``() =
        use scratch = new Scratch()
        let ended = make scratch.Path "<img src=x onerror=alert(1)>"
        use service = Pages.ofRuns scratch.Path
        use tab = chromium.Tab()
        Assert.Equal(200, tab.Open $"{service.Address}/")
        Clean.check tab
        // What looks like an element is text.
        Assert.Equal(0, tab.Evaluate<int> "document.querySelectorAll('main img').length")
        Assert.Contains("<img src=x onerror=alert(1)>", tab.Text "tbody")
        // From the list to a run, and through its numbers.
        tab.Follow "tbody tr:nth-child(2) a"
        Assert.Equal(ended, tab.Text "h1")

        tab.WaitUntil(
            "document.querySelector('.plot img').complete && document.querySelector('.weights').complete",
            TimeSpan.FromSeconds 20.0
        )

        Assert.Equal(900, tab.Evaluate<int> "document.querySelector('.plot img').naturalWidth")
        // Five units of three pixels each, with a line between them.
        Assert.Equal(19, tab.Evaluate<int> "document.querySelector('.weights').naturalWidth")

        let loaded =
            tab.Evaluate<int>
                "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).reduce((sum, one) => sum + one.transferSize, 0)"

        Assert.InRange(loaded, 10_000, 200 * 1024)
        tab.Press(".plot", "ArrowRight")

        tab.WaitUntil(
            "document.querySelector('figcaption').textContent.includes('training set 1 (iteration 0)')",
            TimeSpan.FromSeconds 20.0
        )

        tab.Press(".plot", "ArrowDown")

        tab.WaitUntil(
            "document.querySelector('figcaption').textContent.includes('training set 0 (iteration 0)')",
            TimeSpan.FromSeconds 20.0
        )

        Clean.check tab
        tab.Open $"{service.Address}/runs" |> ignore

        tab.Evaluate<obj>
            "document.querySelectorAll('input[type=checkbox]').forEach(box => box.click())"
        |> ignore

        tab.Follow "main form:last-of-type button"
        Assert.Equal("Compare runs", tab.Text "h1")
        Clean.check tab
        // The list is sorted and filtered by links and a form.
        tab.Open $"{service.Address}/runs" |> ignore
        tab.Follow "th a[href*=status]"
        Assert.Contains("sort=status", tab.Page.Url)
        tab.Type("input[name=q]", "going")
        tab.Follow "form[role=search] button"
        Assert.Equal(1, tab.Evaluate<int> "document.querySelectorAll('tbody tr').length")
        Assert.Contains("q=going&sort=status", tab.Page.Url)
        Assert.Empty tab.Complaints

    [<FactWithChromium>]
    member _.``without scripts, pages say their figures``() =
        use scratch = new Scratch()
        let ended = make scratch.Path "a"
        use service = Pages.ofRuns scratch.Path
        use tab = chromium.Tab()
        tab.SwitchScriptsOff()
        tab.Open $"{service.Address}/runs" |> ignore
        Assert.Contains("0.9474", tab.Text "tbody")
        tab.Follow "tbody tr:nth-child(2) a"
        Assert.Contains("0.9474", tab.Text "#figures")
        Assert.Contains("a finding", tab.Text "main ul")
        Assert.Equal(900, tab.Evaluate<int> "document.querySelector('.plot img').naturalWidth")

        tab.Open $"{service.Address}/compare?runs={ended}&runs=20300101T000001Z-going"
        |> ignore

        Assert.Contains("0.9474", tab.Text "main")
        Assert.Empty tab.Complaints

    [<FactWithChromium>]
    member _.``a page of another origin, and one of a name that leads here, reach nothing``() =
        use scratch = new Scratch()
        let ended = make (scratch.Sub "runs") "secret"
        let model = scratch.Sub "images.safetensors"
        Serving.write model (Serving.ofImages 1UL: Model<float32>)

        use service =
            Pages.startAt 0 (AccessRules([], null)) (scratch.Sub "runs") [ "images", model ]

        let page =
            $"<!DOCTYPE html><title>x</title><script>
            const service = '{service.Address}';
            const told = [];
            const ask = (path, options) => fetch(service + path, options)
                .then(async answer => told.push(`${{path}} ${{answer.type}} ${{(await answer.text()).length}}`))
                .catch(() => told.push(`${{path}} refused`));
            const body = new Uint8Array([1, 2, 3, 4, 5, 6]);
            addEventListener('load', () => Promise.all([
                ask('/models/images/predict', {{ method: 'POST', mode: 'no-cors', body }}),
                ask('/models/images/predict', {{ method: 'POST', body, headers: {{ 'Content-Type': 'application/octet-stream' }} }}),
                ask('/v2/models/images/infer', {{ method: 'POST', mode: 'no-cors', body: '{{}}' }}),
                ask('/runs'),
                ask('/runs', {{ mode: 'no-cors' }}),
                ask('/runs/{ended}/progress'),
            ]).then(() => document.title = told.join('; ')));
            </script><iframe src='{service.Address}/runs'></iframe><img src='{service.Address}/runs/{ended}/curves.svg'>"

        let builder = WebApplication.CreateEmptyBuilder(WebApplicationOptions())
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0") |> ignore
        use other = builder.Build()

        other.Run(
            RequestDelegate(fun context ->
                context.Response.ContentType <- "text/html"
                context.Response.WriteAsync page)
        )

        other.StartAsync().Wait()
        use tab = chromium.Tab()

        let counted =
            predictions service (fun () ->
                tab.Open(Seq.head other.Urls) |> ignore
                tab.WaitUntil("document.title !== 'x'", TimeSpan.FromSeconds 20.0))

        Assert.Equal(0L, counted)
        let told = (tab.Evaluate<string> "document.title").Split "; "
        Assert.Equal(6, told.Length)
        // Nothing of an answer is readable.
        Assert.All(
            told,
            (fun said -> Assert.True(said.EndsWith " refused" || said.EndsWith " opaque 0", said))
        )

        Assert.Equal(0, tab.Evaluate<int> "document.querySelector('img').naturalWidth")

        let frames =
            tab.Page.Frames |> Array.filter (fun frame -> not (isNull frame.ParentFrame))

        Assert.All(
            frames,
            (fun frame -> Assert.DoesNotContain("secret", frame.GetContentAsync().Result))
        )
        // A name of another site that leads here: every page is refused.
        let port = (Uri service.Address).Port
        use rebound = chromium.Tab()

        for path in [ "/runs"; $"/runs/{ended}"; "/assets/app.css"; "/models" ] do
            Assert.Equal(421, rebound.Open $"http://{Chromium.OtherSite}:{port}{path}")
            Assert.DoesNotContain("secret", rebound.Text "body")
