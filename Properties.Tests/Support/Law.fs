namespace Pipeline.Properties

open System
open FsCheck.Xunit
open Pipeline.Learning.Laws
open Xunit.Abstractions
open Xunit.Sdk

/// <summary>A property that holds for every generated value: 100 of them a run, freshly drawn.</summary>
/// <remarks>
/// A law that fails prints its counterexample and the seed that found it, as in
/// <c>Falsifiable, after 3 tests (0 shrinks) (8136321187862457803,5063871087243234417)</c>.
/// <c>LAW_SEED="(8136321187862457803,5063871087243234417)" dotnet test</c> draws the same values
/// again, for every law; a seed of three numbers, which it prints too, goes straight to the
/// counterexample. <c>LAW_CASES=10000</c> tries so many values instead of 100; a law that is
/// slow says its own number, <c>[&lt;Law(MaxTest = 10)&gt;]</c>.
/// </remarks>
[<AttributeUsage(AttributeTargets.Method, AllowMultiple = false)>]
type LawAttribute() as law =
    inherit PropertyAttribute()

    do
        law.Arbitrary <- [| typeof<Generators>; typeof<Arbitraries> |]
        law.QuietOnSuccess <- true

        match Environment.GetEnvironmentVariable "LAW_SEED" with
        | null
        | "" -> ()
        | seed -> law.Replay <- seed

        match Int32.TryParse(Environment.GetEnvironmentVariable "LAW_CASES") with
        | true, cases -> law.MaxTest <- cases
        | false, _ -> law.MaxTest <- 100

/// The order of the tests, anew each run: a test that leans on another one's doing is found out.
[<RequireQualifiedAccess>]
module TestOrder =
    /// What the order follows from: the environment variable TEST_ORDER_SEED, else the clock. A run
    /// prints it.
    let seed =
        match Int32.TryParse(Environment.GetEnvironmentVariable "TEST_ORDER_SEED") with
        | true, seed -> seed
        | false, _ -> Environment.TickCount &&& 0xFFFF

    /// The items in the order of this run, whatever order they came in.
    let shuffle (name: 'V -> string) (items: 'V seq) : 'V seq =
        let items = items |> Seq.sortBy name |> Array.ofSeq
        Random(seed).Shuffle items
        items

/// Shuffles the tests of a module.
type ShuffledCases() =
    interface ITestCaseOrderer with
        member _.OrderTestCases cases =
            TestOrder.shuffle (fun case -> case.UniqueID) cases

/// Shuffles the modules, and says by which seed: xunit shows it because xunit.runner.json asks for
/// diagnostic messages.
type ShuffledCollections(diagnostics: IMessageSink) =
    do
        diagnostics.OnMessage(DiagnosticMessage $"test order: TEST_ORDER_SEED={TestOrder.seed}")
        |> ignore

    interface Xunit.ITestCollectionOrderer with
        member _.OrderTestCollections collections =
            TestOrder.shuffle (fun collection -> collection.DisplayName) collections

[<assembly: Xunit.TestCaseOrderer("Pipeline.Properties.ShuffledCases", "Properties.Tests")>]
[<assembly: Xunit.TestCollectionOrderer("Pipeline.Properties.ShuffledCollections",
                                        "Properties.Tests")>]
do ()
