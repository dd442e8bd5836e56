// Writes churn.csv: 5,000 customers who do not exist, 17 % of whom have left. dotnet fsi data/tables/churn.fsx FOLDER
open System
open System.Globalization
open System.IO

/// Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014.
let mutable state = 2026UL

let uniform () =
    state <- state + 0x9E3779B97F4A7C15UL
    let z = (state ^^^ (state >>> 30)) * 0xBF58476D1CE4E5B9UL
    let z = (z ^^^ (z >>> 27)) * 0x94D049BB133111EBUL
    float ((z ^^^ (z >>> 31)) >>> 11) / 9007199254740992.0

/// A normal number, by the sum of twelve uniform ones.
let normal mean deviation =
    mean + deviation * (Seq.sum (Seq.init 12 (fun _ -> uniform ())) - 6.0)

let pick (choices: (string * float) list) =
    let u = uniform ()

    choices
    |> List.scan (fun (_, sum) (name, share) -> name, sum + share) ("", 0.0)
    |> List.find (fun (name, sum) -> name <> "" && (u < sum || sum > 0.999))
    |> fst

let text (number: float) =
    number.ToString("0.##", CultureInfo.InvariantCulture)

let customer number =
    let age = Math.Clamp(normal 44.0 15.0, 18.0, 90.0) |> Math.Round
    let plan = pick [ "basic", 0.5; "plus", 0.35; "pro", 0.15 ]
    let contract = pick [ "monthly", 0.55; "yearly", 0.45 ]
    let region = pick [ "north", 0.3; "south", 0.25; "east", 0.25; "west", 0.2 ]
    let months = 1.0 + floor (uniform () * 60.0)
    let fee = Map [ "basic", 15.0; "plus", 29.0; "pro", 59.0 ]
    let fee = fee[plan] + normal 0.0 2.0
    let calls = floor (-1.3 * log (1.0 - uniform ()))
    let minutes = Math.Max(0.0, normal 320.0 110.0)

    let late =
        if uniform () < 0.2 then
            1.0 + floor (uniform () * 3.0)
        else
            0.0

    let score =
        -2.95 + (if contract = "monthly" then 1.5 else 0.0) + 0.55 * calls + 0.5 * late
        - 0.025 * months
        - 0.004 * (minutes - 320.0)
        + (if plan = "pro" && calls > 1.0 then 1.2 else 0.0)
        + (if age < 30.0 then 0.5 else 0.0)

    let churned = uniform () < 1.0 / (1.0 + exp -score)

    let signedUp =
        DateTime(2026, 11, 1).AddDays(-30.4 * months - floor (uniform () * 30.0))

    let blank share cell = if uniform () < share then "" else cell

    String.Join(
        ",",
        [
            $"C%05d{number}"
            signedUp.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            blank 0.04 (text age)
            region
            plan
            contract
            text months
            text fee
            text calls
            blank 0.03 (text minutes)
            text late
            if churned then "yes" else "no"
        ]
    )

let lines = [
    yield
        "customer,signed_up,age,region,plan,contract,months,monthly_fee,support_calls,minutes,late_payments,churned"
    for number in 1..5000 do
        yield customer number
]

File.WriteAllLines(Path.Combine(fsi.CommandLineArgs[1], "churn.csv"), lines)
