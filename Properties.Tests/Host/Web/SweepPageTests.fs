namespace Pipeline.Properties.Host

open System
open System.IO
open System.Net
open System.Text.Json
open System.Threading
open Pipeline.Training
open Xunit

/// The pages of sweeps.
module SweepPageTests =
    let private write (scratch: Scratch) (iterations: int) =
        let plan = scratch.Sub "rates.json"

        File.WriteAllText(
            plan,
            $"""{{ "settings": {{ "Data:Validation": 0.2, "Training:Iterations": {iterations} }},
                  "space": {{ "Training:LearningRate": [0.1, 0.2, 0.5] }}, "method": "Grid" }}"""
        )

        [
            "sweep"
            plan
            $"--Data:Directory={Given.data scratch}"
            "--Run:Directory"
            scratch.Sub "runs"
            "--Sweep:Slots=1"
        ]

    let private progress (service: Service) =
        use answer = Pages.visit service "/sweeps/rates/progress"

        if answer.StatusCode = HttpStatusCode.OK then
            Some(JsonDocument.Parse(Pages.text answer).RootElement)
        else
            None

    [<Fact>]
    let ``the list leads to a sweep's page, which has its trials, the best first, and its picture``
        ()
        =
        use scratch = new Scratch()
        Assert.Equal(0, (Given.host (write scratch 40)).ExitCode)
        use service = Pages.ofRuns (scratch.Sub "runs")
        use list = Pages.visit service "/runs"
        let text = Pages.text list
        Assert.Contains("<a href=\"/sweeps/rates\">rates</a>", text)
        Assert.Contains("completed: 3 of 3 trials settled; best: trial", text)
        // A sweep is no run.
        Assert.Contains("No run has been made here yet", text)
        use page = Pages.visit service "/sweeps/rates"
        Assert.Equal(HttpStatusCode.OK, page.StatusCode)
        let text = Pages.text page

        for expected in [ "Training:LearningRate"; "ValidationLoss"; "1 of 1"; "sweep.svg" ] do
            Assert.Contains(expected, text)

        let found = (progress service).Value
        Assert.Equal("completed", found.GetProperty("state").GetString())

        let losses = [
            for row in found.GetProperty("rows").EnumerateArray() ->
                float (nonNull (row.GetProperty("cells").Item(3).GetString()))
        ]

        Assert.Equal(3, losses.Length)
        Assert.Equal<float list>(List.sort losses, losses)
        use picture = Pages.visit service "/sweeps/rates/sweep.svg"
        Assert.Equal("image/svg+xml", string picture.Content.Headers.ContentType)
        Assert.Contains("<svg", Pages.text picture)

        for address in [ "/sweeps/other"; "/sweeps/..%2Fdata"; "/sweeps/other/progress" ] do
            use missing = Pages.visit service address
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode)

    [<Fact>]
    let ``a page follows a sweep while it runs`` () =
        use scratch = new Scratch()
        use service = Pages.ofRuns (scratch.Sub "runs")
        use started = Given.start (write scratch 20000000)
        let output = started.StandardOutput.ReadToEndAsync()
        let errors = started.StandardError.ReadToEndAsync()

        let waitFor (state: string) (trial: string) =
            let isThere () =
                match progress service with
                | Some found ->
                    found.GetProperty("state").GetString() = state
                    && found.GetProperty("rows").EnumerateArray()
                       |> Seq.map (fun row ->
                           nonNull (row.GetProperty("cells").Item(4).GetString()))
                       |> List.ofSeq
                        =
                        (if trial = "" then [] else [ trial ])
                | None -> false

            Assert.True(SpinWait.SpinUntil(isThere, TimeSpan.FromMinutes 2.0), state)

        waitFor "running" "running"
        SweepFolder.Ask(DiskFiles(), Path.Combine(scratch.Sub "runs", "rates"), SweepRequest.Stop)
        waitFor "stopped" ""
        Assert.True(started.WaitForExit(TimeSpan.FromMinutes 2.0))
        output.Wait()
        errors.Wait()
