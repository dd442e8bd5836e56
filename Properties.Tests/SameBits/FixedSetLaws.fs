namespace Pipeline.Properties.SameBits

open System
open System.Security.Cryptography
open Microsoft.FSharp.Reflection
open Xunit
open Pipeline.Learning
open Pipeline.Properties
open Pipeline.SameBits

/// The fixed set holds everything that the core offers.
module FixedSetLaws =
    let private names = FixedSet.cases |> List.map _.Name

    /// The names of the cases of a group, each of which there is in both precisions.
    let private group (name: string) : string list =
        names
        |> List.filter _.StartsWith(name + "/")
        |> List.map (fun case -> (case.Split "/").[1].ToLowerInvariant())
        |> List.distinct
        |> List.sort

    let private sorted (names: string seq) : string list =
        names |> Seq.map _.ToLowerInvariant() |> Seq.sort |> List.ofSeq

    let private unionCases<'U> : string seq =
        FSharpType.GetUnionCases typeof<'U> |> Seq.map _.Name

    [<Fact>]
    let ``each case is in every precision, under a name of its own`` () =
        Assert.Equal<string list>(List.distinct names, names)

        let precisions =
            names
            |> List.countBy (fun name -> name[.. name.LastIndexOf '/' - 1])
            |> List.map snd

        Assert.All(precisions, fun count -> Assert.Equal(Seq.length unionCases<Precision>, count))

        for precision in unionCases<Precision> do
            let ofPrecision =
                FixedSet.cases |> List.filter (fun case -> $"{case.Precision}" = precision)

            Assert.Equal(precisions.Length, ofPrecision.Length)

    [<Fact>]
    let ``every activation has a case`` () =
        Assert.Equal<string list>(sorted unionCases<Activation>, group "activation")

    [<Fact>]
    let ``every kind of layer has a case, and is in its network`` () =
        let kinds = LayerKinds.usages |> List.map (fun usage -> usage.Split(' ')[0])
        let activations = sorted unionCases<Activation>
        Assert.Equal<string list>(List.except activations (sorted kinds), group "layer")

        for case in FixedSet.cases do
            match case.Name.Split '/' with
            | [| "layer"; kind; _ |] ->
                Assert.Contains(
                    LayerKinds.split case.Layers,
                    fun layer -> layer = kind || layer.StartsWith(kind + " ")
                )
            | _ -> ()

    [<Fact>]
    let ``every optimizer, transform and schedule has a case`` () =
        let ofChoices (choices: ChoiceDefinition list) = choices |> List.map _.Name |> sorted
        Assert.Equal<string list>(ofChoices OptimizerSpec.choices, group "optimizer")
        Assert.Equal<string list>(ofChoices Schedule.choices, group "schedule")

        // An option that is no rule's number is a transform's.
        let numbers =
            OptimizerSpec.choices |> List.collect _.Numbers |> List.map _.Name |> set

        let transforms =
            FSharpType.GetRecordFields typeof<OptimizerOptions>
            |> Seq.map _.Name
            |> Seq.filter (fun name -> name <> "Name" && not (numbers.Contains name))

        Assert.Equal<string list>(sorted transforms, group "transform")

    [<Fact>]
    let ``every initialiser, head, sampling and gradient method has a case`` () =
        Assert.Equal<string list>(sorted unionCases<Initialiser>, group "initialiser")
        Assert.Equal<string list>(sorted unionCases<Head>, group "head")
        Assert.Equal<string list>(sorted unionCases<Sampling>, group "sampling")
        Assert.Equal<string list>(sorted unionCases<GradientMethod>, group "gradient")

    [<Law>]
    let ``the hash is .NET's SHA-256`` (message: byte[]) =
        Sha256.ofBytes message = Convert.ToHexStringLower(SHA256.HashData message)

    [<Fact>]
    let ``messages around the length of a block have .NET's hashes`` () =
        for length in 50..130 do
            let message = Array.init length byte
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData message), Sha256.ofBytes message)
