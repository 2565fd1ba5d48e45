using System.Net.Mime;
using FastChat.Chat;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Http;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Hosting;
using Microsoft.AspNetCore.Authentication;

namespace FastChat.Server.Endpoints;

/// <summary>A message to be answered. <c>message</c> and <c>user_id</c> are seed 003's.</summary>
internal sealed record ChatRequestBody(string? Message)
{
    public string? UserId { get; init; }

    /// <summary>The conversation to go on with; a new one where absent.</summary>
    public string? ConversationId { get; init; }

    /// <summary>The chatbot of a new conversation.</summary>
    public string? ChatbotId { get; init; }

    /// <summary>The model to answer with; the chatbot's where absent.</summary>
    public string? Model { get; init; }

    /// <summary>Sent again within its conversation, it is the same message.</summary>
    public string? ClientMessageId { get; init; }
}

/// <summary>A whole answer. <c>response</c> and <c>conversation_id</c> are seed 003's.</summary>
internal sealed record ChatAnswerBody(string Response, string ConversationId, string MessageId, string FinishReason);

/// <summary>Seed 003's <c>POST /chat</c>: a message in, the whole answer out.</summary>
internal static class ChatEndpoints
{
    public static void MapChat(this IEndpointRouteBuilder routes) =>
        // Open, for who it is may stand in the body.
        routes.MapPost("/chat", ChatAsync).WithTags("Chat").Accepts<ChatRequestBody>(MediaTypeNames.Application.Json)
            .Produces<ChatAnswerBody>().ProducesProblem(400).ProducesProblem(401).ProducesProblem(404).ProducesProblem(429)
            .WithSummary("Sends a message and waits for the whole answer. Without conversation_id it starts a conversation.");

    private static async Task<IResult> ChatAsync(
        HttpContext http, ChatEngine engine, ChatUsers users, IUserAuthenticator authenticator, UserRateLimiter limiter)
    {
        var authentication = await http.AuthenticateAsync(FastChatAuth.Scheme);
        if (authentication.Failure is not null)
            return Results.Challenge(authenticationSchemes: [FastChatAuth.Scheme]);
        // Before the body is read, where it is known who it is: a wrong one counts as well.
        var known = http.GetChatUser();
        if (known is not null && RateLimitFilter.TryTake(http, limiter, known.Id) is { } limited)
            return limited;
        var body = await Body.ReadAsync<ChatRequestBody>(http);
        if (known is null && body.UserId is { } id && http.IdentifyByUserId(authenticator, id).User is null)
            throw new ChatException(ChatErrorCode.Unauthorized, AuthFailure.UserIdNotTrusted.Describe());
        if (http.GetChatUser() is not { } user)
            return Results.Challenge(authenticationSchemes: [FastChatAuth.Scheme]);
        if (known is null && RateLimitFilter.TryTake(http, limiter, user.Id) is { } refusal)
            return refusal;
        if (body.UserId is { } claimed && claimed != user.Id)
            throw new ChatException(ChatErrorCode.NotFound, "User not found.");
        var record = await users.GetOrAddAsync(user, http.RequestAborted);
        var (turn, result) = await engine.AskAsync(
            new TurnRequest(record.Id, body.Message ?? throw new ChatException(ChatErrorCode.BadRequest, "\"message\" is missing."))
            {
                ConversationId = body.ConversationId,
                ChatbotId = body.ChatbotId,
                Model = body.Model,
                ClientMessageId = body.ClientMessageId,
            }, http.RequestAborted);
        return Body.Ok(new ChatAnswerBody(result.Text, turn.Conversation.Id, turn.Answer.Id, result.FinishReason));
    }
}
