/// No text and no reading of the core, the laws and the pictures follows the culture of the thread.
module Pipeline.Properties.CultureLaws

open System
open System.Globalization
open System.IO
open System.Reflection.Emit
open System.Reflection.Metadata
open System.Reflection.Metadata.Ecma335
open System.Reflection.PortableExecutable
open System.Text.RegularExpressions
open MathNet.Numerics.LinearAlgebra
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Pictures

/// A type of a signature: its name, and what it is made with.
type private Named = { Name: string; Arguments: Named list }

let private plain name = { Name = name; Arguments = [] }

/// Types as signatures have them.
type private Types() =
    static member OfReference (metadata: MetadataReader) (handle: TypeReferenceHandle) =
        let reference = metadata.GetTypeReference handle
        plain $"{metadata.GetString reference.Namespace}.{metadata.GetString reference.Name}"

    interface ISignatureTypeProvider<Named, unit> with
        member _.GetPrimitiveType code = plain $"System.{code}"
        member _.GetTypeFromReference(metadata, handle, _) = Types.OfReference metadata handle

        member _.GetTypeFromDefinition(metadata, handle, _) =
            let definition = metadata.GetTypeDefinition handle
            plain $"own {metadata.GetString definition.Name}"

        member types.GetTypeFromSpecification(metadata, _, handle, _) =
            (metadata.GetTypeSpecification handle).DecodeSignature(types, ())

        member _.GetGenericInstantiation(generic, arguments) = {
            generic with
                Arguments = List.ofSeq arguments
        }

        member _.GetGenericTypeParameter(_, i) = plain $"parameter {i}"
        member _.GetGenericMethodParameter(_, i) = plain $"parameter {i}"

        member _.GetArrayType(element, _) = {
            Name = "array"
            Arguments = [ element ]
        }

        member _.GetSZArrayType element = {
            Name = "array"
            Arguments = [ element ]
        }

        member _.GetByReferenceType element = element
        member _.GetPointerType element = element
        member _.GetPinnedType element = element
        member _.GetModifiedType(_, element, _) = element
        member _.GetFunctionPointerType _ = plain "function pointer"

let private opcodes =
    [
        for field in typeof<OpCodes>.GetFields() do
            match field.GetValue null with
            | :? OpCode as code -> code.Value, code
            | _ -> ()
    ]
    |> dict

/// The instructions of a method with their operands, a token or 0.
let private instructions (body: byte[]) : (OpCode * int) list = [
    let mutable at = 0

    while at < body.Length do
        let first = int16 body[at]

        let code =
            if first = 0xFEs then
                at <- at + 1
                opcodes[int16 (0xFE00 ||| int body[at])]
            else
                opcodes[first]

        at <- at + 1

        match code.OperandType with
        | OperandType.InlineNone -> code, 0
        | OperandType.ShortInlineBrTarget
        | OperandType.ShortInlineI
        | OperandType.ShortInlineVar ->
            at <- at + 1
            code, 0
        | OperandType.InlineVar ->
            at <- at + 2
            code, 0
        | OperandType.InlineI8
        | OperandType.InlineR ->
            at <- at + 8
            code, 0
        | OperandType.InlineSwitch ->
            at <- at + 4 + 4 * BitConverter.ToInt32(body, at)
            code, 0
        | _ ->
            let token = BitConverter.ToInt32(body, at)
            at <- at + 4
            code, token
]

let rec private elements (tuple: Named) : Named list =
    if tuple.Name.StartsWith "System.Tuple`" then
        tuple.Arguments
        |> List.indexed
        |> List.collect (fun (i, part) -> if i = 7 then elements part else [ part ])
    else
        [ tuple ]

/// Whether the text of such a value may follow the thread's culture: numbers do, and what may be one.
let private follows (t: Named) : bool =
    match t.Name with
    | "System.String"
    | "System.Char"
    | "System.Boolean"
    | "System.Byte"
    | "System.UInt16"
    | "System.UInt32"
    | "System.UInt64"
    | "System.Type"
    | "System.Exception"
    | "System.Text.Json.JsonValueKind" -> false
    | name ->
        not (
            name = "own"
            || name.StartsWith("own ", StringComparison.Ordinal)
            || name.StartsWith("Pipeline.", StringComparison.Ordinal)
            || name.StartsWith("Microsoft.FSharp.", StringComparison.Ordinal)
        )

/// A hole of an interpolated string as the compiler writes it: what F#'s printf makes of it (%d), which follows no
/// culture, and what .NET does (:F4), which follows the thread's.
let private hole = Regex @"(%[^%\sP]*[a-zA-Z])?%P\(([^)]*)\)"

