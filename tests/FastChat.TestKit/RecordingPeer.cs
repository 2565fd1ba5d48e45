using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using FastChat.Chat;

namespace FastChat.TestKit;

/// <summary>The far end of a chat socket, in memory: records what is sent to it, and can be slow or gone.</summary>
public sealed class RecordingPeer : IChatPeer
{
    private readonly Channel<string> _frames = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource<(int Code, string Reason)> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource? _full;
    private int _waiting;

    /// <summary>Sends fail from now on.</summary>
    public bool IsGone { get; set; }

    /// <summary>How many callers wait for room.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>With what it was closed; completes when it is.</summary>
    public Task<(int Code, string Reason)> Closed => _closed.Task.WaitAsync(ScriptedChatClient.Patience);

    public bool IsClosed => _closed.Task.IsCompleted;

    /// <summary>Frames sent and not yet taken.</summary>
    public int Pending => _frames.Reader.Count;

    /// <summary>From now on there is no room; what is sent all the same is taken.</summary>
    public void Stall() => _full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume() => Interlocked.Exchange(ref _full, null)?.SetResult();

    public ValueTask SendTextAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (IsGone) throw new IOException("The peer is gone.");
        _frames.Writer.TryWrite(Encoding.UTF8.GetString(utf8.Span));
        return default;
    }

    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken = default)
    {
        if (_full is not { } full) return;
        Interlocked.Increment(ref _waiting);
        try
        {
            await full.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public ValueTask CloseAsync(int code, string reason)
    {
        _closed.TrySetResult((code, reason));
        return default;
    }

    /// <summary>The next frame, as it was sent.</summary>
    public async Task<string> NextTextAsync() => await _frames.Reader.ReadAsync().AsTask().WaitAsync(ScriptedChatClient.Patience);

    /// <summary>The next frame, which must be a JSON object.</summary>
    public async Task<JsonElement> NextAsync() => JsonDocument.Parse(await NextTextAsync()).RootElement;

    /// <summary>The next frame, which must be of a type.</summary>
    public async Task<JsonElement> NextAsync(string type)
    {
        var frame = await NextAsync();
        return frame.TryGetProperty("type", out var actual) && actual.ValueKind == JsonValueKind.String && actual.GetString() == type
            ? frame : throw new InvalidOperationException($"Expected {type}, got {frame.GetRawText()}");
    }
}
