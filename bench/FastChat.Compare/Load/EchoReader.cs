using System.Buffers.Binary;

namespace FastChat.Compare.Load;

/// <summary>
/// Reads a server's frames, in pieces as they come, and compares them with what was sent: messages of up to 1 KiB and every 16th of the
/// longer ones byte by byte, of the others the length and both ends of every piece. (To compare all of them takes the client, which is often
/// busier than the server, a tenth of its time.) Fragments are allowed, anything else that an echo is not is an error.
/// </summary>
internal sealed class EchoReader(Traffic traffic, int perWrite)
{
    private const int AlwaysWhole = 1024, WholeEvery = 16, End = 64;

    private readonly byte[] _header = new byte[10];
    private readonly byte[] _control = new byte[125];
    private int _headerLength;
    private int _controlLength;
    private long _left; // of the frame's payload
    private int _offset; // in the message
    private bool _inPayload;
    private bool _inMessage;
    private int _batch;
    private int _message;

    /// <summary>Messages that came back whole and right.</summary>
    public long Messages { get; private set; }

    /// <summary>The payload of a ping to be answered; empty but not null for one without, null for none.</summary>
    public byte[]? Ping { get; set; }

    /// <summary>Says with which batch the connection begins.</summary>
    public void StartAt(int batch) => _batch = batch;

    /// <summary>Takes what was received.</summary>
    /// <exception cref="EchoException">It is not what was sent.</exception>
    public void Read(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty || (_inPayload && _left == 0))
        {
            if (!_inPayload && !ReadHeader(ref data)) return;
            int length = (int)Math.Min(_left, data.Length);
            var piece = data[..length];
            data = data[length..];
            _left -= length;
            bool isControl = (_header[0] & 8) != 0;
            if (isControl)
            {
                piece.CopyTo(_control.AsSpan(_controlLength));
                _controlLength += length;
            }
            else
            {
                if (!IsRight(piece, traffic.Payload(_batch, _message))) throw new EchoException($"The echo differs from what was sent, at byte {_offset} or after.");
                _offset += length;
            }
            if (_left > 0) return;
            _inPayload = false;
            if (isControl) OnControl();
            else if ((_header[0] & 0x80) != 0) OnMessage();
        }
    }

    private bool IsRight(ReadOnlySpan<byte> piece, ReadOnlySpan<byte> message)
    {
        var expected = message.Slice(_offset, piece.Length);
        if (message.Length <= AlwaysWhole || piece.Length <= 2 * End || Messages % WholeEvery == 0) return piece.SequenceEqual(expected);
        return piece[..End].SequenceEqual(expected[..End]) && piece[^End..].SequenceEqual(expected[^End..]);
    }

    private bool ReadHeader(ref ReadOnlySpan<byte> data)
    {
        while (true)
        {
            int wanted = _headerLength < 2 ? 2 : (_header[1] & 127) switch { 126 => 4, 127 => 10, _ => 2 };
            if (_headerLength == wanted) break;
            int n = Math.Min(wanted - _headerLength, data.Length);
            if (n == 0) return false;
            data[..n].CopyTo(_header.AsSpan(_headerLength));
            data = data[n..];
            _headerLength += n;
        }
        _headerLength = 0;
        _inPayload = true;
        _left = (_header[1] & 127) switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(2)),
            127 => BinaryPrimitives.ReadInt64BigEndian(_header.AsSpan(2)),
            int length => length,
        };
        int opcode = _header[0] & 15;
        if ((_header[0] & 0x70) != 0) throw new EchoException("A reserved bit is set.");
        if ((_header[1] & 0x80) != 0) throw new EchoException("The server masks.");
        if (opcode >= 8)
        {
            if (_left is < 0 or > 125) throw new EchoException("A control frame is too long.");
            _controlLength = 0;
            return true;
        }
        if (opcode != (_inMessage ? 0 : traffic.Opcode)) throw new EchoException($"Opcode {opcode} is not that of the message.");
        if (!_inMessage) _offset = 0;
        _inMessage = true;
        if (_left < 0 || _left > traffic.Payload(_batch, _message).Length - _offset) throw new EchoException("The echo is longer than what was sent.");
        return true;
    }

    private void OnMessage()
    {
        if (_offset != traffic.Payload(_batch, _message).Length) throw new EchoException("The echo is shorter than what was sent.");
        _inMessage = false;
        Messages++;
        if (++_message < perWrite) return;
        _message = 0;
        _batch = _batch + 1 == traffic.Batches ? 0 : _batch + 1;
    }

    private void OnControl()
    {
        switch (_header[0] & 15)
        {
            case 8:
                throw new EchoException(_controlLength >= 2 ? $"The server closed with {BinaryPrimitives.ReadUInt16BigEndian(_control)}." : "The server closed.");
            case 9:
                Ping = _control[.._controlLength];
                break;
        }
    }
}

/// <summary>A server did not echo.</summary>
internal sealed class EchoException(string message) : Exception(message);
