using System.Threading.Channels;
using FastChat.Storage;

namespace FastChat.Server.Storage;

/// <summary>What a <see cref="WriteQueue{TSession}"/> writes to. Called on the writer's thread alone, in the order begin, commit or roll back.</summary>
internal interface IWriteTarget<TSession>
{
    TSession Begin();

    /// <summary>Makes everything since <see cref="Begin"/> durable.</summary>
    void Commit();

    /// <summary>Undoes everything since <see cref="Begin"/>. Does not throw, and does nothing when there is nothing to undo.</summary>
    void RollBack();

    /// <summary>The driver's exception as the sentence that callers get.</summary>
    Exception Translate(Exception exception);
}

/// <summary>
/// One thread that executes writes in the order of their arrival and commits them in groups: whatever came while the disk was busy with
/// one commit shares the next. A write that fails is undone alone; its neighbours are executed again without it.
/// </summary>
internal sealed class WriteQueue<TSession> : IAsyncDisposable
{
    private readonly Channel<WriteOperation<TSession>> _operations;
    private readonly IWriteTarget<TSession> _target;
    private readonly WriteQueueOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _waitingLength;
    private volatile bool _closing;

    public WriteQueue(IWriteTarget<TSession> target, WriteQueueOptions options, TimeProvider time, ILogger logger)
    {
        (_target, _options, _time, _logger) = (target, options, time, logger);
        _operations = Channel.CreateBounded<WriteOperation<TSession>>(
            new BoundedChannelOptions(options.Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        // A thread of its own: a commit blocks for as long as the disk takes, and LiteDB's transactions belong to a thread.
        new Thread(Run) { IsBackground = true, Name = "FastChat store writer" }.Start();
    }

    /// <summary>Queues a write. The task completes when it is durable.</summary>
    /// <param name="body">Writes, and returns the result. May be called more than once: everything it did before was undone then.</param>
    /// <param name="length">UTF-16 units of text that it keeps in memory while it waits.</param>
    /// <param name="cancellationToken">Drops it while it waits; later, gives up waiting for it.</param>
    /// <exception cref="StoreException">Busy or closed.</exception>
    public async Task<T> RunAsync<T>(Func<TSession, T> body, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Add(ref _waitingLength, length) > _options.MaxWaitingLength && Interlocked.Read(ref _waitingLength) != length)
            throw Refused(length, Busy());
        var operation = new WriteOperation<TSession, T>(body, length, cancellationToken);
        if (!_operations.Writer.TryWrite(operation))
            throw Refused(length, _closing ? Closed() : Busy());
        return await operation.Completion.WaitAsync(cancellationToken);
    }

    /// <summary>Executes what waits, refuses what comes later, and returns when the thread has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        _closing = true;
        _operations.Writer.TryComplete();
        await _stopped.Task;
    }

    private StoreException Refused(long length, StoreException reason)
    {
        Interlocked.Add(ref _waitingLength, -length);
        return reason;
    }

    private static StoreException Busy() => new(StoreError.Busy, "The store has more writes waiting than it takes; try again in a moment.");

    private static StoreException Closed() => new(StoreError.Closed, "The store is closed.");

    private void Run()
    {
        var group = new List<WriteOperation<TSession>>();
        while (_operations.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (group.Count < _options.GroupSize && _operations.Reader.TryRead(out var operation))
            {
                Interlocked.Add(ref _waitingLength, -operation.Length);
                if (!operation.TryDrop())
                    group.Add(operation);
            }
            RunGroup(group);
            group.Clear();
        }
        _stopped.SetResult();
    }

    private void RunGroup(List<WriteOperation<TSession>> group)
    {
        if (group.Count == 0 || TryCommit(group, out var culprit) || culprit is null)
            return;
        // Seldom enough to be simple: the others run again, each in a transaction of its own.
        foreach (var operation in group)
            if (operation != culprit)
                TryCommit([operation], out _);
    }

    /// <summary>
    /// Executes and commits. When it returns false nothing was stored: either the culprit alone has failed, or, with none, all have.
    /// </summary>
    private bool TryCommit(List<WriteOperation<TSession>> group, out WriteOperation<TSession>? culprit)
    {
        culprit = null;
        long start = _time.GetTimestamp();
        try
        {
            var session = _target.Begin();
            foreach (var operation in group)
            {
                culprit = operation;
                operation.Execute(session);
            }
            culprit = null;
            _target.Commit();
        }
#pragma warning disable CA1031 // Whatever happens to one group, the writer serves the next.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _target.RollBack();
            StorageLog.WriteFailed(_logger, e, group.Count);
            var reason = _target.Translate(e);
            if (culprit is not null)
                culprit.Fail(reason);
            else
                group.ForEach(operation => operation.Fail(reason));
            return false;
        }
        var commit = new StoreCommit(group.Count, _time.GetElapsedTime(start), _operations.Reader.Count);
        group.ForEach(operation => operation.Complete());
        Report(commit);
        return true;
    }

    private void Report(StoreCommit commit)
    {
        if (commit.Duration > TimeSpan.FromSeconds(1))
            StorageLog.SlowCommit(_logger, commit.Operations, commit.Duration.TotalMilliseconds);
        try
        {
            _options.OnCommit?.Invoke(commit);
        }
#pragma warning disable CA1031 // A host's metrics must not stop the writer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            StorageLog.HookFailed(_logger, e);
        }
    }
}
