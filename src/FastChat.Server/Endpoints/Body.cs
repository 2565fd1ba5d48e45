using System.Text.Json;
using System.Text.Json.Serialization;
using FastChat.Chat;
using Microsoft.AspNetCore.Http.Features;

namespace FastChat.Server.Endpoints;

/// <summary>JSON in and out, whatever the application around has set for its own.</summary>
internal static class Body
{
    /// <summary>Names are spelled as docs say; what is null is left out.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.Strict,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        MaxDepth = 32,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>Answers with JSON.</summary>
    public static IResult Ok<T>(T value, int status = StatusCodes.Status200OK) => Results.Json(value, Json, statusCode: status);

    /// <summary>Reads the body.</summary>
    /// <exception cref="ChatException">It is no JSON, or not what is asked for.</exception>
    public static async ValueTask<T> ReadAsync<T>(HttpContext http) where T : class =>
        await ReadOptionalAsync<T>(http) ?? throw new ChatException(ChatErrorCode.BadRequest, "A JSON body is needed.");

    /// <summary>Reads the body; null where there is none, whatever its type is said to be.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public static async ValueTask<T?> ReadOptionalAsync<T>(HttpContext http) where T : class
    {
        var request = http.Request;
        if (http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false } || request.ContentLength is 0)
            return null;
        // What a form can send without asking (text/plain) is not taken for JSON: a page of another origin could forge it.
        if (!request.HasJsonContentType())
            throw new BadHttpRequestException("The Content-Type must be application/json.", StatusCodes.Status415UnsupportedMediaType);
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(request.Body, Json, http.RequestAborted);
        }
        catch (JsonException e)
        {
            throw new ChatException(ChatErrorCode.BadJson, Describe(e));
        }
    }

    // The parser's own words quote the text and name our types.
    private static string Describe(JsonException e) =>
        e.InnerException is not JsonException && e.Path is { Length: > 2 } path ? $"The body is not valid: see \"{path[2..]}\"." : "The body is not valid JSON.";
}
