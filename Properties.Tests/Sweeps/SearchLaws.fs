/// SettingRange.fs, SobolSequence.fs, TreeParzen.fs, SweepPlan.fs: which values a sweep tries.
module Pipeline.Properties.SearchLaws

open System
open System.Globalization
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private numbers low high isLogarithmic isWhole =
    SettingRange.ofNumbers "x" low high isLogarithmic isWhole (Nullable()) |> orFail

let private texts values =
    SettingRange.ofTexts "x" values |> orFail

let private plan space method (trials: int) seed =
    SweepPlan.create
        [ for name, range in space -> struct (name, range) ]
        method
        (match method with
         | SearchMethod.Grid -> Nullable()
         | _ -> Nullable trials)
        []
        3
        seed
    |> orFail

let private number (text: string) =
    Double.Parse(text, CultureInfo.InvariantCulture)

/// Joe and Kuo's own output for three dimensions.
[<Fact>]
let ``the first Sobol points are the published ones`` () =
    let published = [
        [ 0.0; 0.0; 0.0 ]
        [ 0.5; 0.5; 0.5 ]
        [ 0.75; 0.25; 0.25 ]
        [ 0.25; 0.75; 0.75 ]
        [ 0.375; 0.375; 0.625 ]
        [ 0.875; 0.875; 0.125 ]
        [ 0.625; 0.125; 0.875 ]
        [ 0.125; 0.625; 0.375 ]
        [ 0.1875; 0.3125; 0.9375 ]
        [ 0.6875; 0.8125; 0.4375 ]
    ]

    let found = [
        for i in 0..9 -> [ for d in 0..2 -> float (SobolSequence.coordinate d i) / 4294967296.0 ]
    ]

    Exactly.equal published found

[<Fact>]
let ``of 2ᵏ Sobol points each interval of length 2⁻ᵏ has one, in every dimension`` () =
    for dimension in 0 .. SobolSequence.mostDimensions - 1 do
        for k in 1..10 do
            let places =
                List.init (1 <<< k) (fun i ->
                    int (SobolSequence.coordinate dimension i >>> (32 - k)))

            Exactly.equal [ 0 .. (1 <<< k) - 1 ] (List.sort places)

[<Fact>]
let ``each pair of the first Sobol dimensions fills the squares of a board`` () =
    for one in 0..2 do
        for other in 0 .. one - 1 do
            // 1,024 points on 8 × 8 squares.
            let squares =
                List.init 1024 (fun i ->
                    SobolSequence.coordinate one i >>> 29, SobolSequence.coordinate other i >>> 29)
                |> List.countBy id

            Exactly.equal 64 squares.Length
            Assert.All(squares, (fun (_, count) -> Exactly.equal 16 count))

[<Law>]
let ``every value is within its range`` (Seed seed) (isLogarithmic: bool) (isWhole: bool) =
    let random = Random(int seed)
    let low = float (random.Next(1, 50))
    let high = low + float (random.Next 1000)
    let range = numbers low high isLogarithmic isWhole

    for method in [ SearchMethod.Random; SearchMethod.Sobol; SearchMethod.TreeParzen 1 ] do
        let tried = plan [ "x", range ] method 50 seed
        // Any order of earlier trials will do.
        let mutable known = []

        for trial in 0..49 do
            let needed = known |> List.take (SweepPlan.needed tried trial)
            let value = SweepPlan.values tried needed trial
            known <- known @ [ value ]
            let x = number value.Head
            Assert.InRange(x, low, high)
            Assert.True(not isWhole || x = Math.Floor x)
            Assert.InRange(SettingRange.positionOf range value.Head, 0.0, 1.0)

[<Fact>]
let ``a whole number is as likely as any other, its ends too`` () =
    let drawn =
        let tried = plan [ "x", numbers 1 4 false true ] SearchMethod.Sobol 1024 3UL
        [ for trial in 0..1023 -> SweepPlan.values tried [] trial ]

    Exactly.equal [ 256; 256; 256; 256 ] (drawn |> List.countBy id |> List.map snd)

[<Fact>]
let ``numbers on a logarithmic scale are spread evenly over powers of ten`` () =
    let tried = plan [ "x", numbers 0.001 1.0 true false ] SearchMethod.Sobol 768 3UL
    let drawn = [ for trial in 0..767 -> number (SweepPlan.values tried [] trial).Head ]

    for low, high in [ 0.001, 0.01; 0.01, 0.1; 0.1, 1.0 ] do
        let count = drawn |> List.filter (fun x -> x >= low && x < high) |> List.length
        Assert.InRange(count, 250, 262)

