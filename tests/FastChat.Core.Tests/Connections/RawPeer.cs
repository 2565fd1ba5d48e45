using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using FastChat.Core.Tests.Protocol;
using FastChat.Protocol;
using FastChat.Transport;

namespace FastChat.Core.Tests.Connections;

/// <summary>The other end of a connection, octet by octet: sends whatever a test wants and takes apart what comes, with no code of the engine's.</summary>
/// <param name="transport">Its end of the stream.</param>
/// <param name="to">The role of the end under test.</param>
internal sealed class RawPeer(TransportConnection transport, EndpointRole to)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private byte[] _left = [];
    private bool _ended;
    private byte _first; // octet of the last frame

    public TransportConnection Transport => transport;

    public EndpointRole To => to;

    /// <summary>Whether fragments are expected, and compression. Elsewhere the engine does neither.</summary>
    public bool SeesFragments { get; init; }

    public async Task SendAsync(params byte[][] parts)
    {
        byte[] all = [.. parts.SelectMany(p => p)];
        await transport.Output.WriteAsync(all).AsTask().WaitAsync(Patience);
    }

    public Task SendTextAsync(string text) => SendAsync(Frames.Text(to, Encoding.UTF8.GetBytes(text)));

    public Task SendCloseAsync(int code, string reason = "") => SendAsync(Frames.Close(to, code, Encoding.UTF8.GetBytes(reason)));

    /// <summary>The next frame: "Text:hello", "Close:1000 reason", "Ping:", "Binary:00FF", "Text+:hel" for a fragment with more to come; "end" or "reset" for the end of the stream.</summary>
    public async Task<string> NextAsync()
    {
        var (opcode, payload) = await FrameAsync();
        string more = _first < 0x80 ? "+" : "";
        return opcode switch
        {
            null => Encoding.ASCII.GetString(payload),
            Opcode.Close => payload.Length < 2 ? "Close:" : $"Close:{BinaryPrimitives.ReadUInt16BigEndian(payload)} {Encoding.UTF8.GetString(payload.AsSpan(2))}".TrimEnd(),
            Opcode.Binary => $"Binary{more}:{Convert.ToHexString(payload)}",
            _ => $"{opcode}{more}:{Encoding.UTF8.GetString(payload)}",
        };
    }

    /// <summary>The next frame, unmasked; with the end of the stream no opcode.</summary>
    public async Task<(Opcode? Opcode, byte[] Payload)> FrameAsync()
    {
        while (true)
        {
            if (TryTake(out var opcode, out byte[] payload)) return (opcode, payload);
            if (await ReceiveAsync() is { } end) return (null, Encoding.ASCII.GetBytes(end));
        }
    }

    /// <summary>Everything up to the end of the stream, which is the last item.</summary>
    public async Task<List<string>> AllAsync()
    {
        var all = new List<string>();
        do all.Add(await NextAsync());
        while (all[^1] is not ("end" or "reset"));
        return all;
    }

    /// <summary>Bytes up to and with an empty line, for the handshake.</summary>
    public async Task<string> HeadAsync()
    {
        while (true)
        {
            int end = _left.AsSpan().IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                string head = Encoding.Latin1.GetString(_left, 0, end + 4);
                _left = _left[(end + 4)..];
                return head;
            }
            if (await ReceiveAsync() is { } why) throw new IOException($"The stream ended ({why}) after: {Encoding.Latin1.GetString(_left)}");
        }
    }

    /// <summary>What is left of the stream, as text.</summary>
    public async Task<string> RestAsync()
    {
        while (await ReceiveAsync() is null)
        {
        }
        return Encoding.Latin1.GetString(_left);
    }

    /// <summary>Says that no more comes.</summary>
    public Task EndAsync() => transport.ShutdownAsync().AsTask().WaitAsync(Patience);

    public ValueTask DisposeAsync() => transport.DisposeAsync();

    private async Task<string?> ReceiveAsync()
    {
        if (_ended) return "end";
        try
        {
            var result = await transport.Input.ReadAsync().AsTask().WaitAsync(Patience);
            _left = [.. _left, .. result.Buffer.ToArray()];
            bool nothing = result.Buffer.IsEmpty;
            transport.Input.AdvanceTo(result.Buffer.End);
            _ended = result.IsCompleted;
            return nothing && _ended ? "end" : null;
        }
        catch (IOException)
        {
            return "reset";
        }
    }

    private bool TryTake(out Opcode? opcode, out byte[] payload)
    {
        (opcode, payload) = (null, []);
        if (_left.Length < 2) return false;
        if (!SeesFragments) Assert.Equal(0x80, _left[0] & 0xF0); // FIN and no reserved bit
        Assert.Equal(to == EndpointRole.Client, _left[1] >= 0x80);
        int at = 2;
        long length = _left[1] & 0x7F;
        if (length == 126 && _left.Length >= 4) (length, at) = (BinaryPrimitives.ReadUInt16BigEndian(_left.AsSpan(2)), 4);
        else if (length == 127 && _left.Length >= 10) (length, at) = (BinaryPrimitives.ReadInt64BigEndian(_left.AsSpan(2)), 10);
        else if (length > 125) return false;
        int mask = _left[1] >= 0x80 ? 4 : 0;
        if (_left.Length < at + mask + length) return false;
        payload = _left.AsSpan(at + mask, (int)length).ToArray();
        for (int i = 0; mask != 0 && i < payload.Length; i++) payload[i] ^= _left[at + (i & 3)];
        _first = _left[0];
        opcode = (Opcode)(_first & 15);
        _left = _left[(at + mask + (int)length)..];
        return true;
    }
}
