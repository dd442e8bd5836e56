// Gradient descent, its learning rate and its traps: dotnet fsi 4.4.1-descent.fsx
#load "load.fsx"

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Pictures

let path (f: Vector<float> -> float) rate steps start =
    Optimizer.descent rate steps (Gradient.numerical 1e-4 f) (Load.vector start)

let bowl (x: Vector<float>) = x[0] * x[0] + x[1] * x[1]

let rates = [
    10.0, "10, too large: flat, as h is nothing beside 10¹³"
    1e-10, "10⁻¹⁰, too small"
    0.1, "0.1, right"
]

let paths = [ for rate, name in rates -> name, path bowl rate 100 [ -3; 4 ] ]

// The large one stops at 10¹³, where h = 0.0001 is below the last digit: the difference is 0.
for name, path in paths do
    let last = List.last path
    printfn $"x₀² + x₁² from (−3, 4), 100 steps of η = {name}: [{last[0]:E8}, {last[1]:E8}]"

Load.save "4.4.1-rates" 450 [
    {
        Title = "x₀² + x₁² on the way down from (−3, 4)"
        X = Axis.Linear("steps").Within(0.0, 100.0)
        Y = Axis.Logarithmic "x₀² + x₁²"
        Marks = [
            for name, path in paths do
                Mark.Line(
                    $"η = {name}",
                    [ for i, x in List.indexed path -> struct (float i, bowl x) ]
                )
        ]
    }
]

// Steep across and flat along: one rate must do for both.
let trough (x: Vector<float>) = x[0] * x[0] / 20.0 + x[1] * x[1]

let onTrough =
    [ 1.005, "1.005, too large"; 0.02, "0.02, too small"; 0.7, "0.7, right" ]
    |> List.map (fun (rate, name) ->
        let points = path trough rate 25 [ -7; 2 ]
        Mark.Line($"η = {name}", [ for x in points -> struct (x[0], x[1]) ]))

Load.save "4.4.1-paths" 450 [
    {
        Title = "25 steps on x₀²/20 + x₁²"
        X = Axis.Linear("x₀").Within(-8.0, 3.0)
        Y = Axis.Linear("x₁").Within(-3.0, 3.0)
        Marks = [
            Mark.Contours([ 0.1; 0.5; 1; 2; 4; 6 ], (fun a b -> trough (Load.vector [ a; b ])))
            yield! onTrough
        ]
    }
]

// Two valleys: the gradient is 0 at the bottom of either.
let valleys (x: Vector<float>) =
    x[0] ** 4.0 - 2.0 * x[0] ** 2.0 + 0.5 * x[0]

let into name start =
    let points = path valleys 0.03 30 [ start ]
    let last = List.last points
    printfn $"x⁴ − 2x² + x/2 from {name}: {valleys last:F4} at {last[0]:F4}"
    Mark.Line($"from {name}", [ for x in points -> struct (x[0], valleys x) ])

let whole = [ for i in -170 .. 170 -> Load.vector [ float i / 100.0 ] ]

Load.save "4.4.1-valley" 450 [
    {
        Title = "30 steps of η = 0.03 on x⁴ − 2x² + x/2: the right valley is a trap"
        X = Axis.Linear("x").Within(-1.7, 1.7)
        Y = Axis.Linear "x⁴ − 2x² + x/2"
        Marks = [
            Mark.Faint("", [ for x in whole -> struct (x[0], valleys x) ])
            into "−1.6" -1.6
            into "1.6" 1.6
        ]
    }
]
