using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace FastChat.TestKit;

/// <summary>A model whose every word is said by the test: each request is a <see cref="ScriptedAnswer"/> that the test takes and plays.</summary>
public sealed class ScriptedChatClient : IChatClient
{
    /// <summary>How long the engine may take before it counts as hung, on a machine that is busy with other things.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Channel<ScriptedAnswer> _requests = Channel.CreateUnbounded<ScriptedAnswer>();

    /// <summary>When set, requests are answered with this at once and not put in front of the test.</summary>
    public Func<IReadOnlyList<ChatMessage>, IEnumerable<string>>? Reply { get; set; }

    /// <summary>How often the model was asked.</summary>
    public int Requests => Volatile.Read(ref _count);

    private int _count;

    /// <summary>The next request that reaches the model.</summary>
    public async Task<ScriptedAnswer> NextAsync() => await _requests.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _count);
        ChatMessage[] prompt = [.. messages];
        if (Reply is { } reply)
        {
            foreach (string text in reply(prompt))
            {
                await Task.Yield();
                cancellationToken.ThrowIfCancellationRequested();
                yield return new ChatResponseUpdate(ChatRole.Assistant, text);
            }
            yield return new ChatResponseUpdate { FinishReason = ChatFinishReason.Stop };
            yield break;
        }
        var answer = new ScriptedAnswer(prompt, cancellationToken);
        _requests.Writer.TryWrite(answer);
        await foreach (var update in answer.Updates.ReadAllAsync(answer.IgnoresCancellation ? CancellationToken.None : cancellationToken))
            yield return update;
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("The engine streams.");

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() { }
}

/// <summary>One request at a <see cref="ScriptedChatClient"/>, and what the test says to it.</summary>
public sealed class ScriptedAnswer(IReadOnlyList<ChatMessage> prompt, CancellationToken cancellation)
{
    private readonly Channel<ChatResponseUpdate> _updates = Channel.CreateUnbounded<ChatResponseUpdate>();

    /// <summary>What the model was asked.</summary>
    public IReadOnlyList<ChatMessage> Prompt => prompt;

    /// <summary>The token that the model was given.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>Makes the model deaf to its token. Set before the answer is enumerated further.</summary>
    public bool IgnoresCancellation { get; set; }

    internal ChannelReader<ChatResponseUpdate> Updates => _updates.Reader;

    public ScriptedAnswer Say(params ReadOnlySpan<string> texts)
    {
        foreach (string text in texts) _updates.Writer.TryWrite(new ChatResponseUpdate(ChatRole.Assistant, text));
        return this;
    }

    public ScriptedAnswer Use(long promptTokens, long completionTokens)
    {
        var usage = new UsageContent(new UsageDetails { InputTokenCount = promptTokens, OutputTokenCount = completionTokens });
        _updates.Writer.TryWrite(new ChatResponseUpdate(ChatRole.Assistant, [usage]));
        return this;
    }

    /// <summary>Ends the stream with a reason.</summary>
    public void Finish(ChatFinishReason? reason = null)
    {
        _updates.Writer.TryWrite(new ChatResponseUpdate { FinishReason = reason ?? ChatFinishReason.Stop });
        _updates.Writer.Complete();
    }

    /// <summary>Ends the stream without a reason, as a connection that breaks does.</summary>
    public void CutOff() => _updates.Writer.Complete();

    public void Fail(Exception exception) => _updates.Writer.Complete(exception);

    /// <summary>Waits until the engine has cancelled the request.</summary>
    public async Task WhenCancelledAsync()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = cancellation.Register(cancelled.SetResult);
        await cancelled.Task.WaitAsync(ScriptedChatClient.Patience);
    }
}
