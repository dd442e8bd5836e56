using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pipeline.Benchmarks;

/// <summary>What the machine's multiply-adds give where nothing but registers is touched: no product of
/// matrices can be faster.</summary>
internal static class FmaPeak
{
    private const int Chains = 12;
    private const int Rounds = 4_000_000;
    private const int Times = 20;

    /// <summary>A register of single-precision numbers.</summary>
    private interface IRegister<V>
    {
        static abstract int Count { get; }
        static abstract V Create(float value);
        static abstract V MultiplyAdd(V x, V y, V z);
        static abstract float Sum(V x);
    }

    private readonly struct Register512 : IRegister<Vector512<float>>
    {
        public static int Count => Vector512<float>.Count;

        public static Vector512<float> Create(float value) => Vector512.Create(value);

        public static Vector512<float> MultiplyAdd(
            Vector512<float> x,
            Vector512<float> y,
            Vector512<float> z
        ) => Vector512.FusedMultiplyAdd(x, y, z);

        public static float Sum(Vector512<float> x) => Vector512.Sum(x);
    }

    private readonly struct Register256 : IRegister<Vector256<float>>
    {
        public static int Count => Vector256<float>.Count;

        public static Vector256<float> Create(float value) => Vector256.Create(value);

        public static Vector256<float> MultiplyAdd(
            Vector256<float> x,
            Vector256<float> y,
            Vector256<float> z
        ) => Vector256.FusedMultiplyAdd(x, y, z);

        public static float Sum(Vector256<float> x) => Vector256.Sum(x);
    }

    /// <summary>Billions of operations a second with that many threads busy at once, a multiply-add
    /// counted as two.</summary>
    public static double Gflops(int threads) =>
        Vector512.IsHardwareAccelerated
            ? Gflops<Vector512<float>, Register512>(threads)
            : Gflops<Vector256<float>, Register256>(threads);

    private static double Gflops<V, R>(int threads)
        where R : struct, IRegister<V>
    {
        var best = double.PositiveInfinity;
        for (var i = 0; i < Times; i++)
            best = Math.Min(best, Together(threads, () => Spin<V, R>(Rounds)));
        return 2.0 * Chains * R.Count * Rounds * threads / best / 1e9;
    }

    /// <summary>Seconds from the start of the first thread to the end of the last.</summary>
    private static double Together(int threads, Func<float> act)
    {
        using var barrier = new Barrier(threads);
        var starts = new long[threads];
        var ends = new long[threads];
        var workers = new Thread[threads];
        for (var i = 0; i < threads; i++)
        {
            var worker = i;
            workers[i] = new Thread(() =>
            {
                barrier.SignalAndWait();
                starts[worker] = Stopwatch.GetTimestamp();
                GC.KeepAlive(act());
                ends[worker] = Stopwatch.GetTimestamp();
            });
            workers[i].Start();
        }
        foreach (var worker in workers)
            worker.Join();
        return Stopwatch.GetElapsedTime(starts.Min(), ends.Max()).TotalSeconds;
    }

    /// <summary>Twelve chains hide the latency of two units, and leave two of sixteen registers for the
    /// factors.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Spin<V, R>(int rounds)
        where R : struct, IRegister<V>
    {
        // Every chain runs towards 0.5 and stays an ordinary number.
        var (factor, term) = (R.Create(0.5f), R.Create(0.25f));
        var (a, b, c, d) = (R.Create(1), R.Create(2), R.Create(3), R.Create(4));
        var (e, f, g, h) = (R.Create(5), R.Create(6), R.Create(7), R.Create(8));
        var (i, j, k, l) = (R.Create(9), R.Create(10), R.Create(11), R.Create(12));
        for (var round = 0; round < rounds; round++)
        {
            a = R.MultiplyAdd(a, factor, term);
            b = R.MultiplyAdd(b, factor, term);
            c = R.MultiplyAdd(c, factor, term);
            d = R.MultiplyAdd(d, factor, term);
            e = R.MultiplyAdd(e, factor, term);
            f = R.MultiplyAdd(f, factor, term);
            g = R.MultiplyAdd(g, factor, term);
            h = R.MultiplyAdd(h, factor, term);
            i = R.MultiplyAdd(i, factor, term);
            j = R.MultiplyAdd(j, factor, term);
            k = R.MultiplyAdd(k, factor, term);
            l = R.MultiplyAdd(l, factor, term);
        }
        // All in one number, or the compiler would leave chains out.
        term = R.MultiplyAdd(a, b, R.MultiplyAdd(c, d, R.MultiplyAdd(e, f, term)));
        return R.Sum(R.MultiplyAdd(g, h, R.MultiplyAdd(i, j, R.MultiplyAdd(k, l, term))));
    }
}
