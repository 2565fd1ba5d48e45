using System.IO.Pipelines;
using System.Net;
using FastChat.Transport;
using Microsoft.AspNetCore.Http;

namespace FastChat.Server.Hosting;

/// <summary>A request that Kestrel has turned into a stream of bytes in both directions: an upgrade of HTTP/1.1, or a CONNECT of HTTP/2.</summary>
internal sealed class UpgradedConnection : TransportConnection
{
    private readonly HttpContext _http;
    private readonly EndingStream _stream;
    private int _disposed;

    public UpgradedConnection(HttpContext http, Stream stream)
    {
        _http = http;
        _stream = new EndingStream(stream);
        // Reading with an empty buffer first: an idle connection holds none.
        Input = PipeReader.Create(_stream, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        var connection = http.Connection;
        LocalEndPoint = connection.LocalIpAddress is { } local ? new IPEndPoint(local, connection.LocalPort) : null;
        RemoteEndPoint = connection.RemoteIpAddress is { } remote ? new IPEndPoint(remote, connection.RemotePort) : null;
    }

    public override PipeReader Input { get; }

    public override PipeWriter Output { get; }

    public override EndPoint? LocalEndPoint { get; }

    public override EndPoint? RemoteEndPoint { get; }

    public override void Abort()
    {
        if (Volatile.Read(ref _disposed) == 0)
            _http.Abort();
    }

    /// <summary>
    /// The end of the response is the end of the request's handler, so there is no waiting for the peer's: from here on there is nothing
    /// to read, and Kestrel closes behind what was sent.
    /// </summary>
    public override ValueTask ShutdownAsync()
    {
        _stream.End();
        return default;
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await Input.CompleteAsync();
        // Completing would flush, on a connection that may be gone.
        await Output.CompleteAsync(new OperationCanceledException());
    }

    private sealed class EndingStream(Stream inner) : Stream
    {
        private volatile bool _ended;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void End() => _ended = true;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _ended ? new(0) : inner.ReadAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
