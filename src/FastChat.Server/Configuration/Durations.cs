using System.Globalization;

namespace FastChat.Server.Configuration;

/// <summary>Durations as people write them: <c>45s</c>, <c>30m</c>, <c>12h</c>, <c>1d</c>, sums of them such as <c>1d12h</c>, or <c>hh:mm:ss</c>.</summary>
internal static class Durations
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36600);

    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty)
            return false;
        if (rest.Contains(':'))
            return TimeSpan.TryParseExact(rest, "c", CultureInfo.InvariantCulture, out duration) && duration >= TimeSpan.Zero && duration <= Longest;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is <= 0 or > 9)
                return false;
            long unit = rest[digits] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
            long seconds = unit * long.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            if (unit == 0 || seconds > Longest.TotalSeconds)
                return false;
            duration += TimeSpan.FromSeconds(seconds);
            if (duration > Longest)
                return false;
            rest = rest[(digits + 1)..];
        }
        return true;
    }
}
