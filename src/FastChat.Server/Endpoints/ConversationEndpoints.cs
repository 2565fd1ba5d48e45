using System.Buffers;
using System.Net.Mime;
using System.Runtime.CompilerServices;
using FastChat.Chat;
using FastChat.Storage;

namespace FastChat.Server.Endpoints;

/// <summary>A conversation; seed 003's fields first.</summary>
internal sealed record ConversationBody(
    string Id, string UserId, DateTime CreatedAt, string Title, string ChatbotId, DateTime UpdatedAt, int MessageCount)
{
    /// <summary>Oldest first; absent where they were not asked for.</summary>
    public IReadOnlyList<MessageBody>? Messages { get; init; }

    public static ConversationBody From(ConversationRecord c) =>
        new(c.Id, c.UserId, c.CreatedAt.UtcDateTime, c.Title, c.ChatbotId, c.UpdatedAt.UtcDateTime, c.MessageCount);
}

/// <summary>A conversation that a search has found.</summary>
internal sealed record HitBody(string Id, string Title, string ChatbotId, DateTime CreatedAt, DateTime UpdatedAt, string? MessageId, string Snippet);

/// <summary>Seed 000's summary of a conversation: <c>title</c> is its first message.</summary>
internal sealed record SummaryBody(string Title, DateTime Date, string Id);

/// <summary>Changes to a conversation.</summary>
internal sealed record ConversationPatch(string? Title);

/// <summary>What was done.</summary>
internal sealed record DoneBody(string Message);

/// <summary>Conversations: seed 003's routes, seed 000's list, and search, title and export.</summary>
internal static class ConversationEndpoints
{
    public static void MapConversations(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithTags("Conversations").ProducesProblem(404);
        group.MapGet("/conversations", ListAsync).Produces<ConversationBody[]>()
            .WithSummary("Your conversations, last changed first, with their messages; without them with messages=false.")
            .TakesPage().Takes(new("user_id", "Who you are, where no token says it."), new("messages", "false for none."),
                new("chatbot_id", "Only those with this chatbot."));
        group.MapGet("/all_chat", SummariesAsync).Produces<SummaryBody[]>().WithSummary("Your conversations in short (seed 000).").TakesPage();
        group.MapGet("/conversations/search", SearchAsync).Produces<HitBody[]>().WithSummary("Your conversations that hold every word of q.")
            .TakesPage().Takes(new QueryParameter("q", "Words, or beginnings of words.", Required: true));
        group.MapGet("/conversations/{id}", GetAsync).Produces<ConversationBody>()
            .WithSummary("A conversation with its newest messages, or those before a place.").TakesPage();
        group.MapPatch("/conversations/{id}", RenameAsync).Accepts<ConversationPatch>(MediaTypeNames.Application.Json)
            .Produces<ConversationBody>().WithSummary("Gives a conversation a title.");
        group.MapDelete("/conversations/{id}", DeleteAsync).Produces<DoneBody>().WithSummary("Deletes a conversation with its messages.");
        group.MapGet("/conversations/{id}/export", ExportAsync).Produces(200, contentType: "application/json", additionalContentTypes: "text/markdown")
            .WithSummary("A whole conversation as a file, format=json or markdown.")
            .Takes(new QueryParameter("format", "json (the default) or markdown."));
    }

    private static async Task<IResult> ListAsync(HttpContext http, ChatEngine engine)
    {
        var user = http.Caller();
        bool withMessages = http.Request.Query["messages"] != "false";
        var page = await engine.Directory.ListConversationsAsync(user.Id, Paging.Read(http), http.Request.Query["chatbot_id"], http.RequestAborted);
        if (!withMessages)
            return Paging.Page(http, page, ConversationBody.From);
        Paging.WriteNext(http, page.Next);
        // One conversation's messages at a time are in memory, however many a page has.
        return Body.Ok(WithMessagesAsync(engine, page.Items, http.RequestAborted));
    }

