using System.Buffers;
using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using FastChat.Benchmarks.Budgets;
using FastChat.Benchmarks.Support;
using FastChat.Chat;
using FastChat.Chat.Dialects;

namespace FastChat.Benchmarks.Chat;

/// <summary>One chat message in and its answer out, in each dialect: envelope, engine, two commits to a store in memory, the dialect's writer.</summary>
[MemoryDiagnoser]
public class DialectBenchmarks
{
    private readonly AnswerPeer _peer = new();
    private ReadOnlySequence<byte> _message;
    private ChatBench _chat = null!;
    private ChatSocket _socket = null!;

    [ParamsAllValues]
    public ChatDialect Dialect { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _chat = await ChatBench.OpenAsync(new InstantModel("Tides ", "follow ", "the moon."));
        _socket = await _chat.OpenSocketAsync(Dialect, _peer, _chat.User);
        string conversation = Dialect == ChatDialect.Codes ? (await _chat.Engine.Directory.CreateConversationAsync(_chat.User.Id, null, default)).Id : "";
        _message = new(Encoding.UTF8.GetBytes(Dialect switch
        {
            ChatDialect.Text => "What are tides?",
            ChatDialect.Message => "{\"message\":\"What are tides?\"}",
            ChatDialect.Session => "{\"message\":\"What are tides?\",\"message_type\":\"text\"}",
            ChatDialect.Conversation => "{\"type\":\"message\",\"content\":\"What are tides?\"}",
            _ => $$$"""{"type":3,"data":{"user_id":"{{{_chat.User.Id}}}","session_id":"{{{conversation}}}","message":"What are tides?"}}""",
        }));
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _socket.DisposeAsync();
        await _chat.DisposeAsync();
    }

    [Benchmark, Budgeted]
    public async Task Message()
    {
        var answered = _peer.NextAnswer();
        await _socket.ReceiveAsync(_message);
        await answered;
    }

    /// <summary>Takes every frame and tells when the last of an answer has come.</summary>
    private sealed class AnswerPeer : IChatPeer
    {
        private TaskCompletionSource? _answered;

        public Task NextAnswer() => (_answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(TimeSpan.FromSeconds(30));

        public ValueTask SendTextAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken = default)
        {
            var frame = utf8.Span;
            if (frame.IndexOf("\"error\""u8) >= 0) _answered?.TrySetException(new InvalidOperationException(Encoding.UTF8.GetString(frame)));
            // Of the dialects only that of sessions sends several frames an answer; the last has the whole text too.
            bool isPart = frame.StartsWith("{\"type\":\"response_chunk\""u8) || frame.IndexOf("the moon."u8) < 0;
            if (!isPart) _answered?.TrySetResult();
            return default;
        }

        public ValueTask WaitForRoomAsync(CancellationToken cancellationToken = default) => default;

        public ValueTask CloseAsync(int code, string reason) => default;
    }
}

/// <summary>A chunk of an answer written as the dialect of sessions writes it; the baseline serialises an object.</summary>
[MemoryDiagnoser]
public class FrameWriterBenchmarks
{
    private const string Id = "0190f3c2a1b27c5d8e9f";
    private readonly JsonFrames _frames = new(ArrayPool<byte>.Shared);
    private int _seq;

    [Benchmark, Budgeted]
    public int Chunk()
    {
        using var frame = _frames.Rent();
        var json = frame.Json;
        json.WriteStartObject();
        json.WriteString("type"u8, "response_chunk"u8);
        json.WriteString("chunk"u8, "follow the moon, ");
        json.WriteString("message_id"u8, Id);
        json.WriteNumber("seq"u8, ++_seq);
        json.WriteEndObject();
        return frame.Bytes.Length;
    }

    [Benchmark(Baseline = true)]
    public int Serializer() => JsonSerializer.SerializeToUtf8Bytes(new { type = "response_chunk", chunk = "follow the moon, ", message_id = Id, seq = ++_seq }).Length;
}
