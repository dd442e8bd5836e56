namespace Pipeline.Properties.Host

open System
open Pipeline.Learning
open Pipeline.Serving
open Xunit

/// Pages of models and access in a browser.
[<Collection("Chromium")>]
type PageBrowserTests(chromium: Chromium) =
    let models (scratch: Scratch) = [
        for name, write in
            [
                "images", (fun path -> Serving.write path (Serving.ofImages 1UL: Model<float32>))
                "rows", (fun path -> Serving.write path (Serving.ofRows 1UL: Model<float32>))
                "numbers", (fun path -> Serving.write path (Serving.ofNumbers 1UL: Model<float32>))
            ] do
            let path = scratch.Sub $"{name}.safetensors"
            write path
            name, path
    ]

    [<FactWithChromium>]
    member _.``the list of models leads to each of them, and all pages are clean``() =
        use scratch = new Scratch()
        use service = Pages.start (models scratch)
        use tab = chromium.Tab()

        for name in [ "images"; "rows"; "numbers" ] do
            Assert.Equal(200, tab.Open $"{service.Address}/try")
            tab.Follow $"""a[href="/try/{name}"]"""
            Assert.Equal(name, tab.Text "h1")
            Clean.check tab

        tab.Open $"{service.Address}/try" |> ignore
        Clean.check tab
        Assert.Equal(404, tab.Open $"{service.Address}/try/none")
        Clean.checkOf 404 tab

    [<FactWithChromium>]
    member _.``a reader signs in with the token``() =
        use scratch = new Scratch()
        let token = String('t', 40)
        use service = Pages.startWith (AccessRules([], token)) (models scratch)
        use tab = chromium.Tab()
        Assert.Equal(401, tab.Open $"{service.Address}/try/rows")
        Clean.checkOf 401 tab
        tab.Type("input[name=token]", token)
        tab.Follow "form button"
        Assert.Equal("rows", tab.Text "h1")
        tab.Follow "nav form button"
        Assert.Equal("Sign in", tab.Text "h1")
