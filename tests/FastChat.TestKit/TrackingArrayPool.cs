using System.Buffers;

namespace FastChat.TestKit;

/// <summary>
/// An array pool that finds buffer bugs: it throws on a second return and on an array that is not its own, fills arrays with
/// noise when rented and with poison when returned, and <see cref="AssertNothingRented"/> fails on a leak and on a write after return.
/// </summary>
/// <param name="captureStacks">Remember where each array was rented, for the message of a leak; slow.</param>
public sealed class TrackingArrayPool(bool captureStacks = false) : ArrayPool<byte>
{
    private const byte Noise = 0xA5;
    private const byte Poison = 0xDB;
    private const int RememberedReturns = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], string?> _rented = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<byte[]> _returned = new();
    private int _rents;
    private long _rentedBytes;
    private long _peakBytes;

    /// <summary>Arrays out at present.</summary>
    public int Outstanding { get { lock (_gate) return _rented.Count; } }

    /// <summary>How often anything was rented.</summary>
    public int Rents { get { lock (_gate) return _rents; } }

    /// <summary>The most bytes that were ever out at once.</summary>
    public long PeakBytes { get { lock (_gate) return _peakBytes; } }

    public override byte[] Rent(int minimumLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimumLength);
        if (minimumLength == 0) return [];
        lock (_gate)
        {
            // Exactly what was asked for, and a little more, in turn: code may count on neither.
            byte[] array = GC.AllocateUninitializedArray<byte>(minimumLength + (_rents % 2 == 0 ? 0 : 7));
            array.AsSpan().Fill(Noise);
            _rents++;
            _rentedBytes += array.Length;
            _peakBytes = Math.Max(_peakBytes, _rentedBytes);
            _rented.Add(array, captureStacks ? Environment.StackTrace : null);
            return array;
        }
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        ArgumentNullException.ThrowIfNull(array);
        if (array.Length == 0) return;
        lock (_gate)
        {
            if (!_rented.Remove(array))
                throw new InvalidOperationException($"An array of {array.Length} bytes was returned twice, or to a pool that is not its own.");
            _rentedBytes -= array.Length;
            array.AsSpan().Fill(Poison);
            _returned.Enqueue(array);
            if (_returned.Count > RememberedReturns) CheckPoison(_returned.Dequeue());
        }
    }

    /// <summary>Throws if an array is still out or was written to after its return.</summary>
    public void AssertNothingRented()
    {
        lock (_gate)
        {
            if (_rented.Count > 0)
            {
                string sizes = string.Join(", ", _rented.Keys.Take(10).Select(a => a.Length));
                throw new InvalidOperationException(
                    $"{_rented.Count} array(s) were never returned (lengths {sizes}). {_rented.Values.FirstOrDefault(s => s is not null)}");
            }
            foreach (byte[] array in _returned) CheckPoison(array);
        }
    }

    private static void CheckPoison(byte[] array)
    {
        int at = array.AsSpan().IndexOfAnyExcept(Poison);
        if (at >= 0) throw new InvalidOperationException($"Index {at} of an array of {array.Length} bytes was written to after its return.");
    }
}
