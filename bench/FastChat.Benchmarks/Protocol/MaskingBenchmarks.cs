using BenchmarkDotNet.Attributes;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Support;
using FastChat.Protocol;

namespace FastChat.Benchmarks.Protocol;

/// <summary>RFC 6455 section 5.3 in place; the baseline is the scalar twin.</summary>
[MemoryDiagnoser]
public class MaskingBenchmarks
{
    private const uint Key = 0xA1B2C3D4;

    private byte[] _data = [];

    [Params(64, 1024, 64 * 1024)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup() => _data = TestFrames.Bytes(Size);

    [Benchmark, Budgeted]
    public void Vectors() => Masking.Apply(_data, Key, 0);

    [Benchmark(Baseline = true)]
    public void Scalar() => Masking.Apply(_data, Key, 0, SimdLevel.Scalar);
}
