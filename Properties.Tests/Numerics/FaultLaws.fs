/// Fault.fs.
module Pipeline.Properties.FaultLaws

open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

let private fault subject =
    Fault.create subject "one thing" "another"

[<Fact>]
let ``a fault is a sentence of place, expectation and finding`` () =
    Exactly.equal
        "a file, rate: expected one thing, found another."
        (string (Fault.within "a file" (fault "rate")))

    Exactly.equal
        "a file: expected one thing, found another."
        (string (Fault.within "a file" (fault "")))

    Exactly.equal
        "rate: expected one thing, found another."
        (string (Fault.within "" (fault "rate")))

    Exactly.equal "Expected one thing, found another." (string (Fault.within "" (fault "")))

[<Fact>]
let ``a message follows its subject`` () =
    let fault = Fault.message "Rate" "does not apply (found 2)"
    Exactly.equal "Rate does not apply (found 2)." (string fault)
    Exactly.equal "a.json, Rate does not apply (found 2)." (string (Fault.within "a.json" fault))
    Exactly.equal "It is empty." (string (Fault.message "" "is empty"))

    Exactly.equal
        "Epochs is empty."
        (string (Fault.withSubject "Epochs" (Fault.message "" "is empty")))

[<Fact>]
let ``a remark stands behind what was found`` () =
    for fault, expected in
        [
            Fault.create "Rate" "1 or more" "0", "Rate: expected 1 or more, found 0 (--rate)."
            Fault.message "Rate" "does not apply", "Rate does not apply (--rate)."
            Fault.message "Rate" "is odd (found 3)", "Rate is odd (found 3; --rate)."
        ] do
        Exactly.equal expected (string (Fault.withRemark "--rate" fault))

[<Law>]
let ``check finds every fault, in order, and makes no value then`` (holds: bool list) =
    let checks = holds |> List.mapi (fun i holds -> holds, fault $"{i}")
    let mutable made = 0

    let result =
        Fault.check checks (fun () ->
            made <- made + 1
            made)

    let expected = [
        for i, holds in List.indexed holds do
            if not holds then
                fault $"{i}"
    ]

    if expected.IsEmpty then
        Exactly.equal (Ok 1) result
    else
        Exactly.equal (Error expected) result
        Exactly.equal 0 made

[<Law>]
let ``both gives two values, or the faults of both, the first's first``
    (first: Result<int, bool list>)
    (second: Result<string, bool list>)
    =
    let named name result =
        result
        |> Result.mapError (fun faults ->
            true :: faults |> List.mapi (fun i _ -> fault $"{name}{i}"))

    let first, second = named "first" first, named "second" second

    let faults result =
        match result with
        | Ok _ -> []
        | Error faults -> faults

    match Fault.both first second with
    | Ok(one, other) ->
        Exactly.equal first (Ok one)
        Exactly.equal second (Ok other)
    | Error found ->
        Exactly.equal (faults first @ faults second) found
        Assert.NotEmpty found

[<Law>]
let ``validation gives all values, or the faults of all its parts in order``
    (holds: bool * bool * bool)
    =
    let first, second, third = holds

    let part name holds =
        Fault.check [ holds, fault name ] (fun () -> name)

    let together = validation {
        let! one = part "1" first
        and! two = part "2" second
        and! three = part "3" third
        return one + two + three
    }

    let expected = [
        if not first then
            "1"
        if not second then
            "2"
        if not third then
            "3"
    ]

    match together with
    | Ok text ->
        Assert.Empty expected
        Exactly.equal "123" text
    | Error faults -> Exactly.equal expected (faults |> List.map _.Subject)

[<Fact>]
let ``a name is found in any case of letters, and the fault of a wrong name lists the right ones``
    ()
    =
    for name in [ "Relu"; "relu"; "RELU" ] do
        Exactly.equal (Ok Activation.Relu) (Activation.parse name)

    for name, activation in
        [
            "sigmoid", Activation.Sigmoid
            "tanh", Activation.Tanh
            "identity", Activation.Identity
        ] do
        Exactly.equal (Ok activation) (Activation.parse name)

    Exactly.equal (Ok Sampling.Epoch) (Sampling.parse "EPOCH")
    Exactly.equal (Ok Sampling.Replacement) (Sampling.parse "replacement")
    Exactly.equal (Ok GradientMethod.Numerical) (GradientMethod.parse "numerical")
    Exactly.equal (Ok GradientMethod.Backpropagation) (GradientMethod.parse "Backpropagation")

    Exactly.equal
        (Error [
            Fault.create
                "Activation"
                "one of Sigmoid, Tanh, Relu, Identity, LeakyRelu, Elu, Gelu, Silu, Softplus"
                "'soft'"
        ])
        (Activation.parse "soft")

    for result in
        [
            Sampling.parse "" |> Result.map ignore
            GradientMethod.parse "Backprop" |> Result.map ignore
            OptimizerSpec.create (OptimizerSpec.named "SGD") |> Result.map ignore
            Activation.parse " Relu" |> Result.map ignore
        ] do
        Assert.True result.IsError
