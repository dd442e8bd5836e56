/// RowKey.fs, KeyedFraction.fs: rows are shared out by what they hold, not by where they stand.
module Pipeline.Properties.KeyedFractionLaws

open System
open System.Globalization
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties.SmallTables

let private choice = {
    plainChoice with
        Label = ValueSome "label"
        Categorical = [ "colour" ]
        Ignored = [ "note" ]
        Missing = Missing.Mean
}

/// A row by its number: two inputs, a label, and a column that is left out.
let private row (number: int) = [
    "size", string number
    "colour", [ "red"; "green"; "blue" ][number % 3]
    "note", $"note {number}"
    "label", [ "a"; "b" ][number % 2]
]

let private tableOf (rows: (string * string) list list) =
    table [
        for name, _ in rows.Head ->
            name, texts [ for row in rows -> row |> List.find (fst >> (=) name) |> snd ]
    ]

let private prepare share seed (rows: (string * string) list list) : TableData<float> =
    tableOf rows
    |> TableData.prepare choice Head.Softmax ValueNone (TestRows.Fraction(share, seed)) ""
    |> orFail

/// The first numbers of samples: the sizes of their rows.
let private sizes (data: Dataset<float>) =
    if data.Count = 0 then
        Set.empty
    else
        let inputs = (Dataset.take [| 0 .. data.Count - 1 |] data).Inputs
        set [ for column in 0 .. inputs.ColumnCount - 1 -> int inputs[0, column] ]

let private rows count = [ for i in 1..count -> row i ]

[<Law(MaxTest = 30)>]
let ``a row stays on its side whatever other rows come, go or move`` (Seed seed) (some: int list) =
    let before = prepare 0.3 seed (rows 60)
    let order = RandomNumbers.permutation 60 seed RandomStream.GradientCheck 0L

    let left = [
        for place in order do
            if place % 7 <> 3 then
                row (place + 1)
    ]

    let came = [ for n in some |> List.distinct -> row (1000 + abs (n % 1000)) ]
    let after = prepare 0.3 seed (came @ left)

    for sideBefore, sideAfter in [ before.Train, after.Train; before.Test, after.Test ] do
        let known = Set.intersect (sizes sideBefore) (set [ 1..60 ])
        let still = sizes sideAfter |> Set.filter (fun size -> size <= 60)
        Assert.True(Set.isSubset still known)

    // Validation is shared out alike.
    let validation (data: TableData<float>) =
        let struct (_, validation) = Dataset.split seed 0.4 data.Train
        sizes validation

    let kept = validation after |> Set.filter (fun size -> size <= 60)
    Exactly.equal (Set.intersect (validation before) (sizes after.Train)) kept

[<Law(MaxTest = 30)>]
let ``equal rows are on the same side, so that nothing leaks between the two`` (Seed seed) =
    let data = prepare 0.4 seed (rows 40 @ rows 40 @ rows 20)
    Assert.Empty data.Leaked

    Exactly.equal Set.empty (Set.intersect (sizes data.Train) (sizes data.Test))

    let struct (train, validation) = Dataset.split seed 0.4 data.Train
    Exactly.equal Set.empty (Set.intersect (sizes train) (sizes validation))

[<Law(MaxTest = 30)>]
let ``a label, a column that is left out and the way a cell is written move no row`` (Seed seed) =
    let rewritten =
        rows 60
        |> List.map (
            List.map (fun (name, text) ->
                match name with
                | "size" -> name, $" {text}.0 "
                | "colour" -> name, text + " "
                | "note" -> name, "another"
                | _ -> name, (if text = "a" then "b" else "a"))
        )

    let before, after = prepare 0.3 seed (rows 60), prepare 0.3 seed rewritten
    Exactly.equal (sizes before.Test) (sizes after.Test)

    // Numbers as such, as arrays and Parquet files have them.
    let numbers =
        tableOf (rows 60)
        |> _.Columns
        |> List.map (fun column ->
            match column.Name, column.Cells with
            | "size", Cells.Texts texts -> {
                column with
                    Cells =
                        Cells.Numbers [|
                            for text in texts -> Double.Parse(text, CultureInfo.InvariantCulture)
                        |]
              }
            | _ -> column)
        |> Table.create
        |> orFail

    let after: TableData<float> =
        numbers
        |> TableData.prepare choice Head.Softmax ValueNone (TestRows.Fraction(0.3, seed)) ""
        |> orFail

    Exactly.equal (sizes before.Test) (sizes after.Test)

