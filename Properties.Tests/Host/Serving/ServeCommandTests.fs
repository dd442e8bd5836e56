namespace Pipeline.Properties.Host

open System
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Http
open System.Text
open System.Text.Json
open System.Threading
open Pipeline.Learning
open Pipeline.Serving
open Pipeline.Training
open Xunit

/// The command serve, and an application that serves a model, as processes.
module ServeCommandTests =
    let private client = new HttpClient(Timeout = TimeSpan.FromSeconds 20.0)

    let private start (folder: string) (command: string list) : Process =
        let command = Tools.heedingSignals command

        let info =
            ProcessStartInfo(
                command.Head,
                command.Tail,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder
            )

        Process.Start info |> nonNull

    let private host (folder: string) (arguments: string list) : Process =
        "dotnet"
        :: Path.Combine(AppContext.BaseDirectory, "Host.CSharp.dll")
        :: arguments
        |> start folder

    let private signal (name: string) (started: Process) =
        Process.Start("kill", [ $"-{name}"; string started.Id ]).WaitForExit()

    let private post (address: string) (kind: string) (body: string) =
        client
            .PostAsync(address, new StringContent(body, Encoding.UTF8, kind))
            .GetAwaiter()
            .GetResult()

    [<FactWithSignals>]
    let ``serve says where it listens, answers, and ends when asked to`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.safetensors"
        Serving.write path (Serving.ofRows 1UL: Model<float32>)
        let port = ServiceParts.freePort ()

        use started =
            host scratch.Path [
                "serve"
                "rows.safetensors"
                $"again={path}"
                $"--Serve:Port={port}"
            ]

        let said = started.StandardOutput.ReadLine() |> nonNull
        Assert.Equal($"listening on http://localhost:{port}", said)

        Assert.Equal<string>(
            [
                $"http://localhost:{port}/try/rows"
                $"http://localhost:{port}/models/rows/predict"
                $"http://localhost:{port}/try/again"
                $"http://localhost:{port}/models/again/predict"
            ],
            [ for _ in 1..4 -> (started.StandardOutput.ReadLine() |> nonNull).Trim() ]
        )

        let answer =
            post
                $"http://localhost:{port}/models/again/predict"
                "text/csv"
                "age,calls,plan\n25,3,basic\n"

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode)
        // Another service cannot have the port.
        let second = Given.host [ "serve"; path; $"--Serve:Port={port}" ]
        Assert.Equal(2, second.ExitCode)
        Assert.Contains("Serve:Port: expected a free port", second.Errors)
        signal "TERM" started
        let ended = Given.finish started
        Assert.Equal(0, ended.ExitCode)

    [<FactWithSignals>]
    let ``serve without a model shows the runs of Run:Directory`` () =
        use scratch = new Scratch()
        let port = ServiceParts.freePort ()

        use started =
            host scratch.Path [
                "serve"
                $"--Serve:Port={port}"
                "--Run:Directory"
                scratch.Sub "here"
            ]

        let said = started.StandardOutput.ReadLine() |> nonNull
        Assert.Equal($"listening on http://localhost:{port}", said)
        let page = client.GetStringAsync($"http://localhost:{port}/runs").Result
        Assert.Contains(scratch.Sub "here", page)
        signal "TERM" started
        Assert.Equal(0, (Given.finish started).ExitCode)

    /// A service of the rows' model as a process, once it listens, with these ports of its own and of its health.
    let private serving (scratch: Scratch) : Process * int * int =
        let path = scratch.Sub "rows.safetensors"
        Serving.write path (Serving.ofRows 1UL: Model<float32>)
        let port, health = ServiceParts.freePort (), ServiceParts.freePort ()

        let started =
            host scratch.Path [ "serve"; path; $"--Serve:Port={port}"; $"--Health:Port={health}" ]

        Assert.StartsWith("listening on", started.StandardOutput.ReadLine())
        started, port, health

    [<FactWithSignals>]
    let ``health answers on its port while the service takes no more connections`` () =
        use scratch = new Scratch()
        let started, port, health = serving scratch
        use started = started

        let check (name: string) =
            let answer = client.GetAsync($"http://localhost:{health}/health/{name}").Result
            int answer.StatusCode, answer.Content.ReadAsStringAsync().Result

        try
            Assert.Equal((200, "Healthy"), check "live")
            Assert.Equal((200, "Healthy"), check "ready")

            // As many connections as the service takes, none of which says anything.
            let taken = [
                for _ in 1 .. ModelServer.MostConnections ->
                    new Sockets.TcpClient("localhost", port)
            ]

            use other = new HttpClient(Timeout = TimeSpan.FromSeconds 20.0)

            // Kestrel closes those beyond.
            let isRefused () =
                try
                    other.GetAsync($"http://localhost:{port}/v2").Result |> ignore
                    false
                with :? AggregateException ->
                    true

            Assert.True(SpinWait.SpinUntil(isRefused, TimeSpan.FromSeconds 5.0))
            Assert.Equal((200, "Healthy"), check "live")
            Assert.Equal((200, "Healthy"), check "ready")

            for connection in taken do
                connection.Dispose()

            let second =
                Given.host [ "serve"; scratch.Sub "rows.safetensors"; $"--Health:Port={health}" ]

            Assert.Equal(2, second.ExitCode)
            Assert.Contains("Health:Port: expected a free port", second.Errors)
        finally
            signal "TERM" started
            Assert.Equal(0, (Given.finish started).ExitCode)

    [<FactWithSignals>]
    let ``clients that do not finish their headers hinder no others, and are gone in fifteen seconds``
        ()
        =
        use scratch = new Scratch()
        let started, port, _ = serving scratch
        use started = started

        try
            let begun = Encoding.ASCII.GetBytes "GET /v2 HTTP/1.1\r\nHost: local"
            let clock = Stopwatch.StartNew()

            let slow = [
                for _ in 1..1000 ->
                    let tcp = new Sockets.TcpClient("localhost", port)
                    tcp.GetStream().Write(ReadOnlySpan begun)
                    tcp
            ]

            for _ in 1..20 do
                let answer =
                    post
                        $"http://localhost:{port}/models/rows/predict"
                        "text/csv"
                        "age,calls,plan\n25,3,basic\n"

                Assert.Equal(HttpStatusCode.OK, answer.StatusCode)

            // The service says that the headers were too slow, and closes the connection.
            for tcp in slow do
                let stream = tcp.GetStream()
                stream.ReadTimeout <- 30_000
                use reader = new StreamReader(stream)
                reader.ReadToEnd() |> ignore

            Assert.InRange(clock.Elapsed.TotalSeconds, 5.0, 15.0)
        finally
            signal "TERM" started
            Assert.Equal(0, (Given.finish started).ExitCode)

    [<FactWithSignals>]
    let ``a request that has begun is answered after SIGTERM, and one that does not go on ends with the service``
        ()
        =
        use scratch = new Scratch()
        let started, port, _ = serving scratch
        use started = started
        let body = "age,calls,plan\n25,3,basic\n"

        /// A connection with a request whose body the service waits for.
        let begun () =
            let tcp = new Sockets.TcpClient("localhost", port)
            let stream = tcp.GetStream()

            let head =
                $"POST /models/rows/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: {body.Length}\r\nExpect: 100-continue\r\n\r\n"

            stream.Write(Encoding.ASCII.GetBytes head)
            let reader = new StreamReader(stream)
            // The service reads the body from now on.
            Assert.Equal("HTTP/1.1 100 Continue", reader.ReadLine())
            Assert.Equal("", reader.ReadLine())
            stream, reader

        let stream, reader = begun ()
        let hanging, _ = begun ()
        let clock = Stopwatch.StartNew()
        signal "TERM" started
        // No other request is taken any more.
        let isClosed () =
            try
                (new Sockets.TcpClient("localhost", port)).Dispose()
                false
            with :? Sockets.SocketException ->
                true

        Assert.True(SpinWait.SpinUntil(isClosed, TimeSpan.FromSeconds 3.0))
        stream.Write(Encoding.ASCII.GetBytes body)
        Assert.Equal("HTTP/1.1 200 OK", reader.ReadLine())
        Assert.Contains("\"class\":", reader.ReadToEnd())
        Assert.Equal(0, (Given.finish started).ExitCode)
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.0, 10.0)
        hanging.Dispose()

    [<Fact>]
    let ``a service that others could misuse, and models that are none, are refused`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "rows.safetensors"
        Serving.write path (Serving.ofRows 1UL: Model<float32>)
        let token = scratch.Sub "token"

        let refused (words: string list) (arguments: string list) =
            let ended = Given.host ("serve" :: arguments)
            Assert.Equal(2, ended.ExitCode)
            Assert.Equal("", ended.Output)

            for word in words do
                Assert.Contains(word, ended.Errors)

        refused [ "Serve:TokenFile"; "0.0.0.0"; "Serve:Hosts" ] [
            path
            "--Serve:Address"
            "0.0.0.0"
        ]

        File.WriteAllText(token, "short")

        refused [ "Serve:TokenFile"; "32 characters"; "found 5" ] [
            path
            "--Serve:TokenFile"
            token
        ]

        File.WriteAllText(token, String('x', 40))

        if not (OperatingSystem.IsWindows()) then
            File.SetUnixFileMode(token, UnixFileMode.UserRead ||| UnixFileMode.OtherRead)
            refused [ "Serve:TokenFile"; "chmod 600" ] [ path; "--Serve:TokenFile"; token ]

        refused [ "Serve:TokenFile"; "found none" ] [
            path
            "--Serve:TokenFile"
            scratch.Sub "absent"
        ]

        refused [ "rows more than once"; "NAME=PATH" ] [ path; path ]
        refused [ scratch.Sub "none.npz"; "found none" ] [ scratch.Sub "none.npz" ]
        refused [ "the model's name"; "'a b'" ] [ $"a b={path}" ]
        File.WriteAllText(scratch.Sub "bad.safetensors", "nothing")
        refused [ "bad.safetensors" ] [ scratch.Sub "bad.safetensors" ]
        refused [ "Serve:Port"; "1 to 65535"; "70000" ] [ path; "--Serve:Port"; "70000" ]

    /// The folder of the sources.
    let private repository =
        let rec above (folder: DirectoryInfo) =
            if File.Exists(Path.Combine(folder.FullName, "Pipeline.sln")) then
                folder.FullName
            else
                above (nonNull folder.Parent)

        above (DirectoryInfo AppContext.BaseDirectory)

    let private program =
        Path.Combine(repository, "Properties.Tests", "IrisService", "Program.cs")

    [<Fact>]
    let ``the pages show the application of the tests`` () =
        let code = File.ReadAllText program

        for page in [ "serving/README.md"; "docs/serving.md" ] do
            let text = File.ReadAllText(Path.Combine(repository, "Host.CSharp", page))
            Assert.Contains("```csharp\n" + code + "```", text)

        let lines = code.Split('\n') |> Array.filter (fun line -> line.Trim() <> "")
        Assert.InRange(lines.Length, 1, 14)

    /// A model of the iris table.
    let private train (scratch: Scratch) (seed: int) : string =
        let names = [| "setosa"; "versicolor"; "virginica" |]

        let rows =
            File.ReadAllLines(Path.Combine(repository, "data", "tables", "iris.csv"))
            |> Array.tail
            |> Array.map (fun line ->
                let cells = line.Split ','
                String.concat "," (Array.append cells[..3] [| names[int cells[4]] |]))

        let path = scratch.Sub "iris.csv"

        File.WriteAllLines(
            path,
            Array.append [| "sepal_length,sepal_width,petal_length,petal_width,species" |] rows
        )

        let ended =
            Given.host [
                "train"
                "--preset=small-table"
                $"--Data:Train={path}"
                $"--Training:Seed={seed}"
                $"--Run:Directory={scratch.Sub(string seed)}"
            ]

        Assert.Equal(0, ended.ExitCode)
        Path.Combine(Directory.GetDirectories(scratch.Sub(string seed))[0], "model.safetensors")

    [<FactWithSignals>]
    let ``an application serves a model, follows its file and tells its health`` () =
        use scratch = new Scratch()
        let model = scratch.Sub "iris.safetensors"
        File.Copy(train scratch 1, model)
        let port = ServiceParts.freePort ()
        let configuration = DirectoryInfo(AppContext.BaseDirectory).Parent |> nonNull

        let application =
            Path.Combine(
                repository,
                "Properties.Tests",
                "IrisService",
                "bin",
                configuration.Name,
                "net10.0",
                "IrisService.dll"
            )

        use started =
            start scratch.Path [ "dotnet"; application; "--urls"; $"http://127.0.0.1:{port}" ]

        let output = started.StandardOutput.ReadToEndAsync()
        let address = $"http://127.0.0.1:{port}"

        let flower () =
            post
                $"{address}/flower"
                "application/json"
                """{"sepalLength":5.1,"sepalWidth":3.5,"petalLength":1.4,"petalWidth":0.2}"""

        let isUp () =
            try
                (flower ()).StatusCode = HttpStatusCode.OK
            with _ ->
                false

        try
            Assert.True(SpinWait.SpinUntil(isUp, TimeSpan.FromMinutes 1.0), "no answer in a minute")
            Assert.Equal("setosa", (flower ()).Content.ReadAsStringAsync().Result.Trim '"')

            let health () =
                client.GetStringAsync($"{address}/health").Result

            Assert.Equal("Healthy", health ())

            let version () =
                let answer = client.GetStringAsync($"{address}/models").Result
                let models = (JsonDocument.Parse answer).RootElement.GetProperty "models"
                models[0].GetProperty("sha256").GetString()

            let first = version ()
            File.Move(train scratch 2, model, true)

            Assert.True(
                SpinWait.SpinUntil((fun () -> version () <> first), TimeSpan.FromMinutes 1.0),
                "the new model did not take over"
            )

            Assert.Equal(HttpStatusCode.OK, (flower ()).StatusCode)
            File.WriteAllText(model, "damaged")

            Assert.True(
                SpinWait.SpinUntil((fun () -> health () = "Degraded"), TimeSpan.FromMinutes 1.0),
                "the damaged file was not noticed"
            )

            Assert.Equal(HttpStatusCode.OK, (flower ()).StatusCode)
        finally
            signal "TERM" started
            started.WaitForExit()
            output.Wait()
