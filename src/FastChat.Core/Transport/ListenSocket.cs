using System.Net;
using System.Net.Sockets;

namespace FastChat.Transport;

/// <summary>Binds and unbinds listening sockets, the same way for every transport.</summary>
internal static class ListenSocket
{
    /// <summary>Binds and listens. A Unix domain socket's file left by a dead server is removed first; a live server's is not.</summary>
    /// <exception cref="SocketException">The address is in use or not ours.</exception>
    public static Socket Bind(EndPoint endPoint, int backlog)
    {
        bool unix = endPoint is UnixDomainSocketEndPoint;
        if (unix) RemoveStale((UnixDomainSocketEndPoint)endPoint);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            // SocketOptionName.ReuseAddress is left alone: on Unix it would also set SO_REUSEPORT and let two servers share a port unsaid.
            if (endPoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endPoint);
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
        string? path = socket.LocalEndPoint is UnixDomainSocketEndPoint unix ? unix.ToString() : null;
        socket.Dispose();
        if (!string.IsNullOrEmpty(path)) File.Delete(path);
    }

    private static void RemoveStale(UnixDomainSocketEndPoint endPoint)
    {
        string path = endPoint.ToString();
        if (!File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path); // nobody listens: bind would fail on a file that means nothing
        }
    }
}
