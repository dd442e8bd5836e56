namespace Pipeline.Properties.Host

open System.Net
open System.Net.Http
open Pipeline.Serving
open Pipeline.Web

/// Services with pages, as the command serve starts them.
[<RequireQualifiedAccess>]
module Pages =
    /// A service of some models with these rules.
    let startWith (access: AccessRules) (models: (string * string) list) : Service =
        let server =
            ModelServer(
                IPAddress.Loopback,
                0,
                access,
                [| for name, path in models -> struct (name, path) |]
            )

        new Service(
            server
                .StartAsync(
                    ignore,
                    (fun services -> WebExtensions.AddPages services |> ignore),
                    (fun application -> WebExtensions.UsePages application)
                )
                .GetAwaiter()
                .GetResult()
        )

    let start (models: (string * string) list) : Service =
        startWith (AccessRules([], null)) models

    /// What a browser asks for when its reader follows a link.
    let visit (service: Service) (path: string) : HttpResponseMessage =
        let request = new HttpRequestMessage(HttpMethod.Get, path)

        request.Headers.TryAddWithoutValidation("Accept", "text/html,*/*;q=0.8")
        |> ignore

        service.Send request

    let text (response: HttpResponseMessage) : string =
        response.Content.ReadAsStringAsync().Result
