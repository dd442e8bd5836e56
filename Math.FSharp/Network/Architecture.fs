namespace Pipeline.Learning

open System

/// A hidden layer: an affine map to some units, then an activation.
type HiddenLayer = {
    /// How many units, 1 or more.
    Width: int
    /// Whether every unit's sums are normalised over the mini-batch before the activation.
    Normalised: bool
    /// What each unit makes of its sum.
    Activation: Activation
}

/// A stack of dense layers under a head. The chapter's is 784 inputs, 50 sigmoid units, and softmax of 10
/// classes.
type Architecture = private {
    inputs: int
    hidden: HiddenLayer list
    outputs: int
    head: Head
} with

    /// Numbers in a sample.
    member architecture.Inputs = architecture.inputs
    /// The hidden layers, from the input's side; none makes softmax regression.
    member architecture.Hidden = architecture.hidden
    /// Classes to tell apart, or numbers to give.
    member architecture.Outputs = architecture.outputs
    /// What the outputs stand for.
    member architecture.Head = architecture.head

    /// Inputs, hidden widths and outputs: [784; 50; 10].
    member architecture.Sizes = [
        architecture.inputs
        for layer in architecture.hidden do
            layer.Width
        architecture.outputs
    ]

    /// How many parameters there are.
    member architecture.ParameterCount =
        architecture.Sizes
        |> List.pairwise
        |> List.sumBy (fun (below, above) -> (int64 below + 1L) * int64 above)
        |> (+) (
            architecture.hidden
            |> List.sumBy (fun layer -> if layer.Normalised then int64 layer.Width else 0L)
        )

    /// The sizes as people write them: 784-50-10.
    override architecture.ToString() =
        architecture.Sizes |> List.map string |> String.concat "-"

/// Making architectures.
[<RequireQualifiedAccess>]
module Architecture =
    /// The widest layer there may be.
    [<Literal>]
    let MaximumWidth = 65536

    /// <summary>The architecture of these sizes, or what is wrong with them.</summary>
    /// <param name="head">What the outputs stand for.</param>
    /// <param name="inputs">Numbers in a sample, 1 or more.</param>
    /// <param name="hidden">The hidden layers, each 1 to 65,536 wide.</param>
    /// <param name="outputs">Numbers that come out, 1 or more; classes under softmax, 2 or more.</param>
    [<CompiledName("Create")>]
    let create
        (head: Head)
        (inputs: int)
        (hidden: HiddenLayer list)
        (outputs: int)
        : Result<Architecture, Fault list> =
        let fewest = if head = Head.Softmax then 2 else 1
        let widths = hidden |> List.map _.Width
        let isWidth width = width >= 1 && width <= MaximumWidth

        Fault.check
            [
                inputs >= 1, Fault.create "Inputs" "1 or more" (string inputs)
                outputs >= fewest && outputs <= MaximumWidth,
                Fault.create "Classes" $"%d{fewest} to %d{MaximumWidth}" (string outputs)
                for width in widths do
                    isWidth width,
                    Fault.create "Hidden" $"widths of 1 to %d{MaximumWidth} units" (string width)
                for below, above in List.pairwise [ inputs; yield! widths; outputs ] do
                    // What is no width has a sentence of its own.
                    not (List.forall isWidth (outputs :: widths))
                    || int64 below * int64 above <= int64 Array.MaxLength,
                    Fault.create
                        "Hidden"
                        $"layers of at most %d{Array.MaxLength} weights"
                        $"one of %d{below} × %d{above}"
            ]
            (fun () -> {
                inputs = inputs
                hidden = hidden
                outputs = outputs
                head = head
            })

    /// The architecture with no layer normalised.
    let internal plain (architecture: Architecture) : Architecture = {
        architecture with
            hidden =
                architecture.hidden |> List.map (fun layer -> { layer with Normalised = false })
    }

    /// <summary>A stack of dense layers under softmax, with one activation for all hidden
    /// ones.</summary>
    /// <param name="activation">The hidden layers' activation.</param>
    /// <param name="sizes">Inputs, hidden widths, classes: [784; 50; 10] is the chapter's.</param>
    /// <exception cref="T:System.ArgumentException">There are fewer than two sizes, or one is out of
    /// range.</exception>
    [<CompiledName("Dense")>]
    let dense (activation: Activation) (sizes: int list) : Architecture =
        match sizes with
        | inputs :: (_ :: _ as rest) ->
            let widths, classes = List.splitAt (rest.Length - 1) rest

            let hidden =
                widths
                |> List.map (fun width -> {
                    Width = width
                    Normalised = false
                    Activation = activation
                })

            match create Head.Softmax inputs hidden classes[0] with
            | Ok architecture -> architecture
            | Error faults ->
                invalidArg (nameof sizes) (faults |> List.map string |> String.concat " ")
        | _ -> invalidArg (nameof sizes) $"expected two sizes or more, found %d{sizes.Length}"
