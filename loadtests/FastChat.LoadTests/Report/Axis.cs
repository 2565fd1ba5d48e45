using System.Globalization;
using FastChat.LoadTests.Thresholds;

namespace FastChat.LoadTests.Report;

/// <summary>Ticks at round values from 0 to at least a given one.</summary>
internal sealed class Axis
{
    private const int MostTicks = 5;

    private readonly QuantityKind _kind;
    private readonly double _step;

    /// <param name="most">What has to fit.</param>
    /// <param name="kind">What it is of.</param>
    public Axis(double most, QuantityKind kind)
    {
        _kind = kind;
        // Bytes are round in KiB and MiB, not in thousands.
        double unit = kind == QuantityKind.Bytes ? Math.Pow(1024, Math.Floor(Math.Log(Math.Max(most, 1), 1024))) : 1;
        double least = Math.Max(most, double.Epsilon) / unit / MostTicks;
        double power = most > 0 ? Math.Pow(10, Math.Floor(Math.Log10(least))) : 1;
        double step = new[] { 1, 2, 5, 10 }.Select(f => f * power).First(s => s >= least * 0.999);
        _step = (most > 0 ? step : 1) * unit;
        Top = Math.Max(1, Math.Ceiling(most / _step - 1e-9)) * _step;
    }

    public double Top { get; }

    public IEnumerable<double> Ticks => Enumerable.Range(0, (int)Math.Round(Top / _step) + 1).Select(i => i * _step);

    public string Show(double value) => value == 0 ? "0" : _kind == QuantityKind.PerSecond ? value.ToString("#,0.##", CultureInfo.InvariantCulture) : Quantity.Show(value, _kind);
}
