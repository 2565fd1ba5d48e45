using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>One answer's stream from an upstream: every wait bounded, retried until its first update. For one reader.</summary>
internal sealed class UpstreamStream : IAsyncDisposable
{
    // After the finish reason only the usage is missing; an upstream that then holds the line open keeps nobody waiting.
    private static readonly TimeSpan Epilogue = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromSeconds(0.5);
    private readonly Func<CancellationToken, IAsyncEnumerable<ChatResponseUpdate>> _open;
    private readonly ModelSettings _model;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationToken _cancelled;
    private readonly CancellationTokenSource _deadline;
    private readonly CancellationTokenSource _either;
    private IAsyncEnumerator<ChatResponseUpdate>? _updates;
    private int _retries;
    private bool _begun;

    public UpstreamStream(Func<CancellationToken, IAsyncEnumerable<ChatResponseUpdate>> open, ModelSettings model, TimeProvider time,
        ILogger logger, CancellationToken cancelled)
    {
        (_open, _model, _time, _logger, _cancelled) = (open, model, time, logger, cancelled);
        _deadline = new CancellationTokenSource(model.FirstTokenTimeout, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(cancelled, _deadline.Token);
    }

    /// <summary>Why the answer ended; null until the upstream said so.</summary>
    public ChatFinishReason? FinishReason { get; private set; }

    /// <summary>The next update; null at the end of the stream, whether it was complete (<see cref="FinishReason"/> is set) or broke off.</summary>
    /// <exception cref="ModelException">The upstream failed.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async ValueTask<ChatResponseUpdate?> ReadAsync()
    {
        if (_begun) _deadline.CancelAfter(FinishReason is null ? _model.IdleTimeout : Epilogue);
        var delay = TimeSpan.Zero;
        while (true)
        {
            try
            {
                if (delay > TimeSpan.Zero) await Task.Delay(delay, _time, _either.Token);
                _updates ??= _open(_either.Token).GetAsyncEnumerator(_either.Token);
                return await _updates.MoveNextAsync() ? Accept(_updates.Current) : End(null);
            }
            catch (Exception e)
            {
                _cancelled.ThrowIfCancellationRequested();
                if (FinishReason is not null || (_begun && e is IOException or HttpRequestException)) return End(e);
                if (Explain(e) is not { } failure) throw;
                if (!MayRetry(failure, out delay)) throw failure;
            }
            await _updates!.DisposeAsync();
            _updates = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_updates is not null) await _updates.DisposeAsync();
        _either.Dispose();
        _deadline.Dispose();
    }

    private ChatResponseUpdate Accept(ChatResponseUpdate update)
    {
        _begun = true;
        // A slow reader is not a silent upstream: the clock stands while nobody reads.
        _deadline.CancelAfter(Timeout.InfiniteTimeSpan);
        FinishReason = update.FinishReason ?? FinishReason;
        return update;
    }

    private ChatResponseUpdate? End(Exception? cause)
    {
        if (!_begun) throw new ModelException(ModelFailure.Malformed, $"The model '{_model.Name}' sent no answer.");
        if (FinishReason is null) ModelLog.Truncated(_logger, _model.Name, cause);
        return null;
    }

    // What is none of these is a defect of this program, not of the upstream.
    private ModelException? Explain(Exception e) => e switch
    {
        ModelException known => known,
        OperationCanceledException => new(ModelFailure.TimedOut, _begun
            ? $"The model '{_model.Name}' fell silent in the middle of its answer."
            : $"The model '{_model.Name}' did not begin to answer in time.", e),
        HttpRequestException or IOException => new(ModelFailure.Unavailable, $"The model '{_model.Name}' could not be reached.", e),
        _ => null,
    };

    private bool MayRetry(ModelException failure, out TimeSpan delay)
    {
        // Full jitter over the upper half, so that many generations refused together do not come back together.
        delay = failure.RetryAfter ?? FirstBackOff * Math.Pow(2, _retries) * (0.5 + Random.Shared.NextDouble() / 2);
        if (failure.RetryAfter is null && delay > _model.MaxRetryDelay) delay = _model.MaxRetryDelay;
        if (_begun || _retries == _model.MaxRetries || delay > _model.MaxRetryDelay) return false;
        if (failure.Failure is not (ModelFailure.RateLimited or ModelFailure.Unavailable)) return false;
        ModelLog.Retrying(_logger, _model.Name, failure.Failure, ++_retries, _model.MaxRetries, delay);
        return true;
    }
}
