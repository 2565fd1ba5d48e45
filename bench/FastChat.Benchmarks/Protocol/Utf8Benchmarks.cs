using System.Text;
using System.Text.Unicode;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Support;
using FastChat.Protocol;

namespace FastChat.Benchmarks.Protocol;

/// <summary>What text is made of.</summary>
public enum Script
{
    Ascii,
    Cyrillic,
    Han,
    Mixed,
}

/// <summary>16 KiB of text validated, and unmasked and validated; the baseline is the runtime's validator.</summary>
[MemoryDiagnoser, GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory), CategoriesColumn]
public class Utf8Benchmarks
{
    private const int Size = 16 * 1024;
    private const uint Key = 0x91B2C3D4;

    private byte[] _text = [];
    private byte[] _masked = [];
    private byte[] _buffer = [];

    [ParamsAllValues]
    public Script Script { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        string sample = Script switch
        {
            Script.Ascii => "The quick brown fox jumps over the lazy dog. ",
            Script.Cyrillic => "Съешьещёэтихмягкихфранцузскихбулок",
            Script.Han => "天地玄黄宇宙洪荒日月盈昃辰宿列張",
            _ => "Grüße, Привет, 你好, 🎉 and so on: ",
        };
        int repeats = Size / Encoding.UTF8.GetByteCount(sample);
        _text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(sample, repeats)));
        _masked = [.. _text];
        Masking.Apply(_masked, Key, 0);
        _buffer = new byte[_text.Length];
    }

    [Benchmark, BenchmarkCategory("validate"), Budgeted]
    public bool Validate()
    {
        var validator = default(Utf8Validator);
        return validator.Append(_text) && validator.IsComplete ? true : throw new InvalidOperationException();
    }

    [Benchmark(Baseline = true), BenchmarkCategory("validate")]
    public bool InBoxValidate() => Utf8.IsValid(_text);

    [Benchmark, BenchmarkCategory("unmask and validate"), Budgeted]
    public bool UnmaskAndValidate()
    {
        _masked.CopyTo(_buffer, 0);
        var validator = default(Utf8Validator);
        return MaskedUtf8.UnmaskAndValidate(_buffer, Key, 0, ref validator) && validator.IsComplete ? true : throw new InvalidOperationException();
    }

    [Benchmark(Baseline = true), BenchmarkCategory("unmask and validate")]
    public bool UnmaskThenInBoxValidate()
    {
        _masked.CopyTo(_buffer, 0);
        Masking.Apply(_buffer, Key, 0);
        return Utf8.IsValid(_buffer);
    }
}
