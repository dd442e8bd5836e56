namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open System.Threading
open Pipeline.Properties
open Xunit
open Xunit.Abstractions
open Pipeline.Learning.Laws

/// The service killed again and again, at random instants.
type KillTests(output: ITestOutputHelper) =
    /// How many kills there are: 200 are a thorough run.
    let kills = Given.times "KILLS" 5

    let seed = Random.Shared.Next 1000000
    let random = Random seed
    let one (choices: 'V list) = choices[random.Next choices.Length]

    /// A run of a few seconds whose state has all there is.
    let settings (seed: int) = [
        "Training:Seed", $"{seed}"
        "Model:Hidden", "200,100"
        "Model:Activation", "Relu"
        "Model:Initialiser", "HeNormal"
        "Model:Normalised", one [ "true"; "false" ]
        "Training:BatchSize", "70"
        "Training:Iterations", "2500"
        "Training:Optimizer", one [ "GradientDescent"; "Momentum"; "Adam"; "RmsProp" ]
        "Training:LearningRate", "0.001"
        "Training:AverageDecay", "0.99"
        "Training:Sampling", one [ "Epoch"; "Replacement" ]
        "Training:Precision", one [ "Single"; "Double" ]
        "Training:Dropout", one [ "0"; "0.2" ]
        "Data:Validation", "0.2"
        "Training:Schedule", one [ "Plateau"; "OneCycle" ]
        // Not at the ends of its epochs of four iterations, at which the logs are written anyway.
        "Run:CheckpointEvery", "17"
        "Run:Resume", "Auto"
    ]

    let runs (scratch: Scratch) =
        Given.runs scratch |> Array.sortWith (fun a b -> String.CompareOrdinal(a, b))

    let newestCheckpoint (scratch: Scratch) =
        match Array.tryLast (runs scratch) with
        | Some folder when Directory.Exists(Path.Combine(folder, "checkpoints")) ->
            Directory.GetFiles(Path.Combine(folder, "checkpoints"), "*.json")
            |> Array.sort
            |> Array.tryLast
        | _ -> None

    /// Does to the newest checkpoint what a failing disk might.
    let damage (manifest: string) =
        let path =
            one [ manifest; nonNull (Path.ChangeExtension(manifest, ".safetensors")) ]

        let bytes = File.ReadAllBytes path

        match random.Next 3 with
        | 0 -> File.WriteAllBytes(path, bytes[.. bytes.Length / 2])
        | 1 when bytes.Length > 0 ->
            let place = random.Next bytes.Length
            bytes[place] <- bytes[place] ^^^ 255uy
            File.WriteAllBytes(path, bytes)
        | _ -> File.WriteAllBytes(path, [||])

    [<Fact>]
    member _.``a run killed at any instants, and resumed each time, is the run undisturbed``() =
        let mutable killed = 0
        let mutable resumed = 0
        let mutable damaged = 0
        let mutable met = 0
        let mutable compared = 0L
        let mutable rounds = 0
        let clock = Stopwatch.StartNew()

        while killed < kills do
            rounds <- rounds + 1
            let settings = settings (random.Next 1000)
            use whole = new Scratch()
            let undisturbed = Stopwatch.StartNew()
            let ended = Given.host (Given.options whole settings)
            Assert.True((ended.ExitCode = 0), ended.Errors)
            // On a busy machine a run takes longer to start, and kills come later.
            let longest = max 2500.0 (0.75 * undisturbed.Elapsed.TotalMilliseconds)
            use scratch = new Scratch()
            let options = Given.options scratch settings
            let mutable fin = false

            while not fin do
                let started = Given.start options
                let errors = started.StandardError.ReadToEndAsync()
                let nothing = started.StandardOutput.ReadToEndAsync()

                // With enough kills the last round goes on to its end.
                if killed < kills then
                    let instant = TimeSpan.FromMilliseconds(random.NextDouble() * longest)

                    if not (started.WaitForExit instant) then
                        started.Kill()
                        killed <- killed + 1

                Assert.True(started.WaitForExit(TimeSpan.FromMinutes 3.0), "the host did not end")
                started.WaitForExit()
                let said = errors.Result
                nothing.Wait()
                resumed <- resumed + Regex.Count(said, "Resuming /")
                met <- met + Regex.Count(said, "Skipped a damaged checkpoint")

                if started.ExitCode = 0 then
                    fin <- true
                else
                    // 128 + 9: nothing but the kill ended it.
                    Assert.True((started.ExitCode = 137), $"seed {seed}: {said}")

                    match newestCheckpoint scratch with
                    | Some manifest when random.Next 4 = 0 ->
                        damage manifest
                        damaged <- damaged + 1
                    | _ -> ()

            let folder = Array.last (runs scratch)
            let model, progress, epochs = Left.behind folder
            let wholeModel, wholeProgress, wholeEpochs = Left.behind (Assert.Single(runs whole))
            Exactly.bits wholeModel model
            Assert.Equal<string>(wholeProgress, progress)
            Assert.Equal<string>(wholeEpochs, epochs)

            compared <-
                compared
                + int64 model.Length
                + Seq.sumBy (String.length >> int64) progress
                + Seq.sumBy (String.length >> int64) epochs

        output.WriteLine
            $"seed {seed}: {killed} kills in {rounds} runs, {resumed} resumes, {damaged} checkpoints damaged, {met} met and named, {compared} bytes compared, {clock.Elapsed.TotalSeconds:F0} s"
