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
