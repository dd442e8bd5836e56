// Names the built library and its matrices, the only paths in any script, and reads the digits.
#r "../bin/Release/net10.0/Math.FSharp.dll"
#r "../bin/Release/net10.0/MathNet.Numerics.dll"

open System.IO
open System.IO.Compression
open Pipeline.Learning

/// The bytes of a file of data/mnist.
let private unzip name =
    let path = Path.Combine(__SOURCE_DIRECTORY__, "../../data/mnist", name + ".gz")
    use zipped = new GZipStream(File.OpenRead path, CompressionMode.Decompress)
    use plain = new MemoryStream()
    zipped.CopyTo plain
    System.ReadOnlyMemory(plain.ToArray())

let private orFail result =
    match result with
    | Ok value -> value
    | Error(faults: Fault list) -> failwith (faults |> List.map string |> String.concat "\n")

/// One half of MNIST: "train" (60,000 digits) or "t10k" (10,000).
let mnist name : Dataset<float32> =
    let images = unzip $"{name}-images-idx3-ubyte" |> Idx.parseImages |> orFail
    let labels = unzip $"{name}-labels-idx1-ubyte" |> Idx.parseLabels 10 |> orFail
    Dataset.ofIdx 10 images labels |> orFail
