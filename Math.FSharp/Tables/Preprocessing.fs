namespace Pipeline.Learning

open System
open System.Buffers
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open Pipeline.Learning.Formats

/// How a sample is converted before it enters a network.
[<RequireQualifiedAccess>]
type Preprocessing =
    /// Not at all: the numbers are the inputs.
    | Numbers
    /// Bytes of an image, each divided by 255.
    | Pixels of size: ImageSize
    /// Cells of a table's row.
    | Table of TableEncoding

/// Preprocessing as JSON, which model files contain.
[<RequireQualifiedAccess>]
module Preprocessing =
    /// The number of the network's inputs; unknown for plain numbers.
    let internal features (preprocessing: Preprocessing) : int voption =
        match preprocessing with
        | Preprocessing.Numbers -> ValueNone
        | Preprocessing.Pixels size -> ValueSome size.Count
        | Preprocessing.Table encoding -> ValueSome encoding.Features

    /// <summary>The encoding of a table's rows for a model: the one that was fitted to its training rows, or
    /// otherwise one input a column, plain numbers or pixels of 0 to 255.</summary>
    /// <param name="preprocessing">The model's preprocessing.</param>
    /// <param name="rules">How cells are written, if not as in training.</param>
    /// <param name="inputs">The number of the network's inputs.</param>
    /// <param name="table">The rows, with the columns of inputs only unless the model knows them by
    /// name.</param>
    [<CompiledName("EncodingOf")>]
    let encodingOf
        (preprocessing: Preprocessing)
        (rules: CellRules)
        (inputs: int)
        (table: Table)
        : Result<TableEncoding, Fault list> =
        let plain scale =
            Fault.check
                [
                    table.Columns.Length = inputs,
                    Fault.create
                        ""
                        $"""{Counted.text "column" "columns" (int64 inputs)}, one for each input of the model"""
                        (string table.Columns.Length)
                ]
                (fun () -> {
                    Categories = []
                    Format = CellFormat.apply rules CellFormat.Default
                    Numbers =
                        table.Columns
                        |> List.map (fun column -> {
                            Name = column.Name
                            Fill = nan
                            Centre = 0.0
                            Scale = scale
                        })
                })

        match preprocessing with
        | Preprocessing.Table encoding ->
            Ok {
                encoding with
                    Format = CellFormat.apply rules encoding.Format
            }
        | Preprocessing.Numbers -> plain 1.0
        | Preprocessing.Pixels _ -> plain 255.0

    /// Quotes inside texts stay readable: these files are not web pages.
    let internal readable = JavaScriptEncoder.UnsafeRelaxedJsonEscaping

    let internal json (write: Utf8JsonWriter -> unit) : string =
        let buffer = ArrayBufferWriter<byte>()
        use json = new Utf8JsonWriter(buffer, JsonWriterOptions(Encoder = readable))
        write json
        json.Flush()
        Encoding.UTF8.GetString buffer.WrittenSpan

    /// JSON has no NaN.
    let private writeNumber (json: Utf8JsonWriter) (name: string) (number: float) : unit =
        if Double.IsNaN number then
            json.WriteNull name
        else
            json.WriteNumber(name, number)

    let private writeFormat (json: Utf8JsonWriter) (format: CellFormat) : unit =
        json.WriteStartObject "cells"
        json.WriteStartArray "missing"

        for marker in format.MissingValues do
            json.WriteStringValue marker

        json.WriteEndArray()
        json.WriteString("decimal", string format.DecimalSeparator)

        match format.ThousandsSeparator with
        | ValueSome separator -> json.WriteString("thousands", string separator)
        | ValueNone -> json.WriteNull "thousands"

        json.WriteEndObject()

    /// <summary>The preprocessing as JSON.</summary>
    let internal toJson (preprocessing: Preprocessing) : string =
        json (fun json ->
            json.WriteStartObject()

            match preprocessing with
            | Preprocessing.Numbers -> json.WriteString("kind", "numbers")
            | Preprocessing.Pixels size ->
                json.WriteString("kind", "pixels")

                // Earlier versions have grey images only and do not write it.
                if size.Channels <> 1 then
                    json.WriteNumber("channels", size.Channels)

                json.WriteNumber("rows", size.Rows)
                json.WriteNumber("columns", size.Columns)
            | Preprocessing.Table encoding ->
                json.WriteString("kind", "table")
                json.WriteStartArray "numbers"

                for column in encoding.Numbers do
                    json.WriteStartObject()
                    json.WriteString("name", column.Name)
                    writeNumber json "fill" column.Fill
                    json.WriteNumber("centre", column.Centre)
                    json.WriteNumber("scale", column.Scale)
                    json.WriteEndObject()

                json.WriteEndArray()
                json.WriteStartArray "categories"

                for column in encoding.Categories do
                    json.WriteStartObject()
                    json.WriteString("name", column.Name)
                    json.WriteString("fill", column.Fill)
                    json.WriteStartArray "values"

                    for value in column.Values do
                        json.WriteStringValue value

                    json.WriteEndArray()
                    json.WriteEndObject()

                json.WriteEndArray()

                // Earlier versions have the usual format only and do not write it.
                if encoding.Format <> CellFormat.Default then
                    writeFormat json encoding.Format

            json.WriteEndObject())

    let private text (element: JsonElement) : string =
        match element.GetString() with
        | null -> raise (FormatException())
        | text -> text

    let private numberColumn (json: JsonElement) : NumberColumn =
        let number (name: string) =
            let value = json.GetProperty name

            if value.ValueKind = JsonValueKind.Null then
                nan
            else
                value.GetDouble()

        let column = {
            NumberColumn.Name = text (json.GetProperty "name")
            Fill = number "fill"
            Centre = number "centre"
            Scale = number "scale"
        }

        if
            Double.IsInfinity column.Fill
            || not (Double.IsFinite column.Centre)
            || not (Double.IsFinite column.Scale)
            || column.Scale = 0.0
        then
            raise (FormatException())

        column

    let private categoryColumn (json: JsonElement) : CategoryColumn =
        let column = {
            CategoryColumn.Name = text (json.GetProperty "name")
            Fill = text (json.GetProperty "fill")
            Values = [ for value in json.GetProperty("values").EnumerateArray() -> text value ]
        }

        if
            column.Values.IsEmpty
            || (List.distinct column.Values).Length <> column.Values.Length
            || (column.Fill <> "" && not (List.contains column.Fill column.Values))
        then
            raise (FormatException())

        column

    let private format (root: JsonElement) : CellFormat =
        match root.TryGetProperty "cells" with
        | false, _ -> CellFormat.Default
        | true, json ->
            let optional (name: string) =
                let value = json.GetProperty name

                if value.ValueKind = JsonValueKind.Null then
                    ValueNone
                else
                    ValueSome(text value)

            match
                CellRules.parse
                    (ValueSome [
                        for marker in json.GetProperty("missing").EnumerateArray() -> text marker
                    ])
                    (optional "decimal")
                    (optional "thousands")
            with
            | Ok rules -> CellFormat.apply rules CellFormat.Default
            | Error _ -> raise (FormatException())

    let private parse (root: JsonElement) : Preprocessing option =
        match text (root.GetProperty "kind") with
        | "numbers" -> Some Preprocessing.Numbers
        | "pixels" ->
            let size = {
                Channels =
                    match root.TryGetProperty "channels" with
                    | true, channels -> channels.GetInt32()
                    | false, _ -> 1
                Rows = root.GetProperty("rows").GetInt32()
                Columns = root.GetProperty("columns").GetInt32()
            }

            let sizes = [ int64 size.Channels; int64 size.Rows; int64 size.Columns ]

            if List.min sizes >= 1L && Tensor.bytesOf sizes 1 <= bigint Array.MaxLength then
                Some(Preprocessing.Pixels size)
            else
                None
        | "table" ->
            let encoding = {
                Numbers = [
                    for column in root.GetProperty("numbers").EnumerateArray() ->
                        numberColumn column
                ]
                Categories = [
                    for column in root.GetProperty("categories").EnumerateArray() ->
                        categoryColumn column
                ]
                Format = format root
            }

            let names =
                (encoding.Numbers |> List.map _.Name) @ (encoding.Categories |> List.map _.Name)

            // A table has one column of a name.
            if (List.distinct names).Length = names.Length then
                Some(Preprocessing.Table encoding)
            else
                None
        | _ -> None

    /// The result of a reader of JSON; nothing if the text is not JSON, or not of that form.
    let internal ofJsonWith (read: JsonElement -> 'V option) (json: string) : 'V option =
        try
            use document = JsonDocument.Parse json
            read document.RootElement
        with
        | :? JsonException
        | :? InvalidOperationException
        | :? FormatException
        | :? Collections.Generic.KeyNotFoundException -> None

    /// <summary>The preprocessing in JSON.</summary>
    let internal ofJson (json: string) : Result<Preprocessing, Fault list> =
        match ofJsonWith parse json with
        | Some preprocessing -> Ok preprocessing
        | None ->
            Error [
                Fault.create
                    "preprocessing"
                    "JSON of numbers, pixels or a table's columns"
                    "something else"
            ]
