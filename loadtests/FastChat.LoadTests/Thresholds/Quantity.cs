using System.Globalization;

namespace FastChat.LoadTests.Thresholds;

/// <summary>What a number is of.</summary>
internal enum QuantityKind
{
    /// <summary>A plain number.</summary>
    Count,
    /// <summary>Something a second.</summary>
    PerSecond,
    /// <summary>Milliseconds.</summary>
    Time,
    /// <summary>Bytes.</summary>
    Bytes,
    /// <summary>A share; 1 is 100 %.</summary>
    Share,
}

/// <summary>Numbers with units, as people write and read them.</summary>
internal static class Quantity
{
    // In the unit that the kind is kept in: milliseconds, bytes, shares.
    private static readonly Dictionary<string, (QuantityKind Kind, double Factor)> Units = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ns"] = (QuantityKind.Time, 1e-6),
        ["us"] = (QuantityKind.Time, 1e-3),
        ["µs"] = (QuantityKind.Time, 1e-3),
        ["ms"] = (QuantityKind.Time, 1),
        ["s"] = (QuantityKind.Time, 1e3),
        ["m"] = (QuantityKind.Time, 60e3),
        ["h"] = (QuantityKind.Time, 3600e3),
        ["B"] = (QuantityKind.Bytes, 1),
        ["KB"] = (QuantityKind.Bytes, 1e3),
        ["MB"] = (QuantityKind.Bytes, 1e6),
        ["GB"] = (QuantityKind.Bytes, 1e9),
        ["KiB"] = (QuantityKind.Bytes, 1 << 10),
        ["MiB"] = (QuantityKind.Bytes, 1 << 20),
        ["GiB"] = (QuantityKind.Bytes, 1 << 30),
        ["%"] = (QuantityKind.Share, 0.01),
    };

    /// <summary>Reads a number and its unit.</summary>
    /// <param name="text">The number with the unit behind it.</param>
    /// <param name="value">In milliseconds, bytes, shares or as it stands.</param>
    /// <param name="kind">What the unit says; <see cref="QuantityKind.Count"/> without one.</param>
    public static bool TryParse(string text, out double value, out QuantityKind kind)
    {
        kind = QuantityKind.Count;
        text = text.Trim();
        int digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] is '.' or '-' && digits == 0)) digits++;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.')) digits++;
        string unit = text[digits..].Trim();
        const NumberStyles Plain = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        if (!double.TryParse(text.AsSpan(0, digits), Plain, CultureInfo.InvariantCulture, out value)) return false;
        if (unit.Length == 0) return true;
        if (!Units.TryGetValue(unit, out var known)) return false;
        (kind, value) = (known.Kind, value * known.Factor);
        return true;
    }

    /// <summary>A time with its unit; 0 needs none.</summary>
    public static bool TryParseTime(string text, out TimeSpan time)
    {
        time = default;
        if (!TryParse(text, out double value, out var kind) || value < 0 || kind != QuantityKind.Time && value != 0 || value > TimeSpan.FromDays(365).TotalMilliseconds) return false;
        time = TimeSpan.FromMilliseconds(value);
        return true;
    }

    /// <summary>With the unit that suits its size.</summary>
    public static string Show(double value, QuantityKind kind) => kind switch
    {
        QuantityKind.Time => Time(TimeSpan.FromMilliseconds(value)),
        QuantityKind.Bytes => Bytes(value),
        QuantityKind.Share => (value * 100).ToString("0.##", CultureInfo.InvariantCulture) + "%",
        QuantityKind.PerSecond => value.ToString(value < 100 ? "0.##" : "#,0", CultureInfo.InvariantCulture) + "/s",
        _ => value.ToString("#,0.##", CultureInfo.InvariantCulture),
    };

    public static string Time(TimeSpan time) => time.TotalMilliseconds switch
    {
        0 => "0",
        < 0.9995 => $"{Three(time.TotalMicroseconds)} µs",
        < 999.5 => $"{Three(time.TotalMilliseconds)} ms",
        < 120_000 => $"{Three(time.TotalSeconds)} s",
        < 3 * 3600_000 => $"{Three(time.TotalMinutes)} min",
        _ => $"{Three(time.TotalHours)} h",
    };

    public static string Bytes(double bytes) => Math.Abs(bytes) switch
    {
        < 1 << 10 => $"{bytes:0} B",
        < 1 << 20 => $"{Three(bytes / (1 << 10))} KiB",
        < 1 << 30 => $"{Three(bytes / (1 << 20))} MiB",
        _ => $"{Three(bytes / (1 << 30))} GiB",
    };

    // Three figures that mean something.
    private static string Three(double value) => value.ToString(Math.Abs(value) switch { < 9.995 => "0.##", < 99.95 => "0.#", _ => "#,0" }, CultureInfo.InvariantCulture);
}
