namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Text
open System.Text.Json.Nodes
open System.Threading
open System.Threading.Tasks
open Pipeline.Cluster
open Pipeline.Learning
open Pipeline.Training

/// Trials of which each step takes the value of the one before: whatever is wrong with a checkpoint changes the result.
[<RequireQualifiedAccess>]
module MadeUpTrials =
    /// The steps of an epoch.
    let private epoch = 10L

    /// The steps of a run.
    let private whole = 30L

    let private beginning (values: string seq) =
        (14695981039346656037UL, String.concat " " values)
        ||> Seq.fold (fun hash letter -> (hash ^^^ uint64 letter) * 1099511628211UL)

    let private step (state: uint64) (number: int64) =
        (state + uint64 number) * 6364136223846793005UL + 1442695040888963407UL

    let private endOf (stage: Nullable<int>) =
        if stage.HasValue then int64 stage.Value * epoch else whole

    let private resultOf (state: uint64) (iteration: int64) : TrialResult =
        let deficit = float (state >>> 40) / float (1UL <<< 24)

        {
            Deficit = deficit
            Figures = [ struct ("loss", deficit) ]
            Iterations = iteration
            Model = state.ToString "x16"
            HasEnded = (iteration = whole)
        }

    /// The result of a stage, as it must be.
    let expected (lease: SweepLease) : TrialResult =
        let last =
            endOf (
                match lease.Epoch with
                | ValueSome epoch -> Nullable epoch
                | ValueNone -> Nullable()
            )

        resultOf ([ 1L .. last ] |> List.fold step (beginning lease.Values)) last

    /// The board where one worker does one trial after the other.
    let alone (plan: SweepPlan) : SweepBoard =
        let rec run board =
            match SweepBoard.take "alone" 0L 1L board with
            | struct (taken, ValueSome lease) ->
                let struct (next, _) =
                    SweepBoard.record "alone" lease.Trial lease.Stage 0.0 (expected lease) taken

                run next
            | struct (board, ValueNone) -> board

        run (SweepBoard.start plan)

    /// All that may not depend on who did what and when.
    let outcome (board: SweepBoard) =
        board.Trials
        |> List.map (fun trial -> trial.Number, trial.Values, trial.State, trial.Results)

    let private checkpointsOf (folder: string) = Path.Combine(folder, "checkpoints")

    /// Runs such trials.
    /// <param name="pause">How long a step takes.</param>
    /// <param name="size">The bytes of a checkpoint beyond what is needed.</param>
    /// <param name="change">Changes a result that was found.</param>
    let runner (pause: TimeSpan) (size: int64) (change: TrialResult -> Task<TrialResult>) = {
        new ITrialRunner with
            member _.DataSha256 = Dictionary<string, string>()
            member _.Check _ = ()
            member _.TrainBestAsync(_, _, _) = Task.FromResult true

            member _.RunAsync(folders, lease, progress, stop) = task {
                let checkpoints = checkpointsOf (folders.TrialOf lease.Trial)
                Directory.CreateDirectory checkpoints |> ignore

                let newest =
                    Directory.GetFiles(checkpoints, "*.json")
                    |> Array.map (fun path -> int64 (Path.GetFileNameWithoutExtension path))
                    |> Array.sortDescending
                    |> Array.tryHead

                let payload (iteration: int64) =
                    Path.Combine(checkpoints, $"%09d{iteration}.safetensors")

                let mutable iteration = newest |> Option.defaultValue 0L

                let mutable state =
                    match newest with
                    | None -> beginning lease.Values
                    | Some iteration ->
                        BitConverter.ToUInt64(
                            ReadOnlySpan((File.ReadAllBytes(payload iteration))[..7])
                        )

                let last =
                    endOf (
                        match lease.Epoch with
                        | ValueSome epoch -> Nullable epoch
                        | ValueNone -> Nullable()
                    )

                while iteration < last && not stop.IsCancellationRequested do
                    iteration <- iteration + 1L
                    state <- step state iteration
                    let path = payload iteration

                    do
                        use file = File.Create path
                        file.Write(ReadOnlySpan(BitConverter.GetBytes state))
                        file.SetLength(8L + size)

                    File.WriteAllText(nonNull (Path.ChangeExtension(path, ".json")), "{}")
                    progress.Invoke(iteration, whole)

                    if pause > TimeSpan.Zero then
                        do! Task.Delay pause

                if iteration = last then
                    let! result = change (resultOf state iteration)
                    return result
                else
                    // null, whose type F# knows as never null.
                    return Unchecked.defaultof<TrialResult>
            }
    }

    /// A sweep of such trials.
    let submission (name: string) (trials: int) (program: string | null) : Submission =
        let plan =
            $"""{{ "space": {{ "Training:LearningRate": {{ "from": 0.1, "to": 1 }}, "Model:Activation": ["Tanh", "Relu"] }},
                  "method": "TPE", "lag": 6, "trials": %d{trials}, "rungs": [1, 2], "factor": 3 }}"""

        Submission(
            name,
            Encoding.UTF8.GetBytes plan,
            Encoding.UTF8.GetBytes "{}",
            JsonText.Of(SweepIdentity(JsonObject(), Dictionary<string, string>(), program)),
            [||]
        )

    let planOf (submission: Submission) : SweepPlan =
        SweepFile.Parse(submission.Name, submission.Plan).Plan
