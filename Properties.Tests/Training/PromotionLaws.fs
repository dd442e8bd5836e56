/// Promotion.fs: a model gives way only to one that is no worse.
module Pipeline.Properties.PromotionLaws

open Xunit
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``a sound model is no worse exactly if its accuracy is within the margin``
    (Fraction used)
    (Fraction candidate)
    (Fraction margin)
    =
    let score accuracy = { Loss = 1.0; Accuracy = accuracy }

    let isNoWorse margin =
        Promotion.shouldReplace margin (score used) (score candidate)

    Exactly.equal (candidate >= used - margin) (isNoWorse margin)
    Exactly.equal (candidate >= used) (isNoWorse 0.0)
    Assert.True(isNoWorse 1.0)

[<Law>]
let ``of models that predict numbers, which have no accuracy, the losses are compared``
    (Fraction used)
    (Fraction candidate)
    (Fraction margin)
    =
    let score loss = { Loss = loss; Accuracy = nan }

    let isNoWorse margin =
        Promotion.shouldReplace margin (score used) (score candidate)

    Exactly.equal (candidate <= (1.0 + margin) * used) (isNoWorse margin)
    Exactly.equal (candidate <= used) (isNoWorse 0.0)
    Assert.True(Promotion.shouldReplace margin (score nan) (score candidate))

[<Fact>]
let ``a model whose loss is not finite is never used`` () =
    for loss in [ nan; infinity; -infinity ] do
        let candidate = { Loss = loss; Accuracy = 1.0 }
        Assert.False(Promotion.isUsable candidate)
        Assert.False(Promotion.shouldReplace 1.0 { Loss = 9.0; Accuracy = 0.0 } candidate)
