using System.Globalization;
using Microsoft.Extensions.Options;

namespace FastChat.Server.Models;

/// <summary>The configured models, read from the section <c>Models</c> and the key <c>Model</c> (<c>--model</c>).</summary>
internal sealed class ModelsOptions
{
    private const string OpenAIKey = "OPENAI_API_KEY";
    private const string GeminiKey = "GEMINI_API_KEY";
    private static readonly string[] OfflineKeys = ["Name", "Provider", "WordDelay"];
    private static readonly string[] RemoteKeys =
    [
        "Name", "Provider", "Model", "Endpoint", "ApiKey", "Temperature", "MaxOutputTokens",
        "FirstTokenTimeout", "IdleTimeout", "MaxRetries", "MaxRetryDelay",
    ];
    private readonly List<ModelSettings> _models = [];
    private readonly List<string> _mistakes = [];

    /// <summary>In the order configured; never empty once read.</summary>
    public IReadOnlyList<ModelSettings> Models => _models;

    /// <summary>The name of the default model.</summary>
    public string DefaultModel { get; private set; } = "";

    /// <summary>One sentence for each mistake in the configuration.</summary>
    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <summary>Reads <paramref name="configuration"/>; keys that it does not hold come from <paramref name="environment"/>.</summary>
    public void Read(IConfiguration configuration, Func<string, string?> environment)
    {
        var section = configuration.GetSection("Models");
        if (section.Value is { Length: > 0 }) _mistakes.Add("Models is a list: Models:0:Provider, Models:0:Model and so on.");
        foreach (var entry in section.GetChildren()) ReadModel(entry, environment);
        bool configured = section.GetChildren().Any();
        string? chosen = configuration["Model"] is { Length: > 0 } name ? name : null;
        if (!configured)
        {
            _models.Add(new ModelSettings { Name = "offline", Provider = ModelProvider.Offline });
            AddPreset(chosen, environment);
        }
        foreach (var twice in _models.GroupBy(m => m.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
            _mistakes.Add($"Models: the name '{twice.Key}' is given {twice.Count()} times.");
        if (chosen is not null && !_models.Exists(m => m.Name.Equals(chosen, StringComparison.OrdinalIgnoreCase)) && _mistakes.Count == 0)
            _mistakes.Add($"Model: there is no model '{chosen}'; there is {string.Join(", ", _models.Select(m => m.Name))}" +
                (configured ? "." : $", openai (with a key in {OpenAIKey}) and gemini (with a key in {GeminiKey})."));
        DefaultModel = chosen ?? _models.FirstOrDefault()?.Name ?? "";
    }

    // Only a model asked for by name is added: a key that merely lies in the environment must not cost its owner money.
    private void AddPreset(string? name, Func<string, string?> environment)
    {
        bool openai = "openai".Equals(name, StringComparison.OrdinalIgnoreCase);
        if (!openai && !"gemini".Equals(name, StringComparison.OrdinalIgnoreCase)) return;
        string variable = openai ? OpenAIKey : GeminiKey;
        string? key = environment(variable);
        if (string.IsNullOrWhiteSpace(key)) _mistakes.Add($"Model: '{name}' needs a key: set {variable}.");
        var provider = openai ? ModelProvider.OpenAI : ModelProvider.Gemini;
        _models.Add(new ModelSettings { Name = name!, Provider = provider, Model = DefaultUpstream(provider), ApiKey = key });
    }

    private static string DefaultUpstream(ModelProvider provider) => provider switch
    {
        ModelProvider.OpenAI => "gpt-4.1-mini",
        ModelProvider.Gemini => "gemini-2.5-flash",
        _ => "",
    };

    private void ReadModel(IConfigurationSection section, Func<string, string?> environment)
    {
        if (!Enum.TryParse(section["Provider"], ignoreCase: true, out ModelProvider provider) || !Enum.IsDefined(provider))
        {
            _mistakes.Add($"{section.Path}:Provider is '{section["Provider"]}': expected offline, openai or gemini.");
            return;
        }
        bool offline = provider is ModelProvider.Offline;
        string[] keys = offline ? OfflineKeys : RemoteKeys;
        foreach (var child in section.GetChildren().Where(c => !keys.Contains(c.Key, StringComparer.OrdinalIgnoreCase)))
            _mistakes.Add($"{child.Path} is no setting of a model of provider '{section["Provider"]}'; those are {string.Join(", ", keys)}.");
        string upstream = section["Model"] ?? DefaultUpstream(provider);
        string name = section["Name"] ?? (offline ? "offline" : upstream);
        if (name.Length is 0 or > 128 || name.Any(char.IsControl))
            _mistakes.Add($"{section.Path}:Name must be 1 to 128 characters without control characters.");
        if (!offline && upstream.Length == 0) _mistakes.Add($"{section.Path}:Model must not be empty.");
        var defaults = new ModelSettings { Name = name, Provider = provider };
        var day = TimeSpan.FromDays(1);
        _models.Add(new ModelSettings
        {
            Name = name,
            Provider = provider,
            Model = upstream,
            Endpoint = ReadEndpoint(section),
            ApiKey = offline ? null : ReadKey(section, provider, environment),
            Temperature = Number(section, "Temperature", 0f, 2f),
            MaxOutputTokens = Number(section, "MaxOutputTokens", 1, 1_000_000),
            FirstTokenTimeout = Number(section, "FirstTokenTimeout", TimeSpan.FromSeconds(1), day) ?? defaults.FirstTokenTimeout,
            IdleTimeout = Number(section, "IdleTimeout", TimeSpan.FromSeconds(1), day) ?? defaults.IdleTimeout,
            MaxRetries = Number(section, "MaxRetries", 0, 10) ?? defaults.MaxRetries,
            MaxRetryDelay = Number(section, "MaxRetryDelay", TimeSpan.Zero, TimeSpan.FromMinutes(10)) ?? defaults.MaxRetryDelay,
            WordDelay = Number(section, "WordDelay", TimeSpan.Zero, TimeSpan.FromSeconds(10)) ?? defaults.WordDelay,
        });
    }

    private Uri? ReadEndpoint(IConfigurationSection section)
    {
        if (section["Endpoint"] is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https" && endpoint.UserInfo.Length == 0)
            return endpoint;
        _mistakes.Add($"{section.Path}:Endpoint must be an absolute http or https address without user and password.");
        return null;
    }

    private string? ReadKey(IConfigurationSection section, ModelProvider provider, Func<string, string?> environment)
    {
        string? key = section["ApiKey"] is { Length: > 0 } own ? own.Trim() : null;
        // The environment's key belongs to the provider itself: it is not sent to an address that somebody configured.
        string variable = provider is ModelProvider.OpenAI ? OpenAIKey : GeminiKey;
        bool elsewhere = section["Endpoint"] is not null;
        if (key is null && !elsewhere && environment(variable) is { Length: > 0 } found) key = found.Trim();
        if (key is null && !elsewhere) _mistakes.Add($"{section.Path} has no key: set {section.Path}:ApiKey or {variable}.");
        // The key becomes a header: what is no header value is refused here, without repeating it.
        if (key is not null && !key.All(c => c is > ' ' and < '\x7f')) _mistakes.Add($"{section.Path}: the key holds characters that no key has.");
        return key;
    }

    private T? Number<T>(IConfigurationSection section, string key, T least, T most) where T : struct, IParsable<T>, IComparable<T>
    {
        if (section[key] is not { } text) return null;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out var value) && value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0) return value;
        _mistakes.Add(string.Create(CultureInfo.InvariantCulture, $"{section.Path}:{key} is '{text}': expected {least} to {most}."));
        return null;
    }
}

/// <summary>Reports every mistake in the models' configuration when the host starts.</summary>
internal sealed class ModelsOptionsValidator : IValidateOptions<ModelsOptions>
{
    public ValidateOptionsResult Validate(string? name, ModelsOptions options) =>
        options.Mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(options.Mistakes);
}
