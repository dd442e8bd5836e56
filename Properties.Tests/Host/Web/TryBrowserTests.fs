namespace Pipeline.Properties.Host

open System
open System.IO
open System.Threading.Tasks
open PuppeteerSharp.Input
open Pipeline.Learning
open Pipeline.Training
open Xunit

/// Trying models in a browser.
[<Collection("Chromium")>]
type TryBrowserTests(chromium: Chromium) =
    let nothing = "No answer yet."
    let limit = TimeSpan.FromSeconds 20.0

    let run (work: unit -> Task) : unit = Task.Run(work).GetAwaiter().GetResult()

    /// Waits for an answer other than this text, and gives it.
    let answerAfter (before: string) (tab: Tab) : string =
        tab.WaitUntil(
            $"document.getElementById('said').textContent !== '{before}' || document.getElementById('faults').textContent !== ''",
            limit
        )

        tab.Text "#said"

    let press (tab: Tab) (keys: string list) : unit =
        run (fun () -> task {
            for key in keys do
                do! tab.Page.Keyboard.PressAsync key
        })

    /// Draws lines through points; (0, 0) and (1, 1) are corners of the drawing area.
    let draw (tab: Tab) (lines: (float * float) list list) : unit =
        run (fun () -> task {
            let! paper = tab.Page.QuerySelectorAsync "#paper"
            let! box = paper.BoundingBoxAsync()
            let mouse = tab.Page.Mouse

            let at (x: float, y: float) =
                decimal (float box.X + x * float box.Width),
                decimal (float box.Y + y * float box.Height)

            for line in lines do
                let x, y = at line.Head
                do! mouse.MoveAsync(x, y)
                do! mouse.DownAsync()

                for point in line.Tail do
                    let x, y = at point
                    do! mouse.MoveAsync(x, y, MoveOptions(Steps = 8))

                do! mouse.UpAsync()
        })

    let upload (tab: Tab) (path: string) : unit =
        run (fun () -> task {
            let! input = tab.Page.QuerySelectorAsync "#file"
            do! input.UploadFileAsync path
        })

    /// What predict prints for a file: the answer with its probability.
    let printed (model: string) (arguments: string list) : string =
        let ended = Given.host ([ "predict"; model; "--top"; "1" ] @ arguments)
        Assert.True((ended.ExitCode = 0), ended.Errors)
        let line = ended.Output.Split('\n')[0]
        line.Substring(line.IndexOf ": " + 2)

    /// The run of these settings.
    let train (scratch: Scratch) (settings: string list) : string =
        let ended = Given.host (settings @ [ $"""--Run:Directory={scratch.Sub "runs"}""" ])
        Assert.True((ended.ExitCode = 0), ended.Errors)
        Directory.GetDirectories(scratch.Sub "runs") |> Array.exactlyOne

    [<FactWithChromium>]
    member _.``digits that are drawn, dropped or chosen are told``() =
        use scratch = new Scratch()
        let digits = train scratch []
        use service = Pages.start [ "digits", digits ]
        use tab = chromium.Tab()
        Assert.Equal(200, tab.Open $"{service.Address}/try/digits")

        // Counts requests, and how many are under way at once.
        tab.Evaluate<obj>
            "(() => { const ask = fetch; let now = 0; window.sent = window.most = 0; window.fetch = async (...asked) => { sent++; most = Math.max(most, ++now); try { return await ask(...asked); } finally { now--; } }; })()"
        |> ignore

        Assert.Equal(nothing, tab.Text "#said")

        let circle = [
            for i in 0..24 do
                let angle = float i / 24.0 * 2.0 * Math.PI
                0.5 + 0.2 * sin angle, 0.5 - 0.3 * cos angle
        ]

        for digit, lines in
            [
                "7", [ [ 0.25, 0.2; 0.75, 0.2; 0.45, 0.85 ] ]
                "1", [ [ 0.55, 0.15; 0.48, 0.85 ] ]
                "0", [ circle ]
                // A small one, in a corner.
                "7", [ [ 0.7, 0.7; 0.9, 0.7; 0.78, 0.95 ] ]
            ] do
            draw tab lines
            // The answer follows the drawing; the last one is of all of it.
            tab.WaitUntil(
                $"document.getElementById('said').textContent.startsWith('{digit} (')",
                limit
            )

            Assert.Equal(
                digit,
                tab.Evaluate<string> "document.querySelector('#outputs .best').dataset.name"
            )

            tab.Evaluate<obj> "document.getElementById('clear').click()" |> ignore
            tab.WaitUntil($"document.getElementById('said').textContent === '{nothing}'", limit)

        Assert.True(tab.Evaluate<bool> "sent >= 4")
        Assert.Equal(1, tab.Evaluate<int> "most")

        // A file: one of the model's size enters as it is, in both inks; another is prepared as a drawing.
        let ink rows columns isInk =
            ByteImage(
                ImageSize.Grey(rows, columns),
                [|
                    for y in 0 .. rows - 1 do
                        for x in 0 .. columns - 1 -> if isInk x y then 255uy else 0uy
                |]
            )

        let small = ink 28 28 (fun x y -> x >= 12 && x < 16 && y >= 5 && y < 23)
        let large = ink 200 300 (fun x y -> x >= 240 && x < 264 && y >= 20 && y < 160)

        let inverted (image: ByteImage) =
            ByteImage(image.Size, image.Numbers |> Array.map (fun x -> 255uy - x))

        let write name (image: ByteImage) =
            let path = scratch.Sub name
            // The writer draws dark ink.
            File.WriteAllBytes(path, PngWriter.OfBytes(inverted image))
            path

        let light = write "light.png" small
        let expected = printed digits [ light ]
        Assert.StartsWith("1 (", expected)

        for path, isDark in [ light, false; write "dark.png" (inverted small), true ] do
            upload tab path
            Assert.Equal(expected, answerAfter nothing tab)
            Assert.Equal(isDark, tab.Evaluate<bool> "document.getElementById('dark').checked")
            tab.Evaluate<obj> "document.getElementById('clear').click()" |> ignore
            tab.WaitUntil($"document.getElementById('said').textContent === '{nothing}'", limit)

        upload tab (write "large.png" (inverted large))
        Assert.StartsWith("1 (", answerAfter nothing tab)
        Clean.check tab

        // The other ink, by the keyboard alone: the check box follows the file.
        tab.Evaluate<obj> "document.getElementById('file').focus()" |> ignore
        press tab [ "Tab"; "Space" ]
        Assert.False(tab.Evaluate<bool> "document.getElementById('dark').checked")
        tab.WaitUntil("!document.getElementById('said').textContent.startsWith('1 (')", limit)

        // What is dropped and is no image is the service's to refuse.
        tab.Evaluate<obj>
            "(() => { const dataTransfer = new DataTransfer(); dataTransfer.items.add(new File(['<img src=x>'], 'a.png', { type: 'image/png' })); document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })); })()"
        |> ignore

        tab.WaitUntil("document.getElementById('faults').textContent.includes('expected')", limit)
        Assert.Equal(nothing, tab.Text "#said")
        Clean.checkOf 400 tab

    [<FactWithChromium>]
    member _.``iris by a form gives what predict prints, with and without scripts``() =
        use scratch = new Scratch()

        let iris =
            train scratch [
                "--preset"
                "small-table"
                $"""--Data:Train={DefaultPaths.PathOf "data/tables/iris.csv"}"""
                "--Data:Skip=1"
                "--Training:Iterations=100"
            ]

        use service = Pages.start [ "iris", iris ]
        let row = [ "6.1"; "2.8"; "4.7"; "1.2" ]
        let file = scratch.Sub "row.csv"
        File.WriteAllText(file, String.concat "," row + "\n")
        let explained = Given.host [ "predict"; iris; file; "--explain" ]
        let expected = printed iris [ file ]
        let address = $"{service.Address}/try/iris"

        let columns = "[...document.querySelectorAll('[data-column]')]"

        /// Fills the form in by the keyboard, from its first field on.
        let fill (tab: Tab) =
            tab.Evaluate<obj> $"{columns}[0].select()" |> ignore

            for cell in row do
                run (fun () -> tab.Page.Keyboard.TypeAsync cell)
                press tab [ "Tab" ]

        let checkParts (tab: Tab) =
            for part in explained.Output.Trim().Split('\n')[2..] do
                let cells = part.Split(' ', StringSplitOptions.RemoveEmptyEntries)

                Assert.Equal(
                    cells[1],
                    tab.Evaluate<string>
                        $"document.querySelector('#parts [data-name=\"{cells[0]}\"] .number').textContent"
                )

        use tab = chromium.Tab()
        Assert.Equal(200, tab.Open address)
        fill tab
        // After the four fields and the check box comes the button.
        press tab [ "Tab"; "Enter" ]
        Assert.Equal(expected, answerAfter nothing tab)
        checkParts tab
        Clean.check tab
        // From then on the answer follows the form.
        tab.Evaluate<obj>
            $"(() => {{ const field = {columns}[2]; field.value = '1.4'; field.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"
        |> ignore

        Assert.NotEqual<string>(expected, answerAfter expected tab)

        use plain = chromium.Tab()
        plain.SwitchScriptsOff()
        Assert.Equal(200, plain.Open address)
        fill plain
        plain.Follow "main form button"
        Assert.Equal(expected, plain.Text "#said")
        checkParts plain

    [<FactWithChromium>]
    member _.``names from a model are texts, and missing values and decimal commas are kept``() =
        use scratch = new Scratch()
        use service = Tried.start scratch "hostile" (Tried.ofHostileRows ())
        use tab = chromium.Tab()
        Assert.Equal(200, tab.Open $"{service.Address}/try/hostile")

        tab.Evaluate<obj>
            "(() => { const [one, other, third] = document.querySelectorAll('[data-column]'); one.value = '2.125'; other.value = ''; third.selectedIndex = 2; document.querySelector('main form').requestSubmit(); })()"
        |> ignore

        let said = answerAfter nothing tab

        let model = scratch.Sub "hostile.safetensors"
        let file = scratch.Sub "row.json"

        File.WriteAllText(
            file,
            $$"""{"{{Tried.hostile}}": "2,125", "__proto__": "", "\"'&": "two\nlines"}"""
        )

        Assert.StartsWith(said, printed model [ file ])

        Assert.Equal(
            0,
            tab.Evaluate<int> "document.querySelectorAll('main img, main script').length"
        )

        Clean.check tab

    [<FactWithChromium>]
    member _.``of many classes the most probable are shown``() =
        use scratch = new Scratch()
        use service = Tried.start scratch "many" (Tried.ofManyClasses ())
        let file = scratch.Sub "row.csv"
        File.WriteAllText(file, "1,2,3\n")

        let ended =
            Given.host [ "predict"; scratch.Sub "many.safetensors"; file; "--top"; "20" ]

        for hasScripts in [ true; false ] do
            use tab = chromium.Tab()

            if not hasScripts then
                tab.SwitchScriptsOff()

            Assert.Equal(200, tab.Open $"{service.Address}/try/many")
            tab.Type("textarea", "1 2 3")

            if hasScripts then
                press tab [ "Tab"; "Enter" ]
                answerAfter nothing tab |> ignore
            else
                tab.Follow "main form button"

            let shown =
                tab.Evaluate<string[]>
                    "[...document.querySelectorAll('#outputs tbody tr:not([hidden])')].map(row => `${row.dataset.name} (${row.querySelector('.number').textContent})`)"

            Assert.Equal("row.csv row 1: " + String.Join(", ", shown) + "\n", ended.Output)

    [<FactWithChromium>]
    member _.``a line of numbers is predicted, and the service's sentences are shown``() =
        use scratch = new Scratch()
        use service = Tried.start scratch "numbers" (Serving.ofNumbers 1UL)
        use tab = chromium.Tab()
        Assert.Equal(200, tab.Open $"{service.Address}/try/numbers")
        tab.Type("textarea", "1 -2.5; 1e2")
        press tab [ "Tab"; "Enter" ]
        Assert.Equal("2 numbers", answerAfter nothing tab)
        let file = scratch.Sub "row.csv"
        File.WriteAllText(file, "1,-2.5,1e2\n")

        let shown =
            tab.Evaluate<string[]>
                "[...document.querySelectorAll('#outputs td')].map(cell => cell.textContent)"

        Assert.Equal(printed (scratch.Sub "numbers.safetensors") [ file ], String.concat ", " shown)

        Clean.check tab
        tab.Type("textarea", " 4")
        press tab [ "Tab" ]
        tab.WaitUntil("document.getElementById('faults').textContent.includes('3 columns')", limit)
        Assert.Equal(nothing, tab.Text "#said")
        Clean.checkOf 400 tab
