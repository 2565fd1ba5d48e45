using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FastChat.Chat;
using Microsoft.Extensions.AI;
using OpenAI;

namespace FastChat.Server.Models;

/// <summary>
/// One try at an OpenAI-compatible chat completion, streamed. A catalogue entry is one upstream model, so
/// <see cref="ChatOptions.ModelId"/> is not looked at. Safe for concurrent use.
/// </summary>
/// <remarks>
/// The package builds the request's way (address, key, pipeline); the stream is read here, because its typed reader throws at a finish
/// reason it does not know and passes over an error in mid-stream, and compatible servers send both.
/// </remarks>
internal sealed class OpenAIChatClient : IChatClient
{
    private readonly OpenAI.Chat.ChatClient _client;
    private readonly ModelSettings _model;
    private readonly ChatClientMetadata _metadata;
    private readonly UpstreamErrors _errors;
    private readonly bool _modern;

    public OpenAIChatClient(ModelSettings model, Uri endpoint, HttpClient http, TimeProvider time)
    {
        _model = model;
        _metadata = new ChatClientMetadata(ModelCatalog.ProviderName(model.Provider), endpoint, model.Model);
        _errors = new UpstreamErrors(model, time);
        // OpenAI's newer models refuse max_tokens; most compatible servers know nothing else.
        _modern = endpoint.Host.Equals("api.openai.com", StringComparison.OrdinalIgnoreCase) ||
            endpoint.Host.EndsWith(".openai.azure.com", StringComparison.OrdinalIgnoreCase);
        // A server without keys (Ollama, vLLM) ignores the header, but the package wants one.
        _client = new OpenAI.Chat.ChatClient(model.Model, new ApiKeyCredential(model.ApiKey ?? "none"), new OpenAIClientOptions
        {
            Endpoint = endpoint,
            Transport = new HttpClientPipelineTransport(http),
            RetryPolicy = new ClientRetryPolicy(0), // ResilientChatClient retries, bounded and on the injected clock
            NetworkTimeout = TimeSpan.FromSeconds(30) + (model.FirstTokenTimeout > model.IdleTimeout ? model.FirstTokenTimeout : model.IdleTimeout),
        });
    }

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Disposing the response in mid-answer closes the connection: that is how the upstream learns that nobody listens.
        using var response = await SendAsync(ChatCompletionRequest.Write(_model, messages, options, _modern), cancellationToken);
        await using var body = new BoundedStream(response.ContentStream ?? Stream.Null, _model.Name);
        await foreach (var item in SseParser.Create(body, Parse).EnumerateAsync(cancellationToken))
        {
            if (item.Data is not { } chunk) yield break;
            if (chunk.Error is { ValueKind: not JsonValueKind.Null } error) throw _errors.InStream(error);
            yield return chunk.ToUpdate();
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        return serviceType.IsInstanceOfType(this) ? this : serviceType == typeof(ChatClientMetadata) ? _metadata : null;
    }

    public void Dispose()
    {
        // The HTTP connections belong to the catalogue.
    }

    private async Task<PipelineResponse> SendAsync(BinaryContent request, CancellationToken cancellationToken)
    {
        // No Accept for event streams: with it the package follows redirects and, after a break, asks again by itself.
        var options = new RequestOptions
        {
            CancellationToken = cancellationToken,
            BufferResponse = false,
            ErrorOptions = ClientErrorBehaviors.NoThrow,
        };
        PipelineResponse response;
        try
        {
            response = (await _client.CompleteChatAsync(request, options)).GetRawResponse();
        }
        catch (ClientResultException e) when (e.InnerException is HttpRequestException or IOException)
        {
            throw new ModelException(ModelFailure.Unavailable, $"The model '{_model.Name}' could not be reached.", e);
        }
        if (response.Status is >= 200 and < 300) return response;
        using (response) throw await _errors.FromResponseAsync(response, cancellationToken);
    }

    // Null at the end marker.
    private ChatCompletionChunk? Parse(string eventType, ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8)) return null;
        try
        {
            return JsonSerializer.Deserialize(data, ChatCompletionJson.Default.ChatCompletionChunk) ?? new ChatCompletionChunk();
        }
        catch (JsonException e)
        {
            throw new ModelException(ModelFailure.Malformed, $"The model '{_model.Name}' sent something that is no chat completion.", e);
        }
    }
}
