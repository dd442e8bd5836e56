/// The core sees no file, clock, console or hidden randomness.
module Pipeline.Properties.PurityLaws

open System
open System.IO
open System.Reflection
open System.Reflection.Metadata
open System.Reflection.Metadata.Ecma335
open System.Reflection.PortableExecutable
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private core = typeof<Fault>.Assembly

/// What the assembly's metadata names outside itself: types, members with the type they are of (empty
/// for a generic one), and how many functions of native libraries.
let private references =
    lazy
        (use file = new PEReader(File.OpenRead core.Location)
         let metadata = file.GetMetadataReader()

         let typeName (handle: TypeReferenceHandle) =
             let reference = metadata.GetTypeReference handle
             let space = metadata.GetString reference.Namespace
             let name = metadata.GetString reference.Name
             if space = "" then name else $"{space}.{name}"

         let types = [ for handle in metadata.TypeReferences -> typeName handle ]

         let members = [
             for handle in metadata.MemberReferences do
                 let reference = metadata.GetMemberReference handle

                 let parent =
                     if reference.Parent.Kind = HandleKind.TypeReference then
                         typeName (TypeReferenceHandle.op_Explicit reference.Parent)
                     else
                         ""

                 parent, metadata.GetString reference.Name
         ]

         types, members, metadata.GetTableRowCount TableIndex.ImplMap)

[<Fact>]
let ``the core names no file, console, clock, process, network or source of chance`` () =
    let types, members, native = references.Value

    let spaces = [
        "System.IO"
        "System.Net"
        "System.Diagnostics"
        "System.Threading.Timer"
        "System.Timers"
        "System.Security.Cryptography"
        "Microsoft.Win32"
        "System.Numerics.Tensors"
        "MathNet.Numerics.Random"
        "MathNet.Numerics.Distributions"
        "MathNet.Numerics.Providers"
    ]

    let names = [
        "System.Console"
        "System.DateTime"
        "System.DateTimeOffset"
        "System.DateOnly"
        "System.TimeOnly"
        "System.TimeZoneInfo"
        "System.TimeProvider"
        "System.Random"
        "System.Guid"
        "System.Environment"
        "System.AppContext"
        "System.AppDomain"
        "System.HashCode"
        "System.Threading.Thread"
        "System.Runtime.InteropServices.NativeLibrary"
    ]

    let debugging = [
        "System.Diagnostics.DebuggableAttribute"
        "System.Diagnostics.DebuggerBrowsableAttribute"
        "System.Diagnostics.DebuggerBrowsableState"
        "System.Diagnostics.DebuggerDisplayAttribute"
        "System.Diagnostics.DebuggerNonUserCodeAttribute"
        "System.Diagnostics.DebuggerTypeProxyAttribute"
        "System.Diagnostics.CodeAnalysis.DynamicDependencyAttribute"
        "System.Diagnostics.CodeAnalysis.MemberNotNullWhenAttribute"
        "System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes"
        "System.Diagnostics.CodeAnalysis.RequiresUnreferencedCodeAttribute"
    ]

    // The hash of bytes: a function of them alone.
    let functions = [ "System.Security.Cryptography.SHA256" ]

    // What a thread waits for others with; the members are looked at below.
    let waits = [ "System.Threading.Thread" ]

    let forbidden =
        types
        |> List.filter (fun name ->
            not (List.contains name (debugging @ functions @ waits))
            && (List.contains name names
                || spaces
                   |> List.exists (fun space -> name = space || name.StartsWith(space + "."))))

    Assert.Empty forbidden
    Exactly.equal 0 native

    // Memory to write results to, and nothing else of the collector's.
    Assert.All(
        members |> List.filter (fun (parent, _) -> parent = "System.GC"),
        (fun (_, name) -> Exactly.equal "AllocateUninitializedArray" name)
    )

    // A thread waits for others, and neither sleeps nor starts.
    Assert.All(
        members |> List.filter (fun (parent, _) -> parent = "System.Threading.Thread"),
        (fun (_, name) -> Assert.Contains(name, [ "SpinWait"; "Yield" ]))
    )

    // F#'s own ways to the console: printf and its kin, stdin, stdout; and to the clock's kin.
    let operators = [
        "PrintFormat"
        "PrintFormatLine"
        "PrintFormatToError"
        "PrintFormatLineToError"
        "PrintFormatToTextWriter"
        "PrintFormatLineToTextWriter"
        "ConsoleIn"
        "ConsoleOut"
        "ConsoleError"
        "Exit"
        "get_Now"
        "get_UtcNow"
        "NewGuid"
    ]

    // A lock's Exit ends no process.
    Assert.Empty(
        members
        |> List.filter (fun (parent, name) ->
            parent <> "System.Threading.Monitor" && List.contains name operators)
    )

[<Fact>]
let ``the core calls no function whose last bit is a library's choice`` () =
    let _, members, _ = references.Value

    // IEEE 754 rounds these correctly, or they are exact. The rest of Math and of numbers' own
    // functions is the C library's and differs from system to system.
    let exact =
        set [
            "Abs"
            "BigMul"
            "BitDecrement"
            "BitIncrement"
            "Ceiling"
            "Clamp"
            "CopySign"
            "DivRem"
            "Floor"
            "FusedMultiplyAdd"
            "IEEERemainder"
            "Max"
            "Min"
            "Round"
            "ScaleB"
            "Sign"
            "Sqrt"
            "Truncate"
        ]

    let wrong =
        members
        |> List.filter (fun (parent, name) ->
            (parent = "System.Math" || parent = "System.MathF") && not (exact.Contains name))

    Assert.Empty wrong

    // The same by other ways: a number type's own members, generic mathematics, vectors, F#'s operators,
    // Math.NET's pointwise functions. Sums and dot products of whole vectors depend on their width.
    let transcendental = [
        "Acos"
        "Asin"
        "Atan"
        "Cbrt"
        "Cos"
        "Erf"
        "Estimate"
        "Exp"
        "Hypot"
        "Log"
        "PointwiseExp"
        "PointwiseLog"
        "PointwisePow"
        "PointwiseTanh"
        "Pow"
        "Reciprocal"
        "RootN"
        "Sin"
        "Tan"
        "MultiplyAddEstimate"
        "ReciprocalSqrtEstimate"
    ]

    let named =
        members
        |> List.filter (fun (_, name) ->
            transcendental
            |> List.exists (fun word ->
                name = word
                || (name.StartsWith(word, StringComparison.Ordinal)
                    && not (Char.IsLower name[word.Length]))))

    Assert.Empty named

    let widthDependent =
        members
        |> List.filter (fun (parent, name) ->
            parent.StartsWith("System.Runtime.Intrinsics", StringComparison.Ordinal)
            && (name = "Sum" || name = "Dot"))

    Assert.Empty widthDependent

[<Fact>]
let ``the two laws above can see: this very assembly names what they forbid`` () =
    // A clock, a file and a logarithm, as a reader of metadata finds them.
    use file = new PEReader(File.OpenRead(Assembly.GetExecutingAssembly().Location))
    let metadata = file.GetMetadataReader()

    let types =
        set [
            for handle in metadata.TypeReferences ->
                metadata.GetString (metadata.GetTypeReference handle).Name
        ]

    Assert.Empty(set [ "File"; "Random"; "Environment"; "Math" ] - types)
