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
            var text = new StringBuilder();
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

    private static void Write(StringBuilder text, string path, JsonElement value)
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
                WriteLine(text, path, [Scalar(value)]);
                break;
        }
    }

    private static void WriteObject(StringBuilder text, string path, JsonElement value)
    {
        var members = value.EnumerateObject().ToList();
        WriteLine(text, path, [.. members.Where(member => IsScalar(member.Value)).Select(member => $"{member.Name}: {Scalar(member.Value)}")]);
        foreach (var member in members.Where(member => !IsScalar(member.Value)))
            Write(text, path.Length == 0 ? member.Name : $"{path}.{member.Name}", member.Value);
    }

    private static void WriteArray(StringBuilder text, string path, JsonElement value)
    {
        WriteLine(text, path, [.. value.EnumerateArray().Where(IsScalar).Select(Scalar)]);
        int index = 0;
        foreach (var item in value.EnumerateArray())
        {
            index++;
            if (!IsScalar(item))
                Write(text, string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]"), item);
        }
    }

    private static void WriteLine(StringBuilder text, string path, List<string> values)
    {
        if (values.Count == 0)
            return;
        if (path.Length > 0)
            text.Append(path).Append(": ");
        text.AppendJoin("; ", values.Select(value => value.ReplaceLineEndings(" "))).Append('\n');
    }

    private static bool IsScalar(JsonElement value) => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);

    private static string Scalar(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
