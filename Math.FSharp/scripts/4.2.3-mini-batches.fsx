// Why a mini-batch stands for the whole: dotnet fsi 4.2.3-mini-batches.fsx
// The gradient of n digits drawn at random is off that of all 60,000 by a length that falls as 1/√n.
#load "load.fsx"

open Pipeline.Learning
open Pipeline.Pictures

let train: Dataset<float32> = Load.mnist "train"

let network =
    Architecture.dense Activation.Sigmoid [ 784; 50; 10 ]
    |> Network.initialise Initialiser.XavierNormal 1UL

let gradientOf places =
    let struct (_, gradient) = Gradient.backward network (Dataset.take places train)
    gradient

let whole = gradientOf [| 0 .. train.Count - 1 |]

/// ‖g − whole‖ / ‖whole‖.
let distance gradient =
    Parameters.norm (Parameters.map2 (-) (-) gradient whole) / Parameters.norm whole

/// The root of the mean square over some mini-batches of n digits.
let error n =
    let draws = 30

    let squares = [
        for i in 1L .. draws -> distance (gradientOf (Batch.draw 1UL train.Count n i)) ** 2.0
    ]

    sqrt (List.average squares)

let sizes = [ 1; 3; 10; 30; 100; 300; 1000; 3000; 10000 ]
let errors = [ for n in sizes -> error n ]
let ofOne = errors.Head

printfn "     n   error   error of one / √n"

for n, error in List.zip sizes errors do
    printfn $"%6d{n} %7.4f{error} %7.4f{ofOne / sqrt (float n)}"

Load.save "4.2.3-mini-batches" 450 [
    {
        Title = "How far the gradient of a mini-batch is from that of all digits"
        X = Axis.Logarithmic "digits in the mini-batch, n"
        Y = Axis.Logarithmic "distance / length of the whole gradient"
        Marks = [
            Mark.Guide("1/√n", [ for n in sizes -> struct (float n, ofOne / sqrt (float n)) ])
            Mark.Points(
                "measured on MNIST",
                [ for n, e in List.zip sizes errors -> struct (float n, e) ]
            )
        ]
    }
]
