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

/// What the service makes of settings, from the layers of configuration to a plan or its faults.
module SettingsTests =
    let private planOver
        (preset: string | null)
        (settings: (string * string) list)
        : Result<RunConfiguration, string list> =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        try
            use host =
                ServiceRegistration.CreateBuilder(CommandLineSettings(values, preset)).Build()

            Ok(host.Services.GetRequiredService<RunConfiguration>())
        with :? RefusedException as refused ->
            Error(List.ofSeq refused.Reasons)

    let private plan settings = planOver null settings

    let private faultsOf settings =
        match plan settings with
        | Ok _ -> []
        | Error faults -> faults

    [<Fact>]
    let ``the defaults are the book's run`` () =
        match plan [] with
        | Error faults -> Assert.Fail(String.concat "\n" faults)
        | Ok plan ->
            Assert.Equal<int>([| 50 |], plan.Hidden)
            Assert.Equal(Pipeline.Learning.Hyperparameters.book, plan.Hyperparameters)
            Assert.Equal(Pipeline.Learning.Precision.Single, plan.Precision)

    [<Fact>]
    let ``every preset is a run, and book is the default one`` () =
        for name in Presets.Names do
            match planOver name [] with
            | Error faults -> Assert.Fail(String.concat "\n" (name :: faults))
            | Ok plan ->
                Assert.Equal(
                    (name = "book"),
                    (plan.Hyperparameters = Pipeline.Learning.Hyperparameters.book)
                )

    [<Fact>]
    let ``what is given beside a preset is above it`` () =
        match planOver "accurate-mnist" [ "Training:BatchSize", "77" ] with
        | Error faults -> Assert.Fail(String.concat "\n" faults)
        | Ok plan ->
            Assert.Equal(77, plan.Hyperparameters.BatchSize)
            Assert.Equal("Relu", string plan.Activation)

    [<Fact>]
    let ``a run's length given either way is above the preset's`` () =
        for setting, length in
            [
                ("Training:Iterations", "7"), Pipeline.Learning.RunLength.Iterations 7L
                ("Training:Epochs", "8"), Pipeline.Learning.RunLength.Epochs 8
            ] do
            match planOver "accurate-mnist" [ setting ] with
            | Error faults -> Assert.Fail(String.concat "\n" faults)
            | Ok plan -> Assert.Equal(length, plan.Hyperparameters.Length)

        Assert.Contains(
            "7 iterations and 8 epochs",
            faultsOf [ "Training:Iterations", "7"; "Training:Epochs", "8" ]
            |> String.concat "\n"
        )

    [<Theory>]
    [<InlineData("acurate",
                 "expected accurate-fashion, accurate-mnist, book, over-fitting, small-table or the path")>]
    [<InlineData("nowhere.json", "or the path of a .json file, found 'nowhere.json'")>]
    let ``a preset that is none is refused`` (name: string) (sentence: string) =
        match planOver name [] with
        | Ok _ -> Assert.Fail "accepted"
        | Error faults -> Assert.Contains(sentence, String.concat "\n" faults)

    [<Theory>]
    [<InlineData("Training:LearningRate", "-1", "greater than 0")>]
    [<InlineData("Training:LearningRate", "NaN", "a number such as 0.05")>]
    [<InlineData("Training:LearningRate", "0,05", "a number such as 0.05, found '0,05'")>]
    [<InlineData("Training:LearningRate", "1e400", "a number such as 0.05")>]
    [<InlineData("Run:CheckpointSeconds", "Infinity", "a number such as 0.05")>]
    [<InlineData("Run:CheckpointSeconds", "1e300", "0 to 31536000 seconds")>]
    [<InlineData("Health:StalledAfter", "1e300", "up to 31536000 seconds")>]
    [<InlineData("Watch:Every", "1e-9", "0.001 to 86400 seconds")>]
    [<InlineData("Watch:Every", "86401", "0.001 to 86400 seconds")>]
    [<InlineData("Run:Name", "a\nb", "without control characters")>]
    [<InlineData("Run:Name", " ", "a folder's name")>]
    [<InlineData("Model:Hidden", "50,,20", "a whole number")>]
    [<InlineData("Model:Hidden", "", "a whole number")>]
    [<InlineData("Training:LearningRate", "fast", "a number")>]
    [<InlineData("Training:BatchSize", "0", "1 or more")>]
    [<InlineData("Training:BatchSize", "2.5", "a whole number")>]
    [<InlineData("Training:Iterations", "0", "1 or more")>]
    [<InlineData("Training:Epochs", "-3", "1 or more")>]
    [<InlineData("Training:Seed", "-1", "a whole number of 0")>]
    [<InlineData("Training:Sampling", "Random", "one of Replacement, Epoch")>]
    [<InlineData("Training:Gradient", "Guess", "one of Backpropagation, Numerical")>]
    [<InlineData("Training:Optimizer",
                 "Sgd",
                 "one of GradientDescent, Momentum, Nesterov, AdaGrad, RmsProp, Adam, AdamW, Lion")>]
    [<InlineData("Training:Momentum", "0.9", "does not apply to GradientDescent")>]
    [<InlineData("Training:ClipNorm", "0", "greater than 0")>]
    [<InlineData("Training:Accumulate", "0", "1 or more")>]
    [<InlineData("Training:Schedule",
                 "Steep",
                 "one of Constant, Step, Exponential, Cosine, OneCycle, Plateau")>]
    [<InlineData("Data:Validation", "0.95", "0 to 0.9")>]
    [<InlineData("Training:Dropout", "1", "less than 1")>]
    [<InlineData("Training:LabelSmoothing", "1", "less than 1")>]
    [<InlineData("Training:ScheduleLast", "0.1", "does not apply to Constant")>]
    [<InlineData("Training:WarmUp", "-1", "0 or more")>]
    [<InlineData("Model:Initialiser", "He", "one of Fixed, XavierNormal")>]
    [<InlineData("Training:Precision", "Half", "one of Single, Double")>]
    [<InlineData("Training:Threads", "0", "1 to 1024")>]
    [<InlineData("Model:Hidden", "50,0", "widths of 1 to 65536")>]
    [<InlineData("Model:Hidden", "wide", "a whole number")>]
    [<InlineData("Model:Activation", "Sigmod", "one of Sigmoid, Tanh, Relu, Identity")>]
    [<InlineData("Model:WeightInitStd", "-0.1", "0 or greater")>]
    [<InlineData("Data:Classes", "1", "2 to 65536")>]
    [<InlineData("Data:Missing", "Guess", "one of Refuse, Mean, Median")>]
    [<InlineData("Data:Scaling", "Log", "one of None, Standard, MinMax")>]
    [<InlineData("Data:TestShare", "1", "0 to 0.9")>]
    [<InlineData("Data:Skip", "-1", "0 or more")>]
    [<InlineData("Data:MaximumBytes", "0", "1 or more")>]
    [<InlineData("Data:Header", "perhaps", "true or false")>]
    [<InlineData("Data:Test", "rows.csv", "a file beside Data:Train")>]
    [<InlineData("Run:TensorBoard", "1", "true or false")>]
    [<InlineData("Run:Name", "a/b", "a folder's name")>]
    [<InlineData("Training:LerningRate", "0.1", "Training:LearningRate is the nearest")>]
    [<InlineData("Weather:Forecast", "fine", "a known setting")>]
    [<InlineData("Training:LearningRate:x", "0.1", "Training:LearningRate is the nearest")>]
    [<InlineData("Model:Hidden:a", "7", "a known setting")>]
    [<InlineData("Training", "fast", "a section of settings")>]
    [<InlineData("Training:Iterations", "", "a whole number")>]
    [<InlineData("Training:BatchSize", "3000000000", "a whole number of up to 2147483647")>]
    [<InlineData("Training:Threads", "0x10", "a whole number")>]
    [<InlineData("Training:LearningRate", "1e-60", "single precision can hold")>]
    [<InlineData("Training:LearningRate", "1e39", "single precision can hold")>]
    [<InlineData("Model:Hidden", "65536,65536", "layers of at most")>]
    [<InlineData("Data:Classes", "2147483647", "2 to 65536")>]
    let ``a bad setting is refused in one sentence that names it``
        (key: string, value: string, expected: string)
        =
        let fault = Assert.Single(faultsOf [ key, value ])
        Assert.Matches($"^{key}(: expected | )", fault)
        Assert.Contains(expected, fault)
        Assert.EndsWith(".", fault)

    [<Theory>]
    [<InlineData("Model:Initialiser", "HeNormal", "Model:WeightInitStd", "-1", "0 or greater")>]
    [<InlineData("Training:Optimizer", "Adam", "Training:Epsilon", "1e-60", "single precision")>]
    [<InlineData("Training:Optimizer", "AdamW", "Training:WeightDecay", "1e60", "single precision")>]
    [<InlineData("Data:Train", "x.csv", "Data:Classes", "1", "2 to 65536")>]
    [<InlineData("Augmentation:Elastic", "0", "Augmentation:Smoothness", "0", "more than 0")>]
    [<InlineData("Training:Sampling", "Epoch", "Training:ClipNorm", "1e-60", "single precision")>]
    let ``a setting out of its range is refused in one sentence, whether or not another makes use of it``
        (other: string, choice: string, key: string, value: string, expected: string)
        =
        let fault = Assert.Single(faultsOf [ other, choice; key, value ])
        Assert.StartsWith($"{key}: expected ", fault)
        Assert.Contains(expected, fault)
        Assert.Contains($"(option --{key})", fault)

    [<Fact>]
    let ``what watches validation needs samples for it`` () =
        for settings in [ [ "Training:EarlyStopping", "3" ]; [ "Training:Schedule", "Plateau" ] ] do
            let fault = Assert.Single(faultsOf settings)
            Assert.StartsWith("Data:Validation must be above 0 for ", fault)
            Assert.Empty(faultsOf (("Data:Validation", "0.1") :: settings))

    [<Fact>]
    let ``all faults are said at once`` () =
        let faults =
            faultsOf [
                "Training:LearningRate", "-1"
                "Training:BatchSize", "many"
                "Training:Iterations", "5"
                "Training:Epochs", "5"
                "Model:Activation", "Sigmod"
                "Data:Directry", "x"
            ]

        Assert.Equal(5, faults.Length)

    [<Fact>]
    let ``a shorter list leaves no tail of a longer one below it`` () =
        let layers =
            ConfigurationBuilder()
                .AddInMemoryCollection(
                    dict [ "Pipeline:Model:Hidden:0", "100"; "Pipeline:Model:Hidden:1", "60" ]
                )
                .AddInMemoryCollection(dict [ "Pipeline:Model:Hidden", "30" ])
                .Build()

        let sifted = SettingsReader.ReadChecked layers
        Assert.Empty sifted.Faults
        Assert.Equal<int>([| 30 |], sifted.Values.GetSection("Model:Hidden").Get<int[]>())

    /// What is wrong with one layer of settings.
    let private faultsOfLayer (values: (string * string) list) =
        let layer = ConfigurationBuilder().AddInMemoryCollection(dict values).Build()
        List.ofSeq (SettingsReader.ReadChecked layer).Faults

    [<Law>]
    let ``the places of a list's values are 0, 1, 2 and so on, without a gap`` (places: byte list) =
        let places = places |> List.map (fun place -> int place % 5) |> List.distinct

        let faults =
            faultsOfLayer [ for place in places -> $"Pipeline:Data:Ignored:%d{place}", "x" ]

        if List.sort places = [ 0 .. places.Length - 1 ] then
            Assert.Empty faults
        else
            Assert.Contains("Data:Ignored: expected values at the places 0", Assert.Single faults)

    [<Fact>]
    let ``a list is given in one value or at places, and each place once`` () =
        for values in
            [
                [ "Pipeline:Model:Hidden", "30"; "Pipeline:Model:Hidden:0", "20" ]
                [ "Pipeline:Model:Hidden:0", "30"; "Pipeline:Model:Hidden:00", "20" ]
            ] do
            Assert.StartsWith("Model:Hidden: expected ", Assert.Single(faultsOfLayer values))

    [<Fact>]
    let ``a list of none is no hidden layer, and not the default`` () =
        match plan [ "Model:Hidden", "none" ] with
        | Ok plan -> Assert.Empty plan.Hidden
        | Error faults -> Assert.Fail(String.concat "\n" faults)

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
