using System.Net.Sockets;

namespace FastChat.Transport;

/// <summary>The file that a Unix domain socket leaves in the file system.</summary>
internal static class UnixSocketFile
{
    /// <summary>
    /// Removes the file at <paramref name="endPoint"/> if it is a socket on which nobody listens: a process that was killed left it. Says
    /// whether it did; a file of another kind and a socket in use stay.
    /// </summary>
    public static bool RemoveIfStale(UnixDomainSocketEndPoint endPoint)
    {
        string path = endPoint.ToString();
        // The names that begin with NUL (shown as @) are no files.
        if (path.Length == 0 || path[0] is '\0' or '@' || !IsSocket(path)) return false;
        using (var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            try
            {
                probe.Connect(endPoint);
                return false;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
            }
            catch (SocketException)
            {
                return false;
            }
        }
        File.Delete(path);
        return true;
    }

    // A socket is the one kind of file that exists and can be opened by nobody (ENXIO, which is an IOException of no special type);
    // connecting does not tell, because a plain file refuses too.
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
