using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FastChat.Server.Storage.Documents;

/// <summary>JSON as text: each object a line of <c>name: value</c> behind its path, so that a passage says what its values are.</summary>
internal static class JsonText
{
    private const int MaxDepth = 64;

    public static string Read(string source)
    {
        try
        {
            using var document = JsonDocument.Parse(source, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var text = new Output(source.Length);
            Write(text, "", document.RootElement);
            return text.ToString();
        }
        catch (JsonException e)
        {
            string line = string.Create(CultureInfo.InvariantCulture, $"line {e.LineNumber + 1}");
            throw new DocumentException(false, $"This is not valid JSON of at most {MaxDepth} levels (see {line}).", e);
        }
        catch (InvalidOperationException e) // a string with an escaped lone surrogate
        {
            throw new DocumentException(false, "A string in this JSON is not valid text.", e);
        }
    }

    private static void Write(Output text, string path, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(text, path, value);
                break;
            case JsonValueKind.Array:
                WriteArray(text, path, value);
                break;
            default:
                text.Line(path, [Scalar(value)]);
                break;
        }
    }

    private static void WriteObject(Output text, string path, JsonElement value)
    {
        var members = value.EnumerateObject().ToList();
        text.Line(path, [.. members.Where(member => IsScalar(member.Value)).Select(member => text.Named(member.Name, Scalar(member.Value)))]);
        foreach (var member in members.Where(member => !IsScalar(member.Value)))
            Write(text, Labels.Short(path.Length == 0 ? member.Name : $"{path}.{Labels.Short(member.Name)}"), member.Value);
    }

    private static void WriteArray(Output text, string path, JsonElement value)
    {
        text.Line(path, [.. value.EnumerateArray().Where(IsScalar).Select(Scalar)]);
        int index = 0;
        foreach (var item in value.EnumerateArray())
        {
            index++;
            if (!IsScalar(item))
                Write(text, Labels.Short(string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]")), item);
        }
    }

    private static bool IsScalar(JsonElement value) => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);

    private static string Scalar(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private sealed class Output(int sourceLength)
    {
        private readonly StringBuilder _text = new();

        private bool MayName => Labels.Fit(_text.Length, sourceLength);

        public string Named(string name, string value) => MayName ? $"{Labels.Short(name)}: {value}" : value;

        public void Line(string path, List<string> values)
        {
            if (values.Count == 0)
                return;
            if (path.Length > 0 && MayName)
                _text.Append(path).Append(": ");
            _text.AppendJoin("; ", values.Select(value => value.ReplaceLineEndings(" "))).Append('\n');
        }

        public override string ToString() => _text.ToString();
    }
}
