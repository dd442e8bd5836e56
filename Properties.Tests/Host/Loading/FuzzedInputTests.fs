namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Numerics
open System.Text
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Properties
open Pipeline.Serving
open Pipeline.Training
open Pipeline.Web
open Xunit

/// Inputs that <c>.ci/fuzz</c> found faults with, and others of their kinds.
module FuzzedInputTests =
    let private refusals (act: unit -> unit) : string =
        Assert.Throws<RefusedException>(act).Reasons |> String.concat " "

    let private orFaults (result: Result<'V, Fault list>) : Fault list =
        match result with
        | Ok value -> failwith $"expected faults, found {value}"
        | Error faults -> faults

    /// A JSON text in which `□` stands for a byte that is not UTF-8.
    let private json (text: string) : byte[] =
        Encoding.UTF8.GetBytes text
        |> Array.toList
        |> List.map string
        |> String.concat " "
        |> fun bytes -> bytes.Replace("226 150 161", "255")
        |> _.Split(' ')
        |> Array.map byte

    /// Invalid strings: a byte that is not UTF-8, and unpaired surrogates.
    let private invalidStrings = [ "□"; "\\ud800"; "\\udc00x" ]

    [<Fact>]
    let ``a plan with a string that is not valid UTF-8 or UTF-16 is refused, wherever the string is``
        ()
        =
        for text in invalidStrings do
            for plan in
                [
                    $"""{{"name": "{text}"}}"""
                    $"""{{"{text}": 1}}"""
                    $"""{{"method": "Grid", "space": {{"{text}": [1]}}}}"""
                    $"""{{"method": "Grid", "space": {{"Model:Hidden": ["{text}"]}}}}"""
                    $"""{{"method": "Grid", "settings": {{"Data:Label": "{text}"}}}}"""
                    $"""{{"trials": "{text}"}}"""
                ] do
                Assert.Contains(
                    "plan.json, line 1, column",
                    refusals (fun () -> SweepFile.Parse("plan.json", json plan) |> ignore)
                )

    /// A folder of a run with this summary.
    let private withSummary (summary: byte[]) (act: string -> string -> unit) =
        use scratch = new Scratch()
        let run = scratch.Sub "20300101T000000Z-run"
        Directory.CreateDirectory run |> ignore

        File.WriteAllText(
            Path.Combine(run, "settings.json"),
            """{"settings": {"data": {}, "model": {}, "training": {}}, "data_sha256": {}}"""
        )

        RunLogs(DiskFiles(), run).Continue null
        File.WriteAllBytes(Path.Combine(run, "summary.json"), summary)
        act scratch.Path run

    [<Fact>]
    let ``a summary of a run with duplicate names or invalid strings is damaged`` () =
        for summary in
            [
                """{"outcome": "completed", "outcome": "completed"}"""
                for text in invalidStrings do
                    $"""{{"outcome": "completed", "{text}": 1}}"""
                    $"""{{"outcome": "{text}", "final_test_accuracy": 0.5}}"""
            ] do
            withSummary (json summary) (fun folder run ->
                Assert.Null(StoredRun.FinishedAs run)

                Assert.Contains(
                    "expected what a run leaves",
                    refusals (fun () ->
                        (RunRecord.Read run).Figure "final_test_accuracy" |> ignore)
                )

                let row = Assert.Single(RunFolders(folder).List())
                Assert.Null row.Outcome)

    [<Fact>]
    let ``a run whose settings have duplicate names or invalid strings is listed without them`` () =
        for settings in
            [
                """{"settings": 1}"""
                """{"settings": {"data": 5, "model": [1]}}"""
                """[]"""
                """{"settings": {"data": {}, "data": {}}}"""
                for text in invalidStrings do
                    $"""{{"settings": {{"data": {{"train": "{text}"}}}}}}"""
                    $"""{{"settings": {{"model": {{"layers": ["{text}"]}}}}}}"""
            ] do
            withSummary "{}"B (fun folder run ->
                File.WriteAllBytes(Path.Combine(run, "settings.json"), json settings)
                let row = Assert.Single(RunFolders(folder).List())
                Assert.Equal("–", row.Network))

    [<Fact>]
    let ``a shape whose size no whole number of 64 bits holds is refused`` () =
        for text in [ "1073741824x1073741824x16"; "2147483647x2147483647x2147483647" ] do
            Assert.Contains(
                "a shape as 784 or 1x28x28",
                Model.parseShape text |> orFaults |> List.map string |> Assert.Single
            )

    let private refused (shape: Shape) (layer: string) : string =
        LayerKinds.parse [] [ layer ]
        |> Result.bind (Architecture.create Head.Identity shape)
        |> orFaults
        |> List.map string
        |> String.concat " "

    [<Fact>]
    let ``padded images of more numbers than fit are refused, however many`` () =
        for shape in [ Shape.Image(1 <<< 30, 1, 1); Shape.Image(1, 1, 2147483590) ] do
            for layer in
                [
                    "conv2d 1 1 stride 65536 padding 32767"
                    "conv2d 1 1 stride 65536 padding 65536"
                ] do
                Assert.Contains("with their padding", refused shape layer)

        Assert.Contains(
            "images of 4294901761x4294901761 or more",
            refused (Shape.Image(1, 4, 4)) "conv2d 1 65536 dilation 65536"
        )

    /// Whether each place of a window along a line has a number in it, by loops.
    let private seesNumbers (length: int) (size: int) (stride: int) (padding: int) (dilation: int) =
        let places = (length + 2 * padding - (dilation * (size - 1) + 1)) / stride + 1

        List.forall
            (fun place ->
                List.exists
                    (fun i ->
                        let at = place * stride - padding + i * dilation
                        at >= 0 && at < length)
                    [ 0 .. size - 1 ])
            [ 0 .. places - 1 ]

    [<Fact>]
    let ``the greatest number of a window is refused exactly where a place has none`` () =
        for length in 1..6 do
            for size in 1..4 do
                for stride in 1..5 do
                    for padding in 0 .. size / 2 do
                        for dilation in 1..4 do
                            if length + 2 * padding >= dilation * (size - 1) + 1 then
                                let made =
                                    LayerKinds.parse [] [
                                        $"maxpool1d {size} stride {stride} padding {padding} dilation {dilation}"
                                    ]
                                    |> Result.bind (
                                        Architecture.create Head.Identity (Shape.Vector length)
                                    )

                                Assert.Equal(
                                    seesNumbers length size stride padding dilation,
                                    Result.isOk made
                                )

    [<Fact>]
    let ``an array without rows makes no table, however many columns it claims`` () =
        for shape in [ [ 0; 1_000_000 ]; [ 0; 0 ]; [ 0 ]; [ 1_000_000; 0 ] ] do
            let before = GC.GetAllocatedBytesForCurrentThread()

            let faults =
                Table.ofTensor {
                    Name = "x"
                    Shape = shape
                    Elements = Elements.Doubles [||]
                }
                |> orFaults

            Assert.Equal(
                "Expected a table of one row and column or more, found none.",
                string (Assert.Single faults)
            )

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0L, 1_000_000L)

    [<Fact>]
    let ``texts of no letters are not read from an array`` () =
        for descr in [ "|S00"; "<U0"; "<U000000"; "|a00" ] do
            let header = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}\n"

            let bytes =
                Array.concat [
                    [| 0x93uy |]
                    "NUMPY\001\000"B
                    [| byte header.Length; 0uy |]
                    Encoding.ASCII.GetBytes header
                ]

            Assert.Contains(
                "whole numbers, truth values",
                Npy.parse "x" (ReadOnlyMemory bytes) |> orFaults |> Assert.Single |> string
            )

    [<Fact>]
    let ``a shape of a request is not taken for the rest of its size after division by 2 to the 64th``
        ()
        =
        // The sizes' product is 2⁶⁴ + 4.
        let shape = "4,5,5581,8681,49477,384773"
        Assert.Equal(BigInteger.Pow(2, 64) + 4I, 4I * 5I * 5581I * 8681I * 49477I * 384773I)

        for data in [ "[1,2,3,4]"; "[1.5,2,3,4]" ] do
            use request =
                $"""{{"inputs": [{{"name": "x", "shape": [{shape}], "data": {data}}}]}}"""
                |> Encoding.UTF8.GetBytes
                |> fun body -> InferenceRequest.Parse(ReadOnlySpan body)

            Assert.Contains(
                "as many values as the shape",
                refusals (fun () ->
                    request.Inputs[0].RequireNumbers(ReadOnlySpan [| 2 |]) |> ignore)
            )
