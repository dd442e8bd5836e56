namespace Pipeline.Properties.Host

open System.IO
open Pipeline.Training
open Xunit

/// What the real disk says of files.
module DiskFilesTests =
    [<FactOnUnix>]
    let ``the stamp of a link is that of its target`` () =
        use scratch = new Scratch()

        let link (name: string) (target: string) =
            File.CreateSymbolicLink(scratch.Sub name, scratch.Sub target) |> ignore

        let stamp (name: string) =
            (DiskFiles() :> IFiles).StampOf(scratch.Sub name)

        link "near" "target"
        link "far" "near"
        Assert.False((stamp "far").HasValue)

        for length in [ 1; 300 ] do
            File.WriteAllBytes(scratch.Sub "target", Array.zeroCreate length)
            Assert.True((stamp "target").HasValue)
            Assert.Equal(stamp "target", stamp "far")

        link "one" "other"
        link "other" "one"
        Assert.False((stamp "one").HasValue)
        Assert.False((stamp "missing").HasValue)
