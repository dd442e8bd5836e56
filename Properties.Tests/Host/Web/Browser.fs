namespace Pipeline.Properties.Host

open System
open System.Collections.Concurrent
open System.IO
open System.Threading
open System.Threading.Tasks
open Deque.AxeCore.Commons
open PuppeteerSharp
open PuppeteerSharp.Media
open Xunit

/// A tab of a browser. It keeps what the browser complains of and what its page asks other hosts for.
type Tab(page: IPage) =
    let complaints = ConcurrentQueue<string>()
    let mutable host = ""

    let wait (work: unit -> Task<'T>) : 'T =
        // Away from the context of the test, which has few threads.
        Task.Run<'T>(work).GetAwaiter().GetResult()

    let waitFor (work: unit -> Task) : unit = Task.Run(work).GetAwaiter().GetResult()

    do
        page.Console.Add(fun said -> complaints.Enqueue $"{said.Message.Type}: {said.Message.Text}")

        page.PageError.Add(fun fault -> complaints.Enqueue $"error: {fault.Message}")

        page.Request.Add(fun sent ->
            let url = Uri sent.Request.Url

            if url.Scheme <> "data" && url.Authority <> host then
                complaints.Enqueue $"request to {url}")

        waitFor (fun () ->
            page.EvaluateFunctionOnNewDocumentAsync(
                "() => document.addEventListener('securitypolicyviolation', event =>
                    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"
            ))

    member _.Page = page

    /// What the browser complained of so far.
    member _.Complaints: string list = List.ofSeq complaints

    /// Goes to an address; the answer's status.
    member _.Open(address: string) : int =
        host <- (Uri address).Authority
        let response = wait (fun () -> page.GoToAsync(address, WaitUntilNavigation.Load))
        int response.Status

    /// The value of an expression in the page.
    member _.Evaluate<'T>(expression: string) : 'T =
        wait (fun () -> page.EvaluateExpressionAsync<'T> expression)

    /// The text of an element.
    member tab.Text(selector: string) : string =
        tab.Evaluate<string> $"document.querySelector('{selector}').textContent.trim()"

    /// Clicks an element and waits for the page that comes.
    member _.Follow(selector: string) : unit =
        waitFor (fun () -> task {
            let next = page.WaitForNavigationAsync()
            do! page.ClickAsync selector
            let! _ = next
            return ()
        })

    /// Types into an element.
    member _.Type(selector: string, text: string) : unit =
        waitFor (fun () -> page.TypeAsync(selector, text))

    /// Waits until an expression is true. While a page gives way to the next one, no expression is.
    member tab.WaitUntil(expression: string, limit: TimeSpan) : unit =
        let isTrue () =
            Thread.Sleep 20

            try
                tab.Evaluate<bool> expression
            with :? EvaluationFailedException ->
                false

        if not (SpinWait.SpinUntil(isTrue, limit)) then
            failwith $"after {limit}, not true: {expression}; complaints: {tab.Complaints}"

    /// Presses a key while an element has the focus.
    member _.Press(selector: string, key: string) : unit =
        waitFor (fun () -> task {
            do! page.FocusAsync selector
            do! page.Keyboard.PressAsync key
        })

    member _.Resize(width: int) : unit =
        waitFor (fun () -> page.SetViewportAsync(ViewPortOptions(Width = width, Height = 800)))

    member _.Prefer(scheme: string) : unit =
        waitFor (fun () ->
            page.EmulateMediaFeaturesAsync [|
                MediaFeatureValue(MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme)
            |])

    /// Switches scripts off for the pages opened from now on.
    member _.SwitchScriptsOff() : unit =
        waitFor (fun () -> page.SetJavaScriptEnabledAsync false)

    /// Writes a picture of the whole page.
    member _.Picture(path: string) : unit =
        waitFor (fun () -> page.ScreenshotAsync(path, ScreenshotOptions(FullPage = true)))

    interface IDisposable with
        member _.Dispose() = waitFor (fun () -> page.CloseAsync())

/// One Chromium for all tests of pages.
type Chromium() =
    /// The program's path, as the launcher wants one.
    let path =
        lazy
            (let name = Tools.chromium.Value.Value

             (Environment.GetEnvironmentVariable "PATH" |> nonNull).Split Path.PathSeparator
             |> Seq.map (fun folder -> Path.Combine(folder, name))
             |> Seq.find File.Exists)

    let launch () : IBrowser =
        Task
            .Run<IBrowser>(fun () ->
                Puppeteer.LaunchAsync(
                    LaunchOptions(
                        ExecutablePath = path.Value,
                        Headless = true,
                        Args = [|
                            "--no-sandbox"
                            "--disable-gpu"
                            "--disable-dev-shm-usage"
                            // A name of another site that leads here. The launcher quotes nothing.
                            $"--host-resolver-rules=\"MAP {Chromium.OtherSite} 127.0.0.1\""
                        |]
                    )
                ))
            .GetAwaiter()
            .GetResult()

    let browser = lazy (launch ())

    /// The name of another site, which leads to this machine.
    static member OtherSite = "evil.example"

    /// A new tab, 1200 pixels wide.
    member _.Tab() : Tab =
        let page =
            Task.Run<IPage>(fun () -> browser.Value.NewPageAsync()).GetAwaiter().GetResult()

        let tab = new Tab(page)
        tab.Resize 1200
        tab

    interface IDisposable with
        member _.Dispose() =
            if browser.IsValueCreated then
                browser.Value.CloseAsync().Wait()

/// The tests that share it, one after the other.
[<CollectionDefinition("Chromium")>]
type ChromiumTests() =
    interface ICollectionFixture<Chromium>

/// What must hold for every page.
[<RequireQualifiedAccess>]
module Clean =
    let private axe = lazy (BundledAxeScriptProvider().GetScript())

    let private violations (tab: Tab) : string[] =
        tab.Evaluate<string[]>
            "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' ')}`))"

    /// Checks the page that a tab shows, in both colour schemes, on a phone and on a screen: the browser has nothing
    /// to complain of but its status, no other host is asked, nothing is scrolled sideways, and axe finds nothing.
    let checkOf (status: int) (tab: Tab) : unit =
        // The debugger's scripts are not bound by the page's policy.
        tab.Evaluate<obj>(axe.Value + "\nnull;") |> ignore

        for width in [ 390; 1200 ] do
            tab.Resize width

            for scheme in [ "light"; "dark" ] do
                tab.Prefer scheme
                let where = $"{tab.Page.Url}, {width} pixels, {scheme}"

                Assert.True(
                    tab.Evaluate<bool> "document.documentElement.scrollWidth <= innerWidth",
                    $"{where}: it can be scrolled sideways"
                )

                let found = violations tab |> String.concat "\n"
                Assert.True((found = ""), $"{where}: {found}")

        let said =
            tab.Complaints
            |> List.filter (fun said -> not (said.Contains $"with a status of {status}"))
            |> String.concat "\n"

        Assert.True((said = ""), $"{tab.Page.Url}: {said}")

    /// The same for a page that is shown.
    let check (tab: Tab) : unit = checkOf 200 tab
