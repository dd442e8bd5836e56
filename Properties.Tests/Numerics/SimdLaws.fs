/// Simd.fs: a register of any width computes what a lone number does.
module Pipeline.Properties.SimdLaws

open System.Runtime.Intrinsics
open Pipeline.Learning
open Pipeline.Learning.Laws

let private edges = [|
    0.0
    -0.0
    1.0
    -1.5
    3.0
    1e300
    -1e300
    5e-324
    infinity
    -infinity
    nan
    0.1
    1e-8
    -7.25
    123456.789
    2.0
|]

/// Every member on the lanes of x, y and z, as one array.
type private Members<'T> = {
    X: 'T[]
    Y: 'T[]
    Z: 'T[]
    Results: ResizeArray<'T[]>
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            let each (apply: 'V -> 'V -> 'V -> 'V) =
                let result = Array.zeroCreate loop.X.Length
                let x, y, z = loop.X, loop.Y, loop.Z
                let mutable i = 0

                while i < result.Length do
                    let at = nativeint i

                    let lanes =
                        apply
                            ('L.Load(&Simd.start x, at))
                            ('L.Load(&Simd.start y, at))
                            ('L.Load(&Simd.start z, at))

                    'L.Store(lanes, &Simd.start result, at)
                    i <- i + 'L.Count

                loop.Results.Add result

            each (fun x y _ -> 'L.Add(x, y))
            each (fun x y _ -> 'L.Subtract(x, y))
            each (fun x y _ -> 'L.Multiply(x, y))
            each (fun x y _ -> 'L.Divide(x, y))
            each (fun x y z -> 'L.MultiplyAdd(x, y, z))
            each (fun x y z -> 'L.WhereGreater(x, y, z, x))
            each (fun x _ _ -> 'L.SquareRoot x)
            each (fun _ _ _ -> 'L.Create loop.X[3])

let private results (run: ILoop<'T> -> unit) (x: 'T[]) (y: 'T[]) (z: 'T[]) : 'T[] =
    let results = ResizeArray()

    run {
        X = x
        Y = y
        Z = z
        Results = results
    }

    Array.concat results

/// Every pair of edges, and a third number.
let private triples =
    let pairs = Array.allPairs edges edges
    Array.map fst pairs, Array.map snd pairs, Array.mapi (fun i _ -> edges[(i * 7) % 16]) pairs

/// Not a number has many patterns of bits, and IEEE 754 leaves open which one comes out.
let private oneNan (values: float[]) =
    values |> Array.map (fun x -> if System.Double.IsNaN x then nan else x)

let private oneNanSingle (values: float32[]) =
    values |> Array.map (fun x -> if System.Single.IsNaN x then nanf else x)

[<Xunit.Fact>]
let ``in double, every width of register rounds like a lone number, edges included`` () =
    let x, y, z = triples

    let alone = results (fun loop -> loop.Run<float, Simd1<float>>()) x y z |> oneNan

    for run in Registers.forDouble x.Length do
        results run x y z |> oneNan |> Exactly.bits alone

[<Xunit.Fact>]
let ``in single, every width of register rounds like a lone number, edges included`` () =
    let x, y, z = triples
    let x, y, z = Array.map float32 x, Array.map float32 y, Array.map float32 z

    let alone =
        results (fun loop -> loop.Run<float32, Simd1<float32>>()) x y z |> oneNanSingle

    for run in Registers.forSingle x.Length do
        results run x y z |> oneNanSingle |> Exactly.bits alone

[<Xunit.Fact>]
let ``multiply-add rounds once`` () =
    // (1 + 2⁻³⁰)² = 1 + 2⁻²⁹ + 2⁻⁶⁰; two roundings lose the last term.
    let x = 1.0 + 1.0 / 1073741824.0

    let rest =
        results
            (fun loop -> loop.Run<Vector256<float>, Simd256<float>>())
            (Array.create 4 x)
            (Array.create 4 x)
            (Array.create 4 (-1.0 - 1.0 / 536870912.0))

    Exactly.bits [| 1.0 / 1152921504606846976.0 |] rest[16..16]

/// Writes down which register the machine and a length come to.
type private Width<'T> = {
    Lanes: int[]
} with

    interface ILoop<'T> with
        member loop.Run<'V, 'L when 'L :> ISimd<'V, 'T> and 'V: struct>() =
            loop.Lanes[0] <- 'L.Count

[<Law>]
let ``no register is wider than the elements that fill it`` (ProductShape(length, _, _)) =
    let lanes = [| 0 |]
    Simd.run<float32, Width<float32>> length { Lanes = lanes }
    lanes[0] >= 1 && lanes[0] <= length
