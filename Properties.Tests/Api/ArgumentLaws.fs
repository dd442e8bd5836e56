/// The core's functions change nothing that they are given.
module Pipeline.Properties.ArgumentLaws

open System
open System.IO
open System.Reflection
open MathNet.Numerics.LinearAlgebra
open Microsoft.FSharp.Core
open Xunit
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws

/// Calls of every public function that is given something changeable.
let private calls (given: PurityGiven) : PureCall list = [
    yield! FormatsCalls.calls given
    yield! DataCalls.calls given
    yield! LayersCalls.calls given
    yield! TablesCalls.calls given
    yield! NetworkCalls.calls given
    yield! TrainingCalls.calls given
    yield! ModelsCalls.calls given
    yield! InteropCalls.calls given
]

[<Law>]
let ``no function changes what it is given``
    (Trainable(network, batch))
    (SmallRun(settings, _, architecture))
    (SameShape(one, other))
    (Images images)
    (SmallMatrix inputs)
    =
    let pixels = images.Pixels.ToArray()

    let targets =
        Targets.Labels(Array.init inputs.ColumnCount (fun s -> s % architecture.Outputs))

    let architecture =
        Architecture.dense Activation.Relu (inputs.RowCount :: architecture.Sizes.Tail)

    let data = Dataset.ofColumns architecture.Outputs inputs targets

    let given = {
        Network = network
        Batch = batch
        Settings = settings
        Data = data
        DataInputs = inputs
        DataTargets = targets
        State = Trainer.step settings data (Trainer.start settings architecture)
        Memory = {
            Steps = 3L
            Memory = [
                for name in [ "mean"; "squares" ] ->
                    {
                        Name = name
                        Values =
                            (Network.initialise (Initialiser.Fixed 0.5) 1UL network.Architecture)
                                .Parameters
                    }
            ]
        }
        Images = {
            images with
                Pixels = ReadOnlyMemory pixels
        }
        Pixels = pixels
        Labels = Array.init images.Count id
        One = one
        Other = other
        Answers = Softmax.apply one
        Vector = one.Column 0
        File = Safetensors.write (Model.ofNetwork network)
        Parquet =
            Path.Combine(AppContext.BaseDirectory, "Fixtures", "arrow-pages-1.parquet")
            |> File.ReadAllBytes
        Numbers = [| 3.0; nan; 1.0 |]
        Texts = [| "b"; ""; "a" |]
    }

    let before = given.Bytes()

    for name, call in calls given do
        call () |> ignore

        for i, (was, is) in given.Bytes() |> Array.zip before |> Array.indexed do
            if was <> is then
                failwith $"{name} changed what it was given, place {i} of Given.Bytes"

/// Whether a value of the type can be changed, or holds something that can.
let rec private changeable (t: Type) =
    t.IsArray
    || (t.IsGenericType
        && List.contains (t.GetGenericTypeDefinition().Name) [
            "Matrix`1"
            "Vector`1"
            "ReadOnlyMemory`1"
            "Targets`1"
            "MiniBatch`1"
            "Dataset`1"
            "LayerParameters`1"
            "LayerGradient`1"
            "Inputs`1"
            "Parameters`1"
            "Network`1"
            "TrainingState`1"
            "ValidationHistory`1"
            "OptimizerState`1"
            "Model`1"
        ])
    || List.contains t [
        typeof<IdxImages>
        typeof<Tensor>
        typeof<TensorFile>
        typeof<Column>
        typeof<Table>
    ]

[<Fact>]
let ``the law above calls every public function that is given something changeable`` () =
    let isModule (t: Type) =
        t.Namespace = "Pipeline.Learning.Interop"
        || (match t.GetCustomAttribute<CompilationMappingAttribute>() with
            | null -> false
            | mapping -> mapping.SourceConstructFlags = SourceConstructFlags.Module)

    // Sizes in an array can be changed too, but nothing tempts Architectures.Dense to.
    let excepted = set [ "Architectures.Dense" ]

    let functions =
        set [
            for t in typeof<Fault>.Assembly.GetExportedTypes() do
                if isModule t then
                    for f in t.GetMethods(BindingFlags.Static ||| BindingFlags.Public) do
                        if
                            f.GetParameters() |> Array.exists (fun p -> changeable p.ParameterType)
                        then
                            let name = t.Name

                            let name =
                                if name.EndsWith "Module" then
                                    name[.. name.Length - 7]
                                else
                                    name

                            $"{name}.{f.Name}"
        ]

    let architecture = Architecture.dense Activation.Relu [ 1; 2 ]

    let data =
        Dataset.ofColumns 2 (Matrix<float>.Build.Dense(1, 1)) (Targets.Labels [| 0 |])

    let given = {
        Network = Network.initialise (Initialiser.Fixed 0.1) 1UL architecture
        Batch = Dataset.take [| 0 |] data
        Settings = Hyperparameters.Default
        Data = data
        DataInputs = Matrix<float>.Build.Dense(1, 1)
        DataTargets = data.Targets
        State = Trainer.start Hyperparameters.Default architecture
        Memory = { Steps = 0L; Memory = [] }
        Images = {
            Count = 1
            Size = ImageSize.Grey(1, 1)
            Pixels = ReadOnlyMemory [| 0uy |]
        }
        Pixels = [| 0uy |]
        Labels = [| 0 |]
        One = Matrix<float>.Build.Dense(1, 1)
        Other = Matrix<float>.Build.Dense(1, 1)
        Answers = Matrix<float>.Build.Dense(1, 1)
        Vector = Vector<float>.Build.Dense 1
        File = [||]
        Parquet = [||]
        Numbers = [| 1.0 |]
        Texts = [| "a" |]
    }

    let called = calls given |> List.map fst |> set
    Assert.Empty(functions - called - excepted)
    Assert.Empty(called - functions)
