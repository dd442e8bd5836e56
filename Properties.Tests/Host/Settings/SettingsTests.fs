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
    let planOver
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

    let plan settings = planOver null settings

    let faultsOf settings =
        match plan settings with
        | Ok _ -> []
        | Error faults -> faults

    [<Fact>]
    let ``the defaults are the book's run`` () =
        match plan [] with
        | Error faults -> Assert.Fail(String.concat "\n" faults)
        | Ok plan ->
            Assert.Equal<int>([| 50 |], plan.Hidden)
            Assert.Equal(Pipeline.Learning.Hyperparameters.Default, plan.Hyperparameters)
            Assert.Equal(Pipeline.Learning.Precision.Single, plan.Precision)

    [<Fact>]
    let ``every preset is a run, and book is the default one`` () =
        for name in Presets.Names do
            match planOver name [] with
            | Error faults -> Assert.Fail(String.concat "\n" (name :: faults))
            | Ok plan ->
                Assert.Equal(
                    (name = "book"),
                    (plan.Hyperparameters = Pipeline.Learning.Hyperparameters.Default)
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
                 "expected accurate-fashion, accurate-mnist, best-fashion, best-mnist, book, lenet, mnist-in-seconds, over-fitting, small-table or the path")>]
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
                 "one of GradientDescent, Momentum, Nesterov, AdaGrad, RmsProp, Adam, AdamW, Lion, Lbfgs")>]
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
