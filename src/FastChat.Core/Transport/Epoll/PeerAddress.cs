using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace FastChat.Transport.Epoll;

/// <summary>A peer's address as accept(2) told it, kept small; an object is made of it only when somebody asks.</summary>
internal readonly struct PeerAddress
{
    private const ushort Inet = 2, Inet6 = 10;

    private readonly ulong _low; // the address as it lies in memory
    private readonly ulong _high;
    private readonly uint _scope;
    private readonly ushort _port;
    private readonly ushort _family;

    /// <param name="socketAddress">A struct sockaddr_in or sockaddr_in6; anything else has no address worth telling.</param>
    public PeerAddress(ReadOnlySpan<byte> socketAddress)
    {
        if (socketAddress.Length < 8) return;
        _family = MemoryMarshal.Read<ushort>(socketAddress);
        _port = BinaryPrimitives.ReadUInt16BigEndian(socketAddress[2..]);
        if (_family == Inet) _low = MemoryMarshal.Read<uint>(socketAddress[4..]);
        else if (_family == Inet6 && socketAddress.Length >= 28)
        {
            _low = MemoryMarshal.Read<ulong>(socketAddress[8..]);
            _high = MemoryMarshal.Read<ulong>(socketAddress[16..]);
            _scope = MemoryMarshal.Read<uint>(socketAddress[24..]);
        }
    }

    public EndPoint? ToEndPoint()
    {
        if (_family == Inet) return new IPEndPoint((long)_low, _port);
        if (_family != Inet6) return null;
        ReadOnlySpan<ulong> address = [_low, _high];
        return new IPEndPoint(new IPAddress(MemoryMarshal.AsBytes(address), _scope), _port);
    }
}
