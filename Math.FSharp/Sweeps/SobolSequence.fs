namespace Pipeline.Learning

/// <summary>Points that fill a cube evenly: any 2ᵏ points in a row from a multiple of 2ᵏ on have the same number in each
/// half, quarter, … of every axis.</summary>
/// <remarks>Source: Sobol' (1967) in the order of Antonov and Saleev (1979), with the direction numbers new-joe-kuo-6
/// of Joe and Kuo, "Constructing Sobol sequences with better two-dimensional projections" (2008).</remarks>
[<RequireQualifiedAccess>]
module internal SobolSequence =
    let private bits = 32

    /// For each dimension after the first: the inner coefficients of its primitive polynomial, and its first
    /// direction numbers.
    let private directions = [|
        0u, [| 1u |]
        1u, [| 1u; 3u |]
        1u, [| 1u; 3u; 1u |]
        2u, [| 1u; 1u; 1u |]
        1u, [| 1u; 1u; 3u; 3u |]
        4u, [| 1u; 3u; 5u; 13u |]
        2u, [| 1u; 1u; 5u; 5u; 17u |]
        4u, [| 1u; 1u; 5u; 5u; 5u |]
        7u, [| 1u; 1u; 7u; 11u; 19u |]
        11u, [| 1u; 1u; 5u; 1u; 1u |]
        13u, [| 1u; 1u; 1u; 3u; 11u |]
        14u, [| 1u; 3u; 5u; 5u; 31u |]
        1u, [| 1u; 3u; 3u; 9u; 7u; 49u |]
        13u, [| 1u; 1u; 1u; 15u; 21u; 21u |]
        16u, [| 1u; 3u; 1u; 13u; 27u; 49u |]
        19u, [| 1u; 1u; 1u; 15u; 7u; 5u |]
        22u, [| 1u; 3u; 1u; 15u; 13u; 25u |]
        25u, [| 1u; 1u; 5u; 5u; 19u; 61u |]
        1u, [| 1u; 3u; 7u; 11u; 23u; 15u; 103u |]
        4u, [| 1u; 3u; 7u; 13u; 13u; 15u; 69u |]
    |]

    /// The largest number of dimensions.
    let mostDimensions = directions.Length + 1

    /// The direction numbers of a dimension as fractions of 2³².
    let private fractions (dimension: int) : uint32[] =
        if dimension = 0 then
            Array.init bits (fun k -> 1u <<< (bits - 1 - k))
        else
            let inner, first = directions[dimension - 1]
            let degree = first.Length
            let found = Array.zeroCreate bits

            for k in 0 .. bits - 1 do
                found[k] <-
                    if k < degree then
                        first[k] <<< (bits - 1 - k)
                    else
                        let mutable next = found[k - degree] ^^^ (found[k - degree] >>> degree)

                        for i in 1 .. degree - 1 do
                            if (inner >>> (degree - 1 - i)) &&& 1u = 1u then
                                next <- next ^^^ found[k - i]

                        next

            found

    let private table = Array.init mostDimensions fractions

    /// A coordinate of a point, as a fraction of 2³².
    let coordinate (dimension: int) (index: int) : uint32 =
        let gray = index ^^^ (index >>> 1)
        let mutable found = 0u

        for k in 0 .. bits - 2 do
            if (gray >>> k) &&& 1 = 1 then
                found <- found ^^^ table[dimension][k]

        found
