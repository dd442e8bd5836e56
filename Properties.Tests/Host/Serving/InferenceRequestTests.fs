namespace Pipeline.Properties.Host

open System
open System.Text
open Pipeline.Learning.Laws
open Pipeline.Serving
open Pipeline.Training
open Xunit

/// Requests of the Open Inference Protocol, and what their tensors are refused for.
module InferenceRequestTests =
    let private parse (body: string) =
        InferenceRequest.Parse(ReadOnlySpan(Encoding.UTF8.GetBytes body))

    /// The tensor of a request with these members besides its name.
    let private input (members: string) =
        parse($$"""{"inputs": [{"name": "x", {{members}}}]}""").Inputs[0]

    let private refused (sentence: string) (act: unit -> unit) =
        Exactly.equal sentence (refusal act)

    let private numbersOf (input: InferenceInput) (each: int array) =
        List.ofArray (input.RequireNumbers(ReadOnlySpan each))

    let private pixelsOf (input: InferenceInput) (each: int array) =
        List.ofArray (input.RequirePixels(ReadOnlySpan each).ToArray())

    [<Fact>]
    let ``a request is read completely, and unknown members are ignored`` () =
        use request =
            parse
                """
                {
                    "parameters": { "id": "other", "inputs": [{ "name": "other", "data": [1] }] },
                    "id": "a request",
                    "more": 1,
                    "outputs": [
                        { "parameters": { "name": "other" }, "name": "first" },
                        { "name": "second", "more": [ "name" ] }
                    ],
                    "inputs": [
                        {
                            "parameters": { "name": "other", "shape": [7], "data": [8] },
                            "name": "x",
                            "shape": [2, 1],
                            "datatype": "FP64",
                            "data": [0.5, -2]
                        },
                        { "data": ["a", "b"], "more": null, "datatype": "BYTES", "name": "y" }
                    ]
                }
                """

        Exactly.equal "a request" (nonNull request.Id)
        Exactly.equal [ "first"; "second" ] (List.ofSeq (nonNull request.Outputs))
        Exactly.equal [ "x"; "y" ] [ for input in request.Inputs -> input.Name ]
        Exactly.equal [ 2L; 1L ] (List.ofSeq (nonNull request.Inputs[0].Shape))
        Exactly.equal [| 0.5; -2.0 |] (nonNull request.Inputs[0].Numbers)
        Exactly.equal [| "a"; "b" |] (nonNull request.Inputs[1].Strings)
        Assert.Null request.Inputs[1].Shape

        use least = parse """{"inputs": []}"""
        Assert.Null least.Id
        Assert.Null least.Outputs
        Assert.Empty least.Inputs

    [<Theory>]
    [<InlineData("[]", "an object", "a list")>]
    [<InlineData("\"x\"", "an object", "a text")>]
    [<InlineData("1", "an object", "a number")>]
    [<InlineData("true", "an object", "a truth value")>]
    [<InlineData("false", "an object", "a truth value")>]
    [<InlineData("null", "an object", "null")>]
    [<InlineData("{}", "a list of inputs", "none")>]
    [<InlineData("""{"id": 1, "inputs": []}""", "a text as id", "a number")>]
    [<InlineData("""{"id": "a", "id": "b", "inputs": []}""", "id once", "it twice")>]
    [<InlineData("""{"inputs": {}}""", "a list of inputs", "an object")>]
    [<InlineData("""{"inputs": [], "inputs": []}""", "inputs once", "it twice")>]
    [<InlineData("""{"inputs": [], "outputs": "a"}""", "a list of outputs", "a text")>]
    [<InlineData("""{"inputs": [], "outputs": [], "outputs": []}""", "outputs once", "it twice")>]
    [<InlineData("""{"inputs": [], "outputs": ["a"]}""", "an object for each output", "a text")>]
    [<InlineData("""{"inputs": [], "outputs": [{"name": 1}]}""",
                 "a text as the output's name",
                 "a number")>]
    [<InlineData("""{"inputs": [], "outputs": [{"name": "a", "name": "b"}]}""",
                 "name once",
                 "it twice")>]
    [<InlineData("""{"inputs": [], "outputs": [{}]}""", "a name of each output", "none")>]
    [<InlineData("""{"inputs": [[1]]}""", "an object for each input", "a list")>]
    [<InlineData("""{"inputs": [{"data": [1]}]}""", "a name of each input", "none")>]
    [<InlineData("""{"inputs": [{"name": null, "data": [1]}]}""",
                 "a text as the input's name",
                 "null")>]
    [<InlineData("""{"inputs": [{"name": "x"}]}""", "data of the input x", "none")>]
    [<InlineData("""{"inputs": [{"name": "x", "name": "y", "data": [1]}]}""",
                 "name once",
                 "it twice")>]
    [<InlineData("""{"inputs": [{"name": "\uD800", "data": [1]}]}""", "texts in UTF-8", "others")>]
    let ``a request of another form is refused with what is wrong``
        (body: string, expected: string, found: string)
        =
        refused $"the request: expected {expected}, found {found}." (fun () -> parse body |> ignore)

    [<Theory>]
    [<InlineData("\"shape\": 2, \"data\": [1]", "a list of sizes as the shape", "a number")>]
    [<InlineData("\"shape\": [1], \"shape\": [1], \"data\": [1]", "shape once", "it twice")>]
    [<InlineData("\"shape\": [-1], \"data\": [1]",
                 "whole numbers of 0 or greater in the shape",
                 "others")>]
    [<InlineData("\"shape\": [0.5], \"data\": [1]",
                 "whole numbers of 0 or greater in the shape",
                 "others")>]
    [<InlineData("\"shape\": [2147483648], \"data\": [1]",
                 "whole numbers of 0 or greater in the shape",
                 "others")>]
    [<InlineData("\"shape\": [1, \"1\"], \"data\": [1]", "a shape of at most 16 sizes", "another")>]
    [<InlineData("\"shape\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], \"data\": [1]",
                 "a shape of at most 16 sizes",
                 "another")>]
    [<InlineData("\"datatype\": 1, \"data\": [1]", "a text as the datatype", "a number")>]
    [<InlineData("\"datatype\": \"FP32\", \"datatype\": \"FP32\", \"data\": [1]",
                 "datatype once",
                 "it twice")>]
    [<InlineData("\"datatype\": \"FP8\", \"data\": [1]",
                 "one of the datatypes BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64, BYTES",
                 "'FP8'")>]
    [<InlineData("\"datatype\": \"BYTES\", \"data\": [0.5]",
                 "texts as data of the datatype BYTES",
                 "numbers")>]
    [<InlineData("\"datatype\": \"BYTES\", \"data\": [1]",
                 "texts as data of the datatype BYTES",
                 "numbers")>]
    [<InlineData("\"datatype\": \"FP32\", \"data\": [\"a\"]",
                 "numbers as data of the datatype FP32",
                 "texts")>]
    [<InlineData("\"data\": 1", "a list as data", "a number")>]
    [<InlineData("\"data\": [1], \"data\": [1]", "data once", "it twice")>]
    [<InlineData("\"data\": [1, null]", "data that are all numbers or all texts", "null")>]
    [<InlineData("\"data\": [1, \"a\"]", "data that are all numbers or all texts", "a text")>]
    [<InlineData("\"data\": [\"a\", 1]", "data that are all numbers or all texts", "a number")>]
    [<InlineData("\"data\": [{}]", "data that are all numbers or all texts", "an object")>]
    [<InlineData("\"data\": [true]", "data that are all numbers or all texts", "a truth value")>]
    [<InlineData("\"data\": [1e999]", "numbers within the range of double precision", "others")>]
    [<InlineData("\"data\": [[1], [2, 3]]", "lists of one length within lists", "others")>]
    [<InlineData("\"data\": [[], [1]]", "lists of one length within lists", "others")>]
    [<InlineData("\"data\": [[1], 2]", "lists of one length within lists", "others")>]
    [<InlineData("\"data\": [[\"a\"], \"b\"]", "lists of one length within lists", "others")>]
    let ``a tensor of another form is refused with what is wrong``
        (members: string, expected: string, found: string)
        =
        refused $"the request: expected {expected}, found {found}." (fun () ->
            input members |> ignore)

    [<Theory>]
    [<InlineData("{\"inputs\": []")>]
    [<InlineData("{\"inputs\": []} 1")>]
    [<InlineData("{\"inputs\": [{\"name\": \"x\", \"data\": [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}]}")>]
    let ``what is no JSON, or nested too deep, is refused`` (body: string) =
        Assert.StartsWith("the request: expected JSON", refusal (fun () -> parse body))

    // The least and the greatest number of each type, and numbers beyond it.
    [<Theory>]
    [<InlineData("BOOL", "0, 1, true, false", "2")>]
    [<InlineData("BOOL", "1, 0", "0.5")>]
    [<InlineData("UINT8", "0, 255", "256")>]
    [<InlineData("UINT8", "0, 255.0", "-1")>]
    [<InlineData("UINT8", "7, 8", "3.5")>]
    [<InlineData("UINT16", "0, 65535", "65536")>]
    [<InlineData("UINT32", "0, 4294967295", "4294967296")>]
    [<InlineData("UINT64", "0, 18446744073709551615", "1E+20")>]
    [<InlineData("UINT64", "0, 1", "-3")>]
    [<InlineData("INT8", "-128, 127", "128")>]
    [<InlineData("INT8", "-128, 127", "-129")>]
    [<InlineData("INT16", "-32768, 32767", "32768")>]
    [<InlineData("INT32", "-2147483648, 2147483647", "-2147483649")>]
    [<InlineData("INT64", "-9223372036854775808, 9223372036854775807", "1E+19")>]
    [<InlineData("INT64", "1, 2", "3.5")>]
    [<InlineData("FP16", "-65504, 65504", "65520")>]
    [<InlineData("FP32", "-3.4028235e38, 1e-50", "1E+39")>]
    [<InlineData("FP64", "-1.7976931348623157e308, 0.5", null)>]
    let ``a tensor holds numbers of its datatype`` (kind: string, sound: string, beyond: string) =
        let read (data: string) =
            numbersOf (input $"\"datatype\": \"{kind}\", \"data\": [{data}]") [| 1 |]

        Exactly.equal (sound.Split(',').Length) (read sound).Length

        if not (isNull (box beyond)) then
            for data in [ beyond; $"{sound}, {beyond}" ] do
                refused
                    $"the request: expected numbers of the datatype {kind}, found {beyond}."
                    (fun () -> read data |> ignore)

    [<Fact>]
    let ``truth values are 1 and 0, of the datatype BOOL alone`` () =
        for members in
            [
                "\"datatype\": \"BOOL\", \"data\": [true, false]"
                "\"data\": [[true], [false]], \"datatype\": \"BOOL\""
                "\"data\": [1, false], \"datatype\": \"BOOL\""
            ] do
            Exactly.equal [ 1.0; 0.0 ] (numbersOf (input members) [| 1 |])

        for kind in [ ""; "\"datatype\": \"UINT8\", " ] do
            refused
                "the request: expected data that are all numbers or all texts, found a truth value."
                (fun () -> input (kind + "\"data\": [1, true]") |> ignore)

    [<Fact>]
    let ``a datatype is optional, and a list without texts may be of texts`` () =
        Exactly.equal [ 1.0 ] (numbersOf (input "\"data\": [1]") [| 1 |])
        Exactly.equal [| "a" |] ((input "\"data\": [\"a\"]").RequireTexts())

        refused "input x: expected 1 values a sample, found 0 in all." (fun () ->
            (input "\"datatype\": \"BYTES\", \"data\": []").RequireTexts() |> ignore)

    [<Fact>]
    let ``pixels of 0 and 1 alone are refused, as they are nearly black; zeros are black`` () =
        for data in [ "0, 1"; "0.0, 1.0" ] do
            refused
                "input x: expected whole numbers of 0 to 255, found none above 1 (multiply them by 255)."
                (fun () -> pixelsOf (input $"\"data\": [{data}]") [| 2 |] |> ignore)

        Exactly.equal [ 0uy; 0uy ] (pixelsOf (input "\"data\": [0, 0]") [| 2 |])
        Exactly.equal [ 0uy; 1uy; 2uy; 0uy ] (pixelsOf (input "\"data\": [0, 1, 2, 0]") [| 2 |])

    [<Theory>]
    [<InlineData(1)>]
    [<InlineData(64)>]
    [<InlineData(65)>]
    [<InlineData(1000)>]
    let ``any count of numbers is read`` (count: int) =
        let numbers = [ for i in 1..count -> float i + 0.5 ]
        let data = numbers |> List.map string |> String.concat ", "
        Exactly.equal numbers (numbersOf (input $"\"data\": [{data}]") [| 1 |])

    // Two samples of 2 × 3 values.
    [<Theory>]
    [<InlineData("\"shape\": [2, 2, 3]", true)>]
    [<InlineData("\"shape\": [2, 6]", true)>]
    [<InlineData("\"shape\": [2, 1, 2, 3]", true)>]
    [<InlineData("\"shape\": [1, 2, 1, 6, 1]", true)>]
    [<InlineData("\"shape\": [2, 2, 3, 1]", true)>]
    [<InlineData("\"shape\": [12]", false)>]
    [<InlineData("\"shape\": [2, 3, 2]", false)>]
    [<InlineData("\"shape\": [4, 3]", false)>]
    [<InlineData("\"shape\": [2, 2, 3, 2, 0]", false)>]
    [<InlineData("\"shape\": [2, 3]", false)>]
    [<InlineData("\"shape\": []", false)>]
    [<InlineData("\"shape\": [2147483647, 2147483647, 2147483647, 2147483647, 2147483647]", false)>]
    let ``a shape is that of samples, of whatever sizes of 1`` (shape: string, isTaken: bool) =
        let input = input (shape + ", \"data\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0.5]")

        if isTaken then
            Exactly.equal 12 (numbersOf input [| 2; 3 |]).Length
        else
            Assert.Throws<RefusedException>(fun () -> numbersOf input [| 2; 3 |] |> ignore)
            |> ignore

    [<Fact>]
    let ``lists within lists are refused where they are no samples, as their order is another`` () =
        let rows = input "\"data\": [[[1, 2, 3], [4, 5, 6.5]]]"
        Exactly.equal [ 1.0; 2.0; 3.0; 4.0; 5.0; 6.5 ] (numbersOf rows [| 2; 3 |])

        refused
            "input x: expected values of the shape 1 × 3 × 2, the samples first, found 1 × 2 × 3."
            (fun () -> numbersOf rows [| 3; 2 |] |> ignore)

        refused
            "input x: expected values of the shape 2 × 3, the samples first, found 3 × 2."
            (fun () ->
                numbersOf (input "\"shape\": [3, 2], \"data\": [1, 2, 3, 4, 5, 6]") [| 3 |]
                |> ignore)

    [<Fact>]
    let ``values that are no whole samples are refused with their number`` () =
        refused "input x: expected 4 values a sample, found 6 in all." (fun () ->
            numbersOf (input "\"data\": [1, 2, 3, 4, 5, 6]") [| 2; 2 |] |> ignore)

        refused "input x: expected 4 values a sample, found 0 in all." (fun () ->
            numbersOf (input "\"data\": []") [| 2; 2 |] |> ignore)

        refused "input x: expected as many values as the shape 2 × 3 has, found 4." (fun () ->
            numbersOf (input "\"shape\": [2, 3], \"data\": [1, 2, 3, 4]") [| 2 |] |> ignore)

        refused "input x: expected as many values as the shape 2 has, found 1." (fun () ->
            (input "\"shape\": [2], \"data\": [\"a\"]").RequireTexts() |> ignore)

    [<Fact>]
    let ``numbers can be read as pixels, pixels as numbers, and texts as neither`` () =
        let pixels, numbers, texts =
            input "\"data\": [0, 255]",
            input "\"data\": [0.0, 255.0]",
            input "\"data\": [\"a\", \"b\"]"

        for input in [ pixels; numbers ] do
            Exactly.equal [ 0uy; 255uy ] (pixelsOf input [| 1; 2; 1 |])
            Exactly.equal [ 0.0; 255.0 ] (numbersOf input [| 2 |])

            refused "input x: expected texts, found numbers." (fun () ->
                input.RequireTexts() |> ignore)

        Exactly.equal [| "a"; "b" |] (texts.RequireTexts())

        refused "input x: expected numbers, found texts." (fun () ->
            numbersOf texts [| 1 |] |> ignore)

        refused "input x: expected numbers, found texts." (fun () ->
            pixelsOf texts [| 1 |] |> ignore)

        for number in [ "0.5"; "-1"; "256"; "255.5" ] do
            refused $"input x: expected whole numbers of 0 to 255, found {number}." (fun () ->
                pixelsOf (input $"\"data\": [1, {number}]") [| 2 |] |> ignore)

    [<Fact>]
    let ``inputs and outputs go by their names, where there is more than one`` () =
        let named names =
            parse
                $$"""{"inputs": [{{names
                                   |> List.map (fun (name, data) -> $"{{\"name\": \"{name}\", \"data\": [{data}]}}")
                                   |> String.concat ", "}}]}"""

        use one = named [ "any", "1" ]
        one.RequireInputs [| "x" |]
        Exactly.equal "any" (one.Of("x", false)).Name

        use several = named [ "size", "1"; "x", "2"; "x", "\"a\"" ]
        several.RequireInputs [| "x"; "size"; "x" |]
        Exactly.equal "size" (several.Of("size", false)).Name
        Exactly.equal [| "a" |] (nonNull (several.Of("x", true)).Strings)
        Assert.Null (several.Of("x", false)).Strings

        refused "the request: expected the inputs x, y, found size, x, x." (fun () ->
            several.RequireInputs [| "x"; "y" |])

        refused "the request: expected the inputs x, y, found any." (fun () ->
            one.RequireInputs [| "x"; "y" |])

        refused "the request: expected the inputs x, found none." (fun () ->
            (named []).RequireInputs [| "x" |])

        one.RequireOutputs "anything"
        use asking = parse """{"inputs": [], "outputs": [{"name": "a"}, {"name": "b"}]}"""

        refused "the request: expected the output a, found b." (fun () -> asking.RequireOutputs "a")
