namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Globalization
open System.Text.RegularExpressions
open Pipeline.Training
open Xunit

/// What --help and the settings page say of a setting is what the program accepts.
module SettingDefinitionTests =
    let private faultsOf (settings: (string * string) list) =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        ServiceRegistration.FaultsOf(CommandLineSettings values) |> List.ofSeq

    let private names (text: string) : string list =
        text.Split([| ", "; " or "; " and " |], StringSplitOptions.None) |> List.ofArray

    let private find key = nonNull (SettingCatalog.Find key)
    let private optimizers = names (find "Training:Optimizer").Accepts
    let private schedules = names (find "Training:Schedule").Accepts

    /// The optimizers and schedules that a description begins with: "of Step and Exponential: …".
    let private owners (setting: Setting) : string list = [
        for found in Regex.Matches(setting.Description, "(?:^|; )of ([A-Z][\\w, ]+):") do
            yield! names found.Groups[1].Value
    ]

    let private choosing (owner: string) : string * string =
        if List.contains owner optimizers then
            "Training:Optimizer", owner
        else
            Assert.Contains(owner, schedules)
            "Training:Schedule", owner

    /// A setting's own faults beside the settings that it needs.
    let private own (setting: Setting) (owner: string option) (value: string) : string list =
        faultsOf [
            if setting.Key <> "Data:Validation" then
                "Data:Validation", "0.1"

            yield! owner |> Option.map choosing |> Option.toList
            setting.Key, value
        ]
        |> List.filter (fun fault -> Regex.IsMatch(fault, $"^{setting.Key}[: ]"))

    let private isNumber (setting: Setting) =
        setting.Kind.StartsWith "a number" || setting.Kind.StartsWith "a whole number"

    let private text (value: float) =
        value.ToString("R", CultureInfo.InvariantCulture)

    /// The values next to a limit, below and above it.
    let private around (setting: Setting) (limit: float) : string * string =
        if setting.Kind.StartsWith "a whole number" then
            text (limit - 1.0), text (limit + 1.0)
        else
            text (Math.BitDecrement limit), text (Math.BitIncrement limit)

    /// Values that a definition accepts and refuses, at the limits that it names.
    let private limits (setting: Setting) : (string list * string list) list = [
        let number (group: Group) =
            Double.Parse(group.Value, CultureInfo.InvariantCulture)

        for part in setting.Accepts.Split ", " do
            let matches (pattern: string) =
                let found = Regex.Match(part, $"^{pattern}$")

                if found.Success then
                    Some [ for i in 1 .. found.Groups.Count - 1 -> number found.Groups[i] ]
                else
                    None

            match
                matches @"([\d.]+) or more",
                matches @"([\d.]+) to ([\d.]+)",
                matches "above ([\d.]+)",
                matches "(?:up to) ([\d.]+)",
                matches "below ([\d.]+)"
            with
            | Some [ least ], _, _, _, _ -> [ text least ], [ fst (around setting least) ]
            | _, Some [ least; most ], _, _, _ ->
                [ text least; text most ], [ fst (around setting least); snd (around setting most) ]
            // A learning rate must be one that single precision holds.
            | _, _, Some [ limit ], _, _ -> [ text (limit + 1e-6) ], [ text limit ]
            | _, _, _, Some [ most ], _ -> [ text most ], [ snd (around setting most) ]
            | _, _, _, _, Some [ limit ] -> [ fst (around setting limit) ], [ text limit ]
            | _ -> failwith $"{setting.Key} accepts {part}"
    ]

    let numbers () =
        TheoryData<string>(
            seq {
                for setting in SettingCatalog.All do
                    if isNumber setting then
                        setting.Key
            }
        )

    [<Theory>]
    [<MemberData(nameof numbers)>]
    let ``a number is accepted within the limits of its definition alone`` (key: string) =
        let setting = find key

        let owners =
            match owners setting with
            | [] -> [ None ]
            | owners -> List.map Some owners

        for owner in owners do
            for accepted, refused in limits setting do
                for value in accepted do
                    Assert.Empty(own setting owner value)

                for value in refused do
                    Assert.NotEmpty(own setting owner value)

    [<Theory>]
    [<MemberData(nameof numbers)>]
    let ``a number of an optimizer or a schedule is refused by those that its definition does not name``
        (key: string)
        =
        let setting = find key
        let owners = owners setting

        if not owners.IsEmpty then
            let all =
                if List.contains owners.Head optimizers then
                    optimizers
                else
                    schedules

            let value = limits setting |> List.head |> fst |> List.head

            for other in all do
                Assert.Equal((List.contains other owners), (own setting (Some other) value).IsEmpty)

    [<Fact>]
    let ``a choice's names are those of its definition`` () =
        let choices = [
            for setting in SettingCatalog.All do
                // Which scaling of targets and which metric is accepted depends on the head.
                if
                    setting.Key <> "Data:TargetScaling"
                    && setting.Key <> "Training:Metric"
                    && Regex.IsMatch(setting.Accepts, "^[A-Z]\\w+(, [A-Z]\\w+)* or [A-Z]\\w+$")
                then
                    setting
        ]

        Assert.Equal(12, choices.Length)

        for setting in choices do
            let names = names setting.Accepts

            for name in names do
                Assert.Empty(own setting None name)

            let expected = names |> String.concat ", "
            Assert.Contains($"one of {expected}, found", Assert.Single(own setting None "Other"))

    [<Fact>]
    let ``every setting says what it means, and what it is unless set if that is not nothing`` () =
        for setting in SettingCatalog.All do
            Assert.NotEqual<string>("", setting.Description)

            if not (isNull setting.Default) && not setting.IsList then
                Assert.NotEqual<string>("", setting.DefaultText)
