// Squared error and cross entropy of one digit: dotnet fsi 4.2.1-losses.fsx
#load "load.fsx"

open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Pictures

/// The digit is a 2.
let target = Load.vector [ 0; 0; 1; 0; 0; 0; 0; 0; 0; 0 ]

/// Two networks' probabilities: the one says 2, the other 7.
let saysTwo = Load.vector [ 0.1; 0.05; 0.6; 0.0; 0.05; 0.1; 0.0; 0.1; 0.0; 0.0 ]
let saysSeven = Load.vector [ 0.1; 0.05; 0.1; 0.0; 0.05; 0.1; 0.0; 0.6; 0.0; 0.0 ]

let losses = [
    "squared error", Loss.sumSquaredError target
    "cross entropy", Loss.crossEntropyError target
]

for name, loss in losses do
    printfn $"{name}: {loss saysTwo} where the network says 2, {loss saysSeven} where it says 7"

// Section 4.2.4: the cross entropy of a batch is the mean of its samples'. Labels stand for one-hot columns.
let batch = Matrix<float>.Build.DenseOfColumnVectors(saysTwo, saysSeven)

for name, targets in
    [
        "labels", Targets.Labels [| 2; 2 |]
        "one-hot columns", Targets.Columns(Matrix<float>.Build.DenseOfColumnVectors(target, target))
    ] do
    printfn
        $"cross entropy of both, from {name}: {Loss.ofBatch Loss.crossEntropyError targets batch}"

/// What a network says that gives 2 the probability p, and the other digits the rest in equal parts.
let prediction p =
    Load.vector [ for digit in 0..9 -> if digit = 2 then p else (1.0 - p) / 9.0 ]

let probabilities = [ for i in 1..500 -> float i / 500.0 ]

Load.save "4.2.1-losses" 450 [
    {
        Title = "Two losses of one digit"
        X = Axis.Linear("probability given to the right digit").Within(0.0, 1.0)
        Y = Axis.Linear("loss (cross entropy in nats)").Within(0.0, 5.0)
        Marks = [
            for name, loss in losses do
                Mark.Line(name, [ for p in probabilities -> struct (p, loss (prediction p)) ])

            Mark.Points(
                "the two networks, which spread the rest unequally",
                [
                    for _, loss in losses do
                        struct (0.6, loss saysTwo)
                        struct (0.1, loss saysSeven)
                ]
            )
        ]
    }
]
