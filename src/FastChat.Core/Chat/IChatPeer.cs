namespace FastChat.Chat;

/// <summary>The other end of a socket, as the chat sees it: a host adapts its connections to this. Safe for concurrent use.</summary>
public interface IChatPeer
{
    /// <summary>
    /// Sends one text message. Messages go out whole and in the order of the calls. Completes when the message is on its way or queued;
    /// until then the buffer must not change, afterwards it is the caller's again.
    /// </summary>
    /// <param name="utf8">The message, valid UTF-8.</param>
    /// <param name="cancellationToken">Takes the message back while it waits for room.</param>
    /// <exception cref="Exception">Any, when the connection is closed or lost: the chat then takes the peer for gone.</exception>
    ValueTask SendTextAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken = default);

    /// <summary>
    /// Completes at once while the peer keeps up, and otherwise when little is left unsent. Chunks of an answer that arrive meanwhile are
    /// sent as one, so this is what makes a slow peer get fewer and larger ones. Where <see cref="SendTextAsync"/> itself waits while much
    /// is unsent, this may complete at once: the effect is the same, with that much more in between.
    /// </summary>
    ValueTask WaitForRoomAsync(CancellationToken cancellationToken = default);

    /// <summary>Begins to close, behind what was sent.</summary>
    /// <param name="code">A close code (RFC 6455 section 7.4).</param>
    /// <param name="reason">At most 123 bytes of UTF-8.</param>
    ValueTask CloseAsync(int code, string reason);
}
