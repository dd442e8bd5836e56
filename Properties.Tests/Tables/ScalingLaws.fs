/// Spread.fs, TableEncoding.fs: numbers of any size are scaled right or refused.
module Pipeline.Properties.ScalingLaws

open System
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private choice scaling = {
    plainChoice with
        Missing = Missing.Mean
        Scaling = scaling
}

let private tableOf (numbers: float list) =
    table [
        "x", Cells.Numbers(Array.ofList numbers)
        "label", texts [ for i in 1 .. numbers.Length -> [ "a"; "b" ][i % 2] ]
    ]

let private scaled scaling (numbers: float list) : float[] =
    let table = tableOf numbers
    let encoding = TableEncoding.fit (choice scaling) table |> orFail
    (TableEncoding.encode encoding table |> orFail: Matrix<float>).ToColumnMajorArray()

[<Law>]
let ``a column that does not vary becomes exactly 0, and one near it stays near 0``
    (AnyNumber x)
    (count: FsCheck.PositiveInt)
    =
    if Double.IsFinite x then
        let numbers = List.replicate (2 + count.Get % 200) x

        for scaling in [ Scaling.Standard; Scaling.MinMax ] do
            Exactly.bits (Array.create numbers.Length 0.0) (scaled scaling numbers)
            let encoding = TableEncoding.fit (choice scaling) (tableOf numbers) |> orFail
            Exactly.equal 1.0 encoding.Numbers.Head.Scale
            // The next number that there is is no outlier.
            let near = Math.BitIncrement x

            if Double.IsFinite near then
                let nearly = scaled scaling (near :: numbers)

                Assert.True(Array.forall (fun z -> abs z <= 1e-12) nearly || abs x < 1e-290)

[<Law>]
let ``scaling is the same at any size of the numbers`` (hundredths: int list) (exponent: int) =
    let numbers = 1.0 :: 2.5 :: [ for n in hundredths -> float n / 100.0 ]
    let exponent = exponent % 900
    let size = Math.ScaleB(1.0, exponent)

    for scaling in [ Scaling.Standard; Scaling.MinMax ] do
        Exactly.bits (scaled scaling numbers) (scaled scaling [ for x in numbers -> x * size ])

[<Fact>]
let ``numbers beyond the square root of the greatest are scaled right`` () =
    for size in [ 1e200; 1e-200; 1e308; 1e-305 ] do
        let numbers = [ for i in 1..20 -> if i % 2 = 0 then size else -size ]

        Approximately.equal
            1e-12
            [| for x in numbers -> x / size |]
            (scaled Scaling.Standard numbers)

    Approximately.equal 1e-12 [| 0.0; 1.0; 0.5 |] (scaled Scaling.MinMax [ -8e307; 8e307; 0.0 ])

    TableEncoding.fit (choice Scaling.MinMax) (tableOf [ -1.7e308; 1.7e308 ])
    |> Exactly.faulted [ "column x"; "range"; "-1.7E+308 to 1.7E+308"; "Data:Scaling" ]

let private held (encoding: TableEncoding) table : Result<Matrix<float32>, Fault list> =
    TableEncoding.encode encoding table

[<Fact>]
let ``a number that single precision cannot hold is refused with its column, row and value`` () =
    let table = tableOf [ 1.0; 1e39; 2.0; -1e300 ]
    let encoding = TableEncoding.fit (choice Scaling.None) table |> orFail

    held encoding table
    |> Exactly.faulted [
        "column x, row 2"
        "3.4E+38"
        "Training:Precision"
        "found 1E+39 and 1 cell more."
    ]

    (TableEncoding.encode encoding table: Result<Matrix<float>, _>)
    |> orFail
    |> ignore

    // One that is beyond it once it is scaled, though none in training was.
    let encoding =
        TableEncoding.fit (choice Scaling.Standard) (tableOf [ 1e-30; 2e-30; 3e-30 ])
        |> orFail

    held encoding (tableOf [ 1e-30; 1e20 ])
    |> Exactly.faulted [ "column x, row 2"; "once scaled"; "found 1E+20." ]

    let encoding =
        TableEncoding.fit (choice Scaling.Standard) (tableOf [ 1e-200; 2e-200 ])
        |> orFail

    (TableEncoding.encode encoding (tableOf [ 1e-200; 1e200 ]): Result<Matrix<float>, _>)
    |> Exactly.faulted [ "column x, row 2"; "1.8E+308"; "double precision" ]

[<Fact>]
let ``a target that single precision cannot hold is refused, and one that is infinite in either``
    ()
    =
    let targets (numbers: float list) : Result<Matrix<'T>, Fault list> =
        let table = tableOf numbers
        TableLabels.targets CellFormat.Default table.Columns.Head table

    (targets [ 1.0; 1e39 ]: Result<Matrix<float32>, _>)
    |> Exactly.faulted [ "column x, row 2"; "number to predict"; "found 1E+39." ]

    (targets [ 1.0; 1e39 ]: Result<Matrix<float>, _>) |> orFail |> ignore

    (targets [ 1.0; infinity ]: Result<Matrix<float>, _>)
    |> Exactly.faulted [ "column x, row 2"; "a finite number" ]

    (targets [ nan; 1.0 ]: Result<Matrix<float>, _>)
    |> Exactly.faulted [ "column x, row 1"; "a number to predict" ]
