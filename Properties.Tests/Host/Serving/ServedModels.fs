namespace Pipeline.Properties.Host

open System
open System.IO
open System.Net
open System.Net.Http
open System.Net.Http.Headers
open System.Text
open System.Text.Json
open Microsoft.AspNetCore.Builder
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Logging
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Serving
open Pipeline.Training
open Xunit

/// A service in this process, and requests to it.
type Service(application: WebApplication) =
    let address = Seq.head application.Urls
    let client = new HttpClient(BaseAddress = Uri address)

    member _.Application = application
    member _.Client = client
    member _.Address = address

    member _.Send(request: HttpRequestMessage) : HttpResponseMessage =
        client.SendAsync(request).GetAwaiter().GetResult()

    member service.Get(path: string) : HttpResponseMessage =
        service.Send(new HttpRequestMessage(HttpMethod.Get, path))

    member service.Post(path: string, kind: string, body: byte[]) : HttpResponseMessage =
        let content = new ByteArrayContent(body)

        if kind <> "" then
            content.Headers.ContentType <- MediaTypeHeaderValue.Parse kind

        service.Send(new HttpRequestMessage(HttpMethod.Post, path, Content = content))

    interface IDisposable with
        member _.Dispose() =
            client.Dispose()
            application.DisposeAsync().AsTask().Wait()

/// Models to serve, and services of them.
[<RequireQualifiedAccess>]
module Serving =
    /// A service of some models with these rules, logging and other services.
    let startAs
        (access: AccessRules)
        (models: (string * string) list)
        (addLogging: ILoggingBuilder -> unit)
        (addServices: IServiceCollection -> unit)
        : Service =
        let server =
            ModelServer(
                IPAddress.Loopback,
                0,
                access,
                [| for name, path in models -> struct (name, path) |]
            )

        new Service(server.StartAsync(addLogging, addServices, ignore).GetAwaiter().GetResult())

    /// A service of some models with these rules.
    let startWith (access: AccessRules) (models: (string * string) list) : Service =
        startAs access models ignore ignore

    let start (models: (string * string) list) : Service =
        startWith (AccessRules([], null)) models

    let initialised (head: Head) (inputs: int) (outputs: int) (seed: uint64) : Network<'T> =
        LayerKinds.parse [] [ "dense 5"; "tanh"; $"dense {outputs}" ]
        |> Result.bind (Architecture.create head (Shape.Vector inputs))
        |> orFail
        |> Network.initialise (Initialiser.Fixed 0.7) seed

    /// A model of images of 2 × 3 pixels.
    let ofImages (seed: uint64) : Model<'T> = {
        Model.ofNetwork (initialised Head.Softmax 6 3 seed) with
            Preprocessing = Preprocessing.Pixels(ImageSize.Grey(2, 3))
            Classes = [ "a"; "b"; "c" ]
    }

    /// A model of rows with two numbers and a category, with a threshold and sets.
    let ofRows (seed: uint64) : Model<'T> = {
        Model.ofNetwork (initialised Head.Softmax 4 2 seed) with
            Preprocessing =
                Preprocessing.Table {
                    Numbers = [
                        {
                            Name = "age"
                            Fill = nan
                            Centre = 40.0
                            Scale = 10.0
                        }
                        {
                            Name = "calls"
                            Fill = 1.0
                            Centre = 2.0
                            Scale = 1.5
                        }
                    ]
                    Categories = [
                        {
                            Name = "plan"
                            Values = [ "basic"; "plus" ]
                            Fill = ""
                        }
                    ]
                    Format = CellFormat.Default
                }
            Classes = [ "no"; "yes" ]
            Decision = ValueSome { Class = 1; Threshold = 0.3 }
            Conformal = ValueSome { Coverage = 0.9; Margins = [ 0.6 ] }
    }

    /// A model of three numbers that predicts two.
    let ofNumbers (seed: uint64) : Model<'T> =
        Model.ofNetwork (initialised Head.Identity 3 2 seed)

    /// Looks at the files now instead of in a second.
    let look (service: Service) : unit =
        let hosted =
            service.Application.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>()

        (hosted
         |> Seq.pick (fun one ->
             match one with
             | :? ModelReloader as reloader -> Some reloader
             | _ -> None))
            .Look()

    /// Writes a model whole, as a publisher does: a new file takes the old one's place.
    let write (path: string) (model: Model<'T>) : unit =
        let fresh = path + ".new"
        File.WriteAllBytes(fresh, Safetensors.write model)
        File.Move(fresh, path, true)

    let json (response: HttpResponseMessage) : JsonElement =
        JsonDocument.Parse(response.Content.ReadAsStringAsync().Result).RootElement

    let bytes (response: HttpResponseMessage) : byte[] =
        response.Content.ReadAsByteArrayAsync().Result

    /// The SHA-256 of the model that answered.
    let hash (response: HttpResponseMessage) : string =
        response.Headers.GetValues "Pipeline-Model-Sha256" |> Seq.exactlyOne

    /// Checks a problem: its status, its form, and words of its sentence.
    let refused (status: int) (words: string list) (response: HttpResponseMessage) : unit =
        Assert.Equal(status, int response.StatusCode)

        Assert.Equal(
            "application/problem+json",
            string (nonNull response.Content.Headers.ContentType).MediaType
        )

        let problem = json response

        let text (name: string) =
            problem.GetProperty(name).GetString() |> nonNull

        Assert.Equal(status, problem.GetProperty("status").GetInt32())
        Assert.Equal(text "detail", text "error")
        Assert.NotEmpty(text "title")

        for word in words do
            Assert.Contains(word, text "detail")
