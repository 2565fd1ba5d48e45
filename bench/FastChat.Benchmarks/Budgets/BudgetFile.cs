using System.Text.Json;

namespace FastChat.Benchmarks.Budgets;

/// <summary>The figures of allocation-budgets.json: bytes an operation, by "Class.Method".</summary>
internal static class BudgetFile
{
    /// <exception cref="FormatException">It is not an object "budgets" of numbers that are not negative.</exception>
    public static IReadOnlyDictionary<string, double> Read(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        if (!document.RootElement.TryGetProperty("budgets", out var list) || list.ValueKind != JsonValueKind.Object)
            throw new FormatException($"{path}: there is no object \"budgets\".");
        var budgets = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var one in list.EnumerateObject())
        {
            if (one.Value.ValueKind != JsonValueKind.Number || one.Value.GetDouble() is not (>= 0 and var bytes))
                throw new FormatException($"{path}: the budget of {one.Name} is not a number of bytes.");
            if (!budgets.TryAdd(one.Name, bytes)) throw new FormatException($"{path}: {one.Name} stands there twice.");
        }
        return budgets;
    }
}
