using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using FastChat.Buffers;

namespace FastChat.Chat.Dialects;

/// <summary>Writers for outgoing messages, used again and again; what is idle holds no buffer. Safe for concurrent use.</summary>
internal sealed class JsonFrames(ArrayPool<byte> pool)
{
    private const int MaxIdle = 64;

    private readonly ConcurrentBag<JsonFrame> _idle = [];
    private int _idleCount;

    public JsonFrame Rent()
    {
        if (!_idle.TryTake(out var frame))
            return new JsonFrame(this, pool);
        Interlocked.Decrement(ref _idleCount);
        return frame;
    }

    public void Return(JsonFrame frame)
    {
        if (Interlocked.Increment(ref _idleCount) <= MaxIdle)
            _idle.Add(frame);
        else
            Interlocked.Decrement(ref _idleCount);
    }
}

/// <summary>One outgoing message: write it, send <see cref="Bytes"/>, dispose once it is sent.</summary>
internal sealed class JsonFrame : IDisposable
{
    // Frames go to sockets, not into pages: only what JSON itself demands is escaped.
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly JsonFrames _owner;
    private readonly PooledByteBuffer _buffer;

    public JsonFrame(JsonFrames owner, ArrayPool<byte> pool)
    {
        _owner = owner;
        _buffer = new PooledByteBuffer(pool);
        Json = new Utf8JsonWriter(_buffer, Relaxed);
    }

    public Utf8JsonWriter Json { get; }

    /// <summary>The whole message, once written. Valid until <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            Json.Flush();
            return _buffer.WrittenMemory;
        }
    }

    /// <summary>Raw text instead of JSON.</summary>
    public void WriteText(ReadOnlySpan<char> text)
    {
        var utf8 = System.Text.Encoding.UTF8;
        _buffer.Advance(utf8.GetBytes(text, _buffer.GetSpan(utf8.GetMaxByteCount(text.Length))));
    }

    public void Dispose()
    {
        // A message that failed half-way leaves bytes in the writer: they are dropped, not written into the next one.
        Json.Reset();
        _buffer.Clear();
        _owner.Return(this);
    }
}
