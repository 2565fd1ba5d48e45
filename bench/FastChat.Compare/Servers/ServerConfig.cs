using System.Text.Json;

namespace FastChat.Compare.Servers;

/// <summary>
/// Further servers, from a JSON file: <c>{"servers": [{"name": "mine", "command": ["./mine", "--port", "{port}"]}]}</c>, each with
/// <c>description</c>, <c>version</c>, <c>environment</c>, <c>directory</c> and <c>path</c> where wanted. A relative directory is
/// seen from the file's own, which is the default; a program that is named with a slash from the server's.
/// </summary>
internal static class ServerConfig
{
    private static readonly string[] Known = ["name", "command", "description", "version", "environment", "directory", "path"];

    /// <exception cref="FormatException">There is no such file, or it is not that; the message says which and where.</exception>
    public static IReadOnlyList<ServerDefinition> Read(string file)
    {
        try
        {
            return Parse(File.ReadAllText(file), Path.GetDirectoryName(Path.GetFullPath(file))!);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"{file}: {e.Message}", e);
        }
    }

    /// <param name="json">The file's text.</param>
    /// <param name="home">Its directory.</param>
    /// <exception cref="FormatException">It is not that.</exception>
    public static IReadOnlyList<ServerDefinition> Parse(string json, string home)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("servers", out var servers) || servers.ValueKind != JsonValueKind.Array)
                throw new FormatException("There is no array \"servers\".");
            ServerDefinition[] read = [.. servers.EnumerateArray().Select(s => Read(s, home))];
            return read.GroupBy(s => s.Name).FirstOrDefault(g => g.Count() > 1) is { } twice ? throw new FormatException($"There are two servers \"{twice.Key}\".") : read;
        }
        catch (JsonException e)
        {
            throw new FormatException($"It is not JSON: {e.Message}", e);
        }
    }

    private static ServerDefinition Read(JsonElement server, string home)
    {
        if (server.ValueKind != JsonValueKind.Object) throw new FormatException("A server is not an object.");
        string name = Text(server, "name") ?? throw new FormatException("A server has no \"name\".");
        foreach (var property in server.EnumerateObject())
            if (!Known.Contains(property.Name)) throw new FormatException($"{name}: \"{property.Name}\" means nothing; known are {string.Join(", ", Known)}.");
        if (!server.TryGetProperty("command", out var command) || command.ValueKind != JsonValueKind.Array || command.GetArrayLength() == 0
            || command.EnumerateArray().Any(part => part.ValueKind != JsonValueKind.String)) throw new FormatException($"{name}: \"command\" is not an array of strings.");
        string[] parts = [.. command.EnumerateArray().Select(part => part.GetString()!)];
        if (!parts.Any(part => part.Contains("{port}", StringComparison.Ordinal))) throw new FormatException($"{name}: \"command\" does not say where {{port}} goes.");
        string directory = Path.GetFullPath(Text(server, "directory") ?? ".", home);
        if (parts[0].Contains('/', StringComparison.Ordinal)) parts[0] = Path.GetFullPath(parts[0], directory);
        return new ServerDefinition(name, parts)
        {
            Description = Text(server, "description") ?? "",
            Version = Text(server, "version") ?? "",
            WorkingDirectory = directory,
            Path = Text(server, "path") ?? "/",
            Environment = server.TryGetProperty("environment", out var environment)
                ? environment.ValueKind == JsonValueKind.Object && environment.EnumerateObject().All(v => v.Value.ValueKind == JsonValueKind.String)
                    ? environment.EnumerateObject().ToDictionary(v => v.Name, v => v.Value.GetString()!)
                    : throw new FormatException($"{name}: \"environment\" is not an object of strings.")
                : new Dictionary<string, string>(),
        };
    }

    private static string? Text(JsonElement server, string name) => !server.TryGetProperty(name, out var value) ? null
        : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : throw new FormatException($"\"{name}\" is not a text.");
}
