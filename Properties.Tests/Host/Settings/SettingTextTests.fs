namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open FsCheck.FSharp
open Microsoft.Extensions.Configuration
open Microsoft.Extensions.DependencyInjection
open Pipeline.Training
open Pipeline.Learning
open Pipeline.Properties
open Xunit
open Pipeline.Learning.Laws

/// Settings of any text and JSON, and files of settings.
module SettingTextTests =
    open SettingsTests

    /// Texts that programs take for numbers, truth values and names in one place and not in another.
    let private strange = [
        ""
        " "
        "0,05"
        "0.05"
        ".5"
        "5."
        "1e3"
        "1E-400"
        "1e400"
        "Infinity"
        "-Infinity"
        "∞"
        "NaN"
        "-1"
        "-0"
        "+7"
        " 7 "
        "7\n"
        "7\u0000"
        "0x1F"
        "#1F"
        "&h1F"
        "٣"
        "1_000"
        "1,000"
        "1.000,5"
        "1'000"
        "(5)"
        "5%"
        "2147483648"
        "9223372036854775808"
        "18446744073709551616"
        "-9223372036854775809"
        "1e-9"
        "1e300"
        "true"
        "TRUE"
        "yes"
        "on"
        "1"
        "0"
        "none"
        "null"
        "100,50"
        "100, 50"
        ",,"
        "Once, Watch"
        "K"
        "../x"
        "a/b"
        "a\u0000b"
        "a\u001b[31m"
        string (char 0xD800)
        "\uFEFF5"
        "😀"
        String('9', 400)
        String('x', 5000)
    ]

    let private texts =
        Gen.oneof [
            Gen.elements strange
            ArbMap.defaults.ArbFor<string>().Generator |> Gen.map (fun text -> text + "")
            ArbMap.defaults.ArbFor<float>().Generator |> Gen.map string
            ArbMap.defaults.ArbFor<int64>().Generator |> Gen.map string
        ]

    /// What settings.json keeps of a plan, read again.
    let private kept (plan: RunConfiguration) =
        use scratch = new Scratch()

        let stored = {|
            Settings = SettingsJson.Of plan
            DataSha256 = Map.empty<string, string>
        |}

        File.WriteAllBytes(scratch.Sub "settings.json", JsonText.Of stored)
        let run = StoredRun.Read scratch.Path
        let values = Dictionary<string, string>()

        for pair in run.Values() do
            values[pair.Key] <- nonNull pair.Value

        try
            use host =
                ServiceRegistration.CreateBuilder(CommandLineSettings(values, null)).Build()

            SettingsJson.Of(host.Services.GetRequiredService<RunConfiguration>())
        with :? RefusedException as refused ->
            failwith (String.concat "\n" refused.Reasons)

    /// A plan that comes back as it was, or sentences that name the setting and where it was said.
    let private isAcceptedOrRefused
        (setting: Setting)
        (source: string)
        (answer: Result<RunConfiguration, string list>)
        =

        match answer with
        | Ok plan ->
            let before, after = SettingsJson.Of plan, kept plan

            for other in SettingCatalog.All do
                if other.Key <> "Training:Threads" && other.Key <> "Run:Resume" then
                    Assert.Equal(
                        SettingsJson.Text(SettingsJson.Value(before, other)),
                        SettingsJson.Text(SettingsJson.Value(after, other))
                    )
        | Error faults ->
            Assert.NotEmpty faults

            for fault in faults do
                Assert.Matches(
                    "^[^:]+(:[^:]*)*: expected .+, found (.|\n)+\\.$|^\\w+:\\w+ .+\\.$",
                    fault
                )

            let own = faults |> List.filter _.StartsWith(setting.Key)

            if setting.Key <> "Run:Resume" && not own.IsEmpty then
                Assert.All(own, (fun fault -> Assert.Contains(source.Trim('(', ')'), fault)))

    [<Law(MaxTest = 500)>]
    let ``any text for any setting is accepted for good, or refused in sentences that say where it was``
        ()
        =
        Prop.forAll
            (Arb.fromGen (Gen.zip (Gen.elements SettingCatalog.All) texts))
            (fun (setting, text) ->
                plan [ setting.Key, text ]
                |> isAcceptedOrRefused setting $"(option --{setting.Key})")

    /// Values of JSON that are no texts, and some that are.
    let private jsonValues = [
        "null"
        "true"
        "5"
        "0.05"
        "1e400"
        "-1"
        "12345678901234567890123"
        "\"\""
        "\"0,05\""
        "\"x\""
        "\"\\u0000\""
        "[]"
        "[null]"
        "[[1]]"
        "[1, \"x\"]"
        "[7, 8]"
        "{}"
        "{\"a\": 1}"
        "{\"a\": null}"
        "{\"\": 1}"
        "{\"0\": 5}"
    ]

    [<Fact>]
    let ``any JSON for any setting is accepted for good, or refused in sentences that name the file``
        ()
        =
        use scratch = new Scratch()
        let file = scratch.Sub "mine.json"

        for setting in SettingCatalog.All do
            for json in jsonValues do
                let name = setting.Property.Name

                File.WriteAllText(
                    file,
                    sprintf "{\"Pipeline\": {\"%s\": {\"%s\": %s}}}" setting.Section name json
                )

                let answer = planOver file []

                try
                    isAcceptedOrRefused setting $"(file {file})" answer

                    // A value that says nothing leaves open what may be left open, and is refused else.
                    match json, answer with
                    | ("null" | "{}"), Ok plan ->
                        Assert.True(setting.MayBeOpen, "accepted")

                        Assert.Equal(
                            "nothing",
                            SettingsJson.Text(
                                SettingsJson.Value(SettingsJson.Of plan.Settings, setting)
                            )
                        )
                    | ("{\"a\": 1}" | "{\"a\": null}" | "{\"\": 1}" | "[[1]]"), Ok _ ->
                        failwith "accepted"
                    | _ -> ()
                with failure ->
                    failwith $"{setting.Key} = {json}: {failure.Message}"

    [<Theory>]
    [<InlineData("{\"Pipeline\": {\n\"Training\": {\"Seed\": x}}}",
                 ", line 2, column 22: expected a JSON file of settings, found 'x', which is not valid JSON here.")>]
    [<InlineData("{\"Pipeline\": {},\n\n,}",
                 ", line 3, column 1: expected a JSON file of settings, found ',', which")>]
    [<InlineData("{\"Pipeline\": {",
                 ", line 1, column 15: expected a JSON file of settings, found the end of the text")>]
    [<InlineData("", "expected a JSON file of settings, found an empty file.")>]
    [<InlineData("[1]", "expected a JSON file of settings, found JSON that is no object.")>]
    [<InlineData("{\"Pipeline\": {\"Run\": {\"Name\": \"a\", \"name\": \"b\"}}}",
                 "found Pipeline:Run:name twice.")>]
    [<InlineData("{\"Pipeline\": {\"Run\": {\"Name\": \"\\ud800\"}}}",
                 "found half of a surrogate pair.")>]
    [<InlineData("{\"Pipelin\": {}}", "Pipelin: expected the sections Pipeline and Logging")>]
    [<InlineData("{\"Pipeline\": 5}", "Pipeline: expected a section of settings")>]
    [<InlineData("{\"Pipeline\": {\"Preset\": \"book\"}}", "Preset: expected a known setting")>]
    [<InlineData("{\"Pipeline\": {\"Training\": {\"LearningRat\": null}}}",
                 "Training:LearningRate is the nearest")>]
    let ``a file that is none is refused in a sentence that names it``
        (text: string, words: string)
        =
        use scratch = new Scratch()
        let file = scratch.Sub "mine.json"
        File.WriteAllText(file, text)

        match planOver file [] with
        | Ok _ -> Assert.Fail "accepted"
        | Error faults ->
            let fault = Assert.Single faults
            Assert.Contains(words, fault)
            Assert.Contains(file, fault)

    [<Theory>]
    [<InlineData("Console:MaxQueueLength", "-5", "a whole number of 1 to")>]
    [<InlineData("Console:MaxQueueLength", "many", "a whole number of 1 to")>]
    [<InlineData("Console:QueueFullMode", "foo", "one of Wait, DropWrite")>]
    [<InlineData("Console:QueueFullMode", "1", "one of Wait, DropWrite")>]
    [<InlineData("Console:IncludeScopes", "maybe", "true or false")>]
    [<InlineData("Console:FormatterName", "xml", "one of simple, json, systemd")>]
    [<InlineData("Console:TimestampFormat", "%", "a format of dates")>]
    [<InlineData("Console:FormatterOptions:TimestampFormat", "'", "a format of dates")>]
    [<InlineData("Console:FormatterOptions:SingleLine", "foo", "true or false")>]
    [<InlineData("Console:FormatterOptions:ColorBehavior", "Pink", "one of Default, Enabled")>]
    [<InlineData("Console:FormatterOptions:JsonWriterOptions:Indented", "foo", "true or false")>]
    [<InlineData("Console:FormatterOptions:JsonWriterOptions:IndentSize", "-1", "a value that")>]
    [<InlineData("Console:FormatterOptions:JsonWriterOptions:Indentd", "true", "Indented is")>]
    [<InlineData("Console:FormatterOptions:JsonWriterOptions", "foo", "a section of settings")>]
    [<InlineData("Console:FormatterOptions:JsonWriterOptions:Encoder", "foo", "one of Indented")>]
    [<InlineData("Console:FormatterOptions", "foo", "a section of settings")>]
    [<InlineData("Console:FormaterName", "json", "FormatterName is the nearest")>]
    [<InlineData("Console:FormatterName:x", "json", "FormatterName is a value")>]
    [<InlineData("Console", "foo", "a section of settings")>]
    [<InlineData("Debug", "foo", "a section of settings")>]
    [<InlineData("CaptureScopes", "foo", "true or false")>]
    [<InlineData("Console:LogToStandardErrorThreshold", "Loud", "one of Trace, Debug")>]
    [<InlineData("LogLevel", "Debug", "a section with a level for each category")>]
    [<InlineData("LogLevel:Default", "99", "one of Trace, Debug")>]
    [<InlineData("LogLevel:Default", "", "one of Trace, Debug")>]
    [<InlineData("Console:LogLevel:Pipeline", "Loud", "one of Trace, Debug")>]
    let ``a value that logging cannot use is refused in one sentence``
        (key: string, value: string, words: string)
        =
        use scratch = new Scratch()
        let file = scratch.Sub "mine.json"

        let nested =
            Array.foldBack
                (fun (name: string) inner -> $"{{\"{name}\": {inner}}}")
                (key.Split ':')
                $"\"{value}\""

        File.WriteAllText(file, $"{{\"Logging\": {nested}}}")

        match planOver file [] with
        | Ok _ -> Assert.Fail "accepted"
        | Error faults ->
            let fault = Assert.Single faults
            Assert.StartsWith($"Logging:{key}: expected ", fault)
            Assert.Contains(words, fault)
            Assert.Contains($"(file {file})", fault)

    [<Fact>]
    let ``what logging can use is accepted`` () =
        use scratch = new Scratch()
        let file = scratch.Sub "mine.json"

        File.WriteAllText(
            file,
            """{"Logging": {"LogLevel": {"Default": "debug"}, "CaptureScopes": true, "Debug": {"LogLevel": {"A": "Debug"}}, "Console": {
                "QueueFullMode": "DropWrite", "FormatterName": "json", "LogLevel": {"Pipeline": "None"},
                "LogToStandardErrorThreshold": "Error", "MaxQueueLength": 5,
                "FormatterOptions": {"SingleLine": false, "ColorBehavior": "Disabled",
                "TimestampFormat": "O", "UseUtcTimestamp": true, "JsonWriterOptions": {"Indented": true}}}}}"""
        )

        match planOver file [] with
        | Ok _ -> ()
        | Error faults -> Assert.Fail(String.concat "\n" faults)

    [<Fact>]
    let ``names in a list may have commas`` () =
        use scratch = new Scratch()
        let file = scratch.Sub "mine.json"
        File.WriteAllText(file, """{"Pipeline": {"Data": {"Ignored": ["a,b", "none"]}}}""")

        match planOver file [] with
        | Error faults -> Assert.Fail(String.concat "\n" faults)
        | Ok plan ->
            Assert.Equal<string>([ "a,b"; "none" ], plan.Settings.Data.Ignored)
            let setting = nonNull (SettingCatalog.Find "Data:Ignored")
            let again = nonNull (SettingsJson.Value(kept plan, setting))
            Assert.Equal(2, again.AsArray().Count)
