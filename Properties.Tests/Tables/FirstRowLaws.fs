/// FirstRow.fs: whether the first row of a file holds names.
module Pipeline.Properties.FirstRowLaws

open System
open System.Collections.Generic
open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

/// What the first of some rows is; cells are separated by commas.
let private tell (rows: string list) =
    let cells =
        rows |> List.map (fun row -> List.ofArray (row.Split ',')) |> List.transpose

    FirstRow.detect (cells |> List.map (fun column -> Array.ofList column :> IReadOnlyList<string>))

/// Rows of three flowers, with numbers that differ.
let private flowers = [
    for i in 0..29 ->
        let species = [ "setosa"; "versicolor"; "virginica" ][i % 3]
        $"{4 + i % 4}.{i % 10},{2 + i % 3}.{i % 7},{i % 5},{species}"
]

[<Theory>]
[<InlineData("length,width,count,species", "Names")>]
[<InlineData("5.1,3.5,1,setosa", "Cells")>]
// A cell is missing, here and there.
[<InlineData("5.1,,1,setosa", "Cells")>]
[<InlineData("NA,NA,NA,setosa", "Cells")>]
// Names of columns may be missing, or be numbers that are no measurements here.
[<InlineData("length,,count,species", "Names")>]
[<InlineData("2001,2002,2003,species", "Names")>]
[<InlineData("2000,2010,2020,species", "Names")>]
[<InlineData("1e3,width,count,species", "Unclear")>]
// Numbers that could be measurements, with a word that is a name or a class.
[<InlineData("5,3,1,species", "Unclear")>]
[<InlineData("5.1,3.5,1,species", "Cells")>]
// Counts of rows and columns above a table, as scikit-learn's files have.
[<InlineData("30,3,setosa,versicolor", "Unclear")>]
// Places as names, which pandas gives where there are none.
[<InlineData("0,1,2,3", "Unclear")>]
// A word for a number, in the first row of all.
[<InlineData("none,3.5,1,setosa", "Unclear")>]
[<InlineData("-,3.5,1,setosa", "Cells")>]
let ``the kind of the first row of flowers is found`` (first: string, expected: string) =
    Exactly.equal expected $"{tell (first :: flowers)}"

[<Theory>]
// An index as pandas writes it.
[<InlineData(",a,b;0,5.1,x;1,4.9,y;2,5.0,x", "Names")>]
[<InlineData(",0,1,2;0,5.1,7,x;1,4.9,8,y;2,5.0,9,x", "Names")>]
// Words alone: names, unless they come again.
[<InlineData("outlook,play;sunny,no;rainy,yes;sunny,yes", "Names")>]
[<InlineData("sunny,no;rainy,no;sunny,yes", "Cells")>]
[<InlineData("p,x,s;e,x,y;p,b,s;e,b,s", "Cells")>]
// Dates, decimal commas and measures are cells above others of their kind.
[<InlineData("2020-01-01,5 kg;2020-01-02,6 kg;2020-01-03,7 kg", "Cells")>]
[<InlineData("day,weight;2020-01-01,5 kg;2020-01-02,6 kg", "Names")>]
[<InlineData("1,2,3;4,5,6;7,8,9", "Cells")>]
[<InlineData("1,2;3,4", "Cells")>]
[<InlineData("6.7,3.0,5.2", "Cells")>]
[<InlineData("a,b", "Names")>]
[<InlineData("x;1;2", "Names")>]
[<InlineData("1;2;3", "Cells")>]
let ``the kind of the first row of a small table is found`` (rows: string, expected: string) =
    Exactly.equal expected $"{tell (List.ofArray (rows.Split ';'))}"

/// Columns of numbers and of words, each of which comes several times.
let private anyRows (Seed seed) (columns: int) (count: int) = [
    for row in 0 .. count - 1 ->
        [
            for column in 0 .. columns - 1 ->
                let number =
                    RandomNumbers.below
                        4
                        seed
                        RandomStream.GradientCheck
                        (int64 (row * columns + column))
                        0

                if column % 3 = 2 then
                    [ "red"; "green"; "blue"; "grey" ][number]
                else
                    $"{number}.{row % 10}"
        ]
]

[<Law>]
let ``words above numbers are names, and no row of the table is taken for names``
    (seed: Seed)
    (PositiveInt columns)
    (PositiveInt count)
    =
    let columns, count = 1 + columns % 6, 40 + count % 20
    let rows = anyRows seed columns count

    let told rows =
        tell (rows |> List.map (String.concat ","))

    let names = List.init columns (fun column -> $"column {column}")
    Exactly.equal FirstRow.Names (told (names :: rows))
    Exactly.equal FirstRow.Cells (told rows)

[<Law>]
let ``any texts are told, and never an exception`` (rows: NonEmptyArray<string>) =
    let texts = rows.Get |> Array.map string

    for columns in [ [ texts ]; [ texts; Array.rev texts ] ] do
        FirstRow.detect (columns |> List.map (fun texts -> texts :> IReadOnlyList<string>))
        |> ignore
