namespace Pipeline.Learning

open System

/// How far apart a gradient and its definition are in one tensor, at the place where they are furthest.
type TensorCheck = {
    /// W1, b1, W2, …; g1, … of a layer that is normalised; or the caller's own name.
    Name: string
    /// How many numbers it has.
    Count: int
    /// How many of them stand at a kink, or a jump, of the loss: it has one slope on each side, the
    /// gradient is neither below nor above both, and there is nothing to be wrong. The figures below
    /// leave them out.
    Kinks: int
    /// How many of them are wrong.
    Wrong: int
    /// Row and column of that place. In a network's tensors as the book counts, (inputs, outputs), and 0
    /// for a bias; else as the matrix does.
    Row: int
    /// See Row.
    Column: int
    /// The gradient's value there.
    Backward: float
    /// The definition's value there.
    Numerical: float
    /// |Backward − Numerical| there.
    Difference: float
    /// The tensor's greatest numerical entry, by size.
    Scale: float
    /// The largest difference allowed: a fraction of the scale, and the truncation and rounding errors of a
    /// difference with that step.
    Allowed: float
    /// The step h that was taken there.
    Step: float
    /// Why that step.
    StepReason: string
    /// What all the wrong numbers together look like, a turned sign, say; empty where nothing is wrong, or
    /// the numbers do not tell.
    Cause: string
} with

    /// Whether the difference is allowed. Not a number is not.
    member tensor.Passed = tensor.Difference <= tensor.Allowed

    /// The place in words: W1[3, 2], b1[0].
    member tensor.Place =
        match tensor.Name with
        | "" -> invariant $"[{tensor.Row}, {tensor.Column}]"
        | name when name[0] <> 'W' && tensor.Row = 0 -> invariant $"{name}[{tensor.Column}]"
        | name -> invariant $"{name}[{tensor.Row}, {tensor.Column}]"

    /// The verdict in sentences: the place, what was expected and found there, how far beyond rounding
    /// and truncation that is, and a likely cause where the numbers tell one.
    override tensor.ToString() =
        let kinks =
            match tensor.Kinks with
            | 0 -> ""
            | 1 -> " 1 number stands at a kink, where there is no derivative."
            | kinks -> invariant $" {kinks} numbers stand at kinks, where there is no derivative."

        let step = invariant $"step {tensor.Step:G3}: {tensor.StepReason}"

        if tensor.Passed then
            invariant
                $"{tensor.Place}: expected {tensor.Numerical:G9}, found {tensor.Backward:G9}, {tensor.Difference:G3} apart, where {tensor.Allowed:G3} is allowed ({step}).{kinks}"
        else
            let cause = if tensor.Cause = "" then "" else $" {tensor.Cause}."

            let times = tensor.Difference / tensor.Allowed

            invariant
                $"{tensor.Place} is wrong: expected {tensor.Numerical:G9}, found {tensor.Backward:G9}, {tensor.Difference:G3} apart, {times:G3} times what rounding, truncation and 10⁻⁷ of the tensor's greatest entry allow ({step}). Wrong are {tensor.Wrong} of {tensor.Count} numbers.{cause}{kinks}"
