namespace Pipeline.Learning

open System.Numerics

/// Arithmetic of two numbers of one type. F#'s own operators, used more than twice in a generic
/// expression, fall back to int; these hold their type.
module internal Arithmetic =
    let inline (+) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Addition (x, y)
    let inline (-) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Subtraction (x, y)
    let inline (*) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Multiply (x, y)
    let inline (/) (x: 'T :> INumber<'T>) (y: 'T) : 'T = 'T.op_Division (x, y)