/// Whether a call of another assembly's member follows the culture.
let private callFollows
    (parent: Named)
    (called: string)
    (constrained: Named voption)
    (parameters: Named list)
    =
    let names = parameters |> List.map _.Name

    let takesProvider =
        List.contains "System.IFormatProvider" names
        || List.contains "System.Globalization.CultureInfo" names

    // Values of generic types are left out: F#'s `string` calls their ToString only where they take no culture.
    let isNumber (t: Named) =
        List.contains t.Name [
            "System.Double"
            "System.Single"
            "System.Half"
            "System.Decimal"
            "System.Int16"
            "System.Int32"
            "System.Int64"
            "System.SByte"
            "System.Numerics.BigInteger"
        ]

    match parent.Name, called with
    | _, "ToString" when not takesProvider ->
        match constrained with
        | ValueSome t -> isNumber t
        | ValueNone -> isNumber parent
    | _, ("Parse" | "TryParse") when not takesProvider -> isNumber parent
    | "System.Globalization.CultureInfo", _ -> called.Contains "Current"
    | "System.String", ("Format" | "ToLower" | "ToUpper" | "Compare" | "CompareTo") ->
        not takesProvider && not (List.contains "System.StringComparison" names)
    | "System.String", ("StartsWith" | "EndsWith" | "IndexOf" | "LastIndexOf") ->
        names = [ "System.String" ]
    | "System.Text.StringBuilder", ("Append" | "AppendFormat" | "Insert") ->
        not takesProvider && parameters |> List.exists isNumber
    | _ -> false

/// The methods of an assembly whose results follow the thread's culture, each with what makes it so.
let private scan (path: string) : string list = [
    use file = new PEReader(File.OpenRead path)
    let metadata = file.GetMetadataReader()
    let types = Types()

    let typeOf (handle: EntityHandle) : Named =
        match handle.Kind with
        | HandleKind.TypeReference ->
            Types.OfReference metadata (TypeReferenceHandle.op_Explicit handle)
        | HandleKind.TypeSpecification ->
            (metadata.GetTypeSpecification(TypeSpecificationHandle.op_Explicit handle))
                .DecodeSignature(types, ())
        | _ -> plain "own"

    /// The type and name of a member of another assembly, and what it takes.
    let memberOf (token: int) =
        let handle = MetadataTokens.EntityHandle token

        let handle =
            if handle.Kind = HandleKind.MethodSpecification then
                (metadata.GetMethodSpecification(MethodSpecificationHandle.op_Explicit handle))
                    .Method
            else
                handle

        if handle.Kind = HandleKind.MemberReference then
            let reference =
                metadata.GetMemberReference(MemberReferenceHandle.op_Explicit handle)

            if reference.GetKind() = MemberReferenceKind.Method then
                let signature = reference.DecodeMethodSignature(types, ())

                ValueSome(
                    struct (typeOf reference.Parent,
                            metadata.GetString reference.Name,
                            List.ofSeq signature.ParameterTypes)
                )
            else
                ValueNone
        else
            ValueNone

    for handle in metadata.MethodDefinitions do
        let method = metadata.GetMethodDefinition handle

        if method.RelativeVirtualAddress <> 0 then
            let owner = metadata.GetTypeDefinition(method.GetDeclaringType())
            let name = $"{metadata.GetString owner.Name}.{metadata.GetString method.Name}"
            let body = nonNull ((file.GetMethodBody method.RelativeVirtualAddress).GetILBytes())
            let mutable format = ""
            let mutable before = ""
            let mutable constrained = ValueNone

            for code, token in instructions body do
                if code = OpCodes.Ldstr then
                    let text = metadata.GetUserString(MetadataTokens.UserStringHandle token)

                    if hole.IsMatch text then
                        format <- text
                elif code = OpCodes.Constrained then
                    constrained <- ValueSome(typeOf (MetadataTokens.EntityHandle token))
                elif code = OpCodes.Call || code = OpCodes.Callvirt || code = OpCodes.Newobj then
                    match memberOf token with
                    | ValueSome(struct (parent, called, parameters)) ->
                        if
                            parent.Name = "Microsoft.FSharp.Core.PrintfFormat`5"
                            && parameters.Length = 3
                        then
                            for h, t in
                                Seq.zip
                                    (hole.Matches format)
                                    (elements (List.last parent.Arguments)) do
                                let isPrintf, style = h.Groups[1].Success, h.Groups[2].Value

                                if not isPrintf && (follows t || style <> "") then
                                    $"{name}: a hole of {t.Name} in \"{format}\""
                        elif
                            callFollows parent called constrained parameters
                            // F# inlines functions of arrays with the messages of their own faults.
                            && not (before.EndsWith("ErrorStrings", StringComparison.Ordinal))
                        then
                            $"{name}: {parent.Name}.{called}"

                        before <- parent.Name
                    | ValueNone -> ()

                    constrained <- ValueNone
]

let assemblies () =
    TheoryData<string>(
        [ typeof<Fault>; typeof<Law>; typeof<Chart> ] |> List.map _.Assembly.Location
    )

[<Theory>]
[<MemberData(nameof assemblies)>]
let ``no text and no reading follows the thread's culture`` (path: string) =
    match scan path with
    | [] -> ()
    | found ->
        failwith (
            String.concat "\n" [
                "These follow the culture of the thread. Numbers in $\"…\" do: write %d{n}, {string x} or"
                "%.4f{x}, or FormattableString.Invariant. Give other calls a culture or a StringComparison."
                yield! found
            ]
        )

