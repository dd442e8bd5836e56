/// The core formats no text by reflection, which NativeAOT and trimming do not support.
module Pipeline.Properties.ReflectionLaws

open System
open System.IO
open System.Reflection.Metadata
open System.Reflection.PortableExecutable
open Microsoft.FSharp.Reflection
open Xunit
open Pipeline.Learning

/// The types of other assemblies that an assembly names.
let private typesNamedBy (path: string) : Set<string> =
    use file = new PEReader(File.OpenRead path)
    let metadata = file.GetMetadataReader()

    set [
        for handle in metadata.TypeReferences do
            let reference = metadata.GetTypeReference handle
            $"{metadata.GetString reference.Namespace}.{metadata.GetString reference.Name}"
    ]

let private byReflection (path: string) : Set<string> =
    typesNamedBy path
    |> Set.filter (fun name ->
        name.StartsWith("Microsoft.FSharp.Core.Printf", StringComparison.Ordinal)
        || name.StartsWith("Microsoft.FSharp.Reflection.", StringComparison.Ordinal))

[<Fact>]
let ``the core names no type of F#'s printf or reflection`` () =
    let found = byReflection typeof<Fault>.Assembly.Location

    if not found.IsEmpty then
        failwith
            $"expected none of %A{List.ofSeq found}: write invariant $\"…\" where a text has anything but strings in it"

[<Fact>]
let ``the law above can see`` () =
    Assert.NotEmpty(byReflection typeof<LawAttribute>.Assembly.Location)

/// Unions that hold data rather than name a choice.
let private data = [
    "Problem"
    "Elements"
    "OnnxAttribute"
    "Cells"
    "Inputs`1"
    "Targets`1"
    "MatrixGradient`1"
    "Preprocessing"
    "TestRows"
    "ClassWeights"
    "Evaluation"
    "FeatureBins"
]

/// Unions whose texts are sentences or shorter.
let private ownTexts = [ "Shape"; "EmbeddingBlock"; "Finding" ]

/// A value of a case's field.
let private sample (field: Reflection.PropertyInfo) : obj =
    if field.PropertyType = typeof<string> then
        "text"
    else
        nonNull (Convert.ChangeType(3, field.PropertyType))

[<Fact>]
let ``the text of a choice begins with its name, and has what belongs to it`` () =
    let unions =
        typeof<Fault>.Assembly.GetExportedTypes()
        |> Array.filter (fun t ->
            FSharpType.IsUnion t
            && not (FSharpType.IsUnion(nonNull t.BaseType))
            && not (List.contains t.Name (data @ ownTexts)))

    Assert.Contains(typeof<Activation>, unions)

    for union in unions do
        for case in FSharpType.GetUnionCases union do
            let fields = case.GetFields()
            let text = string (FSharpValue.MakeUnion(case, Array.map sample fields))
            let values = fields |> Array.map (sample >> string)

            let expected =
                match List.ofArray values with
                | [] -> case.Name
                | [ only ] -> $"{case.Name} {only}"
                | several ->
                    let several = String.concat ", " several
                    $"{case.Name} ({several})"

            Assert.Equal(expected, text)
