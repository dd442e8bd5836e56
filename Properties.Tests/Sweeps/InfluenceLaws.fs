/// SettingInfluence.fs: how much each setting of a sweep matters.
module Pipeline.Properties.InfluenceLaws

open System
open System.Globalization
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// The influence of three settings on a result, found from a number of trials.
let private influence (trials: int) (seed: uint64) (deficit: string list -> float) =
    let plan =
        SweepPlan.create
            [
                struct ("rate",
                        SettingRange.ofNumbers "rate" 0.001 1.0 true false (Nullable()) |> orFail)
                struct ("activation", SettingRange.ofTexts "activation" [ "a"; "b"; "c" ] |> orFail)
                struct ("other",
                        SettingRange.ofNumbers "other" 0.0 1.0 false false (Nullable()) |> orFail)
            ]
            SearchMethod.Random
            (Nullable trials)
            []
            2
            seed
        |> orFail

    let recorded = [
        for trial in (SweepBoard.start plan).Trials ->
            {
                Number = trial.Number
                Results = [
                    {
                        Deficit = deficit trial.Values
                        Figures = []
                        Iterations = 1L
                        Model = ""
                        HasEnded = true
                    }
                ]
                Recorders = []
                Attempts = 1
                Worker = ""
                Seconds = 0.0
            }
    ]

    [
        for struct (_, share) in SettingInfluence.ofBoard (SweepBoard.restore plan recorded) ->
            share
    ]

let private number (text: string) =
    Double.Parse(text, CultureInfo.InvariantCulture)

[<Fact>]
let ``a setting that alone decides the result explains most of it, the others little`` () =
    for seed in 1UL .. 20UL do
        match influence 60 seed (fun values -> number values[0]) with
        | [ rate; activation; other ] ->
            Assert.InRange(rate, 0.85, 1.0)
            Assert.InRange(activation, 0.0, 0.3)
            Assert.InRange(other, 0.0, 0.3)
        | _ -> failwith "three settings"

        match influence 60 seed (fun values -> if values[1] = "b" then 0.0 else 1.0) with
        | [ rate; activation; other ] ->
            Exactly.equal 1.0 activation
            Assert.InRange(rate, 0.0, 0.3)
            Assert.InRange(other, 0.0, 0.3)
        | _ -> failwith "three settings"

[<Fact>]
let ``a setting whose middle is best matters as well`` () =
    // ln 0.03 is about the middle.
    let fromMiddle (values: string list) =
        abs (Math.Log(number values[0]) - Math.Log 0.03)

    for seed in 1UL .. 20UL do
        Assert.True((influence 80 seed fromMiddle)[0] > 0.5)

[<Law>]
let ``influence is a share, and none where all results are the same or chance`` (Seed seed) =
    let random = Random(int seed)
    let trials = random.Next(1, 40)

    for share in influence trials seed (fun _ -> random.NextDouble()) do
        Assert.InRange(share, 0.0, 1.0)

    Exactly.equal [ 0.0; 0.0; 0.0 ] (influence trials seed (fun _ -> 1.0))
    // A diverged trial is the worst one.
    Exactly.equal [ 0.0; 0.0; 0.0 ] (influence trials seed (fun _ -> nan))
