/// Preprocessing.fs: what a model's file says of its inputs.
module Pipeline.Properties.PreprocessingLaws

open Xunit
open Pipeline.Learning

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
            """{"kind":"table"}"""
            """{"kind":"table","numbers":[{"name":"x","fill":null,"centre":0,"scale":0}],"categories":[]}"""
            """{"kind":"table","numbers":[{"name":"x","fill":null,"centre":"0","scale":1}],"categories":[]}"""
            """{"kind":"table","numbers":[],"categories":[{"name":"x","fill":"","values":[]}]}"""
            """{"kind":"table","numbers":[],"categories":[{"name":"x","fill":"b","values":["a"]}]}"""
            """{"kind":"table","numbers":[],"categories":[{"name":"x","fill":"","values":["a","a"]}]}"""
        ] do
        Preprocessing.ofJson json |> Exactly.faulted [ "preprocessing" ]
