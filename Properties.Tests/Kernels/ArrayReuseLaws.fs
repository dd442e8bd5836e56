/// ArrayReuse.fs: an array has one user at a time.
module Pipeline.Properties.ArrayReuseLaws

open Xunit
open Pipeline.Learning

[<Fact>]
let ``an array that is returned twice is rented once`` () =
    ArrayReuse<float>.Scope(fun () ->
        let array = Array.zeroCreate<float> 300
        ArrayReuse<float>.Return array
        ArrayReuse<float>.Return array
        Assert.Same(array, ArrayReuse<float>.Rent 300)
        Assert.NotSame(array, ArrayReuse<float>.Rent 300))

[<Fact>]
let ``shares of work rent what earlier ones returned, and nothing that another still has`` () =
    let scope = ArrayReuse<float>.Scopes()

    let first =
        scope (fun () ->
            let array = ArrayReuse<float>.Rent 300
            ArrayReuse<float>.Return array
            array)

    let again, atTheSameTime =
        let other = ref [||]

        let again =
            scope (fun () ->
                let again = ArrayReuse<float>.Rent 300
                other.Value <- scope (fun () -> ArrayReuse<float>.Rent 300)
                again)

        again, other.Value

    Assert.Same(first, again)
    Assert.NotSame(first, atTheSameTime)
    Assert.False ArrayReuse<float>.IsInScope
