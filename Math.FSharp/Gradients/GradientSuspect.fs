namespace Pipeline.Learning

open System

/// A likely reason why the gradient in a tensor is wrong.
[<RequireQualifiedAccess>]
module internal GradientSuspect =
    /// What all numbers of a wrong tensor together look like.
    let describe (part: CheckedTensor) (defined: float[]) (scale: float) : string =
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
            | ValueSome c when abs (c + 1.0) < 1e-3 -> "Every number has the wrong sign"
            | ValueSome c when whole c ->
                invariant
                    $"Every number is {c:F0} times the correct one: a factor 1/{c:F0} is missing, for example that of a mean over {c:F0}"
            | ValueSome c when c > 0.0 && whole (1.0 / c) ->
                invariant
                    $"Every number is 1/{1.0 / c:F0} of the correct one: it is divided by {1.0 / c:F0} once too often, or only one of {1.0 / c:F0} terms is summed"
            | ValueSome c when defined.Length > 1 && c <> 0.0 ->
                invariant $"Every number is {c:G4} times the correct one"
            | _ when rows > 1 && columns > 1 && all transposed ->
                "The numbers are the correct ones, transposed"
            | _ when defined.Length > 2 && all (shifted 1) ->
                "The numbers are the correct ones, one place too early"
            | _ when defined.Length > 2 && all (shifted -1) ->
                "The numbers are the correct ones, one place too late"
            | _ ->
                match penalty () with
                | ValueSome c when Array.exists isSome part.At && defined.Length > 2 ->
                    invariant
                        $"The difference is {c:G4} times the parameters: a penalty on their size is in the gradient and not in the function, or the other way round"
                | _ -> ""
