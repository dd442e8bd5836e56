namespace Pipeline.Learning

open System

/// Something about a run that may need a change.
[<RequireQualifiedAccess>]
type Finding =
    /// The training loss was still falling by that fraction per epoch when the run ended.
    | StillFalling of fraction: float
    /// The training loss rose in some of the last epochs.
    | Oscillating of rises: int * epochs: int
    /// The loss on samples never learned from was lowest, at some epoch, and rose from there while the
    /// training loss fell.
    | OverFitting of epoch: int64 * lowest: float * last: float
    /// Units of a hidden layer, counted from 1, that hardly any sample moves.
    | StuckUnits of layer: int * what: string * stuck: int * units: int
    /// The same where the numbers to predict are that large (the root of their mean square).
    | LargeTargets of layer: int * stuck: int * units: int * size: float
    /// The training loss ended above that of guessing: of one answer for every sample.
    | WorseThanGuessing of loss: float * guessing: float
    /// The names of classes of which hardly any training samples are classified correctly, the number that are, and
    /// the number of samples.
    | MissedClasses of classes: string list * found: int * samples: int
    /// The first layer, counted from 1, with a number that is not finite, after some iterations.
    | NotFinite of layer: int * iteration: int64

    /// The finding, and what helps against it, in a sentence.
    override finding.ToString() =
        match finding with
        | StillFalling fraction ->
            invariant
                $"The training loss was still falling by {100.0 * fraction:F0} %% an epoch: a longer run or a higher learning rate would learn more."
        | Oscillating(rises, epochs) ->
            invariant
                $"The training loss rose in {rises} of the last {epochs} epochs: the learning rate is high; lower it, or let a schedule lower it towards the end."
        | OverFitting(epoch, lowest, last) ->
            invariant
                $"Over-fitting: the loss on samples never learned from was lowest at epoch {epoch}, {lowest:F4}, and rose to {last:F4} while the training loss fell. Early stopping, dropout, weight decay or more varied samples narrow the gap."
        | StuckUnits(layer, what, stuck, units) ->
            let rest =
                if stuck = units then
                    " No gradient passes this layer any more: train again."
                else
                    ""

            invariant
                $"Hidden layer {layer}: {stuck} of its {units} units are {what} for every sample looked at.{rest} A lower learning rate or other initial weights keep them learning."
        | LargeTargets(layer, stuck, units, size) ->
            invariant
                $"Hidden layer {layer}: {stuck} of its {units} units are stuck: their slope is near 0 for every sample looked at. The numbers to predict are large, {size:G3} (root mean square), and so are the gradients. Scale them to about -1 to 1, or subtract their mean and divide by their standard deviation."
        | WorseThanGuessing(loss, guessing) ->
            invariant
                $"The training loss, {loss:G3}, is above that of guessing, {guessing:G3} (one answer for every sample): the network has learned nothing. Lower the learning rate."
        | MissedClasses(classes, found, samples) ->
            let shown = 5

            let listed = List.truncate shown classes

            let names =
                match classes.Length - shown, List.rev listed with
                | _, [ only ] -> $"class {only}"
                | others, _ when others > 0 ->
                    let names = String.concat ", " listed
                    (invariant $"the classes {names} and {others} more")
                | _, last :: before ->
                    let before = String.concat ", " (List.rev before)
                    $"the classes {before} and {last}"
                | _, [] -> "no class"

            let right =
                match found with
                | 0 -> "none is"
                | 1 -> "1 is"
                | _ -> invariant $"{found} are"

            (invariant
                $"Of the {samples} training samples of {names}, {right} classified correctly: the network nearly always answers other classes. More samples of rare classes, or fewer of frequent ones, let it learn them.")
        | NotFinite(layer, iteration) ->
            invariant
                $"The first numbers that are not finite came up in layer {layer}, after iteration {iteration}."
