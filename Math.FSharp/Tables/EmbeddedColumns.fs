namespace Pipeline.Learning

open System
open System.Globalization
open System.Numerics

/// Which columns of categories are embedded, and in how many numbers.
type EmbeddedColumns = {
    /// Whether the columns of more than 20 categories that are not among the others are embedded too, in
    /// min(50, 1.6·c^0.56) numbers for c categories.
    Auto: bool
    /// Columns, and how many numbers each becomes.
    Sizes: (string * int) list
}

/// <summary>Embeddings of columns with many categories: a few learned numbers for each category, in place of an input
/// each.</summary>
[<RequireQualifiedAccess>]
module EmbeddedColumns =
    [<Literal>]
    let private Setting = "Embeddings"

    /// The most categories of a column that Auto leaves as they are: so few make few weights.
    [<Literal>]
    let private Few = 20

    /// The most numbers that Auto makes of a column.
    [<Literal>]
    let private Most = 50

    /// How many numbers Auto makes of a column of c categories: min(50, 1.6·c^0.56) to the nearest whole number, as
    /// fast.ai does; 0 if it has 20 categories or fewer and stays as it is.
    let internal usualSize (categories: int) : int =
        if categories <= Few then
            0
        else
            let power = 0.56 * ScalarMath.Log(float categories)
            let size = 1.6 * Elementary.Exp<float, float, Simd1<float>> power
            min Most (int (Math.Round size))

    /// <summary><c>Auto</c>, <c>column=size</c> for some columns, or both.</summary>
    /// <param name="texts">One text or more.</param>
    [<CompiledName("Parse")>]
    let parse (texts: string list) : Result<EmbeddedColumns, Fault list> =
        let isAuto (text: string) =
            text.Trim().Equals("Auto", StringComparison.OrdinalIgnoreCase)

        let size (text: string) =
            match Int32.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture) with
            | true, size when size > 0 -> ValueSome size
            | _ -> ValueNone

        texts
        |> List.filter (isAuto >> not)
        |> NamedValues.parse
            Setting
            "Auto, or COLUMN=SIZE with a whole number of 1 or more"
            (fun name count -> invariant $"gives column {name} {count} sizes")
            size
        |> Result.map (fun sizes -> {
            Auto = List.exists isAuto texts
            Sizes = sizes
        })

    /// What is wrong with a column and its size.
    let private check (encoding: TableEncoding) (name: string, size: int) : Fault list =
        let is (other: string) = other.Trim() = name

        match encoding.Categories |> List.tryFind (fun column -> is column.Name) with
        | Some column when size < column.Values.Length -> []
        | Some column ->
            let categories = Counted.text "category" "categories" (int64 column.Values.Length)

            [
                Fault.create
                    Setting
                    $"fewer numbers for column {name} than its {categories}"
                    (string size)
            ]
        | None when encoding.Numbers |> List.exists (fun column -> is column.Name) -> [
            Fault.message
                Setting
                $"cannot embed column {name} of numbers; Data:Categorical makes it one of categories"
          ]
        | None ->
            let known =
                match encoding.Categories with
                | [] -> "none, as no input is a column of categories"
                | columns -> columns |> List.map _.Name |> String.concat ", "

            [ Fault.create Setting $"columns of {known}" $"'{name}'" ]

    /// <summary>The layer that embeds columns of a table's inputs.</summary>
    /// <param name="preprocessing">How samples become inputs.</param>
    /// <param name="columns">The columns.</param>
    /// <returns>The layer, nothing if no column is to be embedded, or a fault for each column that cannot be
    /// embedded.</returns>
    [<CompiledName("LayerOf")>]
    let layerOf
        (preprocessing: Preprocessing)
        (columns: EmbeddedColumns)
        : Result<Layer voption, Fault list> =
        match preprocessing with
        | Preprocessing.Table encoding ->
            match columns.Sizes |> List.collect (check encoding) with
            | [] ->
                let sizes = Map.ofList columns.Sizes

                let sizeOf (column: CategoryColumn) =
                    match sizes.TryFind(column.Name.Trim()) with
                    | Some size -> size
                    | None when columns.Auto -> usualSize column.Values.Length
                    | None -> 0

                let blocks = [
                    if not encoding.Numbers.IsEmpty then
                        EmbeddingBlock.Unchanged encoding.Numbers.Length

                    for column in encoding.Categories do
                        match sizeOf column, column.Values.Length with
                        | 0, count -> EmbeddingBlock.Unchanged count
                        | size, count -> EmbeddingBlock.Embedded(count, size)
                ]

                if blocks |> List.exists _.IsEmbedded then
                    Ok(ValueSome(Layers.embedding blocks))
                else
                    Ok ValueNone
            | faults -> Error faults
        | Preprocessing.Pixels _ -> Error [ Fault.create Setting "a table" "images" ]
        | Preprocessing.Numbers -> Error [ Fault.create Setting "a table" "numbers" ]
