namespace Pipeline.Properties.Host

open System
open System.Net
open System.Text
open System.Threading.Tasks
open Microsoft.AspNetCore.Builder
open Microsoft.AspNetCore.Hosting
open Microsoft.AspNetCore.Http
open Microsoft.Extensions.DependencyInjection
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Properties
open Pipeline.Serving
open Xunit

/// Tests that count what the whole process allocates: no other test may run meanwhile.
[<CollectionDefinition("Allocation", DisableParallelization = true)>]
type AllocationCollection() = class end

/// The memory that answers take.
[<Collection("Allocation")>]
module AllocationTests =
    /// The least that a service does: the body is read, and a fixed text is written.
    let private answerPlainly (context: HttpContext) : Task = task {
        let! body = RequestBody.RentAsync context
        RequestBody.Return body
        context.Response.ContentType <- "application/json"
        do! context.Response.WriteAsync """{"hello":"world"}"""
    }

    /// The bytes that the process allocates for a request. The client allocates nothing: it sends the same request again and
    /// again through one connection.
    let private allocatedBy (service: Service) (path: string) (kind: string) (body: byte[]) =
        let uri = Uri service.Address
        use tcp = new Sockets.TcpClient(uri.Host, uri.Port)
        tcp.NoDelay <- true
        let stream = tcp.GetStream()

        let head =
            $"POST %s{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s{kind}\r\nContent-Length: %d{body.Length}\r\n\r\n"

        let request = Array.append (Encoding.ASCII.GetBytes head) body
        let answer = Array.zeroCreate<byte> 4096

        let ask () =
            stream.Write(request, 0, request.Length)
            let mutable length = 0

            // An answer of unknown length ends with an empty chunk.
            while not (answer.AsSpan(0, length).EndsWith "\r\n0\r\n\r\n"B) do
                let count = stream.Read(answer, length, answer.Length - length)
                Assert.NotEqual(0, count)
                length <- length + count

            Assert.True(answer.AsSpan().StartsWith "HTTP/1.1 200"B)

        let requests = 2_000

        for _ in 1..requests do
            ask ()

        // The least of several: other work of this process allocates too.
        Seq.min [
            for _ in 1..5 do
                let before = GC.GetTotalAllocatedBytes true

                for _ in 1..requests do
                    ask ()

                (GC.GetTotalAllocatedBytes true - before) / int64 requests
        ]

    /// Without optimisation the compiler makes an object of every asynchronous method's state.
    let private mostBytes =
#if DEBUG
        2_048L
#else
        1_024L
#endif

    [<Fact>]
    let ``an answer allocates at most a kilobyte beside what the server itself does`` () =
        use scratch = new Scratch()
        let path = scratch.Sub "images.safetensors"

        let model = {
            Model.ofNetwork (Serving.initialised Head.Softmax 784 10 1UL: Network<float32>) with
                Preprocessing = Preprocessing.Pixels(ImageSize.Grey(28, 28))
        }

        Serving.write path model

        let server =
            ModelServer(IPAddress.Loopback, 0, AccessRules([], null), [| struct ("images", path) |])

        let mapPlain (application: WebApplication) =
            application.MapPost("/plain/{name}", RequestDelegate answerPlainly) |> ignore

        use service =
            new Service(server.StartAsync(ignore, ignore, mapPlain).GetAwaiter().GetResult())

        let pixels = Array.init 784 (fun i -> byte (max 0 (i % 280 - 25)))

        let tensor =
            let numbers = String.Join(",", pixels)

            $"""{{"inputs":[{{"name":"pixels","shape":[1,28,28],"datatype":"UINT8","data":[%s{numbers}]}}]}}"""
            |> Encoding.UTF8.GetBytes

        let json, raw = "application/json", "application/octet-stream"

        for own, kind, body in
            [
                "/v2/models/images/infer", json, tensor
                "/models/images/predict", raw, pixels
            ] do
            let plain = allocatedBy service "/plain/images" kind body
            let whole = allocatedBy service own kind body
            Assert.InRange(whole - plain, 0L, mostBytes)
