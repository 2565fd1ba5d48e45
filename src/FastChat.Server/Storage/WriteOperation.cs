namespace FastChat.Server.Storage;

/// <summary>One waiting write. May be executed more than once; only the last execution before <see cref="Complete"/> counts.</summary>
internal abstract class WriteOperation<TSession>(long length, CancellationToken cancellationToken)
{
    /// <summary>UTF-16 units of text that it holds in memory.</summary>
    public long Length => length;

    /// <summary>True when nobody waits for it any more, which it then tells its caller.</summary>
    public bool TryDrop()
    {
        if (!cancellationToken.IsCancellationRequested)
            return false;
        Cancel(cancellationToken);
        return true;
    }

    public abstract void Execute(TSession session);

    public abstract void Complete();

    public abstract void Fail(Exception exception);

    protected abstract void Cancel(CancellationToken token);
}

/// <inheritdoc/>
internal sealed class WriteOperation<TSession, TResult>(Func<TSession, TResult> body, long length, CancellationToken cancellationToken)
    : WriteOperation<TSession>(length, cancellationToken)
{
    // The writer's thread must not run its callers' continuations.
    private readonly TaskCompletionSource<TResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResult? _result;

    public Task<TResult> Completion => _completion.Task;

    public override void Execute(TSession session) => _result = body(session);

    public override void Complete() => _completion.TrySetResult(_result!);

    public override void Fail(Exception exception) => _completion.TrySetException(exception);

    protected override void Cancel(CancellationToken token) => _completion.TrySetCanceled(token);
}
