using System.Net.Mime;
using FastChat.Chat;
using FastChat.Storage;

namespace FastChat.Server.Endpoints;

/// <summary>A chatbot.</summary>
/// <param name="Id">Opaque id.</param>
/// <param name="Name">Display name.</param>
/// <param name="Model">Name of the model; absent for the server's default.</param>
/// <param name="SystemPrompt">Its instructions; only for its owner.</param>
/// <param name="Visibility">Who besides its owner may use it.</param>
/// <param name="Owned">Whether it is yours, to change and to delete.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="UpdatedAt">UTC.</param>
internal sealed record ChatbotBody(
    string Id, string Name, string? Model, string? SystemPrompt, ChatbotVisibility Visibility, bool Owned, DateTime CreatedAt, DateTime UpdatedAt)
{
    public static ChatbotBody From(ChatbotRecord c, string userId) => new(
        c.Id, c.Name, c.Model, c.OwnerId == userId ? c.SystemPrompt : null, c.Visibility, c.OwnerId == userId,
        c.CreatedAt.UtcDateTime, c.UpdatedAt.UtcDateTime);
}

/// <summary>A chatbot to be made, or changes to one: what is absent stays.</summary>
internal sealed record ChatbotFields
{
    public string? Name { get; init; }

    /// <summary>Name of a model; empty for the server's default.</summary>
    public string? Model { get; init; }

    public string? SystemPrompt { get; init; }

    public ChatbotVisibility? Visibility { get; init; }
}

/// <summary>Chatbots.</summary>
internal static class ChatbotEndpoints
{
    public static void MapChatbots(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/chatbots").WithTags("Chatbots").ProducesProblem(400).ProducesProblem(404);
        group.MapGet("", ListAsync).Produces<ChatbotBody[]>().WithSummary("The chatbots you may use, newest first; the built-in one is the last.").TakesPage();
        group.MapPost("", CreateAsync).Accepts<ChatbotFields>(MediaTypeNames.Application.Json).Produces<ChatbotBody>(201)
            .WithSummary("Makes a chatbot.");
        group.MapGet("/{id}", GetAsync).Produces<ChatbotBody>().WithSummary("A chatbot you may use.");
        group.MapPatch("/{id}", UpdateAsync).Accepts<ChatbotFields>(MediaTypeNames.Application.Json).Produces<ChatbotBody>()
            .WithSummary("Changes a chatbot of yours.");
        group.MapDelete("/{id}", DeleteAsync).Produces<DoneBody>().WithSummary("Deletes a chatbot of yours, with its documents.");
    }

    private static async Task<IResult> ListAsync(HttpContext http, ChatEngine engine)
    {
        string user = http.Caller().Id;
        var page = await engine.Directory.ListChatbotsAsync(user, Paging.Read(http), http.RequestAborted);
        return Paging.Page(http, page, c => ChatbotBody.From(c, user));
    }

    private static async Task<IResult> CreateAsync(HttpContext http, ChatEngine engine)
    {
        string user = http.Caller().Id;
        var fields = await Body.ReadAsync<ChatbotFields>(http);
        var made = await engine.Directory.CreateChatbotAsync(new NewChatbot(user, fields.Name ?? "")
        {
            Model = fields.Model is { Length: > 0 } model ? model : null,
            SystemPrompt = fields.SystemPrompt ?? "",
            Visibility = fields.Visibility ?? ChatbotVisibility.Private,
        }, http.RequestAborted);
        http.Response.Headers.Location = $"{http.Request.PathBase}{http.Request.Path.Value!.TrimEnd('/')}/{made.Id}";
        return Body.Ok(ChatbotBody.From(made, user), StatusCodes.Status201Created);
    }

    private static async Task<IResult> GetAsync(HttpContext http, ChatEngine engine, string id)
    {
        string user = http.Caller().Id;
        return Body.Ok(ChatbotBody.From(await engine.Directory.GetChatbotAsync(user, id, http.RequestAborted), user));
    }

    private static async Task<IResult> UpdateAsync(HttpContext http, ChatEngine engine, string id)
    {
        string user = http.Caller().Id;
        var fields = await Body.ReadAsync<ChatbotFields>(http);
        var changed = await engine.Directory.UpdateChatbotAsync(user, id, new ChatbotChanges
        {
            Name = fields.Name,
            Model = fields.Model,
            SystemPrompt = fields.SystemPrompt,
            Visibility = fields.Visibility,
        }, http.RequestAborted);
        return Body.Ok(ChatbotBody.From(changed, user));
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, ChatEngine engine, string id)
    {
        await engine.Directory.DeleteChatbotAsync(http.Caller().Id, id, http.RequestAborted);
        return Body.Ok(new DoneBody("Chatbot deleted"));
    }
}
