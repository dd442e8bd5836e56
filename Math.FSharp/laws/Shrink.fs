namespace Pipeline.Learning.Laws

open System
open MathNet.Numerics.LinearAlgebra
open Pipeline.Learning

/// Simpler values than a counterexample, to look for a smaller one among. Each is smaller by count of
/// cells, or by their digits, so that shrinking ends; no value has more than <c>MaximumCandidates</c>.
[<RequireQualifiedAccess>]
module Shrink =
    /// The most candidates of one value.
    [<Literal>]
    let MaximumCandidates = 60

    /// <summary>0, then the whole part.</summary>
    [<CompiledName("Number")>]
    let number (x: float) : float seq =
        let whole = Math.Truncate x

        seq {
            if x <> 0.0 then
                0.0

            if whole <> x && whole <> 0.0 && Double.IsFinite x then
                whole
        }

    /// The same cells, one of them simpler; first all of them whole.
    let private simplerCells (cells: float[]) : float[] seq = seq {
        let whole = cells |> Array.map Math.Truncate

        if whole <> cells then
            whole

        for i in 0 .. cells.Length - 1 do
            for simpler in number cells[i] do
                let changed = Array.copy cells
                changed[i] <- simpler
                changed
    }

    let private simpler (m: Matrix<float>) : Matrix<float> seq =
        simplerCells (m.ToColumnMajorArray())
        |> Seq.map (fun cells -> Matrix<float>.Build.Dense(m.RowCount, m.ColumnCount, cells))

    let private simplerVector (v: Vector<float>) : Vector<float> seq =
        simplerCells (v.ToArray()) |> Seq.map Vector<float>.Build.Dense

    let private withoutElement (i: int) (v: Vector<float>) : Vector<float> =
        v.ToArray() |> Array.removeAt i |> Vector<float>.Build.Dense

    /// <summary>Matrices of one shape: without one of the rows, if more than so many are left, without
    /// one of the columns, or with simpler cells.</summary>
    /// <param name="fewestRows">Rows to keep.</param>
    /// <param name="matrices">Of one shape.</param>
    [<CompiledName("Matrices")>]
    let matrices (fewestRows: int) (matrices: Matrix<float> list) : Matrix<float> list seq =
        let first = List.head matrices

        seq {
            if first.ColumnCount > 1 then
                for s in 0 .. first.ColumnCount - 1 do
                    matrices |> List.map (fun m -> m.RemoveColumn s)

            if first.RowCount > fewestRows then
                for k in 0 .. first.RowCount - 1 do
                    matrices |> List.map (fun m -> m.RemoveRow k)

            for i, m in List.indexed matrices do
                for simpler in simpler m do
                    List.updateAt i simpler matrices
        }
        |> Seq.truncate MaximumCandidates

    /// <summary>One matrix, in the same way.</summary>
    [<CompiledName("Matrix")>]
    let matrix (fewestRows: int) (m: Matrix<float>) : Matrix<float> seq =
        matrices fewestRows [ m ] |> Seq.map List.head

    /// Logits and what should be said of them: without one of the samples, or with simpler logits.
    let internal beside
        (without: int -> 'A -> 'A)
        (targets: 'A, logits: Matrix<float>)
        : ('A * Matrix<float>) seq = seq {
        if logits.ColumnCount > 1 then
            for s in 0 .. logits.ColumnCount - 1 do
                without s targets, logits.RemoveColumn s

        for simpler in matrix logits.RowCount logits do
            if simpler.ColumnCount = logits.ColumnCount then
                targets, simpler
    }

    let private withoutSample s (batch: MiniBatch<float>) =
        MiniBatch.create
            (batch.Inputs.RemoveColumn s)
            (match batch.Targets with
             | Targets.Labels labels -> Targets.Labels(Array.removeAt s labels)
             | Targets.Columns columns -> Targets.Columns(columns.RemoveColumn s))

    let private layersOf (network: Network<float>) (layers: LayerParameters<float> list) = {
        network with
            Parameters = { Layers = layers }
    }

    /// The network of dense layers and activations without a hidden unit.
    let private withoutUnit l unit (network: Network<float>) =
        let a = network.Architecture
        let layers = network.Parameters.Layers
        let width = layers[l].Weights.RowCount - 1

        // Dense layers and activations take turns.
        match
            Architecture.create a.Head a.Shape (List.updateAt (2 * l) (Layers.dense width) a.Layers)
        with
        | Error _ -> None
        | Ok architecture ->
            Some {
                network with
                    Architecture = architecture
                    Parameters = {
                        Layers =
                            layers
                            |> List.updateAt
                                l
                                (LayerParameters.dense
                                    (layers[l].Weights.RemoveRow unit)
                                    (withoutElement unit layers[l].Biases))
                            |> List.updateAt
                                (l + 1)
                                (LayerParameters.dense
                                    (layers[l + 1].Weights.RemoveColumn unit)
                                    layers[l + 1].Biases)
                    }
            }

    /// Whether the layers are dense ones with activations between them.
    let private takeTurns (network: Network<float>) : bool =
        network.Architecture.Layers
        |> List.indexed
        |> List.forall (fun (i, layer) ->
            if i % 2 = 0 then
                layer.Name.StartsWith("dense ", StringComparison.Ordinal)
            else
                (Activation.parse layer.Name).IsOk)

    /// <summary>A network and a mini-batch: with a sample less, a hidden unit less, or simpler parameters.
    /// Of other layers than dense ones and activations all units stay.</summary>
    /// <param name="fewestSamples">Samples to keep.</param>
    /// <param name="network">The network.</param>
    /// <param name="batch">The mini-batch.</param>
    [<CompiledName("Trainable")>]
    let trainable
        (fewestSamples: int)
        (network: Network<float>)
        (batch: MiniBatch<float>)
        : struct (Network<float> * MiniBatch<float>) seq =
        let layers = network.Parameters.Layers

        seq {
            if batch.Count > fewestSamples then
                for s in 0 .. batch.Count - 1 do
                    struct (network, withoutSample s batch)

            if takeTurns network then
                for l in 0 .. layers.Length - 2 do
                    let units = layers[l].Weights.RowCount

                    if units > 1 then
                        for unit in 0 .. units - 1 do
                            match withoutUnit l unit network with
                            | Some smaller -> struct (smaller, batch)
                            | None -> ()

            for l, layer in List.indexed layers do
                for name, matrix in layer.Matrices do
                    for simpler in simpler matrix do
                        let smaller =
                            List.updateAt l (LayerParameters.withMatrix name simpler layer) layers

                        struct (layersOf network smaller, batch)

                for name, vector in layer.Vectors do
                    for simpler in simplerVector vector do
                        let smaller =
                            List.updateAt l (LayerParameters.withVector name simpler layer) layers

                        struct (layersOf network smaller, batch)
        }
        |> Seq.truncate MaximumCandidates
