namespace Pipeline.Properties.Host

open System
open System.IO
open Xunit

/// Pages of sweeps in a browser.
[<Collection("Chromium")>]
type SweepBrowserTests(chromium: Chromium) =
    /// Makes a sweep of two trials, whose settings stand in its plan.
    let make (scratch: Scratch) (name: string) (repeats: string) =
        let plan = scratch.Sub $"{name}.json"

        File.WriteAllText(
            plan,
            $"""{{ "settings": {{ "Data:Validation": 0.2, "Training:Iterations": 20 }}, {repeats}
                  "space": {{ "Training:LearningRate": [0.1, 0.2] }}, "method": "Grid" }}"""
        )

        let made =
            Given.host [
                "sweep"
                plan
                $"--Data:Directory={Given.data scratch}"
                "--Run:Directory"
                scratch.Sub "runs"
            ]

        Assert.Equal(0, made.ExitCode)

    let links (tab: Tab) =
        tab.Evaluate<string[]>
            "[...document.querySelectorAll('#trials a')].map(a => `${a.textContent} ${a.getAttribute('href')}`)"

    [<FactWithChromium>]
    member _.``a sweep's page leads to the run of each trial, also after it has changed, and all pages are clean``
        ()
        =
        use scratch = new Scratch()
        make scratch "rates" ""
        make scratch "seeds" "\"seeds\": 2,"
        use service = Pages.ofRuns (scratch.Sub "runs")
        use tab = chromium.Tab()

        for name, expected, run, title in
            [
                "rates",
                [ "run /sweeps/rates/trials/0"; "run /sweeps/rates/trials/1" ],
                "/sweeps/rates/trials/1",
                "rates, trial 1"
                "seeds",
                [
                    "seed-1 /sweeps/seeds/trials/0/seed-1"
                    "seed-1 /sweeps/seeds/trials/1/seed-1"
                    "seed-2 /sweeps/seeds/trials/0/seed-2"
                    "seed-2 /sweeps/seeds/trials/1/seed-2"
                ],
                "/sweeps/seeds/trials/0/seed-2",
                "seeds, trial 0, seed-2"
            ] do
            Assert.Equal(200, tab.Open $"{service.Address}/sweeps/{name}")
            Assert.Equal<string list>(expected, links tab |> Array.sort |> List.ofArray)
            Clean.check tab
            // The page's script writes the rows again when the board is another one.
            let version =
                tab.Evaluate<string> "document.getElementById('sweep').dataset.version"

            File.SetLastWriteTimeUtc(
                Path.Combine(scratch.Sub "runs", name, "board.json"),
                DateTime(2030, 1, 1)
            )

            tab.WaitUntil(
                $"document.getElementById('sweep').dataset.version !== '{version}'",
                TimeSpan.FromMinutes 1.0
            )

            Assert.Equal<string list>(expected, links tab |> Array.sort |> List.ofArray)
            Clean.check tab
            tab.Follow $"#trials a[href=\"{run}\"]"
            Assert.Equal(title, tab.Text "h1")

            tab.WaitUntil(
                "document.querySelector('.plot img').complete && document.querySelector('.plot img').naturalWidth === 900",
                TimeSpan.FromMinutes 1.0
            )

            Clean.check tab

        for missing in
            [
                "rates/trials/2"
                "rates/trials/-1"
                "rates/trials/..%2F0000"
                "rates/trials/0/seed-1"
                "seeds/trials/0"
                "seeds/trials/0/checkpoints"
                "none/trials/0"
            ] do
            Assert.Equal(404, tab.Open $"{service.Address}/sweeps/{missing}")
