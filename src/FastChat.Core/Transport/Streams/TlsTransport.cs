using System.Buffers;
using System.Net.Security;

namespace FastChat.Transport;

/// <summary>The client's end of TLS, over any connection.</summary>
public static class TlsTransport
{
    /// <summary>Shakes hands as the client and gives the connection that encrypts.</summary>
    /// <param name="inner">The connection to the server, from now on owned by the result; disposed where the handshake fails.</param>
    /// <param name="options">Host name, certificates, protocols. ALPN is set to http/1.1 where it is not set.</param>
    /// <param name="pool">Where buffers come from and return to; the shared pool if null.</param>
    /// <param name="cancellationToken">Ends the handshake, and with it the connection: the time limit is the caller's.</param>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The certificate is not trusted, or there is no common protocol.</exception>
    /// <exception cref="IOException">The connection was lost.</exception>
    public static async Task<TransportConnection> ConnectAsync(
        TransportConnection inner, SslClientAuthenticationOptions options, ArrayPool<byte>? pool = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(options);
        options.ApplicationProtocols ??= [SslApplicationProtocol.Http11];
        try
        {
            return await AuthenticateAsync(inner, pool, (stream, stop) => stream.AuthenticateAsClientAsync(options, stop), cancellationToken);
        }
        catch
        {
            await inner.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a handshake off any event loop. Where it fails, nothing of <paramref name="inner"/> is in use any more.</summary>
    internal static async Task<TlsConnection> AuthenticateAsync(
        TransportConnection inner, ArrayPool<byte>? pool, Func<SslStream, CancellationToken, Task> authenticate, CancellationToken cancellationToken)
    {
        var bytes = new DuplexPipeStream(inner) { InHandshake = true };
        var stream = new SslStream(bytes, leaveInnerStreamOpen: true);
        try
        {
            await authenticate(stream, cancellationToken);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
        bytes.InHandshake = false;
        return new TlsConnection(inner, stream, pool);
    }
}
