using System.ClientModel.Primitives;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FastChat.Chat;

namespace FastChat.Server.Models;

/// <summary>Turns what an upstream says into a <see cref="ModelException"/> with a sentence that may be shown.</summary>
internal sealed class UpstreamErrors(ModelSettings model, TimeProvider time)
{
    private const int MaxBody = 16 * 1024;
    private const int MaxDetail = 300;

    /// <summary>Reads no more than 16 KiB of the refusal; does not dispose it.</summary>
    public async Task<ModelException> FromResponseAsync(PipelineResponse response, CancellationToken cancellationToken)
    {
        byte[] body = new byte[MaxBody];
        int length = 0;
        try
        {
            if (response.ContentStream is { } stream) length = await stream.ReadAtLeastAsync(body, MaxBody, false, cancellationToken);
        }
        catch (IOException)
        {
            // The status alone says enough.
        }
        response.Headers.TryGetValue("Retry-After", out string? retryAfter);
        var (code, message) = Describe(body.AsMemory(0, length));
        return FromStatus(response.Status, code, message, ParseRetryAfter(retryAfter));
    }

    /// <summary>An error event in the middle of a stream.</summary>
    public ModelException InStream(JsonElement error) => new(ModelFailure.Unavailable,
        $"The model '{model.Name}' failed in the middle of its answer.", new UpstreamException(Clean(Describe(error).Message)));

    /// <summary>A refusal by HTTP status.</summary>
    public ModelException FromStatus(int status, string code, string message, TimeSpan? retryAfter)
    {
        string detail = Clean(message);
        var cause = new UpstreamException(string.Create(CultureInfo.InvariantCulture, $"HTTP {status} {code}: {detail}"));
        string name = $"The model '{model.Name}'";
        return status switch
        {
            401 or 403 => new(ModelFailure.Unauthorized, $"{name} is not available: its provider refused the API key.", cause),
            // Spent money does not come back by waiting.
            429 when code == "insufficient_quota" => new(ModelFailure.Rejected, $"{name} is not available: its quota is used up.", cause),
            429 => new(ModelFailure.RateLimited, $"{name} is busy. Try again in a moment.", cause) { RetryAfter = retryAfter },
            408 or >= 500 => new(ModelFailure.Unavailable, $"{name} is not available at the moment.", cause) { RetryAfter = retryAfter },
            // A request too long or filtered is what the user can do something about, so the upstream's own words go along.
            _ => new(ModelFailure.Rejected, detail.Length == 0 ? $"{name} refused the request." : $"{name} refused the request: {detail}", cause),
        };
    }

    /// <summary>RFC 9110 section 10.2.3: seconds or a date.</summary>
    internal TimeSpan? ParseRetryAfter(string? header)
    {
        if (!RetryConditionHeaderValue.TryParse(header, out var value)) return null;
        var delay = value.Delta ?? value.Date - time.GetUtcNow();
        return delay < TimeSpan.Zero ? TimeSpan.Zero : delay;
    }

    private static (string Code, string Message) Describe(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind is JsonValueKind.Array && root.GetArrayLength() > 0) root = root[0]; // Gemini wraps it
            if (root.ValueKind is JsonValueKind.Object && root.TryGetProperty("error", out var error)) return Describe(error);
            return Describe(root);
        }
        catch (JsonException)
        {
            return ("", ""); // a proxy's page: nothing to show
        }
    }

    private static (string Code, string Message) Describe(JsonElement error)
    {
        if (error.ValueKind is JsonValueKind.String) return ("", error.GetString()!);
        if (error.ValueKind is not JsonValueKind.Object) return ("", "");
        return (Text("code"), Text("message"));

        string Text(string name) => error.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString()! : "";
    }

    private string Clean(string text)
    {
        if (model.ApiKey is { Length: > 0 } key) text = text.Replace(key, "(key)", StringComparison.Ordinal);
        var line = new StringBuilder(Math.Min(text.Length, MaxDetail));
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length >= MaxDetail) { line.Append('…'); break; }
            if (Rune.IsControl(rune)) line.Append(' ');
            else line.Append(rune);
        }
        return line.ToString().Trim();
    }
}

/// <summary>What the upstream itself said, shortened and without the key: for the log.</summary>
internal sealed class UpstreamException(string message) : Exception(message);
