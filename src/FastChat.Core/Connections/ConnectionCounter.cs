using System.Collections.Concurrent;
using System.Net;

namespace FastChat.Connections;

/// <summary>Counts connections, in all and by address, against their limits. Thread-safe.</summary>
internal sealed class ConnectionCounter(int max, int maxPerAddress)
{
    private readonly ConcurrentDictionary<IPAddress, int> _byAddress = new();
    private TaskCompletionSource? _empty;
    private int _count;

    /// <summary>Whether addresses matter: where one may have as many as all together there is nothing to keep by address.</summary>
    public bool CountsByAddress => maxPerAddress < max;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Counts one more, unless that is one too many. <paramref name="address"/> is null where the transport has none.</summary>
    public bool TryAdd(IPAddress? address)
    {
        if (Interlocked.Increment(ref _count) > max)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }
        if (address is null) return true;
        if (_byAddress.AddOrUpdate(address, 1, static (_, n) => n + 1) <= maxPerAddress) return true;
        Remove(address);
        return false;
    }

    /// <summary>Counts one more that another server has admitted, over the limits or not.</summary>
    public void Add(IPAddress? address)
    {
        Interlocked.Increment(ref _count);
        if (address is not null) _byAddress.AddOrUpdate(address, 1, static (_, n) => n + 1);
    }

    public void Remove(IPAddress? address)
    {
        if (address is not null)
        {
            int left = _byAddress.AddOrUpdate(address, 0, static (_, n) => n - 1);
            if (left == 0) _byAddress.TryRemove(new KeyValuePair<IPAddress, int>(address, 0));
        }
        if (Interlocked.Decrement(ref _count) == 0) Volatile.Read(ref _empty)?.TrySetResult();
    }

    /// <summary>Completes when the last is gone. For the end of a server: what is added afterwards does not count any more.</summary>
    public Task WhenEmptyAsync()
    {
        var empty = LazyInitializer.EnsureInitialized(ref _empty, static () => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (Count == 0) empty.TrySetResult();
        return empty.Task;
    }
}
