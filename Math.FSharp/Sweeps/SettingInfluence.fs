namespace Pipeline.Learning

/// How much each setting of a sweep matters.
[<RequireQualifiedAccess>]
module SettingInfluence =
    /// The most groups that numbers are divided into.
    let private mostGroups = 5

    /// The least number of trials of a group of numbers.
    let private leastTrials = 4

    /// Which group each value belongs to: listed values each form one; numbers are divided into groups of about the
    /// same size, equal numbers being in the same group.
    let private groupsOf (range: SettingRange) (values: string list) : int list =
        let positions = values |> List.map (SettingRange.positionOf range)

        if range.IsListed then
            let distinct = List.distinct positions
            positions |> List.map (fun x -> List.findIndex ((=) x) distinct)
        else
            let count = max 1 (min mostGroups (values.Length / leastTrials))

            positions
            |> List.map (fun x ->
                let below = positions |> List.filter (fun other -> other < x) |> List.length
                below * count / values.Length)

    /// The ranks of numbers, equal ones having their mean rank.
    let private ranks (numbers: float list) : float list =
        numbers
        |> List.map (fun x ->
            let below = numbers |> List.filter (fun other -> other < x) |> List.length
            let equal = numbers |> List.filter (fun other -> other = x) |> List.length
            float below + float (equal + 1) / 2.0)

    /// ε² of ranks in groups: the share of their variance between groups, less what chance would give.
    let private explained (groups: int list) (ranks: float list) : float =
        let n = float ranks.Length
        let mean = List.average ranks
        let square x = x * x
        let total = ranks |> List.sumBy (fun rank -> square (rank - mean))

        let within =
            List.zip groups ranks
            |> List.groupBy fst
            |> List.sumBy (fun (_, members) ->
                let own = members |> List.map snd
                let mean = List.average own
                own |> List.sumBy (fun rank -> square (rank - mean)))

        let count = float (List.distinct groups).Length

        if total = 0.0 || count = 1.0 || n <= count then
            0.0
        else
            max 0.0 (1.0 - (within / (n - count)) / (total / (n - 1.0)))

    /// <summary>For each setting of the plan, the share of the differences between trials that it explains, 0 to 1: ε² of
    /// the ranks of the results after the first stage, which all trials have.</summary>
    /// <param name="board">The board.</param>
    /// <remarks>Source: Kelley, "An unbiased correlation ratio measure" (1935), of ranks as in the test of Kruskal and
    /// Wallis.</remarks>
    [<CompiledName("Of")>]
    let ofBoard (board: SweepBoard) : struct (string * float) list =
        let trials = board.Trials |> List.filter (fun trial -> not trial.Results.IsEmpty)

        let ranks = trials |> List.map (fun trial -> trial.Results.Head.Deficit) |> ranks

        [
            for place, (name, range) in List.indexed (SweepPlan.space board.Plan) ->
                let values = trials |> List.map (fun trial -> trial.Values[place])

                struct (name,
                        (if trials.IsEmpty then
                             0.0
                         else
                             explained (groupsOf range values) ranks))
        ]
