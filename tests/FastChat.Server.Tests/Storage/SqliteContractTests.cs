using FastChat.Server.Storage;
using FastChat.Server.Storage.Sqlite;
using FastChat.Server.Tests.Storage.Contract;
using FastChat.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Storage;

/// <summary>SQLite in a file.</summary>
public sealed class SqliteFile : StoreUnderTest
{
    public string Path => System.IO.Path.Combine(Directory, "data", "fastchat.db");

    public override Task<IChatStore> OpenAsync(TimeProvider time, Action<WriteQueueOptions>? configure = null)
    {
        var options = new SqliteStoreOptions { Path = Path };
        configure?.Invoke(options.Writes);
        return SqliteChatStore.OpenAsync(options, time, NullLogger.Instance);
    }
}

/// <summary>SQLite in memory.</summary>
public sealed class SqliteMemory : StoreUnderTest
{
    public override bool IsPersistent => false;

    public override Task<IChatStore> OpenAsync(TimeProvider time, Action<WriteQueueOptions>? configure = null)
    {
        var options = new SqliteStoreOptions { Path = SqliteStoreOptions.InMemory };
        configure?.Invoke(options.Writes);
        return SqliteChatStore.OpenAsync(options, time, NullLogger.Instance);
    }
}

public sealed class SqliteFileUserTests : UserContract<SqliteFile>;
public sealed class SqliteFileChatbotTests : ChatbotContract<SqliteFile>;
public sealed class SqliteFileConversationTests : ConversationContract<SqliteFile>;
public sealed class SqliteFileMessageTests : MessageContract<SqliteFile>;
public sealed class SqliteFileSearchTests : SearchContract<SqliteFile>;
public sealed class SqliteFileDocumentTests : DocumentContract<SqliteFile>;
public sealed class SqliteFileWriterTests : WriterContract<SqliteFile>;

public sealed class SqliteFileCrashTests : CrashContract<SqliteFile>
{
    protected override void CheckFiles()
    {
        using var connection = new SqliteConnection($"Data Source={Subject.Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check";
        Assert.Equal("ok", command.ExecuteScalar());
        command.CommandText = "INSERT INTO message_search (message_search) VALUES ('integrity-check')";
        command.ExecuteNonQuery();
    }
}

public sealed class SqliteMemoryUserTests : UserContract<SqliteMemory>;
public sealed class SqliteMemoryChatbotTests : ChatbotContract<SqliteMemory>;
public sealed class SqliteMemoryConversationTests : ConversationContract<SqliteMemory>;
public sealed class SqliteMemoryMessageTests : MessageContract<SqliteMemory>;
public sealed class SqliteMemorySearchTests : SearchContract<SqliteMemory>;
public sealed class SqliteMemoryDocumentTests : DocumentContract<SqliteMemory>;
public sealed class SqliteMemoryWriterTests : WriterContract<SqliteMemory>;
