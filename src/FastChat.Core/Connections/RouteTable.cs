using System.Diagnostics.CodeAnalysis;

namespace FastChat.Connections;

/// <summary>
/// Paths with parameters, <c>/ws/chat/{session_id}</c>: literal segments win over parameters; a slash at the end matters only where both
/// forms are mapped. A last segment <c>{*rest}</c> takes whatever follows, also nothing;
/// every other template wins over it. <c>{*}</c> does so without a name. Filled before the server starts, read-only afterwards.
/// </summary>
internal sealed class RouteTable<T>
{
    private readonly Dictionary<string, T> _literal = new(StringComparer.Ordinal);
    private readonly List<(string[] Segments, string[] Names, T Value)> _templates = [];
    private (bool IsMapped, T? Value) _rest; // of "/{*}", which needs no looking at

    /// <exception cref="ArgumentException">The path does not start with a slash, is mapped already, or has a malformed or repeated parameter.</exception>
    public void Add(string path, T value)
    {
        if (!path.StartsWith('/')) throw new ArgumentException($"The path '{path}' does not start with a slash.", nameof(path));
        if (!path.AsSpan().ContainsAny('{', '}'))
        {
            if (!_literal.TryAdd(path, value)) throw new ArgumentException($"The path '{path}' is mapped already.", nameof(path));
            return;
        }
        if (path == "/{*}")
        {
            if (_rest.IsMapped) throw new ArgumentException($"The path '{path}' is mapped already.", nameof(path));
            _rest = (true, value);
            return;
        }
        string[] segments = path[1..].TrimEnd('/').Split('/');
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string segment in segments)
        {
            if (IsRest(segment) && !ReferenceEquals(segment, segments[^1])) throw new ArgumentException($"In the path '{path}' only the last segment can be a rest.", nameof(path));
            if (!segment.AsSpan().ContainsAny('{', '}')) continue;
            if (segment.Length < 3 || segment[0] != '{' || segment[^1] != '}' || segment.AsSpan(1, segment.Length - 2).ContainsAny('{', '}') || !names.Add(segment[1..^1].TrimStart('*')))
                throw new ArgumentException($"The path '{path}' has a malformed or repeated parameter '{segment}'.", nameof(path));
        }
        if (_templates.Any(t => Same(t.Segments, segments))) throw new ArgumentException($"The path '{path}' is mapped already.", nameof(path));
        _templates.Add((segments, [.. segments.Select(NameOf).OfType<string>()], value));
    }

    public bool TryMatch(string path, [MaybeNullWhen(false)] out T value, out IReadOnlyDictionary<string, string> values)
    {
        values = Empty;
        if (_literal.TryGetValue(path, out value)) return true;
        if (_literal.Count > 0 && _literal.TryGetValue(path.EndsWith('/') ? path[..^1] : path + "/", out value)) return true;
        value = _rest.Value;
        if (_templates.Count == 0 || path.Length == 0) return _rest.IsMapped;
        string[] segments = path[1..].TrimEnd('/').Split('/');
        (string[] Segments, string[] Names, T Value)? best = null;
        foreach (var template in _templates)
        {
            if (Matches(template.Segments, segments) && (best is null || Rank(template.Segments) > Rank(best.Value.Segments))) best = template;
        }
        if (best is not { } found) return _rest.IsMapped;
        value = found.Value;
        string[] named = new string[found.Names.Length];
        for (int i = 0, n = 0; i < found.Segments.Length; i++)
        {
            string segment = found.Segments[i];
            if (NameOf(segment) is null) continue;
            named[n++] = !IsRest(segment) ? segments[i] : i < segments.Length ? string.Join('/', segments[i..]) : "";
        }
        values = new RouteValues(found.Names, named);
        return true;
    }

    /// <summary>The name of a parameter; null for what has none.</summary>
    private static string? NameOf(string segment) =>
        IsRest(segment) ? segment.Length > 3 ? segment[2..^1] : null : IsParameter(segment) ? segment[1..^1] : null;

    private static readonly IReadOnlyDictionary<string, string> Empty = new Dictionary<string, string>();

    private static bool IsParameter(string segment) => segment.StartsWith('{');

    private static bool IsRest(string segment) => segment.StartsWith("{*", StringComparison.Ordinal);

    /// <summary>More literal segments first; a rest after everything that has as many.</summary>
    private static int Rank(string[] template) => (2 * template.Count(s => !IsParameter(s))) - (IsRest(template[^1]) ? 1 : 0);

    private static bool Matches(string[] template, string[] segments)
    {
        bool rest = IsRest(template[^1]);
        if (rest ? segments.Length < template.Length - 1 : segments.Length != template.Length) return false;
        for (int i = 0; i < template.Length; i++)
        {
            if (IsRest(template[i])) return true;
            if (IsParameter(template[i]) ? segments[i].Length == 0 : !string.Equals(template[i], segments[i], StringComparison.Ordinal)) return false;
        }
        return true;
    }

    private static bool Same(string[] a, string[] b) =>
        a.Length == b.Length && a.Zip(b).All(p => (IsParameter(p.First) && IsParameter(p.Second) && IsRest(p.First) == IsRest(p.Second)) || string.Equals(p.First, p.Second, StringComparison.Ordinal));
}
