namespace FastChat.Server.Models;

/// <summary>Who answers for a model.</summary>
internal enum ModelProvider
{
    /// <summary>The built-in model: no key, no network.</summary>
    Offline,

    /// <summary>Any endpoint that speaks OpenAI's chat completions.</summary>
    OpenAI,

    /// <summary>Google's Gemini.</summary>
    Gemini,
}

/// <summary>One model of the catalogue. A class, not a record, so that printing it cannot print the key.</summary>
internal sealed class ModelSettings
{
    public static readonly Uri OpenAIEndpoint = new("https://api.openai.com/v1");

    /// <summary>Gemini's own OpenAI-compatible endpoint.</summary>
    public static readonly Uri GeminiEndpoint = new("https://generativelanguage.googleapis.com/v1beta/openai/");

    public required string Name { get; init; }

    public required ModelProvider Provider { get; init; }

    /// <summary>The upstream's own name of the model; empty for the offline one.</summary>
    public string Model { get; init; } = "";

    /// <summary>Base address of the OpenAI-compatible API; null means the provider's own.</summary>
    public Uri? Endpoint { get; init; }

    public string? ApiKey { get; init; }

    /// <summary>Used where a request names none.</summary>
    public float? Temperature { get; init; }

    /// <summary>Used where a request names none.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>How long to wait for the first piece of an answer, retries included.</summary>
    public TimeSpan FirstTokenTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a stream that has begun may be silent.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a request that the upstream refused as busy or broken is sent again, before anything was received.</summary>
    public int MaxRetries { get; init; } = 2;

    /// <summary>The longest wait between two tries; an upstream that asks for more is reported, not waited for.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The offline model's pace: the pause after each word.</summary>
    public TimeSpan WordDelay { get; init; }
}
