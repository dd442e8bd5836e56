// Numerical derivatives and their error: dotnet fsi 4.3-derivative.fsx
#load "load.fsx"

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Pictures

let f x = 0.01 * (x * x) + 0.1 * x

let slope x =
    (Gradient.numerical 1e-4 (fun (v: Vector<float>) -> f v[0]) (Load.vector [ x ]))[0]

for x in [ 5.0; 10.0 ] do
    printfn $"f(x) = 0.01x² + 0.1x at {x}: {slope x}, exactly {0.02 * x + 0.1}"

printfn $"1e-50 in single precision: {float32 1e-50}"

let tangent at = [ for x in [ 0.0; 20.0 ] -> struct (x, f at + slope at * (x - at)) ]

Load.save "4.3-tangents" 450 [
    {
        Title = "f(x) = 0.01x² + 0.1x and its tangents at 5 and 10"
        X = Axis.Linear("x").Within(0.0, 20.0)
        Y = Axis.Linear("f(x)").Within(-1.0, 6.0)
        Marks = [
            Mark.Line("f", [ for i in 0..200 -> struct (float i / 10.0, f (float i / 10.0)) ])
            for at in [ 5.0; 10.0 ] do
                Mark.Line($"slope {slope at:F1} at {at}", tangent at)
        ]
    }
]

// The error against h, of a function whose third derivative is not 0.
let steps = [ for i in 0..48 -> 10.0 ** (-float i / 3.0) ]

let forward h = (sin (1.0 + h) - sin 1.0) / h

let forwardInSingle h =
    float ((sin (1f + float32 h) - sin 1f) / float32 h)

let central h =
    (Gradient.numerical h (fun x -> sin x[0]) (Load.vector [ 1.0 ]))[0]

let centralInSingle h =
    let at = Vector<float32>.Build.Dense [| 1f |]
    let slope = Gradient.numerical (float32 h) (fun (x: Vector<float32>) -> sin x[0]) at
    float slope[0]

let methods = [
    for name, derivative in
        [
            "forward, single", forwardInSingle
            "central, single", centralInSingle
            "forward, double", forward
            "central, double", central
        ] do
        name, [ for h in steps -> struct (h, abs (derivative h - cos 1.0)) ]
]

for name, errors in methods do
    let struct (h, error) = errors |> List.minBy (fun struct (_, error) -> error)
    printfn $"sin′(1), {name}: error {error:E1} at best, with h = {h:E1}"

Load.save "4.3-step" 500 [
    {
        Title = "Error of the numerical derivative of sin at 1"
        X = Axis.Logarithmic "h"
        Y = Axis.Logarithmic "error"
        Marks = [ for name, errors in methods -> Mark.Line(name, errors) ]
    }
]
