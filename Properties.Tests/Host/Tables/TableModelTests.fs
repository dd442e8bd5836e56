/// TableTrainer.cs, TableModel.cs: what an application does with rows, without a command line.
namespace Pipeline.Properties.Host

open System
open System.IO
open System.Threading
open System.Threading.Tasks
open Pipeline.CSharp
open Pipeline.Training
open Xunit

module TableModelTests =
    let private lines =
        lazy (File.ReadAllLines(DefaultPaths.PathOf "data/tables/iris.csv") |> Array.tail)

    let private flowers =
        lazy
            [
                for line in lines.Value do
                    let cells = line.Split ','

                    Flower(
                        float cells[0],
                        float32 cells[1],
                        decimal cells[2],
                        Nullable(float cells[3]),
                        cells[4]
                    )
            ]

    let private header = "SepalLength,SepalWidth,PetalLength,PetalWidth,Species"

    let private file (scratch: Scratch) : string =
        let path = scratch.Sub "iris.csv"
        File.WriteAllLines(path, Array.append [| header |] lines.Value)
        path

    let private ended (task: Task<'R>) : 'R = task.GetAwaiter().GetResult()

    let private train (epochs: int) : TrainedTable =
        TableTrainer.TrainAsync(flowers.Value, RowModels.Settings(DataSettings(), epochs))
        |> ended

    let private trained = lazy (train 20)

    let private refused (says: string list) (call: unit -> 'V) =
        let refused = Assert.Throws<RefusedException>(fun () -> call () |> ignore)

        for part in says do
            Assert.Contains(part, refused.Message)

    let private probabilities (prediction: Prediction) = Seq.toList prediction.Probabilities

    [<Fact>]
    let ``rows in memory and the file of the same cells give the same model, bit for bit`` () =
        use scratch = new Scratch()

        for precise in [ id; RowModels.InDouble ] do
            let ofRows =
                TableTrainer.TrainAsync(
                    flowers.Value,
                    precise (RowModels.Settings(DataSettings(), 5))
                )
                |> ended

            let ofFile =
                TableTrainer.TrainAsync(
                    precise (RowModels.Settings(DataSettings(Train = file scratch), 5))
                )
                |> ended

            Assert.Equal<byte>(ofFile.Model.ToBytes(), ofRows.Model.ToBytes())
            Assert.Equal(ofFile.Scores, ofRows.Scores)

    [<Fact>]
    let ``a run of the program gives that model too`` () =
        use scratch = new Scratch()

        let arguments = [
            "train"
            "--preset"
            "small-table"
            "--Training:Epochs"
            "20"
            "--Data:Train"
            file scratch
            "--Run:Directory"
            scratch.Sub "runs"
        ]

        let run = Given.start arguments |> Given.finish
        Assert.Equal(0, run.ExitCode)

        let folder = Directory.GetDirectories(scratch.Sub "runs") |> Assert.Single
        let model = TableModel.Load folder
        Assert.Equal<byte>(model.ToBytes(), trained.Value.Model.ToBytes())

    /// Settings of steps that learn from all rows.
    let private byLbfgs (training: TrainingSettings) =
        PipelineSettings(
            Model =
                ModelSettings(Hidden = [| 16 |], Activation = "Tanh", Initialiser = "XavierNormal"),
            Training = training
        )

    [<Fact>]
    let ``Lbfgs learns iris from all rows in fewer than 100 steps`` () =
        let lowest, highest =
            [ 1UL .. 5UL ]
            |> List.map (fun seed ->
                let settings =
                    TrainingSettings(
                        Optimizer = "Lbfgs",
                        LearningRate = 1.0,
                        Sampling = "Epoch",
                        BatchSize = 1000,
                        Iterations = Nullable 50L,
                        PenaltyL2 = Nullable 0.001,
                        Seed = seed
                    )

                let run = TableTrainer.TrainAsync(flowers.Value, byLbfgs settings) |> ended
                Assert.Equal(50L, run.Iteration)
                run.Scores.Train.Accuracy)
            |> fun found -> List.min found, List.max found

        Assert.True(lowest >= 0.97, $"{lowest} to {highest}")

    [<Fact>]
    let ``Lbfgs refuses mini-batches of some rows`` () =
        let settings = TrainingSettings(Optimizer = "Lbfgs", BatchSize = 100)

        let refusal =
            Assert.Throws<RefusedException>(fun () ->
                TableTrainer.TrainAsync(flowers.Value, byLbfgs settings) |> ended |> ignore)

        Assert.Equal<string>(
            [
                "Training:BatchSize: expected 126 or more, as Lbfgs learns from all training samples at each step, found 100."
                "Training:Sampling: expected Epoch, as Lbfgs learns from all training samples at each step, found Replacement."
            ],
            refusal.Reasons
        )

    [<Fact>]
    let ``a model learns, and says of what`` () =
        let run = trained.Value
        Assert.Equal(TrainingEnd.Completed, run.End)
        Assert.True(run.Scores.Test.Accuracy > 0.85, $"{run.Scores}")
        Assert.Contains("SepalLength", run.Columns)
        Assert.Equal<string>([ "0"; "1"; "2" ], run.Model.Classes)

        Assert.Equal<string>(
            [ "SepalLength"; "SepalWidth"; "PetalLength"; "PetalWidth" ],
            run.Model.Columns |> Seq.map _.Name
        )

        Assert.True(run.Model.Columns |> Seq.forall _.IsNumeric)

    [<Fact>]
    let ``one row and several, of every kind, get the same predictions, saved or not`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "model.safetensors"
        let model = trained.Value.Model
        model.Save path

        for model in [ model; TableModel.Load path; TableModel.Parse(model.ToBytes()) ] do
            let all = model.PredictAll flowers.Value
            Assert.Equal(150, all.Count)

            for i in [ 0; 60; 149 ] do
                let flower = flowers.Value[i]
                let expected = probabilities all[i]

                for one in
                    [
                        model.Predict flower
                        RowModels.PredictAnonymous(model, flower)
                        RowModels.PredictDictionary(model, flower)
                    ] do
                    Assert.Equal<Collections.Generic.KeyValuePair<string, float> list>(
                        expected,
                        probabilities one
                    )

                    Assert.Equal(all[i].Class, one.Class)
                    Assert.Equal(one.Probabilities[one.Class], one.Probability)
                    Assert.Equal(expected |> Seq.map _.Value |> Seq.max, one.Probability)
                    Assert.Equal(1.0, expected |> Seq.sumBy _.Value, 6)

    [<Fact>]
    let ``predictions are those of the program`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "model.safetensors"
        trained.Value.Model.Save path

        let run =
            Given.start [ "predict"; path; file scratch; "--format"; "csv" ] |> Given.finish

        Assert.Equal(0, run.ExitCode)

        let printed =
            run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            |> Array.tail
            |> Array.map (fun line -> line.Split(',')[1..])

        let predicted =
            trained.Value.Model.PredictAll flowers.Value
            |> Seq.map (fun prediction -> [|
                prediction.Class
                for probability in prediction.Probabilities.Values do
                    probability.ToString("R", Globalization.CultureInfo.InvariantCulture)
            |])

        Assert.Equal<string[]>(printed, predicted)

    [<Fact>]
    let ``a column that lacks, a wrong type, a null and no row are refused, with the column`` () =
        let messages = RowModels.Refusals trained.Value.Model
        Assert.Contains("column PetalWidth", messages[0])
        Assert.Contains("column SepalLength, row 1", messages[1])
        Assert.Contains("'long'", messages[1])
        Assert.Contains("column SepalLength", messages[2])
        Assert.Contains("found nothing", messages[2])
        Assert.Contains("column SepalLength", messages[3])

        let rows: (Flower | null) list = [ flowers.Value[0]; null ]
        refused [ "row 2 is null" ] (fun () -> trained.Value.Model.PredictAll rows)
        refused [ "one row or more" ] (fun () -> trained.Value.Model.PredictAll([]: Flower list))

    [<Fact>]
    let ``progress tells each evaluation, and a cancelled run keeps what it has learned`` () =
        let settings = RowModels.Settings(DataSettings(), 50)
        let run = RowModels.TrainUntilAsync(flowers.Value, settings, 3L) |> ended
        Assert.Equal(TrainingEnd.Cancelled, run.End)
        Assert.Equal("0", run.Model.Predict(flowers.Value[0]).Class)

        let epochs = Collections.Generic.List<int64>()

        let progress =
            RowModels.Reports(fun reached ->
                if not (isNull reached.Scores) then
                    epochs.Add reached.Epoch
                    Assert.Equal(reached.Iterations * reached.Epoch / 4L, reached.Iteration))

        let settings = RowModels.Settings(DataSettings(), 4)
        TableTrainer.TrainAsync(flowers.Value, settings, progress) |> ended |> ignore
        Assert.Equal<int64>([ 0L .. 4L ], epochs)

        Assert.ThrowsAny<OperationCanceledException>(fun () ->
            TableTrainer.TrainAsync(flowers.Value, settings, null, CancellationToken true)
            |> ended
            |> ignore)

    [<Fact>]
    let ``a number is predicted as a number`` () =
        let houses = [
            for i in 1..200 ->
                House(
                    float i,
                    (if i % 2 = 0 then "north" else "south"),
                    float (i % 2) + float i / 100.0
                )
        ]

        let run = TableTrainer.TrainAsync(houses, RowModels.NumberSettings 100) |> ended
        let predicted = run.Model.Predict(House(100.0, "north", 0.0))
        Assert.InRange(predicted.Value, 0.8, 1.2)

        Assert.Throws<InvalidOperationException>(fun () -> predicted.Class |> ignore)
        |> ignore

        Assert.Empty run.Model.Classes

        let classes = trained.Value.Model.Predict(flowers.Value[0])

        Assert.Throws<InvalidOperationException>(fun () -> classes.Value |> ignore)
        |> ignore

        Assert.Equal<string>(
            [ "Area"; "District = north"; "District = south" ],
            run.Model.InputNames
        )

        let inputs = run.Model.Encode [ houses[0] ]
        Assert.Equal<float>([ 0.0; 1.0 ], inputs[0][1..])

    [<Fact>]
    let ``balanced classes find more of the rare one`` () =
        // One row of nine is ill, and the two overlap.
        let rows = [
            for i in 0..449 ->
                let isIll = i % 9 = 0
                let shift = if isIll then 1.0 else 0.0

                Flower(
                    shift + float (i * 37 % 101) / 50.0,
                    1f,
                    1m,
                    Nullable 1.0,
                    (if isIll then "ill" else "well")
                )
        ]

        let recallOf (rows: Flower list) (settings: PipelineSettings) =
            let run = TableTrainer.TrainAsync(rows, settings) |> ended
            let ill = rows |> List.filter (fun row -> row.Species = "ill")

            let found =
                run.Model.PredictAll ill
                |> Seq.filter (fun each -> each.Class = "ill")
                |> Seq.length

            float found / float ill.Length

        let recall (weights: string[] | null) =
            recallOf rows (RowModels.Weighted weights)

        Assert.InRange(recall null, 0.0, 0.6)
        Assert.InRange(recall [| "Balanced" |], 0.7, 1.0)
        Assert.Equal(recall [| "Balanced" |], recall [| "ill=8"; "well=1" |], 1)

        // The same weights row by row, in a column.
        let weighted = [
            for row in rows ->
                Flower(
                    row.SepalLength,
                    (if row.Species = "ill" then 8f else 1f),
                    row.PetalLength,
                    row.PetalWidth,
                    row.Species
                )
        ]

        let byColumn = DataSettings(Label = "Species", Weight = "SepalWidth")

        Assert.Equal(
            recall [| "Balanced" |],
            recallOf weighted (RowModels.Settings(byColumn, 30)),
            1
        )

        refused [ "Data:ClassWeights"; "ill, well"; "'sick'" ] (fun () ->
            TableTrainer.TrainAsync(rows, RowModels.Weighted [| "sick=2" |]) |> ended)

    [<Fact>]
    let ``settings, rows and models that cannot be used are refused`` () =
        let train settings =
            TableTrainer.TrainAsync(flowers.Value, settings) |> ended

        refused [ "Data:Label"; "Kind" ] (fun () ->
            train (RowModels.Settings(DataSettings(Label = "Kind"), 2)))

        refused [ "Training:Epochs" ] (fun () -> train (RowModels.Settings(DataSettings(), 0)))

        refused [ "Data:Train"; "in memory" ] (fun () ->
            train (RowModels.Settings(DataSettings(Train = "x.csv"), 2)))

        refused [ "Data:Train"; "nothing" ] (fun () ->
            TableTrainer.TrainAsync(RowModels.Settings(DataSettings(), 2)) |> ended)

        let unknown =
            flowers.Value
            |> List.mapi (fun i _ -> Flower(float i, 1f, 1m, Nullable 1.0, null))

        refused [ "Species" ] (fun () ->
            TableTrainer.TrainAsync(unknown, RowModels.Settings(DataSettings(), 2)) |> ended)

        refused [ "no-such.safetensors" ] (fun () -> TableModel.Load "no-such.safetensors")
        refused [ "the model" ] (fun () -> TableModel.Parse(ReadOnlyMemory [| 1uy |]))
        refused [ "small-table"; "'nope'" ] (fun () -> PipelineSettings.OfPreset "nope")
