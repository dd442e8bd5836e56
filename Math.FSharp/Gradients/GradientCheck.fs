namespace Pipeline.Learning

open System
open System.Threading.Tasks
open MathNet.Numerics
open MathNet.Numerics.LinearAlgebra

/// The verdict on a gradient.
type GradientCheck = {
    /// Every tensor's worst place.
    Tensors: TensorCheck list
} with

    /// The tensor with the greatest difference relative to the allowed one.
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

/// <summary>Compares a gradient with its definition, by central differences in double precision.</summary>
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

    let private hold (isParallel: bool) (part: CheckedTensor) : TensorCheck =
        let count = part.At.Length
        let looks = Array.zeroCreate count

        if isParallel then
            let options =
                ParallelOptions(MaxDegreeOfParallelism = Control.MaxDegreeOfParallelism)

            Parallel.For(
                0,
                count,
                options,
                (fun i -> looks[i] <- DerivativeEstimate.firstLook part i)
            )
            |> ignore
        else
            for i in 0 .. count - 1 do
                looks[i] <- DerivativeEstimate.firstLook part i

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
                let look = DerivativeEstimate.closeLook part i
                let allowed = Tolerance * max scale (abs look.Value) + look.Error
                let isRight = abs (part.Gradient[i] - look.Value) <= allowed

                if not isRight && DerivativeEstimate.isKink part i part.Gradient[i] allowed then
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
            Cause =
                if wrong.IsSome then
                    GradientSuspect.describe part defined scale
                else
                    ""
        }

    /// <summary>Compares the gradient of a function of several matrices with its definition.</summary>
    /// <param name="f">The function; each call gets new matrices.</param>
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
                (invariant
                    $"expected as many gradients as matrices, one or more, found {gradients.Length} and {at.Length}")

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

    /// <summary>Compares the gradient of a function of a matrix with its definition.</summary>
    /// <param name="f">The function; each call gets new matrices.</param>
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

    /// <summary>Compares any gradient of a function of a network with its definition.</summary>
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
        // Wrong shapes are reported to the caller here, and not from a thread.
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
