using System.Globalization;
using System.Net;
using System.Text;

namespace FastChat.Measure;

/// <summary>SVG being written.</summary>
internal sealed class SvgText
{
    private readonly StringBuilder _text = new();

    public SvgText(double width, double height, string title) =>
        _text.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {width:0.#} {height:0.#}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">");

    public void Text(double x, double y, string text, string style) =>
        _text.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" class=\"{style}\">{WebUtility.HtmlEncode(text)}</text>");

    public void Rectangle(double x, double y, double width, double height, int colour, string tip) => _text.Append(CultureInfo.InvariantCulture,
        $"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\" rx=\"2\" class=\"c{colour}\"><title>{WebUtility.HtmlEncode(tip)}</title></rect>");

    public void Line(double x1, double y1, double x2, double y2, string style) =>
        _text.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" class=\"{style}\"/>");

    public void Circle(double x, double y, double radius, int colour, bool hollow, string tip) => _text.Append(CultureInfo.InvariantCulture,
        $"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"{radius:0.#}\" class=\"c{colour}{(hollow ? " hollow" : "")}\"><title>{WebUtility.HtmlEncode(tip)}</title></circle>");

    /// <summary>A line through points, x and y in turn; with its meaning as a tip where there is one.</summary>
    public void Curve(IEnumerable<(double X, double Y)> points, string style, string tip = "")
    {
        _text.Append(CultureInfo.InvariantCulture, $"<polyline class=\"{style}\" points=\"");
        foreach (var (x, y) in points) _text.Append(CultureInfo.InvariantCulture, $"{x:0.#},{y:0.#} ");
        _text.Append(CultureInfo.InvariantCulture, $"\">{(tip.Length > 0 ? $"<title>{WebUtility.HtmlEncode(tip)}</title>" : "")}</polyline>");
    }

    public override string ToString() => _text.ToString() + "</svg>";
}
