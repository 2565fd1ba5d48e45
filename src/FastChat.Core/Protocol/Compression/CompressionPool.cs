namespace FastChat.Protocol.Compression;

/// <summary>
/// The native compressors and decompressors that the connections of one server or client share, and the factory of what each
/// connection holds. Thread-safe. Idle states are bounded: one compressor per core and window size, four decompressors per core.
/// Dispose of it after the connections; states still out are then freed as they come back.
/// </summary>
internal sealed class CompressionPool : IDisposable
{
    private readonly BoundedPool<Deflater>[] _deflaters = new BoundedPool<Deflater>[NativeZLib.LargestWindowBits + 1];
    private readonly BoundedPool<Inflater> _inflaters = new(4 * Environment.ProcessorCount);
    private readonly int _level;
    private readonly int _memoryLevel;
    private readonly int _threshold;

    /// <summary>Takes level, memory level and threshold from the options as they are now.</summary>
    public CompressionPool(PerMessageDeflateOptions options)
    {
        (_level, _memoryLevel, _threshold) = (options.CompressionLevel, options.MemoryLevel, options.Threshold);
        for (int bits = 0; bits < _deflaters.Length; bits++) _deflaters[bits] = new BoundedPool<Deflater>(Environment.ProcessorCount);
    }

    /// <summary>Idle compressors of one window size.</summary>
    public int IdleDeflaters(int windowBits) => _deflaters[windowBits].Count;

    /// <summary>Idle decompressors.</summary>
    public int IdleInflaters => _inflaters.Count;

    /// <summary>What a connection inflates its peer's messages with. Nothing native is made before the first compressed message.</summary>
    /// <param name="agreed">What the handshake agreed on.</param>
    /// <param name="isServer">The role of this end.</param>
    public MessageInflater CreateInflater(in PerMessageDeflateParameters agreed, bool isServer) => isServer
        ? new MessageInflater(this, agreed.ClientMaxWindowBits, keepsWindow: !agreed.ClientNoContextTakeover)
        : new MessageInflater(this, agreed.ServerMaxWindowBits, keepsWindow: !agreed.ServerNoContextTakeover);

    /// <summary>What a connection compresses its messages with. Nothing native is made before the first message to compress.</summary>
    /// <param name="agreed">What the handshake agreed on.</param>
    /// <param name="isServer">The role of this end.</param>
    public MessageDeflater CreateDeflater(in PerMessageDeflateParameters agreed, bool isServer) => isServer
        ? new MessageDeflater(this, agreed.ServerMaxWindowBits, keepsWindow: !agreed.ServerNoContextTakeover, _threshold)
        : new MessageDeflater(this, agreed.ClientMaxWindowBits, keepsWindow: !agreed.ClientNoContextTakeover, _threshold);

    /// <summary>A compressor whose window is empty. Those that keep a window must not come back: dispose of them.</summary>
    internal Deflater RentDeflater(int windowBits) => _deflaters[windowBits].TryRent() ?? new Deflater(windowBits, _level, _memoryLevel);

    /// <summary>Takes back a compressor whose last act was a full flush.</summary>
    internal void Return(Deflater deflater, int windowBits) => _deflaters[windowBits].Return(deflater);

    /// <summary>A decompressor with an empty window.</summary>
    internal Inflater RentInflater(int windowBits)
    {
        if (_inflaters.TryRent() is not { } inflater) return new Inflater(windowBits);
        inflater.Reset(windowBits);
        return inflater;
    }

    /// <summary>Takes back a decompressor in any state.</summary>
    internal void Return(Inflater inflater) => _inflaters.Return(inflater);

    /// <summary>Frees the idle states.</summary>
    public void Dispose()
    {
        foreach (BoundedPool<Deflater> pool in _deflaters) pool.Dispose();
        _inflaters.Dispose();
    }
}
