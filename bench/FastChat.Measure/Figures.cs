using System.Globalization;

namespace FastChat.Measure;

/// <summary>Numbers for people: three figures that mean something.</summary>
internal static class Figures
{
    public const string None = "-";

    /// <summary>0.123, 1.23, 12.3, 123, 1,234.</summary>
    public static string Short(double? value) => value is not { } v || !double.IsFinite(v) ? None : Math.Abs(v) switch
    {
        < 1 => v.ToString("0.000", CultureInfo.InvariantCulture),
        < 10 => v.ToString("0.00", CultureInfo.InvariantCulture),
        < 100 => v.ToString("0.0", CultureInfo.InvariantCulture),
        _ => v.ToString("#,0", CultureInfo.InvariantCulture),
    };

    public static string Whole(double? value) => value is { } v ? v.ToString("#,0", CultureInfo.InvariantCulture) : None;

    public static string Ratio(double? value) => value is { } v ? v.ToString("0.00", CultureInfo.InvariantCulture) + "x" : None;

    public static string Mebibytes(double? bytes) => Short(bytes / (1 << 20));

    public static string Kibibytes(double? bytes) => bytes is { } b ? (b / 1024).ToString("#,0.00", CultureInfo.InvariantCulture) : None;

    public static string Share(double? value) => value is { } v ? v.ToString("0%", CultureInfo.InvariantCulture) : None;
}
