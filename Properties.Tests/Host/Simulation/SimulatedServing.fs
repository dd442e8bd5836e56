namespace Pipeline.Properties.Host

open System
open System.Collections.Generic
open System.IO
open System.Security.Cryptography
open System.Threading.Tasks
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Serving
open Pipeline.Training

/// <summary>A model that a program publishes again and again, and a service beside it that looks at the file at any
/// time, between any two calls of the program.</summary>
/// <param name="folder">A folder for the files of all simulations, one after the other.</param>
/// <param name="isHonest">Whether the disk keeps what it says it has flushed, and no bit changes.</param>
type SimulatedServing(folder: string, isHonest: bool) =
    inherit Simulation(Path.Combine(folder, "published"), isHonest)

    let root = Path.Combine(folder, "published")
    let path = Path.Combine(root, "model.safetensors")
    do Directory.CreateDirectory root |> ignore

    let models =
        [| 1UL .. 6UL |]
        |> Array.map (fun seed -> Safetensors.write (Serving.ofNumbers seed: Model<float32>))

    let mutable number =
        models
        |> Array.mapi (fun i model -> Convert.ToHexStringLower(SHA256.HashData model), i)
        |> Map.ofArray

    // The numbers of the last model that the program has begun to publish, and of the last one that is safe.
    let mutable begun = -1
    let mutable safe = -1
    let mutable simulated: (SimulatedDisk * SimulatedFaults) option = None
    let mutable served: ServedModel option = None

    // The number of the last model that the service has answered with.
    let mutable newest = -1

    // Whether the service may fail to read its file, and whether it has.
    let mutable mayFail = true
    let mutable hasFailed = false

    let mutable hasLostPower = false

    let disk () = fst simulated.Value

    /// The time of day beyond the end of a process.
    let clock = {
        new TimeProvider() with
            override _.GetUtcNow() = disk().Clock.GetUtcNow()
    }

    let readFaults _ (_: string) : CallFault option =
        if mayFail && (snd simulated.Value).Occurs "Read" then
            hasFailed <- true
            Some(CallFault.Fail(IOException("Input/output error", 5), 0.0))
        else
            None

    /// The number of the model in the file, of which a bit may have changed that no answer depends on.
    let numberOf (sha256: string) : int option =
        let bytes = File.ReadAllBytes path

        if not isHonest && Convert.ToHexStringLower(SHA256.HashData bytes) = sha256 then
            let tensors = Simulation.TensorsOf bytes
            models |> Array.tryFindIndex (fun model -> Simulation.TensorsOf model = tensors)
        else
            None

    /// The number of the model that the service answers with.
    let answers (service: ServedModel) : int =
        match
            Map.tryFind service.Sha256 number
            |> Option.orElseWith (fun () -> numberOf service.Sha256)
        with
        | Some i ->
            number <- Map.add service.Sha256 i number
            i
        | None -> raise (Broken "the service answers with half a model")

    let look () =
        match served with
        | Some service -> service.Refresh() |> ignore
        | None ->
            try
                served <- Some(ServedModel("model", path, disk().Open readFaults, clock))
            with :? RefusedException as refused ->
                Simulation.Require(
                    String.concat " " refused.Reasons,
                    hasFailed || not isHonest || not (File.Exists path)
                )

        match served with
        | Some service ->
            let now = answers service
            Simulation.Require($"model {now} after model {newest}", now >= newest)
            Simulation.Require($"model {now} was not published", now <= begun)
            newest <- now

            Simulation.Require(
                string service.Fault,
                isNull service.Fault || hasFailed || not isHonest
            )
        | None -> ()

    override _.Begin() =
        begun <- -1
        safe <- -1
        served <- None
        newest <- -1
        mayFail <- true
        hasFailed <- false
        hasLostPower <- false

    override _.Attach(disk, faults) = simulated <- Some(disk, faults)
    override _.Watch files = files

    /// The program publishes the models that are not safe yet.
    override _.Run start =
        let log = List<string>()

        let main () : Task<Outcome> = task {
            for i in safe + 1 .. models.Length - 1 do
                start.Stop.Token.ThrowIfCancellationRequested()
                begun <- max begun i
                AtomicFile.WriteTo(start.Files, OutputTarget.Of path, ReadOnlySpan models[i])
                safe <- i
                start.Stepped(int64 i)

            return Outcome.Completed
        }

        let code = Simulation.RunToEnd(start, log, ignore, main)
        code, List.ofSeq log

    override _.Beside start =
        if start.Random.Next 2 = 0 then
            look ()

    /// The service is gone, too.
    override _.LosePower() =
        served <- None
        newest <- -1
        hasLostPower <- true

    override _.CheckEnd _ = ()

    override _.CheckFiles() =
        if File.Exists path then
            mayFail <- false
            hasFailed <- false
            look ()
            mayFail <- true

            match served with
            | Some service ->
                let hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes path))

                Simulation.Require(
                    "the service answers with another model",
                    (service.Sha256 = hash || not isHonest)
                )
            | None -> Simulation.Require("the service does not start", not isHonest)

        // A disk that lies may have lost models that seemed safe.
        if hasLostPower && not isHonest then
            safe <- newest

        hasLostPower <- false

        if isHonest && safe >= 0 then
            Simulation.Require(
                $"model {safe} was safe",
                served |> Option.exists (fun service -> answers service >= safe)
            )

    override _.IsLast ended = ended.Code = 0
    override _.MayRot _ = false

    override _.CheckLast isRefused =
        Simulation.Require("not all models are published", isRefused || newest = models.Length - 1)
