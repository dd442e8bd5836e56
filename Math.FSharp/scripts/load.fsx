// Names the built libraries, the only paths in any script; reads the digits and saves pictures.
#I "../pictures/bin/Release/net10.0"
#r "Pipeline.Learning.dll"
#r "MathNet.Numerics.dll"
#r "Pipeline.Pictures.dll"

open System
open System.IO
open System.IO.Compression
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Pictures

let private data =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../../data"))

/// The bytes of a file of data/mnist.
let private unzip name =
    use zipped =
        new GZipStream(File.OpenRead $"{data}/mnist/{name}.gz", CompressionMode.Decompress)

    use plain = new MemoryStream()
    zipped.CopyTo plain
    ReadOnlyMemory(plain.ToArray())

/// The value, or an exception with every fault.
let orFail result =
    match result with
    | Ok value -> value
    | Error(faults: Fault list) -> failwith (faults |> List.map string |> String.concat "\n")

/// One half of MNIST: "train" (60,000 digits) or "t10k" (10,000), in single or double precision.
let mnist name : Dataset<'T> =
    let images = unzip $"{name}-images-idx3-ubyte" |> Idx.parseImages |> orFail
    let labels = unzip $"{name}-labels-idx1-ubyte" |> Idx.parseLabels 10 |> orFail
    Dataset.ofIdx 10 images labels |> orFail

/// A vector of these numbers.
let vector (numbers: float list) =
    Vector<float>.Build.DenseOfEnumerable numbers

/// Writes charts, one below the other, each of that height in pixels, to data/runs/scripts.
let save name height (charts: Chart list) =
    let folder = Directory.CreateDirectory $"{data}/runs/scripts"
    let path = Path.Combine(folder.FullName, $"{name}.svg")
    File.WriteAllText(path, Picture.toSvg name 720 height charts)
    printfn $"picture: {Path.GetRelativePath(Environment.CurrentDirectory, path)}"
