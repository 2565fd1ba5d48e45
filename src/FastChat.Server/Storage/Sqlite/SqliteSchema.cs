using FastChat.Server.Storage.Sql;
using FastChat.Storage;

namespace FastChat.Server.Storage.Sqlite;

/// <summary>
/// The tables, as the steps that lead from one version to the next. <c>PRAGMA user_version</c> counts the steps taken. A step that was
/// released is never changed: a new one is added behind it.
/// </summary>
internal static class SqliteSchema
{
    /// <summary>"FCht": marks a file as FastChat's (<c>PRAGMA application_id</c>).</summary>
    private const long ApplicationId = 0x46436874;

    /// <summary>Step 1: everything.</summary>
    /// <remarks>
    /// The search tables hold the words of <c>SearchTerms</c>, already folded, hence the plain <c>ascii</c> tokenizer, which leaves other
    /// characters alone. Their column <c>scope</c> holds whose row it is (<c>u1</c>: user; <c>b1</c>, <c>o1</c>, <c>d1</c>: chatbot,
    /// owner, document), so that a search reads one user's rows and not everybody's.
    /// </remarks>
    private const string Initial =
        """
        CREATE TABLE users (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, login TEXT UNIQUE,
            created_at INTEGER NOT NULL);
        CREATE INDEX users_by_time ON users (created_at, id);

        CREATE TABLE chatbots (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, model TEXT, system_prompt TEXT NOT NULL,
            owner_key INTEGER REFERENCES users ON DELETE CASCADE, visibility INTEGER NOT NULL, created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL);
        CREATE INDEX chatbots_by_time ON chatbots (created_at, id);
        CREATE INDEX chatbots_by_owner ON chatbots (owner_key);

        CREATE TABLE conversations (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            user_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            chatbot_key INTEGER NOT NULL DEFAULT 1 REFERENCES chatbots ON DELETE SET DEFAULT,
            title TEXT NOT NULL, system_prompt TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, last_seq INTEGER NOT NULL);
        CREATE INDEX conversations_by_user ON conversations (user_key, updated_at, id);
        CREATE INDEX conversations_by_chatbot ON conversations (chatbot_key);

        CREATE TABLE messages (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            conversation_key INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
            seq INTEGER NOT NULL, role INTEGER NOT NULL, content TEXT NOT NULL, created_at INTEGER NOT NULL, turn_id TEXT,
            client_message_id TEXT, model TEXT, finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, sources TEXT,
            status INTEGER NOT NULL, UNIQUE (conversation_key, seq));
        CREATE UNIQUE INDEX messages_by_client_id ON messages (conversation_key, client_message_id) WHERE client_message_id IS NOT NULL;
        CREATE INDEX messages_by_turn ON messages (conversation_key, turn_id) WHERE turn_id IS NOT NULL;

        CREATE TABLE documents (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            chatbot_key INTEGER NOT NULL REFERENCES chatbots ON DELETE CASCADE,
            owner_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            file_name TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL, passages INTEGER NOT NULL,
            created_at INTEGER NOT NULL, text TEXT NOT NULL);
        CREATE INDEX documents_by_chatbot ON documents (chatbot_key, owner_key, created_at, id);
        CREATE INDEX documents_by_name ON documents (owner_key, file_name, created_at);

        CREATE TABLE passages (key INTEGER PRIMARY KEY, document_key INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
            place INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (document_key, place));

        CREATE VIRTUAL TABLE message_search USING fts5 (scope, terms, tokenize = 'ascii');
        CREATE VIRTUAL TABLE title_search USING fts5 (scope, terms, tokenize = 'ascii');
        CREATE VIRTUAL TABLE passage_search USING fts5 (scope, terms, tokenize = 'ascii');
        CREATE TRIGGER message_deleted AFTER DELETE ON messages BEGIN DELETE FROM message_search WHERE rowid = OLD.key; END;
        CREATE TRIGGER conversation_deleted AFTER DELETE ON conversations BEGIN DELETE FROM title_search WHERE rowid = OLD.key; END;
        CREATE TRIGGER passage_deleted AFTER DELETE ON passages BEGIN DELETE FROM passage_search WHERE rowid = OLD.key; END;
        """;

    private const string InsertAssistant =
        """
        INSERT INTO chatbots (key, id, name, model, system_prompt, owner_key, visibility, created_at, updated_at)
        SELECT 1, @id, @name, NULL, '', NULL, 1, @time, @time WHERE NOT EXISTS (SELECT 1 FROM chatbots WHERE key = 1)
        """;

    /// <summary>The steps, oldest first.</summary>
    public static IReadOnlyList<string> Steps { get; } = [Initial];

    /// <summary>Brings a database to the newest version, all steps in one transaction, and makes the built-in chatbot.</summary>
    /// <returns>The version it had.</returns>
    /// <exception cref="StoreException">It is another program's, or a newer FastChat's.</exception>
    public static long Migrate(SqlSession session, IReadOnlyList<string> steps, long now)
    {
        session.Execute("BEGIN IMMEDIATE"); // two processes may start at once
        try
        {
            long version = Check(session, steps.Count);
            for (int i = (int)version; i < steps.Count; i++)
                session.Execute(steps[i]);
            session.Execute($"PRAGMA application_id = {ApplicationId}");
            session.Execute($"PRAGMA user_version = {steps.Count}");
            session.Execute(InsertAssistant, ("@id", ChatbotRecord.AssistantId), ("@name", ChatbotRecord.AssistantName), ("@time", now));
            session.Execute("COMMIT");
            return version;
        }
        catch
        {
            session.Execute("ROLLBACK");
            throw;
        }
    }

    private static long Check(SqlSession session, int known)
    {
        long version = session.Number("PRAGMA user_version") ?? 0;
        bool ours = session.Number("PRAGMA application_id") == ApplicationId;
        bool empty = session.Number("SELECT count(*) FROM sqlite_master") == 0;
        if (!ours && !(empty && version == 0))
            throw new StoreException(StoreError.Incompatible, "it is a database of another program");
        if (version > known)
        {
            throw new StoreException(StoreError.Incompatible,
                $"it was written by a newer FastChat (schema {version}; this one knows {known}): start that one, or restore a backup");
        }
        return version;
    }
}
