using System.Buffers;
using System.Runtime.CompilerServices;
using FastChat.Protocol;

namespace FastChat.Connections;

/// <summary>
/// A message on its way out in pieces, as they come into being: each write is a fragment (RFC 6455 section 5.4) that leaves at once, or,
/// where a handler has not waited yet, when it first does; <see cref="FlushAsync"/> sends it before. Made by
/// <see cref="WebSocketConnection.OpenMessage"/>. For one writer at a time; asynchronous only.
/// </summary>
/// <remarks>
/// From its first piece to its end it has the connection to itself: other messages wait in order, control frames go between. So end it soon,
/// and send nothing else meanwhile from the code that writes it: it would wait for itself. Only <see cref="CompleteAsync"/> makes the
/// message whole. Disposing of it before, as an exception does that leaves an <c>await using</c>, closes the connection with 1011
/// (<see cref="EndReason.MessageAbandoned"/>), for half a message must not look like a whole one and RFC 6455 knows no way to take it back; before the
/// first piece it does nothing.
/// </remarks>
public sealed class MessageStream : Stream
{
    private const int Idle = 0, Writing = 1, Complete = 2, Disposed = 3;

    private readonly WebSocketConnection _connection;
    private readonly FrameSender _sender;
    private Utf8Validator _text;
    private int _state;
    private bool _begun;

    internal MessageStream(WebSocketConnection connection, FrameSender sender, WebSocketMessageKind kind)
    {
        _connection = connection;
        _sender = sender;
        Kind = kind;
    }

    /// <summary>Text or binary.</summary>
    public WebSocketMessageKind Kind { get; }

    /// <summary>False.</summary>
    public override bool CanRead => false;

    /// <summary>False.</summary>
    public override bool CanSeek => false;

    /// <summary>True.</summary>
    public override bool CanWrite => true;

    /// <summary>Not supported.</summary>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Its pieces are compressed: decided with the first. The sender's, under its lock.</summary>
    internal bool IsCompressed { get; set; }

    /// <summary>Sends a piece; of text, it may end within a character. Nothing is sent for an empty one.</summary>
    /// <param name="buffer">The bytes; they must not change until the returned task completes, and may do so afterwards.</param>
    /// <param name="cancellationToken">Takes the piece back while it waits for room in the queue, or for other messages; the message goes on with the next.</param>
    /// <returns>
    /// Completes when the piece is accepted: handed to the kernel, or in the bounded queue. When that is full a piece waits, also under
    /// <see cref="SendQueuePolicy.DropNewest"/>; <see cref="SendQueuePolicy.Close"/> closes the connection.
    /// </returns>
    /// <exception cref="ArgumentException">The text so far is not UTF-8. The piece was not sent; another may be.</exception>
    /// <exception cref="InvalidOperationException">The message is complete, or a write is pending.</exception>
    /// <exception cref="ConnectionClosedException">The connection is closed, closing or lost.</exception>
    /// <exception cref="OperationCanceledException">Cancelled before the piece was accepted.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        buffer.IsEmpty ? default : SendAsync(buffer, last: false, cancellationToken);

    /// <summary>Sends the last piece, which may be empty: the message is whole.</summary>
    /// <exception cref="ArgumentException">The text is not UTF-8, or ends within a character. The message is not complete.</exception>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public ValueTask CompleteAsync(ReadOnlyMemory<byte> buffer = default, CancellationToken cancellationToken = default) => SendAsync(buffer, last: true, cancellationToken);

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Sends now what a handler has written before it first waits; at any other time a piece leaves at once. Does not wait for the peer.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        Flush();
        return Task.CompletedTask;
    }

    /// <inheritdoc cref="FlushAsync"/>
    public override void Flush() => _sender.FlushWritten();

    /// <summary>Not supported: asynchronous only.</summary>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Asynchronous only.");

    /// <summary>Not supported.</summary>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        int before = Interlocked.Exchange(ref _state, Disposed);
        if (before == Writing || (before == Idle && _begun)) _connection.Close(CloseCode.InternalError, null, EndReason.MessageAbandoned);
        base.Dispose(disposing);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendAsync(ReadOnlyMemory<byte> buffer, bool last, CancellationToken cancellationToken)
    {
        int before = Interlocked.CompareExchange(ref _state, Writing, Idle);
        ObjectDisposedException.ThrowIf(before == Disposed, this);
        if (before != Idle) throw new InvalidOperationException(before == Complete ? "The message is complete." : "A write is pending already.");
        int after = Idle;
        try
        {
            var text = _text; // kept only where the piece was accepted
            if (Kind == WebSocketMessageKind.Text && (!text.Append(buffer.Span) || (last && !text.IsComplete)))
                throw new ArgumentException("The text is not UTF-8.", nameof(buffer));
            await _sender.SendAsync(this, new ReadOnlySequence<byte>(buffer), last, cancellationToken).ConfigureAwait(false);
            _text = text;
            _begun = true;
            if (last) after = Complete;
        }
        finally
        {
            Interlocked.CompareExchange(ref _state, after, Writing);
        }
    }
}
