#if LITEDB
using System.Text;
using FastChat.Server.Storage;
using FastChat.Server.Storage.LiteDb;
using FastChat.Server.Tests.Storage.Contract;
using FastChat.Storage;
using FastChat.TestKit;
using LiteDB;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Storage;

/// <summary>LiteDB in a file.</summary>
public class LiteDbFile : StoreUnderTest
{
    public string Path => System.IO.Path.Combine(Directory, "data", "fastchat.lite");

    protected virtual bool CheckpointEveryCommit => false;

    public override Task<IChatStore> OpenAsync(TimeProvider time, Action<WriteQueueOptions>? configure = null)
    {
        var options = new LiteDbStoreOptions { Path = Path, CheckpointEveryCommit = CheckpointEveryCommit };
        configure?.Invoke(options.Writes);
        return LiteDbChatStore.OpenAsync(options, time, NullLogger.Instance);
    }
}

/// <summary>LiteDB that survives loss of power.</summary>
public sealed class LiteDbCheckpointed : LiteDbFile
{
    protected override bool CheckpointEveryCommit => true;
}

public sealed class LiteDbUserTests : UserContract<LiteDbFile>;
public sealed class LiteDbChatbotTests : ChatbotContract<LiteDbFile>;
public sealed class LiteDbConversationTests : ConversationContract<LiteDbFile>;
public sealed class LiteDbMessageTests : MessageContract<LiteDbFile>;
public sealed class LiteDbSearchTests : SearchContract<LiteDbFile>;
public sealed class LiteDbDocumentTests : DocumentContract<LiteDbFile>;
public sealed class LiteDbWriterTests : WriterContract<LiteDbFile>;
public sealed class LiteDbCrashTests : CrashContract<LiteDbFile>;
public sealed class LiteDbCheckpointedWriterTests : WriterContract<LiteDbCheckpointed>;
public sealed class LiteDbCheckpointedCrashTests : CrashContract<LiteDbCheckpointed>;

/// <summary>What LiteDB does beyond the contract: files, schema, settings.</summary>
public sealed class LiteDbChatStoreTests : IAsyncLifetime
{
    private readonly LiteDbFile _file = new();
    private readonly FakeTimeProvider _time = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    private async Task<StoreException> RefusalAsync() => await Assert.ThrowsAsync<StoreException>(() => _file.OpenAsync(_time).Soon());

    [Fact]
    public async Task The_files_are_for_their_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no Unix file modes.");
            return;
        }
        await using var store = await _file.OpenAsync(_time).Soon();
        await store.CreateUserAsync("alice").Soon();
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(_file.Path)!))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_and_left_alone()
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("not a database\n", 2000)));
        Directory.CreateDirectory(Path.GetDirectoryName(_file.Path)!);
        await File.WriteAllBytesAsync(_file.Path, content, TestContext.Current.CancellationToken);
        var refusal = await RefusalAsync();
        Assert.Equal((StoreError.Incompatible, $"Cannot use '{_file.Path}': it is not a LiteDB database."), (refusal.Error, refusal.Message));
        Assert.Equal(content, await File.ReadAllBytesAsync(_file.Path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Another_programs_database_is_refused()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file.Path)!);
        using (var theirs = new LiteDatabase(new ConnectionString { Filename = _file.Path, Collation = Collation.Binary }))
            theirs.GetCollection("theirs").Insert(new BsonDocument());
        Assert.Contains("another program", (await RefusalAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await (await _file.OpenAsync(_time).Soon()).DisposeAsync();
        using (var newer = new LiteDatabase(new ConnectionString { Filename = _file.Path }))
            newer.UserVersion = 2;
        Assert.Contains("newer FastChat (schema 2; this one knows 1)", (await RefusalAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_open_is_refused()
    {
        await using var store = await _file.OpenAsync(_time).Soon();
        var refusal = await RefusalAsync();
        Assert.Equal((StoreError.Unavailable, $"Cannot use '{_file.Path}': another process has it open."), (refusal.Error, refusal.Message));
    }

    [Fact]
    public async Task An_index_serves_every_search_and_list()
    {
        await (await _file.OpenAsync(_time).Soon()).DisposeAsync();
        using var database = new LiteDatabase(new ConnectionString { Filename = _file.Path });
        var session = new LiteSession(database);
        Assert.Contains("INDEX RANGE SCAN(k ",
            Plan(session.Messages.Query().Where(LiteSession.Within("k", "x")).OrderByDescending("$.k")), StringComparison.Ordinal);
        Assert.Contains("INDEX RANGE SCAN(terms ",
            Plan(session.Messages.Query().Where("$.terms[*] ANY BETWEEN @0 AND @1", "a", "b")), StringComparison.Ordinal);
        Assert.Contains("INDEX SEEK(terms ", Plan(session.Passages.Query().Where("$.terms[*] ANY = @0", "a")), StringComparison.Ordinal);
        Assert.Contains("INDEX SEEK(client ", Plan(session.Messages.Query().Where("$.client = @0", "a")), StringComparison.Ordinal);

        static string Plan(ILiteQueryable<BsonDocument> query) => query.GetPlan()["index"]["mode"].AsString;
    }

    [Fact]
    public void Options_refuse_what_makes_no_sense()
    {
        var options = new LiteDbStoreOptions { Path = "x" };
        Assert.Throws<ArgumentException>(() => options.Path = " ");
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Readers = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Readers = 65);
    }
}
#endif
