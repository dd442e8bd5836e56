namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open Xunit

/// Programs made by others, where the machine has them.
[<RequireQualifiedAccess>]
module Tools =
    /// Runs a program; gives its exit code, what it printed and what it complained of. Nothing where
    /// there is no such program.
    let run (program: string) (arguments: string list) : Ended option =
        let info =
            ProcessStartInfo(
                program,
                arguments,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        try
            match Process.Start info with
            | null -> None
            | started -> Some(Given.finish started)
        with :? ComponentModel.Win32Exception ->
            None

    /// The first of some Pythons that has a module, numpy say.
    let python (needed: string) : string option =
        [ "/usr/bin/python3"; "python3" ]
        |> List.tryFind (fun program ->
            match run program [ "-c"; $"import {needed}" ] with
            | Some ended -> ended.ExitCode = 0
            | None -> false)

    /// Debian's or another Chromium.
    let chromium: Lazy<string option> =
        lazy
            ([ "chromium"; "chromium-browser"; "google-chrome" ]
             |> List.tryFind (fun program ->
                 match run program [ "--version" ] with
                 | Some ended -> ended.ExitCode = 0
                 | None -> false))

/// A test that needs a module of Python, and says so where there is none.
type FactWithPythonAttribute(needed: string) as fact =
    inherit FactAttribute()

    do
        if (Tools.python needed).IsNone then
            fact.Skip <- $"needs Python 3 with the module {needed} (Debian: python3-{needed})"

/// A test that needs a browser, and says so where there is none.
type FactWithChromiumAttribute() as fact =
    inherit FactAttribute()

    do
        if Tools.chromium.Value.IsNone then
            fact.Skip <- "needs Chromium (Debian: chromium)"

/// A test of Unix's signals or shell.
type FactOnUnixAttribute() as fact =
    inherit FactAttribute()

    do
        if OperatingSystem.IsWindows() then
            fact.Skip <- "needs signals and a shell of Unix"

/// The same with data.
type TheoryOnUnixAttribute() as theory =
    inherit TheoryAttribute()
    do theory.Skip <- FactOnUnixAttribute().Skip
