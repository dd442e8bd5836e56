namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Text.Json
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Hosting
open Xunit
open FsCheck
open FsCheck.FSharp
open Pipeline.Learning
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training

/// A folder beside others in Run:Directory.
[<RequireQualifiedAccess>]
type private Beside =
    /// A run of this service that has come to its end.
    | Finished
    | Diverged
    | Unfinished
    /// Finished, and resumed by another process at this moment.
    | Held
    /// The run of the model in use.
    | InUse
    /// The last run that was considered.
    | Considered
    /// Of a run in mode Once.
    | OfPerson
    /// With a file that no run leaves.
    | WithNotes
    /// With such a file among the checkpoints, or a folder.
    | WithFolder
    /// Of a service with another Run:Directory, copied here.
    | OfAnother
    /// Without a name that begins with a time.
    | Renamed
    | Damaged

/// Which run folders mode Watch deletes.
module RetentionTests =
    let private services (settings: (string * string) list) =
        let values = Dictionary<string, string>()

        for key, value in settings do
            values[$"Pipeline:{key}"] <- value

        (ServiceRegistration.CreateTrainingBuilder(CommandLineSettings values).Build()).Services

    let private kinds: Gen<Beside list> =
        Gen.frequency [
            4, Gen.constant Beside.Finished
            1, Gen.constant Beside.Diverged
            1, Gen.constant Beside.Unfinished
            1, Gen.constant Beside.Held
            1, Gen.constant Beside.InUse
            1, Gen.constant Beside.Considered
            1, Gen.constant Beside.OfPerson
            1, Gen.constant Beside.WithNotes
            1, Gen.constant Beside.WithFolder
            1, Gen.constant Beside.OfAnother
            1, Gen.constant Beside.Renamed
            1, Gen.constant Beside.Damaged
        ]
        |> Gen.listOf
        |> Gen.map (List.truncate 12)

    /// Makes the folders, oldest first, and gives their paths.
    let private make (scratch: Scratch) (directory: string) (folders: Beside list) =
        let planOf mode directory =
            (services [ "Run:Mode", mode; "Run:Directory", directory ])
                .GetRequiredService<RunConfiguration>()

        let own = planOf "Watch" directory
        let once = planOf "Once" directory
        let another = planOf "Watch" (scratch.Sub "elsewhere")
        let clock = StandingClock()

        [
            for folder in folders do
                clock.Move(TimeSpan.FromSeconds 1.0)

                let plan =
                    match folder with
                    | Beside.OfPerson -> once
                    | Beside.OfAnother -> another
                    | _ -> own

                let files = DiskFiles()

                let made =
                    RunFolder.Create(
                        files,
                        own,
                        own.ArchitectureFor(Shape.Vector 4, 3, Preprocessing.Numbers),
                        clock
                    )

                made.WriteSettings(plan, Dictionary<string, string>(), Cadence.Automatic, null)
                made.Logs.Continue null

                let write (name: string) (text: string) =
                    File.WriteAllText(Path.Combine(made.Path, name), text)

                for name in
                    [
                        "model.safetensors"
                        "curves.svg"
                        "evaluation.html"
                        "events.out.tfevents.1.pipeline"
                        "checkpoints/000000007.safetensors"
                        "checkpoints/000000007.json"
                        "checkpoints/000000009.safetensors.tmp"
                    ] do
                    write name "something"

                let outcome = if folder = Beside.Diverged then "diverged" else "completed"

                if folder <> Beside.Unfinished then
                    write "summary.json" $"""{{"outcome": "{outcome}"}}"""

                match folder with
                | Beside.WithNotes -> write "notes.txt" "mine"
                | Beside.WithFolder ->
                    Directory.CreateDirectory(Path.Combine(made.Checkpoints, "mine")) |> ignore
                | Beside.Damaged -> write "settings.json" "{"
                | _ -> ()

                if folder <> Beside.Held then
                    made.Dispose()

                if folder = Beside.Renamed then
                    let renamed = Path.Combine(directory, $"best-{Path.GetFileName made.Path}")
                    Directory.Move(made.Path, renamed)
                    folder, renamed, made
                else
                    folder, made.Path, made
        ]

    /// Says which runs the record of the model in use names, if it names some.
    let private record (directory: string) made : string list =
        let last kind =
            made
            |> List.filter (fun (folder, _, _) -> folder = kind)
            |> List.tryLast
            |> Option.map (fun (_, path, _) -> path)

        let named = List.choose last [ Beside.InUse; Beside.Considered ]

        match named with
        | [] -> ()
        | _ ->
            let said = {|
                run = List.head named
                iteration = 7
                loss = 0.5
                accuracy = 0.9
                considered = List.last named
            |}

            File.WriteAllText(Path.Combine(directory, "model.json"), JsonSerializer.Serialize said)

        named

    [<Law(MaxTest = 30)>]
    let ``the oldest finished runs of the service are deleted, and nothing else``
        (NonNegativeInt kept)
        =
        Prop.forAll (Arb.fromGen kinds) (fun folders ->
            let kept = kept % 5
            use scratch = new Scratch()
            let directory = scratch.Sub "runs"
            let made = make scratch directory folders

            let services =
                services [ "Run:Mode", "Watch"; "Run:Directory", directory; "Run:Kept", $"{kept}" ]

            Directory.CreateDirectory directory |> ignore
            let named = record directory made
            services.GetRequiredService<RunRetention>().Apply()

            // Which are finished runs of this service, newest first.
            let finished =
                made
                |> List.filter (fun (folder, _, _) ->
                    match folder with
                    | Beside.Unfinished
                    | Beside.OfPerson
                    | Beside.OfAnother
                    | Beside.Renamed
                    | Beside.Damaged -> false
                    | _ -> true)
                |> List.rev

            let deleted =
                (if kept = 0 then
                     []
                 else
                     List.skip (min kept finished.Length) finished)
                |> List.filter (fun (folder, path, _) ->
                    match folder with
                    | Beside.Held
                    | Beside.WithNotes
                    | Beside.WithFolder -> false
                    | _ -> not (List.contains path named))
                |> List.map (fun (_, path, _) -> path)

            for _, path, folder in made do
                folder.Dispose()
                Assert.Equal(List.contains path deleted, not (Directory.Exists path))

            Assert.Empty(Directory.GetDirectories(directory, ".deleted-*")))

    [<FactOnUnix>]
    let ``a link to a run elsewhere is left, and a deletion that was cut off is finished`` () =
        use scratch = new Scratch()
        let directory = scratch.Sub "runs"

        let made =
            make scratch directory [ Beside.Finished; Beside.Finished; Beside.Finished ]

        let paths = made |> List.map (fun (_, path, _) -> path)
        // As if it lay on another disk.
        let elsewhere = scratch.Sub "elsewhere"
        Directory.Move(paths[0], elsewhere)
        Directory.CreateSymbolicLink(paths[0], elsewhere) |> ignore

        Directory.Move(paths[1], Path.Combine(directory, $".deleted-{Path.GetFileName paths[1]}"))

        (services [ "Run:Mode", "Watch"; "Run:Directory", directory; "Run:Kept", "1" ])
            .GetRequiredService<RunRetention>()
            .Apply()

        Assert.Equal<string>(
            List.sort [ paths[0]; paths[2] ],
            Directory.GetDirectories directory |> Array.sort
        )

        Assert.True(File.Exists(Path.Combine(elsewhere, "settings.json")))
