namespace FastChat.Protocol.Compression;

/// <summary>Keeps at most <paramref name="capacity"/> idle items, the one used last on top; what comes back beyond that is disposed of. Thread-safe.</summary>
internal sealed class BoundedPool<T>(int capacity) : IDisposable
    where T : class, IDisposable
{
    private readonly Lock _gate = new();
    private readonly T?[] _idle = new T?[capacity];
    private int _count;
    private bool _disposed;

    /// <summary>Idle items.</summary>
    public int Count { get { lock (_gate) return _count; } }

    /// <summary>Takes an idle item; null where there is none.</summary>
    public T? TryRent()
    {
        lock (_gate)
        {
            if (_count == 0) return null;
            T item = _idle[--_count]!;
            _idle[_count] = null;
            return item;
        }
    }

    /// <summary>Takes an item back, which the caller must not use again.</summary>
    public void Return(T item)
    {
        lock (_gate)
        {
            if (!_disposed && _count < _idle.Length)
            {
                _idle[_count++] = item;
                return;
            }
        }
        item.Dispose();
    }

    /// <summary>Disposes of the idle items; those still out are disposed of when they come back.</summary>
    public void Dispose()
    {
        lock (_gate) _disposed = true;
        while (TryRent() is { } item) item.Dispose();
    }
}