[<Law>]
let ``the position of a value gives the value back`` (Seed seed) (isLogarithmic: bool) =
    let random = Random(int seed)

    for range in
        [
            numbers 0.001 (1.0 + random.NextDouble()) isLogarithmic false
            numbers 1 (float (random.Next(2, 500))) isLogarithmic true
            texts [ "a"; "b"; "c" ]
        ] do
        let value = SettingRange.valueAt range (random.NextDouble())
        let again = SettingRange.valueAt range (SettingRange.positionOf range value)
        // Of the numbers between two values the nearer one is meant.
        if range.IsListed then
            Exactly.equal value again
        else
            Assert.Equal(number value, number again, 1e-3 * number value + 1e-9)

[<Fact>]
let ``a grid has every combination once, the last setting changing fastest`` () =
    let tried =
        plan
            [
                "Training:LearningRate",
                SettingRange.ofNumbers "x" 0.01 1.0 true false (Nullable 3) |> orFail
                "Model:Activation", texts [ "Relu"; "Tanh" ]
                "Training:Seed", numbers 1 2 false true
            ]
            SearchMethod.Grid
            0
            1UL

    let found = List.init tried.Trials (SweepPlan.values tried [])
    Exactly.equal 12 tried.Trials

    Exactly.equal
        [
            for rate in [ "0.01"; "0.1"; "1" ] do
                for activation in [ "Relu"; "Tanh" ] do
                    for seed in [ "1"; "2" ] -> [ rate; activation; seed ]
        ]
        found

[<Law>]
let ``a grid tries as many numbers as it has steps, both ends among them, evenly spread``
    (Seed seed)
    =
    let draw place =
        RandomNumbers.uniform seed RandomStream.GradientCheck 0L place

    let low = 1000.0 * draw 0
    // Wide ranges, and those whose ends have many digits in common.
    let high = low + 10.0 ** (-6.0 + 10.0 * draw 1)
    let steps = 2 + int (60.0 * draw 2)
    let isLogarithmic = draw 3 < 0.5

    let found =
        SettingRange.ofNumbers "x" low high isLogarithmic false (Nullable steps)
        |> orFail
        |> SettingRange.grid
        |> List.map number

    Exactly.equal steps found.Length
    Exactly.equal [ low; high ] [ List.head found; List.last found ]
    Exactly.equal found (found |> List.distinct |> List.sort)
    let scale = if isLogarithmic then log else id
    let step = (scale high - scale low) / float (steps - 1)

    for one, next in List.pairwise found do
        Assert.InRange(scale next - scale one, 0.0, 2.0 * step + 1e-12)

[<Fact>]
let ``a grid of whole numbers has every digit of them`` () =
    let grid low high steps =
        SettingRange.ofNumbers "x" low high false true (Nullable steps)
        |> orFail
        |> SettingRange.grid

    Exactly.equal [ "12345"; "56172"; "99999" ] (grid 12345.0 99999.0 3)
    Exactly.equal [ "1"; "2"; "3" ] (grid 1.0 3.0 9)

[<Fact>]
let ``numbers between ends with many digits in common are not rounded to the ends`` () =
    let range = numbers 1000.1 1000.2 false false

    let found =
        List.init 100 (fun i -> number (SettingRange.valueAt range (float i / 99.0)))

    Assert.True((List.distinct found).Length > 90)

[<Fact>]
let ``the values of a trial depend on the seed`` () =
    for method in [ SearchMethod.Random; SearchMethod.Sobol ] do
        let first seed =
            SweepPlan.values (plan [ "x", numbers 0.0 1.0 false false ] method 9 seed) [] 0

        Assert.NotEqual<string list>(first 1UL, first 2UL)

/// The lowest value of a function that a sweep finds, each trial seeing the results of all before it.
let private lowest method seed (f: float list -> float) =
    let tried =
        plan [ "x", numbers 0.0 1.0 false false; "y", numbers 0.0 1.0 false false ] method 40 seed

    let mutable known = []

    for trial in 0..39 do
        let earlier =
            known
            |> List.take (SweepPlan.needed tried trial)
            |> List.sortBy snd
            |> List.map fst

        let values = SweepPlan.values tried earlier trial
        known <- known @ [ values, f (List.map number values) ]

    known |> List.map snd |> List.min

