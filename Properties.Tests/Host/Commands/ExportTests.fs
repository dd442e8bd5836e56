namespace Pipeline.Properties.Host

open System
open System.IO
open Pipeline.Learning
open Pipeline.Learning.Formats
open Pipeline.Learning.Laws
open Pipeline.Properties
open Pipeline.Training
open Xunit

/// Models in files of other formats, read by programs of others.
module ExportTests =
    let private network: Network<float> =
        Network.initialise
            Initialiser.XavierNormal
            7UL
            (Architecture.dense Activation.Relu [ 5; 4; 3; 2 ])

    let private single: Network<float32> = Network.convert network

    /// A Python program that prints W1, b1, … with their types, shapes and bytes, from what `load` gives.
    let private script (load: string) =
        "import json, sys, numpy as np\n"
        + load
        + "for name in sorted(t):\n"
        + "    a = np.ascontiguousarray(t[name])\n"
        + "    print(name, a.dtype.str, list(a.shape), a.tobytes().hex())\n"

    /// The format as its own description has it, and the numbers by NumPy.
    let private readSafetensors =
        script (
            "b = open(sys.argv[1], 'rb').read()\n"
            + "n = int.from_bytes(b[:8], 'little')\n"
            + "h = json.loads(b[8:8 + n])\n"
            + "types = {'F32': '<f4', 'F64': '<f8'}\n"
            + "t = {}\n"
            + "for name, e in h.items():\n"
            + "    if name == '__metadata__': continue\n"
            + "    first, end = e['data_offsets']\n"
            + "    t[name] = np.frombuffer(b[8 + n + first:8 + n + end], types[e['dtype']]).reshape(e['shape'])\n"
        )

    let private readNpz =
        script "z = np.load(sys.argv[1])\nt = {n: z[n] for n in z.files if n != 'metadata'}\n"

    /// What that program should print.
    let private expected (network: Network<'T>) =
        Model.toTensors (Model.ofNetwork network)
        |> _.Tensors
        |> List.sortBy _.Name
        |> List.map (fun tensor ->
            let shape = tensor.Shape |> List.map string |> String.concat ", "
            let kind = if Tensor.typeName tensor = "F32" then "<f4" else "<f8"
            let bytes = Convert.ToHexStringLower(Tensor.toBytes tensor)
            $"{tensor.Name} {kind} [{shape}] {bytes}")

    let private holds (read: string) (bytes: byte[]) (expected: string list) =
        use scratch = new Scratch()
        let path = scratch.Sub "model"
        File.WriteAllBytes(path, bytes)

        let ended =
            Tools.run (Tools.python "numpy").Value [ "-c"; read; path ] |> Option.get

        Assert.Equal("", ended.Errors)

        Assert.Equal<string>(
            expected,
            ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            |> Array.map _.TrimEnd()
        )

    [<FactWithPython("numpy")>]
    let ``safetensors files are read by an independent reader, bit for bit`` () =
        holds readSafetensors (Safetensors.write (Model.ofNetwork network)) (expected network)
        holds readSafetensors (Safetensors.write (Model.ofNetwork single)) (expected single)

    [<FactWithPython("numpy")>]
    let ``NPZ archives are read by NumPy, bit for bit`` () =
        let npz network =
            NpzFile.Write(Npz.toArrays (Model.toTensors (Model.ofNetwork network)))

        holds readNpz (npz network) (expected network)

        holds
            readNpz
            (NpzFile.Write(Npz.toArrays (Model.toTensors (Model.ofNetwork single))))
            (expected single)

    [<FactWithPython("numpy")>]
    let ``arrays that NumPy writes are read, compressed or not, whatever their order`` () =
        use scratch = new Scratch()

        for save in [ "savez"; "savez_compressed" ] do
            let path = scratch.Sub $"{save}.npz"

            let script =
                "import sys, numpy as np\n"
                + "a = np.arange(6).reshape(2, 3)\n"
                + $"np.{save}(sys.argv[1], i8=a, f4=a.astype('f4'), f8=a / 4, u1=a.astype('u1'),"
                + " big=a.astype('>i4'), turned=np.asfortranarray(a), half=a.astype('f2'),"
                + " truth=a > 2, one=np.float64(7))"

            let ended =
                Tools.run (Tools.python "numpy").Value [ "-c"; script; path ] |> Option.get

            Assert.Equal("", ended.Errors)
            let arrays = NpzFile.Parse(ReadOnlyMemory(File.ReadAllBytes path), 10_000L, path)

            let numbers name =
                arrays |> Seq.find (fun array -> array.Name = name) |> Tensor.toDoubles

            for name in [ "i8"; "f4"; "u1"; "big"; "turned"; "half" ] do
                Assert.Equal<float>([| 0.0 .. 5.0 |], numbers name)

            Assert.Equal<float>([| 0.0; 0.25; 0.5; 0.75; 1.0; 1.25 |], numbers "f8")
            Assert.Equal<float>([| 0.0; 0.0; 0.0; 1.0; 1.0; 1.0 |], numbers "truth")
            Assert.Equal<float>([| 7.0 |], numbers "one")

    [<Law>]
    let ``an archive's model is the model it was made of`` (Trainable(network, _)) =
        let model = {
            Model.ofNetwork network with
                Notes = [ "seed", "1" ]
                Classes = [ for k in 1 .. network.Architecture.Outputs -> $"{k}" ]
        }

        let arrays =
            NpzFile.Parse(
                ReadOnlyMemory(NpzFile.Write(Npz.toArrays (Model.toTensors model))),
                1_000_000L,
                "x"
            )

        let back: Model<float> =
            Npz.ofArrays arrays
            |> Result.bind (Model.ofTensors ModelDefaults.None)
            |> orFail

        Exactly.equal model.Notes back.Notes
        Exactly.equal model.Classes back.Classes
        Exactly.bits (flat network.Parameters) (flat back.Network.Parameters)

    [<Fact>]
    let ``a run is exported in every format, and read back`` () =
        use scratch = new Scratch()
        Assert.Equal(0, (Given.host (Given.options scratch [])).ExitCode)
        let folder = Assert.Single(Given.runs scratch)
        let original = ModelFile.Read(folder).ModelOf<float32>()

        for format in [ "onnx"; "npz"; "safetensors" ] do
            let path = scratch.Sub $"model.{format}"
            let ended = Given.host [ "export"; folder; "--to"; format; "--output"; path ]
            Assert.Equal("", ended.Errors)
            Assert.Equal(0, ended.ExitCode)
            Assert.Contains($"16-8-10 as {format}", ended.Output)

            if format <> "onnx" then
                let back = ModelFile.Read(path).ModelOf<float32>()
                Exactly.bits (flat original.Network.Parameters) (flat back.Network.Parameters)
                Exactly.equal original.Classes back.Classes
                Exactly.equal original.Preprocessing back.Preprocessing
                Exactly.equal original.Notes back.Notes

        for arguments, says in
            [
                [ scratch.Sub "none"; "--output"; "x.onnx" ], "a file that can be read"
                for output, found in
                    [ "x.doc", "'x.doc'"; "m", "'m'"; "in.onnx/", "'in.onnx/'"; "", "nothing" ] do
                    [ folder; "--output"; output ],
                    $"--output: expected a file that ends in .onnx, .safetensors or .npz, or its format (--to), found {found}."
                [ folder; "--output"; scratch.Path ], $"found a folder, {scratch.Path}."
                [ scratch.Sub "model.onnx"; "--output"; "x.npz" ], "or a .safetensors or .npz file"
            ] do
            let ended = Given.host ("export" :: arguments)
            Assert.Equal(2, ended.ExitCode)
            Assert.Contains(says, ended.Errors)
