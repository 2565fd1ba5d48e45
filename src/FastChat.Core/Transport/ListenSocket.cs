using System.Net;
using System.Net.Sockets;

namespace FastChat.Transport;

/// <summary>Binds and unbinds listening sockets, the same way for every transport.</summary>
internal static class ListenSocket
{
    /// <summary>Binds and listens. A Unix domain socket's file left by a dead server is removed first; a live server's is not.</summary>
    /// <exception cref="SocketException">The address is in use or not ours.</exception>
    /// <exception cref="IOException">Too few descriptors are left to serve with.</exception>
    public static Socket Bind(EndPoint endPoint, int backlog, Func<Socket, DescriptorTable> count, out DescriptorTable descriptors)
    {
        bool unix = endPoint is UnixDomainSocketEndPoint;
        if (unix) RemoveStale((UnixDomainSocketEndPoint)endPoint);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            // SocketOptionName.ReuseAddress is left alone: on Unix it would also set SO_REUSEPORT and let two servers share a port unsaid.
            if (endPoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endPoint);
            descriptors = count(socket);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Closes the socket and removes its file, where it has one.</summary>
    public static void Close(Socket socket)
    {
        string? path = null;
        try
        {
            path = (socket.LocalEndPoint as UnixDomainSocketEndPoint)?.ToString();
        }
        catch (ObjectDisposedException)
        {
            return; // closed before, file and all
        }
        socket.Dispose();
        if (!string.IsNullOrEmpty(path) && path[0] is not ('\0' or '@')) File.Delete(path);
    }

    private static void RemoveStale(UnixDomainSocketEndPoint endPoint)
    {
        string path = endPoint.ToString();
        // Names that begin with NUL (shown as @) are no files. Another kind of file stays, and bind says that the address is in use.
        if (path.Length == 0 || path[0] is '\0' or '@' || !IsSocket(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path); // nobody listens: bind would fail on a file that means nothing
        }
        catch (SocketException)
        {
            // In use, if busy or closed to us: bind tells.
        }
    }

    // A socket is the one kind of file that exists and that nobody can open (ENXIO, an IOException of no special type). A refused
    // connection does not tell: a plain file refuses too.
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            return false;
        }
        catch (IOException e) when (e.GetType() == typeof(IOException))
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
