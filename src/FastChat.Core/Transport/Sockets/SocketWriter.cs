using System.Net.Sockets;
using System.Runtime.InteropServices;
using FastChat.Buffers;

namespace FastChat.Transport;

/// <summary>
/// Sends on a non-blocking socket: everything in one call while the kernel has room. When it has none, the next few bytes are sent
/// asynchronously from a small block of their own; they are out once there is room again, and the rest follows without a copy.
/// </summary>
internal sealed class SocketWriter(SocketTransportConnection connection, SocketTransportOptions options)
    : NonBlockingWriter(options.Pool)
{
    // The runtime sends a list this long without allocating.
    private const int MaxGather = 8;

    private const int ProbeSize = 2 * 1024;

    [ThreadStatic]
    private static List<ArraySegment<byte>>? GatherList;

    private readonly Socket _socket = connection.Socket;
    private ProbeArgs? _probe;

    /// <summary>Frees what asynchronous sends needed; none is in flight.</summary>
    public void Free() => _probe?.Dispose();

    protected override SendStatus TrySend(BufferChain chain, ref ReadOnlyMemory<byte> direct, out Exception? error)
    {
        error = null;
        while (!chain.IsEmpty || !direct.IsEmpty)
        {
            long offered;
            int sent = 0;
            var result = SocketError.Success;
            try
            {
                sent = SendOnce(chain, direct, out offered, out result);
            }
            catch (ObjectDisposedException)
            {
                result = SocketError.OperationAborted;
                offered = 0;
            }
            if (result is not (SocketError.Success or SocketError.WouldBlock))
            {
                error = connection.Break(result);
                return SendStatus.Failed;
            }
            int fromChain = (int)Math.Min(sent, chain.Length);
            if (fromChain > 0) chain.Consume(fromChain);
            if (sent > fromChain) direct = direct[(sent - fromChain)..];
            // Less than offered: the window is full, another call would only say so.
            if (sent < offered || result == SocketError.WouldBlock) return SendStatus.WouldBlock;
        }
        return SendStatus.Sent;
    }

    protected override bool BeginSend(BufferChain chain, out Exception? error)
    {
        error = null;
        _probe ??= new ProbeArgs(this);
        var block = Pool.Rent(ProbeSize);
        int count = chain.Read(block.AsSpan(0, ProbeSize));
        _probe.SetBuffer(block, 0, count);
        try
        {
            if (_socket.SendAsync(_probe)) return true;
            if (_probe.SocketError != SocketError.Success) error = connection.Break(_probe.SocketError);
        }
        catch (ObjectDisposedException)
        {
            error = connection.Break(SocketError.OperationAborted);
        }
        ReturnProbe();
        return false;
    }

    private static int Gather(Socket socket, BufferChain chain, ReadOnlyMemory<byte> direct, out long offered, out SocketError result)
    {
        var list = GatherList ??= new List<ArraySegment<byte>>(MaxGather);
        try
        {
            bool all = chain.Gather(list, MaxGather - 1);
            if (all && MemoryMarshal.TryGetArray(direct, out var segment) && segment.Count > 0) list.Add(segment);
            offered = 0;
            foreach (var block in list) offered += block.Count;
            return socket.Send(list, SocketFlags.None, out result);
        }
        finally
        {
            list.Clear();
        }
    }

    private int SendOnce(BufferChain chain, ReadOnlyMemory<byte> direct, out long offered, out SocketError result)
    {
        if (!chain.IsEmpty && (!direct.IsEmpty || !chain.IsSingleBlock)) return Gather(_socket, chain, direct, out offered, out result);
        var bytes = chain.IsEmpty ? direct.Span : chain.FirstSegment.AsSpan();
        offered = bytes.Length;
        return _socket.Send(bytes, SocketFlags.None, out result);
    }

    private void ReturnProbe()
    {
        var block = _probe!.Buffer!;
        _probe.SetBuffer(null, 0, 0);
        Pool.Return(block);
    }

    private void OnProbeSent(SocketError result)
    {
        ReturnProbe();
        OnSent(result == SocketError.Success ? null : connection.Break(result));
    }

    // true: no execution context flows; the awaiting method has its own.
    private sealed class ProbeArgs(SocketWriter writer) : SocketAsyncEventArgs(true)
    {
        protected override void OnCompleted(SocketAsyncEventArgs e) => writer.OnProbeSent(SocketError);
    }
}
