using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace FastChat.Connections;

/// <summary>A path's parameters, seldom more than one: a third of a dictionary's memory, for as long as the connection lasts.</summary>
/// <param name="names">Of the template, shared by all its connections.</param>
/// <param name="values">In the same order.</param>
internal sealed class RouteValues(string[] names, string[] values) : IReadOnlyDictionary<string, string>
{
    public int Count => names.Length;

    public IEnumerable<string> Keys => names;

    public IEnumerable<string> Values => values;

    public string this[string key] => TryGetValue(key, out string? value) ? value : throw new KeyNotFoundException($"The path has no parameter '{key}'.");

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        ArgumentNullException.ThrowIfNull(key);
        int at = Array.IndexOf(names, key);
        value = at < 0 ? null : values[at];
        return at >= 0;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator()
    {
        for (int i = 0; i < names.Length; i++) yield return new(names[i], values[i]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
