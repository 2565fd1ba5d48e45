using System.Buffers;
using FastChat.Buffers;
using FastChat.Protocol;
using FastChat.Protocol.Compression;

namespace FastChat.Connections;

/// <summary>
/// A message as a server's frame, made once for many connections: as it is, and, when a connection comes that can take it, compressed.
/// Not thread-safe.
/// </summary>
internal sealed class BroadcastFrame : IDisposable
{
    private readonly PooledByteBuffer _plain;
    private readonly PooledByteBuffer _compressed;
    private int _windowBits; // of the compressed frame; 0: there is none yet
    private bool _incompressible;

    public BroadcastFrame(in WebSocketMessage message, ArrayPool<byte> pool)
    {
        Opcode = (Opcode)message.Kind;
        Payload = message.Payload;
        _plain = new PooledByteBuffer(pool);
        _compressed = new PooledByteBuffer(pool);
        FrameWriter.Write(_plain, Opcode, Payload);
    }

    public Opcode Opcode { get; }

    public ReadOnlySequence<byte> Payload { get; }

    /// <summary>The frame for a connection with such a compressor, used under its lock.</summary>
    /// <remarks>
    /// Where the window is kept (RFC 7692 section 7.1.1), what another compressor made would be missing in this connection's own: the frame
    /// goes out as it is. Else any inflater follows whose window is no smaller than the compressor's was.
    /// </remarks>
    public ReadOnlyMemory<byte> For(MessageDeflater? deflater)
    {
        if (deflater is null or { KeepsWindow: true } || Payload.Length < deflater.Threshold || _incompressible) return _plain.WrittenMemory;
        if (_windowBits == 0 && !TryCompress(deflater)) return _plain.WrittenMemory;
        return deflater.WindowBits >= _windowBits ? _compressed.WrittenMemory : _plain.WrittenMemory;
    }

    public void Dispose()
    {
        _plain.Dispose();
        _compressed.Dispose();
    }

    private bool TryCompress(MessageDeflater deflater)
    {
        using var payload = new PooledByteBuffer(_plain.Pool);
        _incompressible = !deflater.TryCompress(Payload, payload);
        if (_incompressible) return false;
        FrameWriter.Write(_compressed, Opcode, payload.WrittenSpan, compressed: true);
        _windowBits = deflater.WindowBits;
        return true;
    }
}
