namespace Pipeline.Learning.Formats

open System
open System.Text
open System.Text.Json
open Pipeline.Learning

/// <summary>A file of tensors as NumPy's archives hold one: arrays alone, the metadata among them as the
/// bytes of a JSON object.</summary>
[<RequireQualifiedAccess>]
module Npz =
    /// The array that holds the metadata.
    let private metadataName = "metadata"

    /// <summary>The arrays of an archive.</summary>
    [<CompiledName("ToArrays")>]
    let toArrays (file: TensorFile) : Tensor list =
        let json =
            Preprocessing.json (fun json ->
                json.WriteStartObject()

                for name, text in file.Metadata do
                    json.WriteString(name, text)

                json.WriteEndObject())

        let bytes = Encoding.UTF8.GetBytes json

        file.Tensors
        @ [
            {
                Name = metadataName
                Shape = [ bytes.Length ]
                Elements = Elements.Bytes(ReadOnlyMemory bytes)
            }
        ]

    let private texts (root: JsonElement) : (string * string) list option =
        if root.ValueKind <> JsonValueKind.Object then
            None
        else
            Some [
                for property in root.EnumerateObject() do
                    match property.Value.GetString() with
                    | null -> ()
                    | text -> property.Name, text
            ]

    /// <summary>The file that an archive's arrays make; one without metadata has none.</summary>
    [<CompiledName("OfArrays")>]
    let ofArrays (arrays: Tensor seq) : Result<TensorFile, Fault list> =
        let metadata, tensors =
            List.ofSeq arrays |> List.partition (fun tensor -> tensor.Name = metadataName)

        let read =
            match metadata with
            | [ { Elements = Elements.Bytes bytes } ] ->
                Preprocessing.ofJsonWith texts (Encoding.UTF8.GetString bytes.Span)
            | [] -> Some []
            | _ -> None

        match read with
        | Some metadata ->
            Ok {
                Metadata = metadata
                Tensors = tensors
            }
        | None ->
            Error [
                Fault.create metadataName "the bytes of a JSON object of texts" "something else"
            ]
