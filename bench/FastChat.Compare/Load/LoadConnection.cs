using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastChat.Compare.Load;

/// <summary>One connection of the load client: non-blocking, a batch in flight at a time.</summary>
internal sealed class LoadConnection : IDisposable
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    private readonly Traffic _traffic;
    private readonly EchoReader _reader;
    private readonly Socket _socket;
    private readonly int _perWrite;
    private byte[]? _head = [];
    private byte[] _sending = [];
    private int _sent;
    private int _next;
    private long _wanted; // messages that are back when the batch in flight is
    private long _sentAt;

    /// <summary>Connects, which on loopback the kernel does by itself, and asks for the upgrade.</summary>
    /// <exception cref="SocketException">Nobody listens.</exception>
    public LoadConnection(LoadOrder order, EndPoint server, Traffic traffic, int index)
    {
        _traffic = traffic;
        _perWrite = order.Scenario.PerWrite;
        _reader = new EchoReader(traffic, _perWrite);
        _next = index % traffic.Batches;
        _reader.StartAt(_next);
        _socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(server);
        _socket.Send(Encoding.ASCII.GetBytes($"GET {order.Path} HTTP/1.1\r\nHost: {order.Host}:{order.Port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {Key}\r\nSec-WebSocket-Version: 13\r\n\r\n"));
        _socket.Blocking = false;
    }

    public Socket Socket => _socket;

    /// <summary>Whether the handshake is done.</summary>
    public bool IsOpen => _head is null;

    /// <summary>Whether something is left to be sent.</summary>
    public bool IsSending => _sent < _sending.Length;

    /// <summary>Whether every message sent has come back.</summary>
    public bool IsDone => !IsSending && _reader.Messages == _wanted;

    public long Messages => _reader.Messages;

    /// <summary>Sends the next batch.</summary>
    public void SendBatch()
    {
        _sending = _traffic.Batch(_next);
        _next = _next + 1 == _traffic.Batches ? 0 : _next + 1;
        _sent = 0;
        _wanted += _perWrite;
        _sentAt = Stopwatch.GetTimestamp();
        Send();
    }

    /// <summary>Sends what is left, as far as the kernel takes it.</summary>
    public void Send()
    {
        while (IsSending)
        {
            int n = _socket.Send(_sending.AsSpan(_sent), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock) return;
            if (error != SocketError.Success) throw new EchoException($"The connection broke while sending: {error}.");
            _sent += n;
        }
    }

    /// <summary>Receives once.</summary>
    /// <param name="buffer">Where to; shared by all.</param>
    /// <param name="latencies">Gets the time from the write to each echo; null while nothing is counted.</param>
    public void Receive(byte[] buffer, LatencyHistogram? latencies)
    {
        int n = _socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return;
        if (error != SocketError.Success) throw new EchoException($"The connection broke while receiving: {error}.");
        if (n == 0) throw new EchoException("The server ended the connection.");
        var data = buffer.AsSpan(0, n);
        if (_head is not null && !ReadHead(ref data)) return;
        long before = _reader.Messages;
        _reader.Read(data);
        long back = _reader.Messages - before;
        if (back > 0 && latencies is not null)
        {
            long nanoseconds = (long)((Stopwatch.GetTimestamp() - _sentAt) * (1e9 / Stopwatch.Frequency));
            for (long i = 0; i < back; i++) latencies.Add(nanoseconds);
        }
        if (_reader.Messages > _wanted) throw new EchoException("More came back than was sent.");
        if (_reader.Ping is { } ping) Pong(ping);
    }

    public void Dispose() => _socket.Dispose();

    private void Pong(byte[] payload)
    {
        _reader.Ping = null;
        byte[] frame = new byte[6 + payload.Length];
        Traffic.WriteFrame(frame, 10, payload, 0x5A17C3E9);
        // In the middle of a frame the server has to wait for it: keep-alives are far longer than a write lasts.
        if (!IsSending && _socket.Send(frame, SocketFlags.None, out _) != frame.Length) throw new EchoException("A pong could not be sent.");
    }

    private bool ReadHead(ref Span<byte> data)
    {
        _head = [.. _head!, .. data];
        int end = _head.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0) return _head.Length < 16 * 1024 ? false : throw new EchoException("The answer to the upgrade is too long.");
        string text = Encoding.ASCII.GetString(_head, 0, end);
        if (!text.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal) || !text.Contains(Accept, StringComparison.Ordinal))
            throw new EchoException($"The server refused the upgrade: {text.Split('\r')[0]}");
        data = data[^(_head.Length - end - 4)..];
        _head = null;
        return !data.IsEmpty;
    }
}
