using System.Net.Mime;
using FastChat.Chat;

namespace FastChat.Server.Endpoints;

/// <summary>Which conversation a session is to be on; seed 002 sends none, and gets the one last changed.</summary>
internal sealed record SessionRequestBody
{
    public string? ConversationId { get; init; }

    /// <summary>Starts a conversation in any case.</summary>
    public bool New { get; init; }
}

/// <summary>A session that was opened (seed 002).</summary>
internal sealed record SessionBody(
    string SessionId, string ConversationId, string ChatbotId, string ChatbotName, IReadOnlyList<PreviousMessageBody> PreviousMessages);

/// <summary>Seed 002's sessions.</summary>
internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/chatbot").WithTags("Sessions").ProducesProblem(404);
        group.MapPost("/{id}/session", OpenAsync).Accepts<SessionRequestBody>(isOptional: true, MediaTypeNames.Application.Json)
            .Produces<SessionBody>().WithSummary("Opens a session with a chatbot; the one you had before ends.");
        group.MapDelete("/session/{id}", Close).Produces<DoneBody>().WithSummary("Ends a session.");
    }

    private static async Task<IResult> OpenAsync(HttpContext http, ChatEngine engine, string id)
    {
        var body = await Body.ReadOptionalAsync<SessionRequestBody>(http) ?? new SessionRequestBody();
        var request = new SessionRequest(http.Caller().Id, id) { ConversationId = body.ConversationId, StartNew = body.New };
        var opened = await engine.Sessions.OpenAsync(request, http.RequestAborted);
        return Body.Ok(new SessionBody(opened.Session.Id, opened.Session.ConversationId, opened.Session.ChatbotId, opened.Session.ChatbotName,
            [.. opened.PreviousMessages.Select(PreviousMessageBody.From)]));
    }

    private static IResult Close(HttpContext http, ChatEngine engine, string id) => engine.Sessions.Close(http.Caller().Id, id)
        ? Body.Ok(new DoneBody("Session closed"))
        : throw new ChatException(ChatErrorCode.NotFound, "Session not found.");
}
