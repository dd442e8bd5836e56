/// Data:TargetScaling: numbers of any unit are learned with the usual settings.
namespace Pipeline.Properties.Host

open System.IO
open System.Threading.Tasks
open Pipeline.CSharp
open Pipeline.Training
open Xunit

module TargetScalingTests =
    /// Prices around 170,000 that follow from area and district.
    let private houses = [
        for i in 0..299 ->
            let area = 40.0 + float (i * 7 % 120)
            let isNorth = i % 3 = 0

            House(
                area,
                (if isNorth then "north" else "south"),
                100_000.0 + 700.0 * area + (if isNorth then 20_000.0 else 0.0)
            )
    ]

    let private ended (task: Task<'R>) : 'R = task.GetAwaiter().GetResult()

    let private rootMeanSquare (model: TableModel) : float =
        model.PredictAll houses
        |> Seq.map2 (fun (house: House) predicted -> (predicted.Value - house.Price) ** 2.0) houses
        |> Seq.average
        |> sqrt

    [<Fact>]
    let ``house prices train with default settings, and are predicted in their own unit`` () =
        let run =
            TableTrainer.TrainAsync(houses, RowModels.DefaultNumberSettings 3000L) |> ended

        Assert.Equal(TrainingEnd.Completed, run.End)
        // The prices' own deviation is 26,000.
        Assert.InRange(rootMeanSquare run.Model, 0.0, 2_000.0)

        Assert.Equal(
            0.5 * rootMeanSquare run.Model ** 2.0,
            (0.8 * run.Scores.Train.Loss + 0.2 * run.Scores.Test.Loss),
            0.2 * run.Scores.Train.Loss
        )

        let unscaled =
            TableTrainer.TrainAsync(houses, RowModels.DefaultNumberSettings(300L, "None"))
            |> ended

        Assert.True(
            unscaled.End = TrainingEnd.Diverged || rootMeanSquare unscaled.Model > 20_000.0,
            "numbers of that size are not learned without scaling"
        )

    let private arguments (scratch: Scratch) = [
        "--Data:Train"
        scratch.Sub "houses.csv"
        "--Model:Head"
        "Identity"
        "--Training:Iterations"
        "400"
        "--Run:Directory"
        scratch.Sub "runs"
    ]

    let private write (scratch: Scratch) =
        File.WriteAllLines(
            scratch.Sub "houses.csv",
            [
                "area,district,price"
                for house in houses do
                    $"{house.Area},{house.District},{house.Price}"
            ]
        )

    let private run (arguments: string list) =
        let ended = Given.start arguments |> Given.finish
        Assert.True((ended.ExitCode = 0), ended.Errors)
        ended

    let private onlyRun (scratch: Scratch) =
        Assert.Single(Directory.GetDirectories(scratch.Sub "runs"))

    [<Fact>]
    let ``the model of a run and that of its checkpoint predict prices, and a resumed run ends with the same bytes``
        ()
        =
        use scratch = new Scratch()
        write scratch
        run ("train" :: arguments scratch) |> ignore
        let folder = onlyRun scratch
        let path = Path.Combine(folder, "model.safetensors")
        let bytes = File.ReadAllBytes path
        Assert.InRange(rootMeanSquare (TableModel.Load path), 0.0, 10_000.0)

        File.Delete path
        File.Delete(Path.Combine(folder, "summary.json"))
        Assert.Equal<byte>(bytes, (TableModel.Load folder).ToBytes())

        run [ "train"; "--resume"; folder; "--Training:Iterations"; "600" ] |> ignore
        let resumed = File.ReadAllBytes path

        use other = new Scratch()
        write other

        let whole =
            arguments other |> List.map (fun each -> if each = "400" then "600" else each)

        run ("train" :: whole) |> ignore

        Assert.Equal<byte>(
            resumed,
            File.ReadAllBytes(Path.Combine(onlyRun other, "model.safetensors"))
        )

        let evaluated = run [ "evaluate"; folder ]
        Assert.Contains("root mean squared error", evaluated.Output)

    [<Fact>]
    let ``a run whose settings say nothing of scaling is resumed without it`` () =
        use scratch = new Scratch()
        write scratch

        run (
            "train" :: arguments scratch
            @ [ "--Data:TargetScaling"; "None"; "--Training:LearningRate"; "1e-11" ]
        )
        |> ignore

        let folder = onlyRun scratch
        let file = Path.Combine(folder, "settings.json")
        let text = File.ReadAllText file
        let entry = "\"target_scaling\": \"None\","
        Assert.Contains(entry, text)
        File.WriteAllText(file, text.Replace(entry, ""))
        let ended = run [ "train"; "--resume"; folder; "--Training:Iterations"; "500" ]
        Assert.Contains("from iteration 400", ended.Errors)

        let refused =
            Given.start [ "train"; "--resume"; folder; "--Data:TargetScaling"; "Standard" ]
            |> Given.finish

        Assert.Equal(2, refused.ExitCode)
        Assert.Contains("Data:TargetScaling", refused.Errors)

    [<Fact>]
    let ``scaling that cannot apply is refused`` () =
        let refused arguments says =
            let ended = Given.start ("train" :: arguments) |> Given.finish
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(says, ended.Errors)

        refused
            [ "--Data:TargetScaling"; "Standard" ]
            "Data:TargetScaling applies to numbers to predict"

        refused
            [ "--Data:TargetScaling"; "Log" ]
            "Data:TargetScaling: expected one of None, Standard, MinMax"

        refused
            [
                "--Data:TargetScaling"
                "MinMax"
                "--Model:Head"
                "Identity"
                "--Model:Layers"
                "dense 1,tanh"
            ]
            "Data:TargetScaling needs a dense layer as the last one"
