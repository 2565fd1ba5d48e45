using System.Collections.Concurrent;
using System.Net;

namespace FastChat.Connections;

/// <summary>Counts connections, in all and by address, against their limits. Thread-safe.</summary>
internal sealed class ConnectionCounter(int max, int maxPerAddress)
{
    private readonly ConcurrentDictionary<IPAddress, int> _byAddress = new();
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

    /// <summary>Counts one more that another server has admitted.</summary>
    public void Add() => Interlocked.Increment(ref _count);

    public void Remove(IPAddress? address)
    {
        Interlocked.Decrement(ref _count);
        if (address is null) return;
        int left = _byAddress.AddOrUpdate(address, 0, static (_, n) => n - 1);
        if (left == 0) _byAddress.TryRemove(new KeyValuePair<IPAddress, int>(address, 0));
    }
}
