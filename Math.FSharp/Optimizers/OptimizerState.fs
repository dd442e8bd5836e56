namespace Pipeline.Learning

open System

/// Something that an optimizer remembers: a number for every parameter.
type OptimizerMemory<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// What the numbers are: velocity, mean, squares, …
    Name: string
    /// Shaped like the parameters.
    Values: Parameters<'T>
}

/// What an optimizer remembers from step to step.
type OptimizerState<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The number of gradients so far; a step with a line search counts as one.
    Steps: int64
    /// The outermost transform's memory first, the rule's own last.
    Memory: OptimizerMemory<'T> list
}

/// An update rule. <c>Optimizer</c> has the rules; <c>Transform</c> wraps them.
type Optimizer<'T
    when 'T: struct
    and 'T :> ValueType
    and 'T: (new: unit -> 'T)
    and 'T :> IEquatable<'T>
    and 'T :> IFormattable> = {
    /// The state before the first step, for parameters of that shape.
    Init: Parameters<'T> -> OptimizerState<'T>
    /// The learning rate η, the gradient, the state and the parameters give the next parameters and
    /// state.
    Update:
        'T
            -> Parameters<'T>
            -> OptimizerState<'T>
            -> Parameters<'T>
            -> struct (Parameters<'T> * OptimizerState<'T>)
    /// For a rule that remembers nothing and needs no more than the layer's own gradient: the learning rate
    /// η, a layer's parameters and what its backward pass gives, from which follow the layer's next
    /// parameters, with the bits of Update. A network can then update each layer on the way down.
    LayerUpdate: ('T -> LayerParameters<'T> -> LayerGradient<'T> -> LayerParameters<'T>) voption
    /// For a rule that looks at the loss in other places before it moves: the learning rate η, the loss and
    /// gradient of any parameters, both at the present parameters, the state and the parameters give the
    /// next parameters and state. A run uses it instead of Update.
    Search:
        ('T
            -> (Parameters<'T> -> struct ('T * Parameters<'T>))
            -> 'T
            -> Parameters<'T>
            -> OptimizerState<'T>
            -> Parameters<'T>
            -> struct (Parameters<'T> * OptimizerState<'T>)) voption
}

/// What the rules have in common.
[<RequireQualifiedAccess>]
module internal OptimizerState =
    /// No steps, and a memory of zeros for each name.
    let zeros (names: string list) (parameters: Parameters<'T>) : OptimizerState<'T> = {
        Steps = 0L
        Memory = [
            for name in names ->
                {
                    Name = name
                    Values = Parameters.zeros parameters
                }
        ]
    }

    /// An exception where the state is another optimizer's.
    let requireMemory (names: string list) (state: OptimizerState<'T>) : unit =
        let found = state.Memory |> List.map _.Name

        if found <> names then
            let list (names: string list) = String.Join(", ", names)

            invalidArg
                (nameof state)
                $"expected a memory of {list names}, found one of {list found}"
