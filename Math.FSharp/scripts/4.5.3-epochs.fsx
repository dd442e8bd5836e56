// Batch, iteration, epoch: dotnet fsi 4.5.3-epochs.fsx
#load "load.fsx"

open Pipeline.Learning
open Pipeline.Pictures

for samples, size in [ 60000, 100; 60000, 128; 1000, 300 ] do
    let each = Batch.iterationsPerEpoch samples size
    let last = Batch.count Sampling.Epoch samples size (int64 each - 1L)
    printfn $"{samples} samples by {size}: {each} iterations an epoch, the last of {last}"

let struct (epochs, left) = Batch.epochs 60000 100 10000L
printfn $"10000 iterations by 100 of 60000: {epochs} epochs and {left} iterations"

let seed = 1UL

/// The mini-batches of some epochs: each epoch an order of all samples, cut.
let byEpochs epochs samples size =
    [| 0L .. epochs - 1L |]
    |> Array.collect (fun epoch -> Batch.order seed samples epoch |> Array.chunkBySize size)

/// As many, each sample drawn from all.
let withReplacement epochs samples size =
    [| 0L .. epochs * int64 (Batch.iterationsPerEpoch samples size) - 1L |]
    |> Array.map (Batch.draw seed samples size)

let ways = [ "by epochs", byEpochs; "with replacement", withReplacement ]

/// The share of 60,000 samples that has been seen after each iteration.
let shares = [
    for name, choose in ways do
        let seen = System.Collections.Generic.HashSet<int>()

        let count batch =
            seen.UnionWith(batch: int[])
            float seen.Count / 60000.0

        name, Array.append [| 0.0 |] (choose 3L 60000 100 |> Array.map count)
]

for name, seen in shares do
    printfn $"seen {name} after one epoch: {seen[600]:F4}, after two: {seen[1200]:F4}"

printfn $"1 − 1/e = {1.0 - exp -1.0:F4}"

Load.save "4.5.3-seen" 420 [
    {
        Title = "Share of 60,000 samples that mini-batches of 100 have shown"
        X = Axis.Linear("iteration").Within(0.0, 1800.0)
        Y = Axis.Linear("share seen at least once").Within(0.0, 1.05)
        Marks = [
            for name, seen in shares do
                Mark.Line(name, [ for i, share in Seq.indexed seen -> struct (float i, share) ])

            Mark.Guide("1 − 1/e", [ for x in [ 0.0; 1800.0 ] -> struct (x, 1.0 - exp -1.0) ])
            Mark.Vertical("one epoch", 600.0)
        ]
    }
]

Load.save "4.5.3-batches" 320 [
    for name, choose in ways do
        {
            Title = $"40 samples in mini-batches of 5, two epochs, {name}"
            X = Axis.Linear("iteration").Within(-0.5, 15.5)
            Y = Axis.Linear("sample").Within(-1.0, 40.0)
            Marks = [
                Mark.Points(
                    "",
                    [
                        for i, batch in Seq.indexed (choose 2L 40 5) do
                            for s in batch -> struct (float i, float s)
                    ]
                )
                Mark.Vertical("", 7.5)
            ]
        }
]
