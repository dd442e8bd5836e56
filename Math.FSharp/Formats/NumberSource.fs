namespace Pipeline.Learning.Formats

open System

/// The numbers of a column's rows, NaN where one is missing.
[<AbstractClass>]
type internal NumberSource(count: int) =
    /// The number of rows.
    member _.Count = count

    /// Copies the numbers of the rows from one on.
    abstract Copy: first: int * numbers: Span<float> -> unit

    /// The number of rows that are worth copying at once.
    static member Part = 4096

    /// The rows without a number.
    member source.Missing() : int[] =
        let rows = ResizeArray<int>()
        let part: float[] = Array.zeroCreate (min NumberSource.Part count)
        let mutable first = 0

        while first < count do
            let numbers = part.AsSpan(0, min part.Length (count - first))
            source.Copy(first, numbers)

            for row in 0 .. numbers.Length - 1 do
                if Double.IsNaN numbers[row] then
                    rows.Add(first + row)

            first <- first + numbers.Length

        rows.ToArray()

    /// The numbers of all rows.
    member source.All() : float[] =
        let numbers = Array.zeroCreate count
        source.Copy(0, numbers.AsSpan())
        numbers

/// Numbers in an array.
[<Sealed>]
type internal HeldNumbers(held: float[]) =
    inherit NumberSource(held.Length)

    override _.Copy(first, numbers) =
        held.AsSpan(first, numbers.Length).CopyTo numbers

/// The numbers of texts that are all known or empty, without those that mean a missing value.
[<Sealed>]
type internal DecimalNumbers(texts: IDecimalTexts, reader: CellReader) =
    inherit NumberSource(texts.Count)

    override _.Copy(first, numbers) =
        texts.CopyNumbers(first, numbers)

        if reader.HasMissingNumbers then
            for row in 0 .. numbers.Length - 1 do
                if reader.IsMissing numbers[row] then
                    numbers[row] <- nan

/// Some of the numbers of a column.
[<Sealed>]
type internal PickedNumbers(source: NumberSource, places: int[]) =
    inherit NumberSource(places.Length)

    /// Copies a part of the numbers, with those between them if there are not many.
    let copyPart (first: int) (numbers: Span<float>) : unit =
        let mutable least, most = Int32.MaxValue, 0

        for row in first .. first + numbers.Length - 1 do
            least <- min least places[row]
            most <- max most places[row]

        if most - least < 8 * numbers.Length then
            let near: float[] = Array.zeroCreate (most - least + 1)
            source.Copy(least, near.AsSpan())

            for row in 0 .. numbers.Length - 1 do
                numbers[row] <- near[places[first + row] - least]
        else
            for row in 0 .. numbers.Length - 1 do
                source.Copy(places[first + row], numbers.Slice(row, 1))

    override _.Copy(first, numbers) =
        let mutable row = 0

        while row < numbers.Length do
            let count = min NumberSource.Part (numbers.Length - row)
            copyPart (first + row) (numbers.Slice(row, count))
            row <- row + count
