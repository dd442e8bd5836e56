namespace Pipeline.Properties.Host

open System
open System.IO
open System.Reflection
open Microsoft.Extensions.DependencyInjection
open Orleans
open Orleans.Serialization
open Pipeline.Cluster
open Xunit

/// What machines send each other, and what the store keeps.
module ContractTests =
    let private contracts =
        typeof<ISweep>.Assembly.GetTypes()
        |> Array.filter (fun each -> each.Namespace = "Pipeline.Cluster")
        |> Array.choose (fun each ->
            match each.GetCustomAttribute<AliasAttribute>() with
            | null -> None
            | alias -> Some(alias.Alias, each))
        |> Array.sortBy fst

    let private nameOf (kind: Type) =
        match Nullable.GetUnderlyingType kind with
        | null when kind.IsGenericType ->
            let parts = kind.GetGenericArguments() |> Array.map _.Name |> String.concat ", "
            $"{kind.Name}[{parts}]"
        | null -> kind.Name
        | inner -> $"{inner.Name}?"

    /// Each contract with its members, as it is written down.
    let private lines = [
        for alias, kind in contracts do
            $"{alias}"

            if kind.IsEnum then
                for value in Enum.GetValues kind do
                    $"    %d{Convert.ToInt32 value} {value}"
            elif kind.IsInterface then
                for method in kind.GetMethods() do
                    let alias = (nonNull (method.GetCustomAttribute<AliasAttribute>())).Alias

                    let parameters =
                        method.GetParameters()
                        |> Array.map (fun each -> nameOf each.ParameterType)
                        |> String.concat ", "

                    $"    {alias}({parameters}): {nameOf method.ReturnType}"
            else
                let numbered =
                    kind.GetProperties()
                    |> Array.choose (fun each ->
                        match each.GetCustomAttribute<IdAttribute>() with
                        | null -> None
                        | id -> Some(id.Id, each))
                    |> Array.sortBy fst

                for id, each in numbered do
                    $"    %d{id} {each.Name}: {nameOf each.PropertyType}"
    ]

    [<Fact>]
    let ``contracts are those that are written down`` () =
        let file = "Pipeline.Cluster.contracts.txt"

        match Environment.GetEnvironmentVariable "ACCEPT_API" with
        | null
        | "" ->
            Assert.Equal<string>(
                File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Fixtures", file)),
                lines
            )
        | _ -> File.WriteAllLines(Path.Combine(__SOURCE_DIRECTORY__, "../../Fixtures", file), lines)

    /// A value of a type, every part of which is another than nothing.
    let rec private sample (kind: Type) (seed: int) : obj | null =
        match kind with
        | _ when kind = typeof<string> -> box $"text %d{seed} – ä"
        | _ when kind = typeof<int> -> box (seed + 7)
        | _ when kind = typeof<int64> -> box (int64 seed + (1L <<< 40))
        | _ when kind = typeof<bool> -> box true
        | _ when kind = typeof<float> -> box (if seed % 2 = 0 then infinity else 0.1 * float seed)
        | _ when kind = typeof<byte[]> -> box (Array.init 300 (fun i -> byte (i + seed)))
        | _ when kind.IsEnum -> (Enum.GetValues kind).GetValue 2 |> nonNull
        | _ when kind.IsArray ->
            let inner = nonNull (kind.GetElementType())
            let values = Array.CreateInstance(inner, 2)

            for i in 0..1 do
                values.SetValue(sample inner (seed + i), i)

            values
        | _ when not (isNull (Nullable.GetUnderlyingType kind)) ->
            sample (nonNull (Nullable.GetUnderlyingType kind)) seed
        | _ when
            kind.IsGenericType
            && kind.GetGenericTypeDefinition() = typedefof<Collections.Generic.List<_>>
            ->
            let inner = kind.GetGenericArguments()[0]
            let list = Activator.CreateInstance kind |> nonNull
            (list :?> Collections.IList).Add(sample inner seed) |> ignore
            list
        | _ ->
            let flags = BindingFlags.Public ||| BindingFlags.Instance ||| BindingFlags.NonPublic

            let made =
                kind.GetConstructors flags
                |> Array.filter (fun each ->
                    not (
                        each.GetParameters() |> Array.exists (fun one -> one.ParameterType = kind)
                    ))
                |> Array.maxBy _.GetParameters().Length

            let value =
                made.Invoke(
                    made.GetParameters()
                    |> Array.mapi (fun i each -> sample each.ParameterType (seed + i))
                )

            for i, each in Array.indexed (kind.GetProperties()) do
                if made.GetParameters().Length = 0 && each.CanWrite then
                    each.SetValue(value, sample each.PropertyType (seed + i))

            value

    /// Every part of a value, as a text.
    let rec private written (value: obj | null) : string =
        match value with
        | null -> "null"
        | :? string as text -> text
        | :? Collections.IEnumerable as many ->
            many |> Seq.cast<obj> |> Seq.map written |> String.concat " " |> sprintf "[%s]"
        | value when value.GetType().Namespace = "Pipeline.Cluster" && not (value.GetType().IsEnum) ->
            value.GetType().GetProperties()
            |> Array.filter (fun each -> not (isNull (each.GetCustomAttribute<IdAttribute>())))
            |> Array.map (fun each -> $"{each.Name}={written (each.GetValue value)}")
            |> String.concat "; "
            |> sprintf "{%s}"
        | value -> Convert.ToString(value, Globalization.CultureInfo.InvariantCulture) |> string

    [<Fact>]
    let ``every contract comes through the serializer as it was`` () =
        let services = ServiceCollection()
        services.AddSerializer() |> ignore
        use services = services.BuildServiceProvider()
        let serializer = services.GetRequiredService<Serializer>()
        let sent = contracts |> Array.filter (fun (_, kind) -> not kind.IsInterface)
        Assert.True(sent.Length >= 14, $"%d{sent.Length}")

        for _, kind in sent do
            let value = nonNull (sample kind 3)
            let bytes = serializer.SerializeToArray<obj> value
            let read = serializer.Deserialize<obj> bytes
            Assert.Equal(kind, read.GetType())
            Assert.Equal(written value, written read)
            Assert.DoesNotContain("null", written value)

    [<Fact>]
    let ``every part of a contract has a number, and every call a name`` () =
        for alias, kind in contracts do
            Assert.StartsWith("pipeline.", alias)

            if kind.IsInterface then
                for method in kind.GetMethods() do
                    Assert.NotNull(method.GetCustomAttribute<AliasAttribute>())
            elif not kind.IsEnum then
                for each in kind.GetProperties() do
                    let isComputed = not each.CanWrite
                    let isOwn = each.DeclaringType = kind && each.Name <> "EqualityContract"

                    if isOwn && not isComputed then
                        Assert.NotNull(each.GetCustomAttribute<IdAttribute>())