[<Fact>]
let ``TPE finds a lower value of a quadratic function than random values do`` () =
    let quadratic at =
        List.map2 (fun x c -> (x - c) * (x - c)) at [ 0.3; 0.7 ] |> List.sum

    let results = [
        for seed in 1UL .. 100UL ->
            lowest (SearchMethod.TreeParzen 1) seed quadratic,
            lowest SearchMethod.Random seed quadratic
    ]

    // With equal chances, 65 of 100 or more have a probability of 0.2 %.
    let wins = results |> List.filter (fun (tpe, random) -> tpe < random) |> List.length
    Assert.True(wins >= 65, $"%d{wins} of 100")
    let mean = List.averageBy float
    Assert.True(mean (List.map fst results) < 0.5 * mean (List.map snd results))

[<Fact>]
let ``TPE chooses the better one of listed values more often`` () =
    let tried =
        plan [ "x", texts [ "a"; "b"; "c"; "d" ] ] (SearchMethod.TreeParzen 1) 60 1UL

    let mutable known = []

    for trial in 0..59 do
        let earlier = known |> List.sortBy (fun values -> values <> [ "c" ])
        known <- known @ [ SweepPlan.values tried earlier trial ]

    let chosen = known |> List.skip 20 |> List.filter ((=) [ "c" ]) |> List.length
    Assert.True(chosen >= 20, $"%d{chosen} of 40")

let private faults (result: Result<'V, Fault list>) =
    match result with
    | Ok _ -> []
    | Error faults -> faults |> List.map string

[<Fact>]
let ``everything that is wrong with a range is named`` () =
    for low, high, isLogarithmic, isWhole, steps, expected in
        [
            2.0,
            1.0,
            false,
            false,
            Nullable(),
            [
                "x: expected finite numbers, the first not greater than the last, found 2 to 1."
            ]
            nan,
            1.0,
            true,
            true,
            Nullable(),
            [
                "x: expected finite numbers, the first not greater than the last, found NaN to 1."
            ]
            0.0,
            1.5,
            true,
            true,
            Nullable 1,
            [
                "x: expected numbers greater than 0 on a logarithmic scale, found 0 to 1.5."
                "x: expected whole numbers at both ends, up to a billion, found 0 to 1.5."
                "x, steps: expected 2 to 1000, found 1."
            ]
        ] do
        Exactly.equal
            expected
            (faults (SettingRange.ofNumbers "x" low high isLogarithmic isWhole steps))

    Exactly.equal
        [ "x: expected one value or more to try, found none." ]
        (faults (SettingRange.ofTexts "x" []))

    Exactly.equal
        [ "x has the value 'a' 2 times." ]
        (faults (SettingRange.ofTexts "x" [ "a"; "b"; "a" ]))

[<Fact>]
let ``everything that is wrong with a plan is named`` () =
    let any = struct ("x", numbers 0.0 1.0 false false)

    for space, method, trials, rungs, factor, expected in
        [
            [],
            SearchMethod.Random,
            Nullable(),
            [ 3; 3 ],
            1,
            [
                "space: expected one setting or more to vary, found none."
                "factor: expected 2 or more, found 1."
                "rungs: expected numbers of epochs of 1 or more, in ascending order, found 3, 3."
                "trials: expected a number of 1 to 10000, found none."
            ]
            [ any ],
            SearchMethod.Grid,
            Nullable 3,
            [ 0 ],
            2,
            [
                "x needs steps for a grid, or a list of values."
                "rungs: expected numbers of epochs of 1 or more, in ascending order, found 0."
                "trials does not apply to a grid, which tries every combination."
            ]
            List.replicate 22 any,
            SearchMethod.Sobol,
            Nullable 0,
            [],
            2,
            [
                "space: expected 21 settings or fewer for Sobol, found 22."
                "trials: expected 1 to 10000, found 0."
            ]
            [ any ],
            SearchMethod.TreeParzen 0,
            Nullable 10001,
            [],
            2,
            [
                "lag: expected 1 or more, found 0."
                "trials: expected 1 to 10000, found 10001."
            ]
        ] do
        Exactly.equal expected (faults (SweepPlan.create space method trials rungs factor 1UL))