    private static async IAsyncEnumerable<ConversationBody> WithMessagesAsync(
        ChatEngine engine, IReadOnlyList<ConversationRecord> conversations, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var conversation in conversations)
        {
            IReadOnlyList<MessageRecord> messages;
            try
            {
                messages = (await engine.Directory.ListMessagesAsync(
                    conversation.UserId, conversation.Id, new PageRequest(Paging.MaxLimit), cancellationToken)).Items;
            }
            catch (ChatException e) when (e.Error.Code == ChatErrorCode.NotFound)
            {
                continue; // deleted while we read
            }
            yield return ConversationBody.From(conversation) with { Messages = [.. messages.Select(MessageBody.From)] };
        }
    }

    private static async Task<IResult> SummariesAsync(HttpContext http, ChatEngine engine)
    {
        var page = await engine.Directory.ListConversationsAsync(http.Caller().Id, Paging.Read(http, Paging.MaxLimit), null, http.RequestAborted);
        Paging.WriteNext(http, page.Next);
        // One that nobody has written in yet has no first message, and so no title.
        return Body.Ok(page.Items.Where(c => c.MessageCount > 0).Select(c => new SummaryBody(c.Title, c.CreatedAt.UtcDateTime, c.Id)).ToArray());
    }

    private static async Task<IResult> SearchAsync(HttpContext http, ChatEngine engine)
    {
        string query = http.Request.Query["q"].ToString();
        if (string.IsNullOrWhiteSpace(query))
            throw new ChatException(ChatErrorCode.BadRequest, "\"q\" is missing.");
        var page = await engine.Directory.SearchAsync(http.Caller().Id, query, Paging.Read(http), http.RequestAborted);
        return Paging.Page(http, page, hit => new HitBody(hit.Conversation.Id, hit.Conversation.Title, hit.Conversation.ChatbotId,
            hit.Conversation.CreatedAt.UtcDateTime, hit.Conversation.UpdatedAt.UtcDateTime, hit.MessageId, hit.Snippet));
    }

    private static async Task<IResult> GetAsync(HttpContext http, ChatEngine engine, string id)
    {
        var user = http.Caller();
        var request = Paging.Read(http, Paging.MaxLimit);
        var conversation = await engine.Directory.GetConversationAsync(user.Id, id, http.RequestAborted);
        var page = await engine.Directory.ListMessagesAsync(user.Id, id, request, http.RequestAborted);
        Paging.WriteNext(http, page.Next);
        return Body.Ok(ConversationBody.From(conversation) with { Messages = [.. page.Items.Select(MessageBody.From)] });
    }

    private static async Task<IResult> RenameAsync(HttpContext http, ChatEngine engine, string id)
    {
        var patch = await Body.ReadAsync<ConversationPatch>(http);
        if (patch.Title is null)
            throw new ChatException(ChatErrorCode.BadRequest, "\"title\" is missing.");
        return Body.Ok(ConversationBody.From(await engine.Directory.RenameAsync(http.Caller().Id, id, patch.Title, http.RequestAborted)));
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, ChatEngine engine, string id)
    {
        await engine.Directory.DeleteConversationAsync(http.Caller().Id, id, http.RequestAborted);
        return Body.Ok(new DoneBody("Conversation deleted successfully"));
    }

    private static async Task<IResult> ExportAsync(HttpContext http, ChatEngine engine, string id)
    {
        string format = http.Request.Query["format"] is [{ Length: > 0 } given, ..] ? given : "json";
        if (format is not ("json" or "markdown"))
            throw new ChatException(ChatErrorCode.BadRequest, "\"format\" must be json or markdown.");
        var export = await engine.Directory.ExportAsync(http.Caller().Id, id, http.RequestAborted);
        string name = FileName(export.Conversation.Title);
        if (format == "markdown")
            return Results.File(System.Text.Encoding.UTF8.GetBytes(export.ToMarkdown()), "text/markdown; charset=utf-8", name + ".md");
        var json = new ArrayBufferWriter<byte>();
        export.WriteJson(json);
        return Results.File(json.WrittenMemory.ToArray(), MediaTypeNames.Application.Json, name + ".json");
    }

    // A name for every file system: letters, digits and dashes of the title.
    private static string FileName(string title)
    {
        var name = new string([.. title.Take(60).Select(c => char.IsLetterOrDigit(c) ? c : '-')]).Trim('-');
        return name.Length > 0 ? name : "conversation";
    }
}
