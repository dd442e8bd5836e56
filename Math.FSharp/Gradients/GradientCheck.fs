namespace Pipeline.Learning

open System
open System.Threading.Tasks
open MathNet.Numerics
open MathNet.Numerics.LinearAlgebra

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
    /// How large a difference may be: a share of the scale, and what truncation and rounding make of a
    /// difference of that step.
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
        | "" -> $"[%d{tensor.Row}, %d{tensor.Column}]"
        | name when name[0] <> 'W' && tensor.Row = 0 -> $"{name}[%d{tensor.Column}]"
        | name -> $"{name}[%d{tensor.Row}, %d{tensor.Column}]"

    /// The verdict in sentences: the place, what was expected and found there, how far beyond rounding
    /// and truncation that is, and a likely cause where the numbers tell one.
    override tensor.ToString() =
        let kinks =
            match tensor.Kinks with
            | 0 -> ""
            | 1 -> " 1 number stands at a kink, where there is no derivative."
            | kinks -> $" %d{kinks} numbers stand at kinks, where there is no derivative."

        let step = FormattableString.Invariant $"step {tensor.Step:G3}: {tensor.StepReason}"

        if tensor.Passed then
            FormattableString.Invariant
                $"{tensor.Place}: expected {tensor.Numerical:G9}, found {tensor.Backward:G9}, {tensor.Difference:G3} apart, where {tensor.Allowed:G3} is allowed ({step}).{kinks}"
        else
            let cause = if tensor.Cause = "" then "" else $" {tensor.Cause}."

            let times = tensor.Difference / tensor.Allowed

            FormattableString.Invariant
                $"{tensor.Place} is wrong: expected {tensor.Numerical:G9}, found {tensor.Backward:G9}, {tensor.Difference:G3} apart, {times:G3} times what rounding, truncation and 10⁻⁷ of the tensor's greatest entry allow ({step}). Wrong are {tensor.Wrong} of {tensor.Count} numbers.{cause}{kinks}"

/// The verdict on a gradient.
type GradientCheck = {
    /// Every tensor's worst place.
    Tensors: TensorCheck list
} with

    /// The tensor whose difference is the greatest for what it is allowed.
    member check.Worst =
        check.Tensors
        |> List.maxBy (fun tensor ->
            if tensor.Passed then
                tensor.Difference / tensor.Allowed
            else
                infinity)

    /// Whether every difference is allowed.
    member check.Passed = check.Tensors |> List.forall _.Passed

    /// The verdict in sentences, one a tensor: of those that are wrong, else of the worst.
    override check.ToString() =
        match check.Tensors |> List.filter (fun tensor -> not tensor.Passed) with
        | [] -> string check.Worst
        | wrong -> wrong |> List.map string |> String.concat "\n"

