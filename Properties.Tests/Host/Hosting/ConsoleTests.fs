namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open Xunit

/// Standard output and standard error that are full or closed.
module ConsoleTests =
    /// Runs the host under a shell, which redirects its streams.
    let private hostWith (redirection: string) (arguments: string list) : Ended =
        let program = Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")

        let info =
            ProcessStartInfo(
                "/bin/sh",
                [ "-c"; $"exec dotnet \"$@\" {redirection}"; "sh"; program ] @ arguments,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        Process.Start info |> nonNull |> Given.finish

    let private whole (settings: (string * string) list) =
        use scratch = new Scratch()
        let ended = Given.host (Given.options scratch settings)
        Assert.Equal(0, ended.ExitCode)
        Left.behind (Assert.Single(Given.runs scratch))

    let private lines (text: string) =
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries)

    [<TheoryOnUnix>]
    [<InlineData(">/dev/full", 1)>]
    [<InlineData(">&-", 1)>]
    [<InlineData("2>/dev/full", 0)>]
    [<InlineData("2>&-", 0)>]
    [<InlineData(">/dev/full 2>/dev/full", 0)>]
    [<InlineData(">&- 2>&-", 0)>]
    [<InlineData("<&- >&- 2>&-", 0)>]
    let ``a run goes on whatever its console does, and reports lost output once``
        (redirection: string)
        (reports: int)
        =
        use scratch = new Scratch()
        let ended = hostWith redirection (Given.options scratch [])
        Assert.True((ended.ExitCode = 0), ended.Errors)

        let reported =
            lines ended.Errors
            |> Array.filter _.Contains("Standard output cannot be written any more")

        Assert.Equal(reports, reported.Length)
        Assert.Equal(whole [], Left.behind (Assert.Single(Given.runs scratch)))

    [<TheoryOnUnix>]
    [<InlineData("arithmetic")>]
    [<InlineData("--help")>]
    [<InlineData("predict")>]
    [<InlineData("inspect")>]
    [<InlineData("evaluate")>]
    let ``a command whose output is lost fails with one sentence`` (command: string) =
        use scratch = new Scratch()
        Assert.Equal(0, (Given.host (Given.options scratch [])).ExitCode)
        let folder = Assert.Single(Given.runs scratch)
        let images = scratch.Sub "data/t10k-images-idx3-ubyte"

        let arguments =
            match command with
            | "predict" -> [ command; folder; images ]
            | "inspect" -> [ command; folder ]
            | "evaluate" -> [ command; folder; "--output"; scratch.Sub "report" ]
            | _ -> [ command ]

        for redirection in [ ">/dev/full"; ">&-" ] do
            let ended = hostWith redirection arguments
            Assert.Equal(1, ended.ExitCode)

            Assert.StartsWith(
                "standard output: expected a stream that can be written, found",
                Assert.Single(lines ended.Errors)
            )

        Assert.Equal(1, (hostWith ">/dev/full 2>&-" arguments).ExitCode)

    [<FactOnUnix>]
    let ``rows of a standard input that is closed are refused`` () =
        use scratch = new Scratch()
        Assert.Equal(0, (Given.host (Given.options scratch [])).ExitCode)
        let ended = hostWith "<&-" [ "predict"; Assert.Single(Given.runs scratch); "-" ]
        Assert.Equal(2, ended.ExitCode)

        Assert.Equal(
            "standard input: expected an open stream, found a closed one.",
            ended.Errors.Trim()
        )
