using System.Numerics;
using MathNet.Numerics.LinearAlgebra;
using Pipeline.Learning;

namespace Pipeline.Benchmarks;

/// <summary>Matrices of normal numbers, the same every time.</summary>
internal static class Normals
{
    public static Matrix<T> Matrix<T>(int rows, int columns, long which)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        var values = new T[rows * columns];
        for (var i = 0; i < values.Length; i++)
            values[i] = T.CreateTruncating(
                RandomNumbers.Normal(1, RandomStream.InitialWeights, which, i)
            );
        return MathNet.Numerics.LinearAlgebra.Matrix<T>.Build.Dense(rows, columns, values);
    }
}
