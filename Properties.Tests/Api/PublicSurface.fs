/// What C# sees of the core and of the laws, as the C# compiler reads it: written down in Fixtures, documented
/// in full, and all of Interop used by the C# beside these tests.
module Pipeline.Properties.PublicSurface

open System
open System.IO
open System.Reflection
open System.Xml.Linq
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

/// How a member is written down: as C# declares it.
let private format =
    SymbolDisplayFormat.CSharpErrorMessageFormat
        .WithMemberOptions(
            SymbolDisplayMemberOptions.IncludeType
            ||| SymbolDisplayMemberOptions.IncludeParameters
            ||| SymbolDisplayMemberOptions.IncludeModifiers
            ||| SymbolDisplayMemberOptions.IncludeConstantValue
        )
        .WithParameterOptions(
            SymbolDisplayParameterOptions.IncludeType
            ||| SymbolDisplayParameterOptions.IncludeName
            ||| SymbolDisplayParameterOptions.IncludeParamsRefOut
            ||| SymbolDisplayParameterOptions.IncludeExtensionThis
            ||| SymbolDisplayParameterOptions.IncludeDefaultValue
        )
        .AddMiscellaneousOptions(
            SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier
        )

/// The assembly's symbols, with what it leans on to be understood, and all of those in one.
let private read (assembly: Assembly) : IAssemblySymbol * CSharpCompilation =
    let reference (path: string) = MetadataReference.CreateFromFile path

    let others =
        (string (AppContext.GetData "TRUSTED_PLATFORM_ASSEMBLIES")).Split Path.PathSeparator

    let own = reference assembly.Location

    let all = [
        own
        for path in others do
            if path <> assembly.Location then
                reference path
    ]

    let compilation =
        CSharpCompilation.Create("reader", references = Seq.cast<MetadataReference> all)

    match compilation.GetAssemblyOrModuleSymbol own with
    | :? IAssemblySymbol as found -> found, compilation
    | _ -> failwith $"{assembly.Location} has no symbols"

let private symbols (assembly: Assembly) = fst (read assembly)

let private isPublic (symbol: ISymbol) =
    symbol.DeclaredAccessibility = Accessibility.Public

/// Public types, those in types too.
let rec private types (space: INamespaceOrTypeSymbol) : INamedTypeSymbol list = [
    for inner in space.GetMembers() do
        match inner with
        | :? INamespaceSymbol as inner -> yield! types inner
        | :? INamedTypeSymbol as inner when isPublic inner ->
            inner
            yield! types inner
        | _ -> ()
]

/// What every record and union has, and the compilers write.
let private usual =
    set [
        "Equals"
        "GetHashCode"
        "CompareTo"
        "ToString"
        "Tag"
        "Tags"
        "Deconstruct"
        "op_Equality"
        "op_Inequality"
        ".ctor"
    ]

let private members (t: INamedTypeSymbol) : ISymbol list = [
    for inner in t.GetMembers() do
        match inner with
        | :? INamedTypeSymbol -> ()
        | :? IMethodSymbol as method when not (isNull method.AssociatedSymbol) -> ()
        // The compiler's own, some of them in a Debug build alone: C# cannot write such a name.
        | _ when inner.Name.Contains '<' -> ()
        | _ ->
            if isPublic inner && not (usual.Contains inner.Name && inner.Name <> ".ctor") then
                inner
]

let private surface (assembly: Assembly) : string[] = [|
    let types =
        types (symbols assembly).GlobalNamespace
        |> List.filter (fun t -> t.Name <> "Tags")
        |> List.sortWith (fun a b ->
            String.CompareOrdinal(a.ToDisplayString(), b.ToDisplayString()))

    for t in types do
        $"{t.ToDisplayString format}"

        yield!
            members t
            |> List.map (fun inner -> "    " + inner.ToDisplayString format)
            |> List.sortWith (fun a b -> String.CompareOrdinal(a, b))
|]

let private core = typeof<Fault>.Assembly

/// The libraries that are published.
let private libraries = [
    core
    typeof<Law>.Assembly
    typeof<Pipeline.Pictures.Chart>.Assembly
    typeof<Pipeline.Training.Outcome>.Assembly
    typeof<Pipeline.Serving.IPredictor>.Assembly
    typeof<Pipeline.Cluster.ClusterServices>.Assembly
]

let assemblies () =
    TheoryData<string>([ for library in libraries -> library.GetName().Name ])