/// <summary>Holds a gradient to its definition, by central differences in double precision.</summary>
/// <remarks><para>A first look takes (f(x + h) − f(x − h)) / 2h with h = 2⁻¹³·max(1, |x|) of every number,
/// which is enough for most: what it may be off is 10⁻⁷ of the tensor's greatest entry and its rounding,
/// 16·2⁻⁵²·(1 + max(|f(x + h)|, |f(x − h)|)) / h.</para>
/// <para>Of a number that is further off, differences of fourth order,
/// (8(f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h, are taken with steps of 2⁻⁴, 2⁻⁷, … 2⁻²⁵ of
/// max(1, |x|), then of 2⁻⁴, 2⁻⁷, 2⁻¹⁰ and 2⁻¹³ of |x| where that is less than 0.1 and not 0. Of all steps
/// but the last, the one is kept for which truncation (twice the change to the next of them) and rounding,
/// 8·2⁻⁵²·(1 + |f(x)| + |x·d|) / h with the difference d found, are least together; 10⁻⁷ of the greatest
/// entry and both are allowed. The |x·d| is there because x + h is rounded as well. All steps are
/// of max(1, |x|) and |x| rounded down to a power of 2.</para>
/// <para>A number that is off even then stands at a kink if the slopes to its two sides,
/// (4f(x ± h) − f(x ± 2h) − 3f(x)) / ±2h, stay apart as the step shrinks from 2⁻¹² to 2⁻¹⁸ of max(1, |x|),
/// each time by more than eight times their rounding, 8·2⁻⁵²·(1 + |f(x)|) / h, and it is between them: then
/// it is as good a slope as any. Otherwise it is wrong.</para>
/// <para>Sources: Deep Learning from Scratch, ch. 5 (gradient check); Ridders, Accurate computation of
/// F′(x) and F′(x)F″(x), Advances in Engineering Software 4 (1982), for choosing the step by the
/// differences themselves.</para></remarks>
[<RequireQualifiedAccess>]
module GradientCheck =
    /// <summary>How large a difference may be, relative to its tensor's greatest entry, besides what the
    /// differences are off themselves.</summary>
    [<Literal>]
    let Tolerance = 1e-7

    /// A tensor with the gradient in it, and the function with other elements in its place.
    type private Part = {
        Name: string
        /// Row and column of a place in memory.
        Place: int -> struct (int * int)
        /// The rows and columns of a matrix as it lies in memory, column by column.
        Shape: struct (int * int)
        At: float[]
        Gradient: float[]
        Along: float[] -> float
    }

    /// A derivative by differences, and what it may be off.
    type private Estimate = {
        Value: float
        Step: float
        Reason: string
        Error: float
    }

    let private epsilon = Math.BitIncrement 1.0 - 1.0

    /// The greatest power of 2 that is not above x.
    let rec private powerBelow (power: float) (x: float) : float =
        if power > x then
            powerBelow (power / 2.0) x
        elif 2.0 * power <= x && Double.IsFinite x then
            powerBelow (2.0 * power) x
        else
            power

    /// f(x + h), as a function of h.
    let private axis (part: Part) (i: int) (h: float) : float =
        let moved = Array.copy part.At
        moved[i] <- moved[i] + h
        part.Along moved

    let private firstLook (part: Part) (i: int) : Estimate =
        let h = Math.ScaleB(powerBelow 1.0 (max 1.0 (abs part.At[i])), -13)
        let above, below = axis part i h, axis part i -h

        {
            Value = (above - below) / (2.0 * h)
            Step = h
            Reason = "2⁻¹³ of max(1, |x|), small for truncation and large for rounding"
            Error = 16.0 * epsilon * (1.0 + max (abs above) (abs below)) / h
        }

    /// Steps to choose from, the greatest first, with their reasons.
    let private steps (x: float) : (float * string) list = [
        let unit = powerBelow 1.0 (max 1.0 (abs x))

        for k in 4..3..25 do
            Math.ScaleB(unit, -k), $"2^−%d{k} of max(1, |x|)"

        if x <> 0.0 && abs x < 0.1 then
            let unit = powerBelow 1.0 (abs x)

            for k in 4..3..13 do
                Math.ScaleB(unit, -k), $"2^−%d{k} of |x|, near which the function may change fast"
    ]

    let private closeLook (part: Part) (i: int) : Estimate =
        let f = axis part i
        let here = abs (f 0.0)

        let difference h =
            (8.0 * (f h - f -h) - (f (2.0 * h) - f (-2.0 * h))) / (12.0 * h)

        let found =
            steps part.At[i]
            |> List.map (fun (h, reason) -> struct (h, reason, difference h))

        let estimates =
            List.pairwise found
            |> List.map (fun (struct (h, reason, value), struct (_, _, next)) -> {
                Value = value
                Step = h
                Reason =
                    $"{reason}, of %d{found.Length} steps the one with the least truncation and rounding together"
                Error =
                    2.0 * abs (value - next)
                    + 8.0 * epsilon * (1.0 + here + abs (value * part.At[i])) / h
            })

        // Not a number is the worst there is.
        estimates
        |> List.minBy (fun estimate ->
            if Double.IsNaN estimate.Error then
                infinity
            else
                estimate.Error)

    /// Whether the function has two slopes at x that stay apart as the step shrinks, and the value is
    /// neither below nor above both.
    let private isKink (part: Part) (i: int) (value: float) (allowed: float) : bool =
        let f = axis part i
        let unit = powerBelow 1.0 (max 1.0 (abs part.At[i]))

        let slopes k =
            let h = Math.ScaleB(unit, -k)
            let noise = 8.0 * epsilon * (1.0 + abs (f 0.0)) / h

            let slope h =
                (4.0 * f h - f (2.0 * h) - 3.0 * f 0.0) / (2.0 * h)

            struct (slope h, slope -h, noise)

        // A kink that the finer step does not see, half as far away as it reaches, the close look has passed.
        let struct (right, left, noise) = slopes 12
        let struct (finerRight, finerLeft, finerNoise) = slopes 18
        let gap, finerGap = abs (right - left), abs (finerRight - finerLeft)
        // On the side without the kink, the two steps differ by truncation alone.
        let truncation = min (abs (right - finerRight)) (abs (left - finerLeft))
        let slack = 2.0 * truncation + noise + allowed

        finerGap > 0.5 * gap
        && finerGap > 8.0 * finerNoise
        && gap > 8.0 * noise + allowed
        && value >= min right left - slack
        && value <= max right left + slack

    /// What all numbers of a wrong tensor together look like.
    let private cause (part: Part) (defined: float[]) (scale: float) : string =
        let found = part.Gradient
        let close (a: float) (b: float) = abs (a - b) <= 1e-4 * scale
        let all (expected: float[]) = Array.forall2 close expected found
        let struct (rows, columns) = part.Shape
        let isSome x = abs x > 1e-3 * scale

        /// The number c for which c·x is the gradient, if there is one.
        let factorOf (x: float[]) (y: float[]) =
            let squares = Array.fold (fun sum x -> sum + x * x) 0.0 x
            let factor = (Array.fold2 (fun sum x y -> sum + x * y) 0.0 x y) / squares

            if
                squares > 0.0
                && Array.forall2
                    (fun x y -> abs (factor * x - y) <= 1e-4 * scale * max 1.0 (abs factor))
                    x
                    y
            then
                ValueSome factor
            else
                ValueNone

        let whole (x: float) =
            x > 1.5 && abs (x - Math.Round x) < 1e-3 * x && x < 4096.5

        let transposed =
            Array.init defined.Length (fun i -> defined[(i % columns) * rows + i / columns])

        let shifted by =
            Array.init defined.Length (fun i -> defined[(i + by + defined.Length) % defined.Length])

        let penalty () =
            factorOf part.At (Array.map2 (-) found defined)

        if found |> Array.exists (fun g -> not (Double.IsFinite g)) then
            "Not every number of the gradient is finite"
        elif not (Array.exists isSome defined) then
            ""
        elif defined.Length > 1 && Array.forall (fun g -> g = 0.0) found then
            "The gradient is all zeros: nothing arrives here"
        else
            match factorOf defined found with
            | ValueSome c when abs (c + 1.0) < 1e-3 ->
                "Every number is the right one with its sign turned"
            | ValueSome c when whole c ->
                $"Every number is %.0f{c} times the right one: a factor 1/%.0f{c} is missing, that of a mean over %.0f{c}, say"
            | ValueSome c when c > 0.0 && whole (1.0 / c) ->
                $"Every number is 1/%.0f{1.0 / c} of the right one: divided by %.0f{1.0 / c} once too often, or a part of a sum of %.0f{1.0 / c} is left out"
            | ValueSome c when defined.Length > 1 && c <> 0.0 ->
                FormattableString.Invariant $"Every number is {c:G4} times the right one"
            | _ when rows > 1 && columns > 1 && all transposed ->
                "The numbers are the right ones, transposed"
            | _ when defined.Length > 2 && all (shifted 1) ->
                "The numbers are the right ones, one place too early"
            | _ when defined.Length > 2 && all (shifted -1) ->
                "The numbers are the right ones, one place too late"
            | _ ->
                match penalty () with
                | ValueSome c when Array.exists isSome part.At && defined.Length > 2 ->
                    FormattableString.Invariant
                        $"The difference is {c:G4} times the parameters: a penalty on their size is in the gradient and not in the function, or the other way round"
                | _ -> ""

    let private hold (isParallel: bool) (part: Part) : TensorCheck =
        let count = part.At.Length
        let looks = Array.zeroCreate count

        if isParallel then
            let options =
                ParallelOptions(MaxDegreeOfParallelism = Control.MaxDegreeOfParallelism)

            Parallel.For(0, count, options, (fun i -> looks[i] <- firstLook part i))
            |> ignore
        else
            for i in 0 .. count - 1 do
                looks[i] <- firstLook part i

        let sizes values =
            values
            |> Array.filter Double.IsFinite
            |> Array.fold (fun most x -> max most (abs x)) 0.0

        // Where a step leaves what the function is defined on, the first look may be far too large.
        let scale =
            Array.map2 (fun look g -> min (abs look.Value) (abs g)) looks part.Gradient
            |> sizes

        let differenceAt i = abs (part.Gradient[i] - looks[i].Value)

        let severity i =
            let difference = differenceAt i
            if difference >= 0.0 then difference else infinity

        let suspects =
            [ 0 .. count - 1 ]
            |> List.filter (fun i -> not (differenceAt i <= Tolerance * scale + looks[i].Error))
            |> List.sortByDescending severity

        // The furthest off first; one that is wrong settles the matter.
        let rec settle kinks suspects =
            match suspects with
            | [] -> kinks, ValueNone
            | i :: rest ->
                let look = closeLook part i
                let allowed = Tolerance * max scale (abs look.Value) + look.Error
                let isRight = abs (part.Gradient[i] - look.Value) <= allowed

                if not isRight && isKink part i part.Gradient[i] allowed then
                    settle (Set.add i kinks) rest
                else
                    looks[i] <- look
                    if isRight then settle kinks rest else kinks, ValueSome i

        let kinks, wrong = settle Set.empty suspects
        let defined = looks |> Array.map _.Value

        let scale =
            defined
            |> Array.mapi (fun i value -> if kinks.Contains i then 0.0 else value)
            |> sizes

        let allowed i = Tolerance * scale + looks[i].Error

        let isWrong i =
            wrong.IsSome && not (kinks.Contains i) && not (differenceAt i <= allowed i)

        let at =
            match wrong with
            | ValueSome i -> i
            | ValueNone ->
                [| 0 .. count - 1 |]
                |> Array.maxBy (fun i ->
                    if kinks.Contains i then
                        -1.0
                    else
                        differenceAt i / allowed i)

        let struct (row, column) = part.Place at

        {
            Name = part.Name
            Count = count
            Kinks = kinks.Count
            Wrong = [| 0 .. count - 1 |] |> Array.filter isWrong |> Array.length
            Row = row
            Column = column
            Backward = part.Gradient[at]
            Numerical = defined[at]
            Difference = if kinks.Contains at then 0.0 else differenceAt at
            Scale = scale
            Allowed = allowed at
            Step = looks[at].Step
            StepReason = looks[at].Reason
            Cause = if wrong.IsSome then cause part defined scale else ""
        }

    /// <summary>Holds the gradient of a function of several matrices to its definition.</summary>
    /// <param name="f">The function; it gets matrices of its own.</param>
    /// <param name="gradients">Its gradient in each of them: a name and a matrix.</param>
    /// <param name="at">Where: matrices of the gradients' shapes.</param>
    /// <returns>Where and by how much the two differ, matrix by matrix.</returns>
    /// <exception cref="T:System.ArgumentException">Gradients and matrices differ in number or shape, or there
    /// are none.</exception>
    [<CompiledName("OfMatrices")>]
    let ofMatrices
        (f: Matrix<float> list -> float)
        (gradients: (string * Matrix<float>) list)
        (at: Matrix<float> list)
        : GradientCheck =
        if at.IsEmpty || gradients.Length <> at.Length then
            invalidArg
                (nameof gradients)
                $"expected as many gradients as matrices, one or more, found %d{gradients.Length} and %d{at.Length}"

        List.iter2
            (fun (_, gradient) place -> Kernels.requireSameShape (nameof gradients) gradient place)
            gradients
            at

        {
            Tensors =
                List.zip gradients at
                |> List.mapi (fun i ((name, gradient), place) ->
                    let rows, columns = place.RowCount, place.ColumnCount

                    let along values =
                        at
                        |> List.mapi (fun j other ->
                            if i = j then
                                Kernels.matrix rows columns values
                            else
                                other.Clone())
                        |> f

                    hold false {
                        Name = name
                        Place = fun place -> struct (place % rows, place / rows)
                        Shape = struct (rows, columns)
                        At = place.ToColumnMajorArray()
                        Gradient = gradient.ToColumnMajorArray()
                        Along = along
                    })
        }

    /// <summary>Holds the gradient of a function of a matrix to its definition.</summary>
    /// <param name="f">The function; it gets matrices of its own.</param>
    /// <param name="gradient">Its gradient, to be judged.</param>
    /// <param name="at">Where.</param>
    /// <returns>Where and by how much the two differ.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("OfMatrix")>]
    let ofMatrix
        (f: Matrix<float> -> float)
        (gradient: Matrix<float>)
        (at: Matrix<float>)
        : GradientCheck =
        ofMatrices (List.head >> f) [ "", gradient ] [ at ]

    /// <summary>Holds any gradient of a function of a network to its definition.</summary>
    /// <param name="loss">The function; it is called from several threads.</param>
    /// <param name="gradient">The gradient to judge, shaped like the parameters.</param>
    /// <param name="network">Where.</param>
    /// <returns>Where and by how much the two differ, tensor by tensor.</returns>
    /// <exception cref="T:System.ArgumentException">The shapes differ.</exception>
    [<CompiledName("OfFunction")>]
    let ofFunction
        (loss: Network<float> -> float)
        (gradient: Parameters<float>)
        (network: Network<float>)
        : GradientCheck =
        Parameters.requireSameShape (nameof gradient) gradient network.Parameters
        // What is wrong with the shapes is said here, not by a thread.
        loss network |> ignore

        let part tensor ((name: string, struct (rows, columns), at: float[]), gradient) =
            let along values =
                loss {
                    network with
                        Parameters =
                            network.Parameters
                            |> Parameters.mapArrays (fun other elements ->
                                if other = tensor then values else elements)
                }

            hold true {
                Name = name
                // The book's (inputs, outputs).
                Place = fun place -> struct (place / rows, place % rows)
                Shape = struct (rows, columns)
                At = at
                Gradient = gradient
                Along = along
            }

        {
            Tensors =
                List.zip (Parameters.tensors network.Parameters) (Parameters.arrays gradient)
                |> List.mapi part
        }

    /// The first step of a run of seed 0.
    let private step = { Seed = 0UL; Iteration = 0L }

    /// <summary>Compares <c>Gradient.backwardInTraining</c>, without dropout, with its definition.</summary>
    /// <param name="network">Where.</param>
    /// <param name="batch">The samples of the loss.</param>
    /// <returns>Where and by how much the two differ, tensor by tensor.</returns>
    /// <exception cref="T:System.ArgumentException">Inputs or targets do not have the network's
    /// size.</exception>
    [<CompiledName("OfNetwork")>]
    let ofNetwork (network: Network<float>) (batch: MiniBatch<float>) : GradientCheck =
        let network = {
            network with
                Architecture = Architecture.withoutRandomLayers network.Architecture
        }

        let struct (_, gradient, _) = Gradient.backwardInTraining step network batch
        ofFunction (fun moved -> Network.lossInTraining step moved batch) gradient network