/// Every way in which the scan must find something, and a name that it must not find.
module private Slips =
    let interpolated (x: float) = $"x is {x}"
    let negative (n: int) = $"n is {n}"
    let formatted (x: float) = $"x is {x:F2}"
    let generic (x: 'T) = $"x is {x}"
    let toText (x: float) = x.ToString()
    let read (text: string) = Double.Parse text
    let ordered (a: string) (b: string) = String.Compare(a, b)
    let found (a: string) (b: string) = a.IndexOf b
    let sound (x: float) (n: int) (s: string) = $"{s}: %.3f{x}, %d{n}, {string x}"

[<Fact>]
let ``the law above can see`` () =
    let found = scan typeof<Pipeline.Properties.LawAttribute>.Assembly.Location

    let slips =
        typeof<LawAttribute>.Assembly.GetType("Pipeline.Properties.CultureLaws+Slips")
        |> nonNull
        |> _.GetMethods(
            Reflection.BindingFlags.Static
            ||| Reflection.BindingFlags.NonPublic
            ||| Reflection.BindingFlags.Public
        )
        |> Seq.map _.Name

    for slip in slips do
        Exactly.equal
            (slip <> "sound")
            (found
             |> List.exists (fun line ->
                 line.StartsWith($"Slips.{slip}:", StringComparison.Ordinal)))

/// A culture in which every number looks otherwise.
let private foreign =
    let culture = CultureInfo("")
    culture.NumberFormat.NumberDecimalSeparator <- ","
    culture.NumberFormat.NumberGroupSeparator <- "."
    culture.NumberFormat.NegativeSign <- "minus "
    culture.NumberFormat.NaNSymbol <- "no number"
    culture.NumberFormat.PositiveInfinitySymbol <- "without end"
    culture

let private under (culture: CultureInfo) (call: unit -> 'V) : 'V =
    let before = CultureInfo.CurrentCulture

    try
        CultureInfo.CurrentCulture <- culture
        call ()
    finally
        CultureInfo.CurrentCulture <- before

[<Law>]
let ``faults, verdicts, findings and exceptions read the same under any culture``
    (Trainable(network, batch))
    (x: float)
    (n: int)
    =
    let n = -1 - abs (n % 1000)
    let x = if Double.IsNaN x then x else -0.5 - abs x

    let message (call: unit -> unit) =
        try
            call ()
            "nothing"
        with fault ->
            fault.Message

    let texts () = [
        let faults (result: Result<'V, Fault list>) =
            match result with
            | Ok _ -> "none"
            | Error faults -> faults |> List.map string |> String.concat " "

        faults (
            Hyperparameters.create {
                Hyperparameters.Default.Options with
                    LearningRate = x
                    BatchSize = n
                    WarmUp = int64 n
                    Length = RunLength.Epochs n
                    Schedule = ScheduleKind.OneCycle x
            }
        )

        faults (ThreadCount.check n)
        faults (Architecture.ofHidden Head.Softmax n [] n)
        string (GradientCheck.ofNetwork network batch)

        let wrong = Optimizer.descend 1.5 network.Parameters network.Parameters
        string (GradientCheck.ofFunction (fun moved -> Network.loss moved batch) wrong network)

        for finding in
            [
                Finding.StillFalling 0.0312
                Finding.Oscillating(n, n)
                Finding.OverFitting(int64 n, 0.5, 1.5)
                Finding.StuckUnits(n, "dead", n, n)
                Finding.LargeTargets(n, n, n, 1234.5)
                Finding.WorseThanGuessing(20.5, 2.302)
                Finding.MissedClasses([ "a" ], n, n)
                Finding.NotFinite(n, int64 n)
            ] do
            string finding

        message (fun () ->
            Gradient.numerical 1e-4 (fun x -> x[0]) (Vector<float>.Build.Dense 1) |> ignore)

        message (fun () -> Schedule.oneCycle 10L x 0.1 |> ignore)
        message (fun () -> Transform.weightDecay x Optimizer.gradientDescent<float> |> ignore)
        message (fun () -> Batch.iterationsPerEpoch 10 n |> ignore)
        message (fun () -> Approximately.equal 1e-3 [| x |] [| x + 1.5 |])

        message (fun () ->
            Law.Check(
                ActivationLaw.All((fun z -> z), (fun z -> z.Map(fun _ -> -x))),
                FsCheck.Config.Quick.WithReplay(
                    Some {
                        FsCheck.Replay.Rnd = FsCheck.Rnd(1UL, 3UL)
                        Size = None
                    }
                )
            ))
    ]

    let expected = under CultureInfo.InvariantCulture texts
    let found = under foreign texts
    Exactly.equal expected found
    // The culture is one that would have shown.
    Exactly.equal "minus 0,5" (under foreign (fun () -> (-0.5).ToString()))