let private named (name: string) =
    libraries |> List.find (fun other -> other.GetName().Name = name)

[<Theory>]
[<MemberData(nameof assemblies)>]
let ``what C# sees is what is written down`` (name: string) =
    let file = $"{name}.api.txt"
    let found = surface (named name)

    match Environment.GetEnvironmentVariable "ACCEPT_API" with
    | null
    | "" ->
        let expected =
            File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Fixtures", file))

        let difference = [
            for line in Array.except found expected do
                $"- {line}"
            for line in Array.except expected found do
                $"+ {line}"
        ]

        if expected <> found then
            failwith (
                String.concat "\n" [
                    $"The public surface of {name} is not that of Properties.Tests/Fixtures/{file}:"
                    yield! difference
                    "If that is meant: ACCEPT_API=1 dotnet test Properties.Tests --filter PublicSurface"
                ]
            )
    | _ -> File.WriteAllLines(Path.Combine(__SOURCE_DIRECTORY__, "../Fixtures", file), found)

/// The namespaces that a C# project with ImplicitUsings opens everywhere.
let implicitUsings = [
    "System"
    "System.Collections.Generic"
    "System.IO"
    "System.Linq"
    "System.Net.Http"
    "System.Threading"
    "System.Threading.Tasks"
]

/// The namespaces that C# has open beside ours: those of ImplicitUsings in a program, a worker and a web
/// application, and those whose types stand in our signatures.
let private openNamespaces = [
    yield! implicitUsings
    "System.Net.Http.Json"
    "System.Numerics"
    "Microsoft.AspNetCore.Builder"
    "Microsoft.AspNetCore.Hosting"
    "Microsoft.AspNetCore.Http"
    "Microsoft.AspNetCore.Routing"
    "Microsoft.Extensions.Configuration"
    "Microsoft.Extensions.DependencyInjection"
    "Microsoft.Extensions.Hosting"
    "Microsoft.Extensions.Logging"
    "MathNet.Numerics.LinearAlgebra"
]

/// As C# tells types apart: by name and number of type parameters.
let private written (t: INamedTypeSymbol) = struct (t.Name, t.Arity)

/// The public types of a namespace, whatever assembly they are of.
let private typesOf (compilation: CSharpCompilation) (space: string) : INamedTypeSymbol seq =
    (compilation.GlobalNamespace, space.Split '.')
    ||> Seq.fold (fun outer part ->
        outer.GetNamespaceMembers() |> Seq.find (fun inner -> inner.Name = part))
    |> _.GetTypeMembers()
    |> Seq.filter isPublic

/// The public types of a library that are in no other type.
let private outerTypes (assembly: IAssemblySymbol) : INamedTypeSymbol list =
    types assembly.GlobalNamespace |> List.filter (fun t -> isNull t.ContainingType)

[<Theory>]
[<MemberData(nameof assemblies)>]
let ``no public type is called like one that C# has open already`` (name: string) =
    let own, all = read (named name)

    let known =
        openNamespaces
        |> Seq.collect (typesOf all)
        |> Seq.filter (fun t -> t.ContainingAssembly.Name <> name)
        |> Seq.map written
        |> set

    Assert.Contains(struct ("Stream", 0), known)
    Assert.Contains(struct ("Host", 0), known)

    Assert.Empty(outerTypes own |> Seq.filter (written >> known.Contains) |> Seq.map string)

[<Fact>]
let ``no two public types have one name`` () =
    let all = libraries |> List.collect (symbols >> outerTypes)

    Assert.Empty(
        all
        |> List.groupBy written
        |> List.filter (fun (_, same) -> same.Length > 1)
        |> List.map (fun (_, same) -> same |> List.map string |> String.concat ", ")
    )

/// What the XML documentation says, member by member.
let private documentation (name: string) = [
    let file = Path.Combine(AppContext.BaseDirectory, $"{name}.xml")

    for entry in XDocument.Load(file).Descendants "member" do
        for name in entry.Attributes "name" do
            struct (name.Value, entry)
]

[<Theory>]
[<MemberData(nameof assemblies)>]
let ``documentation is inherited from a member that has some`` (name: string) =
    let entries = documentation name

    let written =
        set [
            for struct (name, entry) in entries do
                if entry.Value.Trim() <> "" then
                    name
        ]

    let dangling = [
        for struct (name, entry) in entries do
            for inherited in entry.Descendants "inheritdoc" do
                match inherited.Attribute "cref" with
                | null -> $"{name} does not say from what"
                | source when not (written.Contains source.Value) ->
                    $"{name} inherits from {source.Value}"
                | _ -> ()
    ]

    if not dangling.IsEmpty then
        failwith (String.concat "\n" ("Inherited from no member's documentation:" :: dangling))

