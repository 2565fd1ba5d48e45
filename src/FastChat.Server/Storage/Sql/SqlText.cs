namespace FastChat.Server.Storage.Sql;

/// <summary>
/// The statements that SQLite and PostgreSQL understand alike. What differs (schema, full-text search) stands with each store.
/// Times are microseconds since 1970. A <c>key</c> is a row's number; an <c>id</c> is what the world sees.
/// </summary>
internal static class SqlText
{
    // Users

    private const string User = "SELECT id, name, created_at FROM users ";
    public const string GetUser = User + "WHERE id = @id";
    public const string GetUserByLogin = User + "WHERE login = @login";
    public const string ListUsers = User + "WHERE (created_at, id) < (@time, @before) ORDER BY created_at DESC, id DESC LIMIT @limit";
    public const string UserKey = "SELECT key FROM users WHERE id = @id";

    // ON CONFLICT: two nodes may do so at once.
    public const string InsertUser =
        "INSERT INTO users (id, name, login, created_at) VALUES (@id, @name, @login, @time) ON CONFLICT DO NOTHING";

    // Chatbots; visibility 1 is public

    private const string Chatbot =
        """
        SELECT b.id, b.name, b.model, b.system_prompt, o.id, b.visibility, b.created_at, b.updated_at
        FROM chatbots b LEFT JOIN users o ON o.key = b.owner_key

        """;

    private const string Visible = "(b.visibility = 1 OR o.id = @user) ";
    public const string GetChatbot = Chatbot + "WHERE b.id = @id AND " + Visible;

    public const string ListChatbots = Chatbot + "WHERE " + Visible +
        "AND (b.created_at, b.id) < (@time, @before) ORDER BY b.created_at DESC, b.id DESC LIMIT @limit";

    /// <summary>A chatbot's key and its owner's, where the user may use it.</summary>
    public const string ChatbotKeys =
        "SELECT b.key, b.owner_key FROM chatbots b LEFT JOIN users o ON o.key = b.owner_key WHERE b.id = @id AND " + Visible;

    public const string InsertChatbot =
        """
        INSERT INTO chatbots (id, name, model, system_prompt, owner_key, visibility, created_at, updated_at)
        SELECT @id, @name, @model, @prompt, key, @visibility, @time, @time FROM users WHERE id = @user
        """;

    public const string UpdateChatbot =
        """
        UPDATE chatbots SET name = COALESCE(@name, name), model = NULLIF(COALESCE(@model, model), ''),
            system_prompt = COALESCE(@prompt, system_prompt), visibility = COALESCE(@visibility, visibility), updated_at = @time
        WHERE id = @id AND owner_key = (SELECT key FROM users WHERE id = @user)
        """;

    public const string DeleteChatbot =
        "DELETE FROM chatbots WHERE id = @id AND owner_key = (SELECT key FROM users WHERE id = @user)";

    // Conversations

    public const string ConversationColumns =
        "c.id, u.id, b.id, c.title, c.system_prompt, c.created_at, c.updated_at, c.last_seq";

    private const string Conversation = "SELECT " + ConversationColumns +
        " FROM conversations c JOIN users u ON u.key = c.user_key JOIN chatbots b ON b.key = c.chatbot_key ";

    public const string GetConversation = Conversation + "WHERE c.id = @id AND u.id = @user";

    public const string ListConversations = Conversation + "WHERE " + OfUser + AfterCursor;
    public const string ListConversationsOfChatbot = Conversation + "WHERE " + OfUser + "AND b.id = @chatbot " + AfterCursor;
    private const string OfUser = "c.user_key = (SELECT key FROM users WHERE id = @user) ";

    private const string AfterCursor =
        "AND (c.updated_at, c.id) < (@time, @before) ORDER BY c.updated_at DESC, c.id DESC LIMIT @limit";

    public const string InsertConversation =
        """
        INSERT INTO conversations (id, user_key, chatbot_key, title, system_prompt, created_at, updated_at, last_seq)
        VALUES (@id, @user, @chatbot, @title, @prompt, @time, @time, 0) RETURNING key
        """;

