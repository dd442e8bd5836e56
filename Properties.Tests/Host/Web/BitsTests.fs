namespace Pipeline.Properties.Host

open System
open System.IO
open System.Net
open Pipeline.SameBits
open Xunit

/// The fixed set for browsers, where .ci/bundle has built it.
type FactWithBundleAttribute() as fact =
    inherit FactAttribute()

    do
        if
            not (
                File.Exists(
                    Path.Combine(FactWithBundleAttribute.Folder, "wwwroot/_framework/dotnet.js")
                )
            )
        then
            fact.Skip <- "needs what .ci/bundle builds"
        elif Tools.chromium.Value.IsNone then
            fact.Skip <- "needs Chromium (Debian: chromium)"

    static member Folder =
        Path.Combine(__SOURCE_DIRECTORY__, "../../../Math.FSharp/bin/same-bits")

/// The page on which a browser trains the fixed set.
[<Collection("Chromium")>]
type BitsTests(chromium: Chromium) =
    let policy (service: Service) (path: string) : string =
        (Pages.visit service path).Headers.GetValues "Content-Security-Policy"
        |> String.concat ","

    let lines = lazy (FixedSet.cases |> List.map FixedSet.line)

    [<Fact>]
    member _.``without a bundle, the page says how to build one``() =
        use service = Pages.withBundle "/nowhere"
        let page = Pages.text (Pages.visit service "/same-bits")
        Assert.Contains("dotnet publish Math.FSharp/samebits/browser", page)
        Assert.DoesNotContain("bits.js", page)
        service.Get "/same-bits/bundle/dotnet.js" |> Serving.refused 404 [ "dotnet.js" ]

    [<Fact>]
    member _.``only this page may compile WebAssembly``() =
        use service = Pages.withBundle "/nowhere"
        let own = policy service "/runs"
        Assert.DoesNotContain("wasm", own)

        Assert.Equal(
            own.Replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"),
            policy service "/same-bits"
        )

    [<Fact>]
    member _.``the service gives its lines, and the bundle's files by their names alone``() =
        use scratch = new Scratch()
        let framework = scratch.Sub "wwwroot/_framework"
        Directory.CreateDirectory framework |> ignore
        File.WriteAllText(Path.Combine(framework, "dotnet.js"), "a")
        File.WriteAllText(Path.Combine(framework, "dotnet.native.wasm"), "b")
        File.WriteAllText(scratch.Sub "wwwroot/secret", "c")
        use service = Pages.withBundle (scratch.Sub "")

        let expected = lines.Value |> List.map (fun line -> line + "\n") |> String.concat ""
        Assert.Equal(expected, Pages.text (service.Get "/same-bits/lines"))

        let isFile (name: string) (expectedType: string) (expected: string) =
            let response = service.Get $"/same-bits/bundle/{name}"
            Assert.Equal(HttpStatusCode.OK, response.StatusCode)

            Assert.Equal(
                expectedType,
                nonNull (nonNull response.Content.Headers.ContentType).MediaType
            )

            Assert.Equal(expected, Pages.text response)

        isFile "dotnet.js" "text/javascript" "a"
        isFile "dotnet.native.wasm" "application/wasm" "b"

        for name in [ "secret"; "..%2Fsecret"; "%2E%2E%2Fsecret" ] do
            service.Get $"/same-bits/bundle/{name}" |> Serving.refused 404 []

    [<FactWithBundle>]
    member _.``a browser trains the fixed set with the bits of the service``() =
        use service = Pages.withBundle FactWithBundleAttribute.Folder
        use tab = chromium.Tab()
        Assert.Equal(200, tab.Open $"{service.Address}/same-bits")
        tab.Evaluate<obj> "document.getElementById('train').click()" |> ignore

        let verdict = "document.getElementById('verdict').textContent"

        tab.WaitUntil(
            $"/bits|Not trained/.test({verdict}) && !/Training/.test({verdict})",
            TimeSpan.FromMinutes 5.0
        )

        Assert.Equal($"Same bits in all {lines.Value.Length} cases.", tab.Text "#verdict")
        Assert.Equal(FixedSet.hash lines.Value, tab.Text "#browser")
        Assert.Equal(FixedSet.hash lines.Value, tab.Text "#service")
        Clean.check tab
