using System.Security.Cryptography;

namespace FastChat.Storage;

/// <summary>
/// Ids of stored things: 10 digits of Unix milliseconds, then 26 random ones (130 bits), in Crockford's base 32, lower case.
/// Opaque, unguessable, URL-safe, and in ordinal order of their creation up to the millisecond.
/// </summary>
public static class StoreId
{
    private const string Digits = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int TimeDigits = 10;
    private const int RandomDigits = 26;

    /// <summary>Makes an id that nobody can guess.</summary>
    /// <param name="now">The time it carries.</param>
    public static string New(DateTimeOffset now) => string.Create(TimeDigits + RandomDigits, now.ToUnixTimeMilliseconds(), static (id, time) =>
    {
        for (int i = TimeDigits - 1; i >= 0; i--, time >>= 5)
            id[i] = Digits[(int)(time & 31)];
        RandomNumberGenerator.GetItems(Digits, id[TimeDigits..]);
    });
}
