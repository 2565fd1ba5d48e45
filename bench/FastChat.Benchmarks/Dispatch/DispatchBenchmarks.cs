using System.Buffers;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using FastChat.Benchmarks.Budgets;
using FastChat.Dispatch;

namespace FastChat.Benchmarks.Dispatch;

/// <summary>The handler of a JSON message found by its type; the baseline builds a <see cref="JsonDocument"/> and asks a dictionary.</summary>
[MemoryDiagnoser, GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory), CategoriesColumn]
public class DispatchBenchmarks
{
    private static readonly string[] Names = ["message", "stop", "resume", "ping", "typing", "join", "leave", "history"];

    private readonly MessageRouter<string> _router = Build();
    private readonly Dictionary<string, string> _byName = Names.ToDictionary(n => n, StringComparer.Ordinal);
    private readonly Dictionary<int, string> _byCode = Enumerable.Range(0, 6).ToDictionary(i => i, i => Names[i]);
    private ReadOnlySequence<byte> _named;
    private ReadOnlySequence<byte> _coded;

    [GlobalSetup]
    public void Setup()
    {
        _named = new("""{"message":"What does the third chapter say about tides?","client_message_id":"c-17","type":"message","message_type":"text"}"""u8.ToArray());
        _coded = new("""{"type":3,"user_id":"u-1","data":{"session_id":"s-1","message":"What does the third chapter say about tides?","model_id":0}}"""u8.ToArray());
    }

    [Benchmark, BenchmarkCategory("name"), Budgeted]
    public string ByName() => _router.Route(_named, out string? handler, out _) == EnvelopeError.None ? handler! : throw new InvalidOperationException();

    [Benchmark(Baseline = true), BenchmarkCategory("name")]
    public string DocumentByName()
    {
        using var document = JsonDocument.Parse(_named);
        return _byName[document.RootElement.GetProperty("type"u8).GetString()!];
    }

    [Benchmark, BenchmarkCategory("code"), Budgeted]
    public string ByCode() => _router.Route(_coded, out string? handler, out _) == EnvelopeError.None ? handler! : throw new InvalidOperationException();

    [Benchmark(Baseline = true), BenchmarkCategory("code")]
    public string DocumentByCode()
    {
        using var document = JsonDocument.Parse(_coded);
        return _byCode[document.RootElement.GetProperty("type"u8).GetInt32()];
    }

    private static MessageRouter<string> Build()
    {
        var builder = new MessageRouterBuilder<string>();
        foreach (string name in Names) builder.Map(name, name);
        for (int code = 0; code < 6; code++) builder.Map(code, Names[code]);
        return builder.Build();
    }
}
