using Microsoft.FSharp.Core;
using Pipeline.Learning;
using Pipeline.Learning.Interop;

namespace Pipeline.Benchmarks;

/// <summary>The chapter's step as one would write it without purity: the core's own loops, in the same
/// order, but into arrays that are made once.</summary>
internal sealed class InPlaceStep
{
    private const int Inputs = 784;
    private const int Hidden = 50;
    private const int Samples = Chapter.Batch;
    private const int Classes = Chapter.Classes;

    private readonly Dataset<float> train;
    private readonly float rate = (float)Hyperparameters.Default.LearningRate;
    private readonly float[] sums1 = new float[Hidden * Samples];
    private readonly float[] output1 = new float[Hidden * Samples];
    private readonly float[] logits = new float[Classes * Samples];
    private readonly float[] greatest = new float[Samples];
    private readonly float[] exponentialSums = new float[Samples];
    private readonly float[] upstream2 = new float[Classes * Samples];
    private readonly float[] weightGradient2 = new float[Classes * Hidden];
    private readonly float[] below = new float[Hidden * Samples];
    private readonly float[] upstream1 = new float[Hidden * Samples];
    private readonly float[] biasGradient1 = new float[Hidden];
    private readonly float[] biasGradient2 = new float[Classes];
    private readonly float[] zerosOfClasses = new float[Classes];
    private readonly float[] zerosOfHidden = new float[Hidden];

    // The loops write to other arrays than they read, so parameters have two, used in turn.
    private (float[] W1, float[] B1, float[] W2, float[] B2) now;
    private (float[] W1, float[] B1, float[] W2, float[] B2) next = (
        new float[Hidden * Inputs],
        new float[Hidden],
        new float[Classes * Hidden],
        new float[Classes]
    );
    private long iteration;

    public InPlaceStep(Dataset<float> train, Parameters<float> start)
    {
        this.train = train;
        var (first, second) = (start.Layers[0], start.Layers[1]);
        now = (
            first.Weights.ToColumnMajorArray(),
            first.Biases.ToArray(),
            second.Weights.ToColumnMajorArray(),
            second.Biases.ToArray()
        );
    }

    public double Loss { get; private set; }

    /// <summary>All parameters, in the order of <c>Parameters.toVector</c>.</summary>
    public float[] Values => [.. now.W1, .. now.B1, .. now.W2, .. now.B2];

    public void Step()
    {
        var places = Batch.Draw(Hyperparameters.Default.Seed, train.Count, Samples, iteration);
        var batch = Dataset.Take(places, train);
        var labels = ((Targets<float>.Labels)batch.Targets).Item;
        SparseBytesModule.withBatchByInput(
            FuncConvert.FromFunc<BatchByInput, bool>(inputs =>
            {
                Learn(inputs, labels);
                return true;
            }),
            ((Inputs<float>.Pairs)batch.FirstInputs).Item
        );
        (now, next) = (next, now);
        iteration++;
    }

    private void Learn(BatchByInput inputs, int[] labels)
    {
        var table = ByteScale<float>.Table;
        RunBands(Hidden, new PairAffineLoop<float>(now.W1, now.B1, table, inputs, sums1));
        Run(sums1.Length, new MapLoop<float, SigmoidOp<float>>(default, sums1, output1));
        RunBands(Classes, Product(now.W2, 1, Classes, output1, 1, Hidden, now.B2, logits, Hidden));
        LossAndGradient(labels);
        RunBands(
            Classes,
            Product(
                upstream2,
                1,
                Classes,
                output1,
                Hidden,
                1,
                zerosOfClasses,
                weightGradient2,
                Samples
            )
        );
        RunBands(
            Hidden,
            Product(now.W2, Classes, 1, upstream2, 1, Classes, zerosOfHidden, below, Classes)
        );
        Run(
            below.Length,
            new Map2Loop<float, SigmoidBackwardOp<float>>(default, output1, below, upstream1)
        );
        Run(Hidden, new RowSumsLoop<float>(upstream1, biasGradient1));
        Run(Classes, new RowSumsLoop<float>(upstream2, biasGradient2));
        var descend = new SubtractScaled<float>(-rate);
        RunBands(
            Hidden,
            new PairGradientLoop<float, SubtractScaled<float>>(
                descend,
                now.W1,
                upstream1,
                Hidden,
                table,
                inputs,
                next.W1
            )
        );
        Descend(descend, biasGradient1, now.B1, next.B1);
        Descend(descend, weightGradient2, now.W2, next.W2);
        Descend(descend, biasGradient2, now.B2, next.B2);
    }

    /// <summary><c>Loss.crossEntropyWithGradient</c> of labels.</summary>
    private void LossAndGradient(int[] labels)
    {
        Run(Samples, new SoftmaxLoop<float>(logits, Classes, upstream2, greatest, exponentialSums));
        var loss = 0f;
        for (var s = 0; s < Samples; s++)
        {
            var own = s * Classes + labels[s];
            loss += (float)ScalarMath.Log(exponentialSums[s]) - (logits[own] - greatest[s]);
            upstream2[own] -= 1;
        }
        var divide = new DivideOp<float>(Samples);
        Run(upstream2.Length, new MapLoop<float, DivideOp<float>>(divide, upstream2, upstream2));
        Loss = loss / Samples;
    }

    private static ProductLoop<float> Product(
        float[] a,
        int aRowStep,
        int aStep,
        float[] b,
        int bStep,
        int columnStep,
        float[] initial,
        float[] result,
        int depth
    ) => new(a, aRowStep, aStep, b, bStep, columnStep, initial, result, depth);

    private static void Descend(
        SubtractScaled<float> op,
        float[] gradient,
        float[] from,
        float[] into
    ) => Run(into.Length, new Map2Loop<float, SubtractScaled<float>>(op, gradient, from, into));

    private static void Run<TLoop>(int length, TLoop loop)
        where TLoop : ILoop<float> => Simd.run<float, TLoop>(length, loop);

    private static void RunBands<TLoop>(int rows, TLoop loop)
        where TLoop : IBandLoop<float> => Simd.runBands<float, TLoop>(rows, loop);
}
