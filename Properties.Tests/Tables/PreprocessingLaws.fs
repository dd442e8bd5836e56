/// Preprocessing.fs: what a model's file says of its inputs.
module Pipeline.Properties.PreprocessingLaws

open Xunit
open FsCheck
open Pipeline.Learning
open Pipeline.Learning.Laws

[<Law>]
let ``the size of images is read as it was written``
    (PositiveInt channels)
    (PositiveInt rows)
    (PositiveInt columns)
    =
    let pixels =
        Preprocessing.Pixels {
            Channels = channels
            Rows = rows
            Columns = columns
        }

    Preprocessing.toJson pixels |> Preprocessing.ofJson |> Exactly.equal (Ok pixels)

[<Fact>]
let ``grey images are written as by versions that have no others`` () =
    let json = """{"kind":"pixels","rows":28,"columns":27}"""
    let grey = Preprocessing.Pixels(ImageSize.Grey(28, 27))
    Exactly.equal (Ok grey) (Preprocessing.ofJson json)
    Assert.Equal(json, Preprocessing.toJson grey)

[<Fact>]
let ``JSON that does not describe preprocessing gives a fault`` () =
    for json in
        [
            ""
            "{}"
            "[]"
            "7"
            "null"
            """{"kind":"sound"}"""
            """{"kind":null}"""
            """{"kind":"pixels","rows":0,"columns":3}"""
            """{"kind":"pixels","rows":65536,"columns":65536}"""
            """{"kind":"pixels","rows":1}"""
            """{"kind":"pixels","channels":0,"rows":1,"columns":1}"""
            """{"kind":"pixels","channels":65536,"rows":65536,"columns":65536}"""
            """{"kind":"pixels","channels":"3","rows":1,"columns":1}"""
            """{"kind":"table"}"""
            """{"kind":"table","numbers":[{"name":"x","fill":null,"centre":0,"scale":0}],"categories":[]}"""
            """{"kind":"table","numbers":[{"name":"x","fill":null,"centre":"0","scale":1}],"categories":[]}"""
            """{"kind":"table","numbers":[],"categories":[{"name":"x","fill":"","values":[]}]}"""
            """{"kind":"table","numbers":[],"categories":[{"name":"x","fill":"b","values":["a"]}]}"""
            """{"kind":"table","numbers":[],"categories":[{"name":"x","fill":"","values":["a","a"]}]}"""
        ] do
        Preprocessing.ofJson json |> Exactly.faulted [ "preprocessing" ]
