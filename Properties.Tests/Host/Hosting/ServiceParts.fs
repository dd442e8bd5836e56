namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.Diagnostics
open System.Diagnostics.Metrics
open System.IO
open System.Net
open System.Net.Http
open System.Net.Sockets
open System.Text
open System.Text.Json
open System.Threading
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Pipeline.Learning
open Microsoft.Extensions.Logging
open Pipeline.Training
open Spectre.Console
open Xunit

/// What the tests of the service share.
module ServiceParts =
    let services (settings: (string * string) list) =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        (ServiceRegistration.CreateTrainingBuilder(CommandLineSettings values).Build()).Services

    let freePort () =
        let listener = new TcpListener(IPAddress.Loopback, 0)
        listener.Start()
        let port = (listener.LocalEndpoint :?> IPEndPoint).Port
        listener.Stop()
        port

    let waitUntil (what: string) (condition: unit -> bool) =
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes 1.0), what)
