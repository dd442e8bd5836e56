namespace Pipeline.Learning.Laws

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Keeps what became of a property, in words.
type private Listener() =
    /// Empty where it holds.
    member val Broken = "" with get, set

    interface IRunner with
        member _.OnStartFixture _ = ()
        member _.OnArguments(_, _, _) = ()
        member _.OnShrink(_, _) = ()

        member listener.OnFinished(name, result) =
            match result with
            | TestResult.Passed _ -> ()
            | TestResult.Exhausted data ->
                listener.Broken <- $"{name}\ntoo few values: %d{data.NumberOfTests}"
            | TestResult.Failed(data, _, smallest, outcome, _, seed, size) ->
                let why =
                    match outcome with
                    | Outcome.Failed(:? LawBrokenException as broken) -> broken.Message
                    | Outcome.Failed other -> string other
                    | _ -> ""

                let values = smallest |> List.map (sprintf "%A") |> String.concat "\n"

                listener.Broken <-
                    $"{name}\n{why}\nfor {values}\nafter %d{data.NumberOfTests} tests and %d{data.NumberOfShrinks} shrinks, from the seed ({seed.Seed},{seed.Gamma},%d{size})"

/// A law: a sentence that could be false, and the property that looks for a counterexample.
type Law = {
    /// The sentence.
    Name: string
    /// What FsCheck tries.
    Property: Property
} with

    /// <summary>Tries laws, each with as many values as FsCheck is told.</summary>
    /// <param name="laws">The laws.</param>
    /// <param name="config">How: <c>Config.Quick.WithMaxTest(1000)</c>, say. Its runner is not
    /// used.</param>
    /// <exception cref="T:Pipeline.Learning.Laws.LawBrokenException">One or more are broken: all of them, each
    /// with what was expected, what was found, the smallest counterexample and its seed.</exception>
    static member Check(laws: Law seq, config: Config) : unit =
        let broken = [
            for law in laws do
                let listener = Listener()
                Check.One(config.WithName(law.Name).WithRunner listener, law.Property)

                if listener.Broken <> "" then
                    listener.Broken
        ]

        if not broken.IsEmpty then
            raise (
                LawBrokenException(
                    String.concat "\n\n" ($"broken laws: %d{broken.Length}" :: broken)
                )
            )

    /// <summary>Tries laws, each with 100 values freshly drawn.</summary>
    /// <param name="laws">The laws.</param>
    /// <exception cref="T:Pipeline.Learning.Laws.LawBrokenException">One or more are broken.</exception>
    static member Check(laws: Law seq) : unit = Law.Check(laws, Config.Quick)

    /// <summary>Laws as one property, to return from a test: FsCheck draws values for each of
    /// them.</summary>
    /// <param name="laws">The laws, one or more.</param>
    static member Together(laws: Law seq) : Property =
        laws
        |> Seq.map (fun law -> Prop.label law.Name law.Property)
        |> Seq.reduce (.&.)

/// Making laws, and what many of them say.
[<RequireQualifiedAccess>]
module internal Laws =
    /// A law that holds where `claim` raises nothing.
    let create (name: string) (values: Arbitrary<'V>) (claim: 'V -> unit) : Law = {
        Name = name
        Property = Prop.forAll values claim
    }

    let broken (why: string) : 'V = raise (LawBrokenException why)

    /// What `check` finds broken, said of something.
    let within (what: string) (check: unit -> unit) : unit =
        try
            check ()
        with :? LawBrokenException as difference ->
            broken $"{what}: {difference.Message}"

    let require (holds: bool) (why: string) : unit =
        if not holds then
            broken why

    let shape (m: Matrix<float>) = $"(%d{m.RowCount}, %d{m.ColumnCount})"

    let requireShape (what: string) (expected: Matrix<float>) (found: Matrix<float>) : unit =
        if expected.RowCount <> found.RowCount || expected.ColumnCount <> found.ColumnCount then
            broken $"{what}: expected the shape {shape expected}, found {shape found}"

    let cells (m: Matrix<float>) : float[] = m.ToColumnMajorArray()

    let flat (parameters: Parameters<float>) : float[] =
        (Parameters.toVector parameters).ToArray()

    /// Zeros of the parameters' shape, but for one number: the one at that place of `flat`.
    let unit (parameters: Parameters<float>) (place: int) (value: float) : Parameters<float> =
        let mutable before = 0

        let next count : int -> float =
            let first = before
            before <- before + count
            fun i -> if first + i = place then value else 0.0

        parameters
        |> Parameters.map
            (fun matrix ->
                let at = next (matrix.RowCount * matrix.ColumnCount)
                matrix.MapIndexed(fun i j _ -> at (i + j * matrix.RowCount)))
            (fun vector ->
                let at = next vector.Count
                vector.MapIndexed(fun i _ -> at i))

    /// The verdict's sentences where it is against the gradient.
    let requireRight (check: GradientCheck) : unit =
        if not check.Passed then
            broken (string check)

    /// The same bits at a second call, and arguments as they were. Both arrays are of what can be changed.
    let requirePure (arguments: unit -> float[] list) (call: unit -> float[] list) : unit =
        let before = arguments () |> List.map Array.copy
        let first = call () |> List.map Array.copy

        let compare what expected found =
            within what (fun () -> List.iter2 Exactly.bits expected found)

        compare "an argument was written to" before (arguments ())
        compare "a second call gives something else" first (call ())

    let sampleOf (s: int) (batch: MiniBatch<float>) (count: int) : MiniBatch<float> =
        MiniBatch.create
            (batch.Inputs.SubMatrix(0, batch.Inputs.RowCount, s, count))
            (match batch.Targets with
             | Targets.Labels labels -> Targets.Labels(Array.sub labels s count)
             | Targets.Columns columns ->
                 Targets.Columns(columns.SubMatrix(0, columns.RowCount, s, count)))
