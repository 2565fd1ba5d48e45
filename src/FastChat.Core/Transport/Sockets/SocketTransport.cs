using System.Net;
using System.Net.Sockets;

namespace FastChat.Transport;

/// <summary>Client connections over TCP and Unix domain sockets.</summary>
public static class SocketTransport
{
    // RFC 8305 section 5: how long one address has before the next is tried beside it.
    private static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Connects to the host and port of <paramref name="uri"/>.</summary>
    /// <inheritdoc cref="ConnectAsync(EndPoint, SocketTransportOptions?, CancellationToken)"/>
    public static Task<TransportConnection> ConnectAsync(Uri uri, SocketTransportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        return ConnectAsync(new DnsEndPoint(uri.IdnHost, uri.Port), options, cancellationToken);
    }

    /// <summary>
    /// Connects to an <see cref="IPEndPoint"/>, a <see cref="UnixDomainSocketEndPoint"/> or a <see cref="DnsEndPoint"/>. The addresses of
    /// a name are tried in turn, IPv6 and IPv4 alternating, 250 ms apart or as soon as one fails; the first to answer wins (RFC 8305).
    /// </summary>
    /// <returns>The connection, which the caller disposes.</returns>
    /// <exception cref="SocketException">The name has no address, or none of them answers: the error of the first.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; nothing is left open.</exception>
    public static async Task<TransportConnection> ConnectAsync(
        EndPoint endPoint, SocketTransportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        options ??= new SocketTransportOptions();
        var socket = endPoint is DnsEndPoint name
            ? await ConnectToAnyAsync(await ResolveAsync(name, cancellationToken), options.TimeProvider, cancellationToken)
            : await ConnectSocketAsync(endPoint, cancellationToken);
        try
        {
            return new SocketTransportConnection(socket, options);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The addresses in the order in which to try them: the resolver's, the families alternating (RFC 8305 section 4).</summary>
    internal static EndPoint[] Interleave(IReadOnlyCollection<IPAddress> addresses, int port)
    {
        var first = addresses.Where(a => a.AddressFamily == addresses.First().AddressFamily).ToArray();
        var other = addresses.Except(first).ToArray();
        return [.. Enumerable.Range(0, Math.Max(first.Length, other.Length))
            .SelectMany(i => first.Skip(i).Take(1).Concat(other.Skip(i).Take(1)))
            .Select(a => new IPEndPoint(a, port))];
    }

    /// <summary>Tries each in turn as <see cref="ConnectAsync(EndPoint, SocketTransportOptions?, CancellationToken)"/> says.</summary>
    internal static async Task<Socket> ConnectToAnyAsync(EndPoint[] endPoints, TimeProvider time, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var attempts = new List<Task<Socket>>();
        Exception? failure = null;
        try
        {
            for (int next = 0; next < endPoints.Length || attempts.Count > 0;)
            {
                if (next < endPoints.Length) attempts.Add(ConnectSocketAsync(endPoints[next++], stop.Token));
                var any = Task.WhenAny(attempts);
                if (next < endPoints.Length && !await EndsSoonAsync(any, time, cancellationToken)) continue;
                var ended = await any;
                attempts.Remove(ended);
                if (ended.IsCompletedSuccessfully) return await ended;
                cancellationToken.ThrowIfCancellationRequested();
                failure ??= ended.Exception?.InnerException;
            }
            throw failure ?? new SocketException((int)SocketError.HostNotFound);
        }
        finally
        {
            await stop.CancelAsync();
            // The losers: a socket that connected after all is closed, a failure is of no interest.
            foreach (var attempt in attempts)
                _ = attempt.ContinueWith(static t => { if (t.IsCompletedSuccessfully) t.Result.Dispose(); else _ = t.Exception; }, TaskScheduler.Default);
        }
    }

    private static async Task<bool> EndsSoonAsync(Task task, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(AttemptDelay, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task<EndPoint[]> ResolveAsync(DnsEndPoint name, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(name.Host, out var literal) ? [literal]
            : await Dns.GetHostAddressesAsync(name.Host, name.AddressFamily, cancellationToken);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        return Interleave(addresses, name.Port);
    }

    private static async Task<Socket> ConnectSocketAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