[<Theory>]
[<MemberData(nameof assemblies)>]
let ``every public name has a summary`` (name: string) =
    let assembly = named name

    let documented =
        set [
            for struct (name, entry) in documentation name do
                if
                    entry.Value.Trim() <> "" || not (Seq.isEmpty (entry.Descendants "inheritdoc"))
                then
                    name
        ]

    /// The name that XML documentation has for it. F# writes literals down as properties.
    let id (symbol: ISymbol) =
        let name = $"{symbol.GetDocumentationCommentId()}"

        match symbol with
        | :? IFieldSymbol as field when field.ContainingType.TypeKind <> TypeKind.Enum ->
            "P" + name[1..]
        | _ -> name

    let isWritten (symbol: ISymbol) =
        symbol.GetAttributes()
        |> Seq.forall (fun attribute ->
            match attribute.AttributeClass with
            | null -> true
            | kind -> kind.Name <> "CompilerGeneratedAttribute")

    let missing = [
        for t in types (symbols assembly).GlobalNamespace do
            if t.Name <> "Tags" then
                if not (documented.Contains(id t)) then
                    id t

                for inner in members t do
                    // A case of a union is documented as one, its parts with it; a record's constructor
                    // by its parts.
                    if
                        inner.Name <> ".ctor"
                        && isWritten inner
                        && not (documented.Contains(id inner))
                    then
                        id inner
    ]

    if not missing.IsEmpty then
        failwith (String.concat "\n" ("No summary has:" :: missing))

/// Functions of modules that C# calls by another way than Interop.
let private forFSharp = [
    // Schedules.Create makes these of a ScheduleKind.
    "Schedule.constant"
    "Schedule.step"
    "Schedule.exponential"
    "Schedule.cosine"
    "Schedule.oneCycle"
    // Parse.Optimizer takes the name.
    "OptimizerSpec.gradientDescent"
]

[<Fact>]
let ``Interop has every function of a module that C# sees as XModule`` () =
    let folder =
        Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../../Math.FSharp/Interop"))

    let interop =
        Directory.GetFiles(folder, "*.fs")
        |> Seq.map File.ReadAllText
        |> String.concat "\n"

    Assert.Empty [
        for t in types (symbols core).GlobalNamespace do
            if t.Name.EndsWith("Module", StringComparison.Ordinal) then
                let ofType = t.Name[.. t.Name.Length - "Module".Length - 1]

                for inner in members t do
                    let isLiteral =
                        match inner with
                        | :? IFieldSymbol as field -> field.IsConst
                        | _ -> false

                    let name = $"{ofType}.{Char.ToLowerInvariant inner.Name[0]}{inner.Name[1..]}"

                    if
                        not isLiteral
                        && not (interop.Contains(name, StringComparison.Ordinal))
                        && not (List.contains name forFSharp)
                    then
                        name
    ]

[<Fact>]
let ``C# uses all of Interop`` () =
    let calls (assembly: Assembly) = [
        use file =
            new Reflection.PortableExecutable.PEReader(File.OpenRead assembly.Location)

        let metadata = Metadata.PEReaderExtensions.GetMetadataReader file

        for handle in metadata.MemberReferences do
            let called = metadata.GetMemberReference handle

            if called.Parent.Kind = Metadata.HandleKind.TypeReference then
                let parent =
                    metadata.GetTypeReference(
                        Metadata.TypeReferenceHandle.op_Explicit called.Parent
                    )

                $"{metadata.GetString parent.Name}.{metadata.GetString called.Name}"
    ]

    let offered = [
        for t in core.GetExportedTypes() do
            if t.Namespace = "Pipeline.Learning.Interop" then
                for m in t.GetMethods(BindingFlags.Static ||| BindingFlags.Public) do
                    $"{t.Name}.{m.Name}"
    ]

    let used =
        [
            typeof<Pipeline.CSharp.Training>.Assembly
            typeof<Pipeline.Training.Outcome>.Assembly
            typeof<Pipeline.Training.TrainCommand>.Assembly
            typeof<Pipeline.Serving.IPredictor>.Assembly
            typeof<Pipeline.Cluster.ClusterServices>.Assembly
        ]
        |> List.collect calls

    Assert.Empty(set offered - set used)
