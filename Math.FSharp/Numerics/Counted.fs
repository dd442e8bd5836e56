namespace Pipeline.Learning

/// Counts of things in sentences.
[<RequireQualifiedAccess>]
module internal Counted =
    /// <summary>The count with its noun: 1 category, 2 categories.</summary>
    /// <param name="one">The noun of one.</param>
    /// <param name="many">The noun of any other number.</param>
    /// <param name="count">The count.</param>
    let text (one: string) (many: string) (count: int64) : string =
        invariant $"{count} {if count = 1L then one else many}"
