// The gradient of f(x₀, x₁) = x₀² + x₁²: dotnet fsi 4.4-gradient.fsx
#load "load.fsx"

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Pictures

let f (x: Vector<float>) = x[0] * x[0] + x[1] * x[1]

let gradient x0 x1 =
    Gradient.numerical 1e-4 f (Load.vector [ x0; x1 ])

for x0, x1 in [ 3.0, 4.0; 0.0, 2.0; 3.0, 0.0 ] do
    let g = gradient x0 x1
    printfn $"at ({x0}, {x1}): [{g[0]:F4}, {g[1]:F4}], to the last digit [{g[0]}, {g[1]}]"

/// From each point of a grid a tenth of the gradient, downhill.
let arrows = [
    for i in -4 .. 4 do
        for j in -4 .. 4 do
            let x0, x1 = float i / 2.0, float j / 2.0
            let g = gradient x0 x1
            struct (struct (x0, x1), struct (x0 - 0.1 * g[0], x1 - 0.1 * g[1]))
]

Load.save "4.4-gradient" 716 [
    {
        Title = "Against the gradient of x₀² + x₁², the arrows a tenth of its length"
        X = Axis.Linear("x₀").Within(-2.2, 2.2)
        Y = Axis.Linear("x₁").Within(-2.2, 2.2)
        Marks = [
            Mark.Contours([ 0.25; 1.0; 2.0; 4.0; 6.0 ], (fun x0 x1 -> f (Load.vector [ x0; x1 ])))
            Mark.Arrows arrows
        ]
    }
]
