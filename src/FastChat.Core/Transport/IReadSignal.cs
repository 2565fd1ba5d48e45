using System.IO.Pipelines;

namespace FastChat.Transport;

/// <summary>
/// A pipe reader that can call back when there is something to read, for a consumer that wants to keep no awaiter meanwhile: a hundred
/// thousand idle connections would otherwise each hold one.
/// </summary>
internal interface IReadSignal
{
    /// <summary>Reads what there is; or returns false and calls <paramref name="continuation"/> once, when the next call will not wait.</summary>
    /// <exception cref="IOException">The connection was reset or aborted.</exception>
    bool TryRead(Action<object?> continuation, object state, out ReadResult result);
}
