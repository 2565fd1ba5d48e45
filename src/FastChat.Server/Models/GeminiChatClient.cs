#if GOOGLE_GENAI
using System.Runtime.CompilerServices;
using FastChat.Chat;
using Google.GenAI;
using Google.GenAI.Types;
using Microsoft.Extensions.AI;

namespace FastChat.Server.Models;

/// <summary>One try at Gemini in its own protocol, through Google.GenAI's <see cref="IChatClient"/>; adds what it lacks: errors sorted by consequence.</summary>
internal sealed class GeminiChatClient : IChatClient
{
    private readonly ModelSettings _model;
    private readonly Client _client;
    private readonly IChatClient _chat;
    private readonly UpstreamErrors _errors;

    public GeminiChatClient(ModelSettings model, TimeProvider time, string? baseUrl = null)
    {
        _model = model;
        _errors = new UpstreamErrors(model, time);
        var patience = TimeSpan.FromSeconds(30) + model.FirstTokenTimeout; // ResilientChatClient's own limit comes first
        var http = new HttpOptions { BaseUrl = baseUrl, Timeout = (int)Math.Min(patience.TotalMilliseconds, int.MaxValue) };
        // Said outright, because the package would otherwise follow environment variables to another service.
        _client = new Client(vertexAI: false, apiKey: model.ApiKey, httpOptions: http);
        _chat = _client.AsIChatClient(model.Model);
    }

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = options?.Clone() ?? new ChatOptions();
        request.ModelId = null; // a catalogue entry is one upstream model
        request.Temperature ??= _model.Temperature;
        request.MaxOutputTokens ??= _model.MaxOutputTokens;
        await using var updates = _chat.GetStreamingResponseAsync(messages, request, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(updates))
        {
            if (updates.Current.Contents.OfType<ErrorContent>().Any())
                throw new ModelException(ModelFailure.Rejected, $"The model '{_model.Name}' refused the request: its provider blocked the prompt.");
            yield return updates.Current;
        }
    }

    public object? GetService(System.Type serviceType, object? serviceKey = null) => _chat.GetService(serviceType, serviceKey);

    public void Dispose()
    {
        _chat.Dispose();
        _client.Dispose();
    }

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<ChatResponseUpdate> updates)
    {
        try
        {
            return await updates.MoveNextAsync();
        }
        catch (ClientError e)
        {
            throw _errors.FromStatus(e.StatusCode, "", e.Message, null);
        }
        catch (ServerError e)
        {
            throw _errors.FromStatus(e.StatusCode, "", e.Message, null);
        }
        catch (InvalidOperationException e)
        {
            throw new IOException("The stream ended inside an event.", e); // how the package tells it
        }
    }
}
#endif
