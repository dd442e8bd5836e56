namespace Pipeline.Learning.Formats

open System
open Pipeline.Learning

/// A value of Thrift's compact protocol.
[<RequireQualifiedAccess; NoComparison; NoEquality>]
type internal ThriftValue =
    | Flag of bool
    /// Of 8 to 64 bits.
    | Integer of int64
    /// A text, or the eight bytes of a floating-point number.
    | Bytes of ReadOnlyMemory<byte>
    /// A list or a set; of a map the keys and values by turns.
    | Items of ThriftValue[]
    | Fields of ThriftFields

/// The fields of a structure under their numbers.
and internal ThriftFields = Map<int, ThriftValue>

/// <summary>Apache Thrift's compact protocol, in which Parquet describes its contents.</summary>
/// <remarks>More items than bytes are damage, as an item has one byte or more. Lists and structures are nested
/// at most <c>deepest</c> deep, the numbers of fields rise, and a structure has at most <c>most</c> of
/// them. Source: the Thrift compact protocol specification.</remarks>
[<RequireQualifiedAccess>]
module internal Thrift =
    [<Literal>]
    let private deepest = 32

    [<Literal>]
    let private most = 64

    let private flags = [| ThriftValue.Flag false; ThriftValue.Flag true |]

    let rec private value (depth: int) (kind: int) (reader: ByteReader) : ThriftValue =
        match kind with
        | 3 -> ThriftValue.Integer(int64 (sbyte (reader.Byte())))
        | 4
        | 5
        | 6 -> ThriftValue.Integer(reader.Signed())
        | 7 -> ThriftValue.Bytes(reader.Take 8L)
        | 8 -> ThriftValue.Bytes(reader.Take(int64 (reader.Unsigned())))
        | _ when depth >= deepest ->
            damaged (invariant $"lists and structures at most {deepest} deep") "deeper ones"
        | 9
        | 10 ->
            let header = int (reader.Byte())

            let size =
                match header >>> 4 with
                | 15 -> reader.Unsigned()
                | size -> uint64 size

            ThriftValue.Items(items (depth + 1) [ header &&& 15 ] size reader)
        | 11 ->
            match reader.Unsigned() with
            | 0UL -> ThriftValue.Items [||]
            | size ->
                let kinds = int (reader.Byte())
                ThriftValue.Items(items (depth + 1) [ kinds >>> 4; kinds &&& 15 ] size reader)
        | 12 -> ThriftValue.Fields(fields (depth + 1) reader)
        | _ -> damaged "a type of the Thrift protocol" (invariant $"number {kind}")

    and private items depth (kinds: int list) (size: uint64) (reader: ByteReader) =
        if size > uint64 reader.Left then
            damaged (invariant $"{size} items") (invariant $"{reader.Left} bytes")

        [|
            for _ in 1UL .. size do
                for kind in kinds do
                    // A truth value is a byte in a list, and no byte as a field.
                    match kind with
                    | 1
                    | 2 -> flags[if reader.Byte() = 1uy then 1 else 0]
                    | kind -> value depth kind reader
        |]

    and private fields (depth: int) (reader: ByteReader) : ThriftFields =
        let mutable known = Map.empty
        let mutable last = 0
        let mutable header = int (reader.Byte())

        while header <> 0 do
            let number =
                match header >>> 4 with
                | 0 -> int (int16 (reader.Signed()))
                | step -> last + step

            if number <= last || known.Count = most then
                damaged
                    (invariant $"at most {most} fields with rising numbers")
                    (invariant $"{number} after {last}")

            let found =
                match header &&& 15 with
                | 1 -> flags[1]
                | 2 -> flags[0]
                | kind -> value depth kind reader

            known <- Map.add number found known
            last <- number
            header <- int (reader.Byte())

        known

    /// A structure.
    let read (reader: ByteReader) : ThriftFields = fields 0 reader

    let private tryField (pick: ThriftValue -> 'V option) (number: int) (fields: ThriftFields) =
        Map.tryFind number fields |> Option.bind pick

    let private required (what: string) number found =
        match found with
        | Some value -> value
        | None -> damaged $"{what} in field {string number}" "none"

    let private asInteger (value: ThriftValue) : int64 option =
        match value with
        | ThriftValue.Integer integer -> Some integer
        | _ -> None

    let private asFlag (value: ThriftValue) : bool option =
        match value with
        | ThriftValue.Flag flag -> Some flag
        | _ -> None

    let private asText (value: ThriftValue) : string option =
        match value with
        | ThriftValue.Bytes bytes -> Some(Utf8.read bytes)
        | _ -> None

    let private asItems (value: ThriftValue) : ThriftValue[] option =
        match value with
        | ThriftValue.Items items -> Some items
        | _ -> None

    let private asFields (value: ThriftValue) : ThriftFields option =
        match value with
        | ThriftValue.Fields fields -> Some fields
        | _ -> None

    let tryInteger (number: int) (fields: ThriftFields) : int64 option =
        tryField asInteger number fields

    let tryFlag (number: int) (fields: ThriftFields) : bool option = tryField asFlag number fields

    let tryText (number: int) (fields: ThriftFields) : string option = tryField asText number fields

    let tryStructure (number: int) (fields: ThriftFields) : ThriftFields option =
        tryField asFields number fields

    let integer (number: int) (fields: ThriftFields) : int64 =
        tryInteger number fields |> required "a whole number" number

    let text (number: int) (fields: ThriftFields) : string =
        tryText number fields |> required "a text" number

    let structure (number: int) (fields: ThriftFields) : ThriftFields =
        tryStructure number fields |> required "a structure" number

    let private list (number: int) (fields: ThriftFields) : ThriftValue list =
        match tryField asItems number fields with
        | Some items -> List.ofArray items
        | None -> damaged (invariant $"a list in field {number}") "none"

    let structures (number: int) (fields: ThriftFields) : ThriftFields list =
        list number fields
        |> List.map (fun item ->
            match asFields item with
            | Some inner -> inner
            | None -> damaged (invariant $"structures in field {number}") "other items")

    let texts (number: int) (fields: ThriftFields) : string list =
        list number fields |> List.choose asText
