using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FastChat.Dispatch;
using FastChat.Storage;

namespace FastChat.Chat.Dialects;

/// <summary>
/// Seed 004: an integer <c>type</c> with <c>data</c>, on any socket. Replies have the documented fields at top level, and the <c>type</c>
/// asked with; errors are <c>{type, error, code}</c>, with <c>type</c> -1 where none could be read.
/// </summary>
internal sealed class CodeRequests(ChatSocket socket)
{
    private const int MaxSessions = 1000;
    private const int MaxChats = 200;

    // The messages of a session go out as one string within one message: their sum must stay well below what a send queue holds.
    private const int MaxChatChars = 128 << 10;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private ChatDirectory Directory => socket.Engine.Directory;

    /// <summary>Every type that any dialect knows.</summary>
    public static MessageRouter<Verb> CreateRouter(EnvelopeLimits limits) => new MessageRouterBuilder<Verb>()
        .Map(0, Verb.UserDetails).Map(1, Verb.ListSessions).Map(2, Verb.ListChats)
        .Map(3, Verb.ChatMessage).Map(4, Verb.DeleteSession).Map(5, Verb.ListModels)
        .Map("message", Verb.Message).Map("stop", Verb.Stop).Map("resume", Verb.Resume)
        .Build(limits);

    public ValueTask HandleAsync(Verb verb, Inbound message, UserRecord user)
    {
        if (!message.HasData)
            throw new ChatException(ChatErrorCode.BadRequest, "\"data\" is missing.");
        // Somebody else is as unknown as nobody.
        if (message.UserId is { Length: > 0 } id && id != user.Id)
            throw ChatException.NotFound("User");
        return verb switch
        {
            Verb.UserDetails => SendUserAsync(user),
            Verb.ListSessions => ListSessionsAsync(message, user),
            Verb.ListChats => ListChatsAsync(message, user),
            Verb.ChatMessage => ChatAsync(message, user),
            Verb.DeleteSession => DeleteAsync(message, user),
            _ => ListModelsAsync(),
        };
    }

    public static void WriteError(Utf8JsonWriter json, ChatError error, Inbound? about)
    {
        json.WriteNumber("type"u8, about?.Code ?? -1);
        json.WriteString("error"u8, error.Message);
        ChatSocket.WriteErrorDetails(json, error);
        if (about?.UserId is { } user)
            json.WriteString("user_id"u8, user);
        if (about?.SessionId is { } session)
            json.WriteString("session_id"u8, session);
    }

    private ValueTask SendUserAsync(UserRecord user) => socket.SendAsync(user, static (json, user) =>
    {
        json.WriteNumber("type"u8, 0);
        json.WriteString("user_id"u8, user.Id);
        json.WriteString("username"u8, user.Name);
    });

    private async ValueTask ListSessionsAsync(Inbound message, UserRecord user)
    {
        var page = await Directory.ListConversationsAsync(user.Id, ToPage(message, MaxSessions), null, socket.Closed);
        await socket.SendAsync((user, page), static (json, s) =>
        {
            json.WriteNumber("type"u8, 1);
            json.WriteString("user_id"u8, s.user.Id);
            json.WriteStartArray("session_info"u8);
            foreach (var conversation in s.page.Items)
            {
                json.WriteStartObject();
                json.WriteString("session_id"u8, conversation.Id);
                json.WriteString("session_name"u8, conversation.Title);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (s.page.Next is { } next)
                json.WriteString("next"u8, next);
        });
    }

    private async ValueTask ListChatsAsync(Inbound message, UserRecord user)
    {
        var page = await Directory.ListMessagesAsync(user.Id, SessionOf(message), ToPage(message, MaxChats), socket.Closed);
        // The newest that fit, the newest of all in any case.
        int from = page.Items.Count;
        for (int chars = 0; from > 0 && (from == page.Items.Count || chars + page.Items[from - 1].Content.Length <= MaxChatChars); from--)
            chars += page.Items[from - 1].Content.Length;
        string? next = from > 0 ? page.Items[from].Id : page.Next;
        string chat = WriteChat(page.Items.Skip(from));
        await socket.SendAsync((user, message, chat, next), static (json, s) =>
        {
            json.WriteNumber("type"u8, 2);
            json.WriteString("user_id"u8, s.user.Id);
            json.WriteString("session_id"u8, s.message.SessionId);
            json.WriteString("chat"u8, s.chat);
            if (s.next is not null)
                json.WriteString("next"u8, s.next);
        });
    }

    private async ValueTask ChatAsync(Inbound message, UserRecord user)
    {
        var models = Directory.Models;
        if (message.ModelId >= models.Count)
            throw ChatException.NotFound("Model");
        var turn = new TurnRequest(user.Id, message.Message ?? throw new ChatException(ChatErrorCode.BadRequest, "\"message\" is missing."))
        {
            ConversationId = message.SessionId is { Length: > 0 } id ? id : null,
            Model = message.ModelId is { } index ? models[index].Name : null,
            // Front ends send the field with every message, empty when they have nothing to say: that does not erase it.
            SystemPrompt = message.SessionPrompt is { Length: > 0 } prompt ? prompt : null,
            FileName = message.FileName,
        };
        await socket.Engine.SubmitAsync(turn, accepted =>
        {
            socket.OnCodeTurn(accepted.Turn);
            socket.Replies.Add(accepted.Turn, (t, result) => ReplyAsync(message, t, result));
            return default;
        }, socket.Closed);
    }

    private ValueTask ReplyAsync(Inbound message, ChatTurn turn, GenerationResult result) => result.Error is { } error
        ? socket.SendErrorAsync(error, message)
        : socket.SendAsync((turn, result), static (json, s) =>
        {
            json.WriteNumber("type"u8, 3);
            json.WriteString("user_id"u8, s.turn.Conversation.UserId);
            json.WriteString("session_id"u8, s.turn.Conversation.Id);
            json.WriteString("session_name"u8, s.turn.Conversation.Title);
            json.WriteString("message"u8, s.result.Text);
        });

    private async ValueTask DeleteAsync(Inbound message, UserRecord user) =>
        await Directory.DeleteConversationAsync(user.Id, SessionOf(message), () => socket.SendAsync(user, static (json, user) =>
        {
            json.WriteNumber("type"u8, 4);
            json.WriteString("user_id"u8, user.Id);
        }), socket.Closed);

    private ValueTask ListModelsAsync() => socket.SendAsync(Directory.Models, static (json, models) =>
    {
        json.WriteNumber("type"u8, 5);
        json.WriteStartArray("models"u8);
        foreach (var model in models)
            json.WriteStringValue(model.Name);
        json.WriteEndArray();
    });

    private static string SessionOf(Inbound message) => message.SessionId is { Length: > 0 } id
        ? id : throw new ChatException(ChatErrorCode.BadRequest, "\"session_id\" is missing.");

    private static PageRequest ToPage(Inbound message, int max) =>
        new(Math.Clamp(message.Limit ?? max, 1, max), message.Before is { Length: > 0 } before ? before : null);

    private static string WriteChat(IEnumerable<MessageRecord> messages)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartArray();
            foreach (var message in messages)
            {
                json.WriteStartObject();
                json.WriteString("id"u8, message.Id);
                json.WriteString("role"u8, message.Role.ToWire());
                json.WriteString("content"u8, message.Content);
                json.WriteString("created_at"u8, message.CreatedAt.UtcDateTime);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