[<Law(MaxTest = 30)>]
let ``the share is near the one that is asked for`` (Seed seed) (Fraction fraction) =
    let share = 0.1 + 0.8 * fraction
    let count = 1000
    let data = prepare share seed (rows count)
    let deviation = Math.Sqrt(float count * share * (1.0 - share))

    Assert.InRange(
        float data.Test.Count,
        float count * share - 6.0 * deviation,
        float count * share + 6.0 * deviation
    )

    let struct (train, validation) = Dataset.split seed share data.Train
    let all = float data.Train.Count
    let deviation = Math.Sqrt(all * share * (1.0 - share))
    Exactly.equal data.Train.Count (train.Count + validation.Count)

    Assert.InRange(
        float validation.Count,
        all * share - 6.0 * deviation,
        all * share + 6.0 * deviation
    )

[<Fact>]
let ``precision does not move a row: a number of single precision counts as the one it was made of``
    ()
    =
    let keys (numbers: float[]) =
        RowKey.ofColumns (CellReader CellFormat.Default) numbers.Length [
            {
                Name = "x"
                Cells = Cells.Numbers numbers
            }
        ]

    let numbers = [| 0.1; 1.0 / 3.0; -1e-3; 12345.678; 0.0; 1e200 |]
    let single = [| for x in numbers -> if abs x < 1e30 then float (float32 x) else x |]
    Exactly.equal (keys numbers) (keys single)
    Exactly.equal numbers.Length (Array.distinct (keys numbers)).Length
    Exactly.equal (keys [| 0.0 |]) (keys [| -0.0 |])

[<Law>]
let ``different whole numbers have different keys, up to 2⁵³``
    (FsCheck.PositiveInt gap)
    (Seed bits)
    =
    let first = float (int64 (bits >>> 12))

    for cells in
        [
            Cells.Numbers [| first; first + float gap |]
            Cells.Texts [| $"{int64 first}"; $"{int64 first + int64 gap}" |]
        ] do
        let keys =
            RowKey.ofColumns (CellReader CellFormat.Default) 2 [ { Name = "id"; Cells = cells } ]

        Assert.NotEqual(keys[0], keys[1])

[<Fact>]
let ``a share that leaves a side without rows is refused with what to do`` () =
    let result: Result<TableData<float>, _> =
        tableOf (List.replicate 12 (row 1))
        |> TableData.prepare choice Head.Identity ValueNone (TestRows.Fraction(0.2, 1UL)) ""

    result
    |> Exactly.faulted [
        "Data:TestShare"
        "of 12"
        "Data:Test"
        "equal rows are on the same side, and there is 1 different row"
    ]

[<Fact>]
let ``a warning says that equal rows make the test share differ from the requested one`` () =
    // Three different rows, 100 times each.
    let data =
        [ 1UL .. 50UL ]
        |> List.pick (fun seed ->
            let result: Result<TableData<float>, _> =
                List.replicate 100 (rows 3)
                |> List.concat
                |> tableOf
                |> TableData.prepare
                    {
                        choice with
                            Categorical = []
                            Ignored = [ "note"; "colour" ]
                    }
                    Head.Softmax
                    ValueNone
                    (TestRows.Fraction(0.1, seed))
                    ""

            match result with
            | Ok data -> Some data
            | Error _ -> None)

    Assert.Contains(
        data.Report.Warnings,
        fun (sentence: string) -> sentence.Contains "of the 300 rows 3 are different"
    )

[<Law(MaxTest = 20)>]
let ``a sample of a table has the same share of every class, and other rows change few of it``
    (Seed seed)
    =
    let chosen count =
        Dataset.sample seed 0.5 (prepare 0.2 seed (rows count)).Train

    let data = (prepare 0.2 seed (rows 400)).Train
    let sample = Dataset.sample seed 0.5 data

    for k in 0..1 do
        let count (data: Dataset<float>) =
            match data.Targets with
            | Targets.Labels labels -> labels |> Array.filter ((=) k) |> Array.length
            | Targets.Columns _ -> 0

        Assert.InRange(
            float (count sample),
            float (count data) / 2.0 - 0.5,
            float (count data) / 2.0 + 0.5
        )

    let before, after = sizes sample, sizes (chosen 420)
    let moved = Set.difference before after
    // 20 rows more move at most as many borders.
    Assert.True(moved.Count <= 20, $"{moved.Count}")

[<Law(MaxTest = 20)>]
let ``the validation rows of a sample of a table are near their share of the sample`` (Seed seed) =
    let all = (prepare 0.2 seed (rows 2500)).Train
    let split = DataSplit.create (Nullable 400) 0.2 0.3 seed |> orFail
    let struct (train, validation) = DataSplit.training split all |> orFail
    let validation = validation.Value

    Assert.InRange(train.Count + validation.Count, 399, 401)
    // 120 rows are expected, with a standard deviation of 9.
    Assert.InRange(validation.Count, 70, 170)
    Assert.Empty(Set.intersect (sizes train) (sizes validation))
