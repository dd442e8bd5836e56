namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Net
open System.Net.Http
open Pipeline.Learning
open Pipeline.Serving
open Xunit

/// What all pages have in common.
module PageTests =
    let private token = String('t', 40)

    let private rows (scratch: Scratch) =
        let path = scratch.Sub "rows.safetensors"
        Serving.write path (Serving.ofRows 1UL: Model<float32>)
        [ "rows", path ]

    let private header (name: string) (response: HttpResponseMessage) : string =
        if response.Headers.Contains name then
            response.Headers.GetValues name |> String.concat ","
        else
            ""

    [<Fact>]
    let ``every answer confines what a page can do`` () =
        use scratch = new Scratch()
        use service = Pages.start (rows scratch)
        let get path = Pages.visit service path

        /// A browser's own form for an endpoint of programs: it is refused by a page.
        let post (path: string) =
            use request = new HttpRequestMessage(HttpMethod.Post, path)
            request.Headers.Accept.ParseAdd "text/html"
            request.Content <- new StringContent("a=1")
            service.Send request

        for response in
            [
                get "/try"
                get "/try/rows"
                get "/try/none"
                get "/none"
                get "/assets/app.css"
                get "/models"
                get "/v2"
                post "/models/none/predict"
            ] do
            let policy = header "Content-Security-Policy" response

            Assert.Equal<string>(
                [
                    "base-uri 'none'"
                    "connect-src 'self'"
                    "default-src 'none'"
                    "form-action 'self'"
                    "frame-ancestors 'none'"
                    "img-src 'self' data:"
                    "require-trusted-types-for 'script'"
                    "script-src 'self'"
                    "style-src 'self'"
                    "trusted-types 'none'"
                ],
                policy.Split "; " |> Array.sort
            )

            Assert.Equal("nosniff", header "X-Content-Type-Options" response)
            Assert.Equal("same-origin", header "Referrer-Policy" response)
            Assert.Equal("same-origin", header "Cross-Origin-Opener-Policy" response)
            Assert.Equal("same-origin", header "Cross-Origin-Resource-Policy" response)

    [<Fact>]
    let ``problems are pages for browsers and JSON for programs`` () =
        use scratch = new Scratch()
        use service = Pages.start (rows scratch)

        for path in [ "/try/none"; "/none" ] do
            let page = Pages.visit service path
            Assert.Equal(HttpStatusCode.NotFound, page.StatusCode)
            Assert.Equal("text/html", (nonNull page.Content.Headers.ContentType).MediaType)
            Assert.Contains("none", Pages.text page)
            service.Get path |> Serving.refused 404 [ "none" ]

        // A text of the request stays text.
        let page =
            Pages.text (Pages.visit service "/try/%3Cimg%20src=x%20onerror=alert(1)%3E")

        Assert.DoesNotContain("<img", page)
        Assert.Contains("&lt;img src=x onerror=alert(1)&gt;", page)

    [<Fact>]
    let ``a service without models says so`` () =
        use service = Pages.start []
        Assert.Contains("without a model", Pages.text (Pages.visit service "/try"))
        service.Get "/try/rows" |> Serving.refused 404 [ "none"; "'rows'" ]
        Assert.Equal(HttpStatusCode.OK, (service.Get "/models").StatusCode)

    [<Fact>]
    let ``browsers keep styles and scripts until they change`` () =
        use scratch = new Scratch()
        use service = Pages.start (rows scratch)
        let first = service.Get "/assets/app.css"
        Assert.Equal("text/css", (nonNull first.Content.Headers.ContentType).MediaType)
        let request = new HttpRequestMessage(HttpMethod.Get, "/assets/app.css")
        request.Headers.IfNoneMatch.Add(nonNull first.Headers.ETag)
        let second = service.Send request
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode)
        Assert.Empty(Serving.bytes second)

    /// A client that keeps no cookies of its own accord and follows no redirection.
    let private plain (service: Service) =
        new HttpClient(
            new HttpClientHandler(UseCookies = false, AllowAutoRedirect = false),
            BaseAddress = Uri service.Address
        )

    let private send
        (client: HttpClient)
        (verb: HttpMethod)
        (path: string)
        (headers: (string * string) list)
        (form: (string * string) list)
        : HttpResponseMessage =
        let request = new HttpRequestMessage(verb, path)

        if verb = HttpMethod.Post then
            request.Content <-
                new FormUrlEncodedContent([ for name, value in form -> KeyValuePair(name, value) ])

        for name, value in headers do
            request.Headers.TryAddWithoutValidation(name, value) |> ignore

        client.SendAsync(request).GetAwaiter().GetResult()

    [<Fact>]
    let ``a browser signs in with the token, stays signed in, and signs out`` () =
        use scratch = new Scratch()
        use service = Pages.startWith (AccessRules([], token)) (rows scratch)
        use client = plain service
        let html = "Accept", "text/html"

        let get path headers =
            send client HttpMethod.Get path (html :: headers) []

        let signIn (said: string) (back: string) =
            send client HttpMethod.Post "/sign-in" [ html ] [ "token", said; "back", back ]

        let asked = get "/try/rows?a=b" []
        Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode)
        Assert.Contains("value=\"/try/rows?a=b\"", Pages.text asked)
        // Programs are told in JSON, and send the token itself.
        send client HttpMethod.Get "/try" [] [] |> Serving.refused 401 [ "Bearer" ]
        let programs = get "/try" [ "Authorization", $"Bearer {token}" ]
        Assert.Equal(HttpStatusCode.OK, programs.StatusCode)
        Assert.DoesNotContain("Sign out", Pages.text programs)

        for wrong in [ ""; "x"; token + "t"; token.ToUpperInvariant() ] do
            let refused = signIn wrong "/try"
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode)
            Assert.Equal("", header "Set-Cookie" refused)
            Assert.Contains("Serve:TokenFile, found another", Pages.text refused)

        let entered = signIn token "/try/rows?a=b"
        Assert.Equal(HttpStatusCode.SeeOther, entered.StatusCode)
        Assert.Equal("/try/rows?a=b", header "Location" entered)
        let cookie = header "Set-Cookie" entered
        Assert.Contains("httponly", cookie)
        Assert.Contains("samesite=strict", cookie)
        Assert.Contains("path=/", cookie)
        Assert.DoesNotContain(token, cookie)
        let pair = cookie.Split(';')[0]
        let inside = get "/try/rows" [ "Cookie", pair ]
        Assert.Equal(HttpStatusCode.OK, inside.StatusCode)
        Assert.Contains("Sign out", Pages.text inside)
        Assert.Equal(HttpStatusCode.OK, (get "/models" [ "Cookie", pair ]).StatusCode)
        // It is not the cookie of a service with another token.
        use other = Pages.startWith (AccessRules([], token + "2")) (rows scratch)
        use client2 = plain other

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (send client2 HttpMethod.Get "/try" [ html; "Cookie", pair ] []).StatusCode
        )

        // Another service of the same token, as after a restart, knows it.
        use again = Pages.startWith (AccessRules([], token)) (rows scratch)
        use client3 = plain again

        Assert.Equal(
            HttpStatusCode.OK,
            (send client3 HttpMethod.Get "/try" [ html; "Cookie", pair ] []).StatusCode
        )

        let name = pair.Split('=')[0]

        for forged in [ ""; "x"; token ] do
            let refused = get "/try" [ "Cookie", $"{name}={forged}" ]
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode)

        let left = send client HttpMethod.Post "/sign-out" [ html; "Cookie", pair ] []
        Assert.StartsWith($"{name}=; expires=Thu, 01 Jan 1970", header "Set-Cookie" left)

        // Nobody is sent elsewhere.
        for elsewhere in
            [ "//evil.example"; "/\\evil.example"; "http://evil.example"; ""; "/a\r\nb: c" ] do
            Assert.Equal("/", header "Location" (signIn token elsewhere))

        // A page of another origin signs nobody in.
        let foreign =
            send client HttpMethod.Post "/sign-in" [ "Origin", "http://evil.example" ] [
                "token", token
            ]

        Serving.refused 403 [ "another origin" ] foreign

        let body = new StringContent(String('a', 100_000))
        body.Headers.ContentType <- Headers.MediaTypeHeaderValue "application/x-www-form-urlencoded"
        let long = client.PostAsync("/sign-in", body).GetAwaiter().GetResult()
        Serving.refused 400 [] long

        let other =
            client.PostAsync("/sign-in", new StringContent "token").GetAwaiter().GetResult()

        Serving.refused 415 [ "application/x-www-form-urlencoded" ] other
        // Styles are open: the page that asks for the token needs them.
        Assert.Equal(HttpStatusCode.OK, (get "/assets/app.css" []).StatusCode)
