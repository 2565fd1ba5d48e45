using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace FastChat.Server.Configuration;

/// <summary>
/// Reads typed settings and notes every mistake by the setting's name, so that all can be told at once. (The in-box binder stops at the
/// first, and passes over names that it does not know.) Values are never repeated in a mistake: they may be secrets.
/// </summary>
internal sealed class SettingsReader
{
    private readonly IConfiguration _configuration;
    private readonly string _prefix;
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _mistakes;

    public SettingsReader(IConfiguration configuration) : this(configuration, "", [])
    {
    }

    private SettingsReader(IConfiguration configuration, string prefix, List<string> mistakes) =>
        (_configuration, _prefix, _mistakes) = (configuration, prefix, mistakes);

    /// <summary>One sentence for each mistake found so far, in this section and all others of the same reader.</summary>
    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <summary>A section, whose mistakes are noted here too.</summary>
    public SettingsReader Section(string name)
    {
        _known.Add(name);
        return new SettingsReader(_configuration.GetSection(name), $"{_prefix}{name}:", _mistakes);
    }

    /// <summary>Notes a mistake of the caller's finding.</summary>
    public void Add(IEnumerable<string> mistakes) => _mistakes.AddRange(mistakes);

    /// <summary>A text; null when it is absent or empty.</summary>
    public string? Text(string name)
    {
        _known.Add(name);
        return _configuration[name] is { Length: > 0 } value ? value : null;
    }

    /// <summary>Texts: one value, or a list.</summary>
    public IReadOnlyList<string> TextList(string name)
    {
        if (Text(name) is { } one)
            return [one];
        return [.. _configuration.GetSection(name).GetChildren().Select(child => child.Value).OfType<string>().Where(v => v.Length > 0)];
    }

    /// <summary>A whole number.</summary>
    public int Number(string name, int fallback)
    {
        if (Text(name) is not { } text)
            return fallback;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value))
            return value;
        return Mistaken(name, "is not a whole number", fallback);
    }

    /// <summary>True or false; null when absent.</summary>
    public bool? Flag(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return bool.TryParse(text, out bool value) ? value : Mistaken<bool?>(name, "is neither true nor false", null);
    }

    /// <summary>A duration such as <c>30s</c> or <c>1d</c>.</summary>
    public TimeSpan Duration(string name, TimeSpan fallback)
    {
        if (Text(name) is not { } text)
            return fallback;
        return Durations.TryParse(text, out var value) ? value : Mistaken(name, "is not a duration such as 30s, 5m, 12h or 1d", fallback);
    }

    /// <summary>An absolute address.</summary>
    public Uri? Address(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var value) ? value : Mistaken<Uri?>(name, "is not an absolute address", null);
    }

    /// <summary>Notes that a setting is out of its range.</summary>
    public void AddRangeMistake(string name) => _mistakes.Add($"{_prefix}{name} is out of range.");

    /// <summary>Notes every setting of this section that nobody has asked for: a misspelt name must not be passed over.</summary>
    public void RefuseUnknown()
    {
        foreach (var child in _configuration.GetChildren())
        {
            if (!_known.Contains(child.Key))
                _mistakes.Add($"{_prefix}{child.Key} is not a setting.");
        }
    }

    private T Mistaken<T>(string name, string what, T fallback)
    {
        _mistakes.Add($"{_prefix}{name} {what}.");
        return fallback;
    }
}