    /// <summary>Changes the title, which counts as activity, or the prompt, which does not.</summary>
    public const string UpdateConversation =
        """
        UPDATE conversations SET title = COALESCE(@title, title), system_prompt = NULLIF(COALESCE(@prompt, system_prompt), ''),
            updated_at = CASE WHEN @title IS NULL THEN updated_at ELSE @time END
        WHERE id = @id AND user_key = (SELECT key FROM users WHERE id = @user) RETURNING key
        """;

    public const string DeleteConversation =
        "DELETE FROM conversations WHERE id = @id AND user_key = (SELECT key FROM users WHERE id = @user)";

    // Messages

    private const string Message =
        """
        SELECT m.id, c.id, m.seq, m.role, m.content, m.created_at, m.turn_id, m.client_message_id, m.model, m.finish_reason,
            m.prompt_tokens, m.completion_tokens, m.sources, m.status
        FROM messages m JOIN conversations c ON c.key = m.conversation_key JOIN users u ON u.key = c.user_key

        """;

    public const string GetMessage = Message + "WHERE m.id = @id AND u.id = @user";

    /// <summary>A message that is there already under the id of the sender or its own. Two statements in one would use no index.</summary>
    public const string FindByClientId = Message + "WHERE m.conversation_key = @conversation AND m.client_message_id = @client";

    public const string FindById = Message + "WHERE m.conversation_key = @conversation AND m.id = @id";

    public const string ListMessages = Message + "WHERE m.conversation_key = @conversation AND m.seq < @before ORDER BY m.seq DESC LIMIT @limit";
    public const string ListTurn = Message + "WHERE m.conversation_key = @conversation AND m.turn_id = @turn ORDER BY m.seq";

    public const string ConversationKey =
        "SELECT c.key FROM conversations c JOIN users u ON u.key = c.user_key WHERE c.id = @id AND u.id = @user";

    /// <summary>Takes the next number of a conversation.</summary>
    public const string NextSeq =
        """
        UPDATE conversations SET last_seq = last_seq + 1, updated_at = @time WHERE key = @conversation RETURNING last_seq
        """;

    public const string InsertMessage =
        """
        INSERT INTO messages (id, conversation_key, seq, role, content, created_at, turn_id, client_message_id, model, finish_reason,
            prompt_tokens, completion_tokens, sources, status)
        VALUES (@id, @conversation, @seq, @role, @content, @time, @turn, @client, @model, @finish, @prompt, @completion, @sources, @status)
        RETURNING key
        """;

    // Documents

    private const string Document =
        """
        SELECT d.id, b.id, o.id, d.file_name, d.content_type, d.size, d.passages, d.created_at
        FROM documents d JOIN chatbots b ON b.key = d.chatbot_key JOIN users o ON o.key = d.owner_key

        """;

    public const string GetDocument = Document + "WHERE d.id = @id AND o.id = @user";

    public const string GetDocumentByName = Document +
        "WHERE d.owner_key = (SELECT key FROM users WHERE id = @user) AND d.file_name = @name ORDER BY d.created_at DESC LIMIT 1";

    public const string GetDocumentText =
        "SELECT d.text FROM documents d JOIN users o ON o.key = d.owner_key WHERE d.id = @id AND o.id = @user";

    public const string ListDocuments = Document +
        """
        WHERE d.chatbot_key = @chatbot AND d.owner_key = (SELECT key FROM users WHERE id = @user)
            AND (d.created_at, d.id) < (@time, @before) ORDER BY d.created_at DESC, d.id DESC LIMIT @limit
        """;

    public const string InsertDocument =
        """
        INSERT INTO documents (id, chatbot_key, owner_key, file_name, content_type, size, passages, text, created_at)
        VALUES (@id, @chatbot, @owner, @name, @type, @size, @passages, @text, @time) RETURNING key
        """;

    public const string InsertPassage =
        "INSERT INTO passages (document_key, place, text) VALUES (@document, @place, @text) RETURNING key";

    public const string DeleteDocument =
        "DELETE FROM documents WHERE id = @id AND owner_key = (SELECT key FROM users WHERE id = @user)";

    /// <summary>A document's key, where the user may find its passages: their own, or the owner's of a chatbot that they may use.</summary>
    public const string SearchableDocument =
        """
        SELECT d.key FROM documents d JOIN chatbots b ON b.key = d.chatbot_key JOIN users o ON o.key = d.owner_key
        WHERE d.id = @id AND (o.id = @user OR (b.visibility = 1 AND b.owner_key = d.owner_key))
        """;
}
