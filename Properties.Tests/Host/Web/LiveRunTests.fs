namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Pipeline.Serving
open Xunit

/// A run as it trains, in ten tabs of a browser.
[<Collection("Chromium")>]
type LiveRunTests(chromium: Chromium) =
    /// A run of a few seconds.
    let options (scratch: Scratch) (changes: (string * string) list) =
        Given.options
            scratch
            ([
                "Run:Name", "live"
                "Model:Hidden", "200,100"
                "Training:BatchSize", "70"
                "Training:Iterations", "10000"
                "Training:LearningRate", "0.1"
                "Run:CheckpointEvery", "100"
             ]
             @ changes)

    let soon = TimeSpan.FromMinutes 1.0

    /// The number of iterations that a tab shows.
    let iterations (tab: Tab) =
        Int32.Parse((tab.Text "#figures dd").Replace(",", ""))

    let signal (name: string) (run: Process) =
        Process.Start("kill", [ $"-{name}"; string run.Id ]).WaitForExit()

    [<FactWithChromium>]
    member _.``a run shows what it has learned while it trains, is killed and resumed, and the service is restarted``
        ()
        =
        use scratch = new Scratch()
        let started = Given.start (options scratch [])

        let logged () =
            Given.runs scratch
            |> Array.exists (fun run ->
                let epochs = FileInfo(Path.Combine(run, "epochs.csv"))
                epochs.Exists && epochs.Length > 500L)

        ServiceParts.waitUntil "the run did not begin" logged
        // It stands still whenever it is not waited for, however busy the machine is.
        signal "STOP" started
        let run = Assert.Single(Given.runs scratch)
        let id = nonNull (Path.GetFileName run)
        let port = ServiceParts.freePort ()

        let serve () =
            Pages.startAt port (AccessRules([], null)) (scratch.Sub "runs") []

        let address = $"http://127.0.0.1:{port}/runs/{id}"
        let tabs = [ for _ in 1..10 -> chromium.Tab() ]

        try
            using (serve ()) (fun _ ->
                for tab in tabs do
                    Assert.Equal(200, tab.Open address)

                let first = iterations tabs.Head

                let goesOn =
                    $"Number(document.querySelector('#figures dd').textContent.replace(',', '')) > {first}"

                signal "CONT" started
                tabs.Head.WaitUntil(goesOn, soon)
                signal "STOP" started

                for tab in tabs do
                    tab.WaitUntil(goesOn, soon)
                    Assert.Equal("running", tab.Text ".status")
                    Assert.Matches("^last news [0-9]+ s ago$", tab.Text "#news")

                started.Kill()
                started.WaitForExit())

            // The service is gone: pages say so, and go on once it is back.
            tabs.Head.WaitUntil(
                "document.getElementById('trouble').textContent.includes('does not answer')",
                soon
            )

            let before = (FileInfo(Path.Combine(run, "progress.csv"))).Length
            use service = serve ()
            let resumed = Given.start (options scratch [ "Run:Resume", run ])
            let ended = Given.finish resumed
            Assert.True((ended.ExitCode = 0), ended.Errors)
            Assert.True((FileInfo(Path.Combine(run, "progress.csv"))).Length > before)

            let summary =
                (JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json"))))
                    .RootElement

            use fresh = chromium.Tab()
            fresh.Open address |> ignore

            let shown (tab: Tab) = [
                for part in [ ".status"; "#figures"; "#epochs" ] do
                    tab.Text part
            ]

            let expected = shown fresh

            for tab in tabs do
                tab.WaitUntil("document.querySelector('.status').textContent === 'completed'", soon)

                tab.WaitUntil(
                    "document.readyState === 'complete' && document.getElementById('run').dataset.ended === 'true'",
                    soon
                )

                Assert.Equal<string list>(expected, shown tab)

            let figure (name: string) =
                fresh.Evaluate<string>
                    $"[...document.querySelectorAll('#figures div')].find(one => one.firstElementChild.textContent === '{name}').lastElementChild.textContent"

            let number (name: string) = (summary.GetProperty name).GetDouble()
            Assert.Equal((number "final_test_accuracy").ToString "F4", figure "test accuracy")
            Assert.Equal((number "final_test_loss").ToString "F4", figure "test loss")
            Assert.Equal("10,000", figure "iterations")
        finally
            for tab in tabs do
                (tab :> IDisposable).Dispose()

            if not started.HasExited then
                started.Kill()
