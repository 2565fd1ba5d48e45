using System.Text;
using FastChat.Server.Storage;
using FastChat.Server.Storage.Sqlite;
using FastChat.Server.Tests.Storage.Contract;
using FastChat.Storage;
using FastChat.TestKit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Storage;

/// <summary>What SQLite does beyond the contract: files, schema, migration, settings.</summary>
public sealed class SqliteChatStoreTests : IAsyncLifetime
{
    private readonly SqliteFile _file = new();
    private readonly FakeTimeProvider _time = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    private IChatStore Open(params string[] steps) =>
        SqliteChatStore.Open(new SqliteStoreOptions { Path = _file.Path }, _time, NullLogger.Instance, [.. SqliteSchema.Steps, .. steps]);

    private async Task<StoreException> RefusalAsync() => await Assert.ThrowsAsync<StoreException>(() => _file.OpenAsync(_time).Soon());

    private object? Query(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_file.Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private void MakeFile(byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file.Path)!);
        File.WriteAllBytes(_file.Path, content);
    }

    [Fact]
    public async Task The_file_and_its_directory_are_for_their_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no Unix file modes.");
            return;
        }
        await using var store = await _file.OpenAsync(_time).Soon();
        await store.CreateUserAsync("alice").Soon();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.GetDirectoryName(_file.Path)!));
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(_file.Path)!))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task The_log_is_written_ahead_and_folded_in_at_the_end()
    {
        var store = await _file.OpenAsync(_time).Soon();
        await store.CreateUserAsync("alice").Soon();
        Assert.Equal("wal", Query("PRAGMA journal_mode"));
        Assert.True(new FileInfo(_file.Path + "-wal").Length > 0);
        await store.DisposeAsync().AsTask().Soon();
        Assert.False(File.Exists(_file.Path + "-wal"));
        Assert.Equal("ok", Query("PRAGMA integrity_check"));
        Assert.Equal((long)SqliteSchema.Steps.Count, Query("PRAGMA user_version"));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_and_left_alone()
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("not a database\n", 100)));
        MakeFile(content);
        var refusal = await RefusalAsync();
        Assert.Equal((StoreError.Incompatible, $"Cannot use '{_file.Path}': it is not a SQLite database."), (refusal.Error, refusal.Message));
        Assert.Equal(content, await File.ReadAllBytesAsync(_file.Path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Another_programs_database_is_refused()
    {
        MakeFile([]);
        Query("CREATE TABLE theirs (x)");
        var refusal = await RefusalAsync();
        Assert.Equal(StoreError.Incompatible, refusal.Error);
        Assert.Contains("another program", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1L, Query("SELECT count(*) FROM sqlite_master"));
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await using (Open("CREATE TABLE later (x)")) { }
        var refusal = await RefusalAsync();
        Assert.Equal(StoreError.Incompatible, refusal.Error);
        Assert.Contains("newer FastChat (schema 2; this one knows 1)", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_refused()
    {
        MakeFile([]);
        var options = new SqliteStoreOptions { Path = Path.Combine(_file.Path, "below", "a.db") };
        var refusal = await Assert.ThrowsAsync<StoreException>(() => SqliteChatStore.OpenAsync(options, _time, NullLogger.Instance).Soon());
        Assert.Equal(StoreError.Unavailable, refusal.Error);
    }

    [Fact]
    public async Task An_older_schema_is_brought_up_with_what_it_holds()
    {
        UserRecord alice;
        await using (var old = Open())
            alice = (await old.CreateUserAsync("alice").Soon())!;
        await using var store = Open("ALTER TABLE users ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'", "CREATE TABLE later (x)");
        Assert.Equal(alice, await store.GetUserByNameAsync("alice").Soon());
        Assert.Equal("fine", Query("SELECT mood FROM users"));
        Assert.Equal(SqliteSchema.Steps.Count + 2L, Query("PRAGMA user_version"));
        Assert.Equal(1L, Query("SELECT count(*) FROM chatbots"));
    }

    [Fact]
    public async Task A_step_that_fails_leaves_the_old_schema()
    {
        await using (var old = Open())
            await old.CreateUserAsync("alice").Soon();
        Assert.Throws<StoreException>(() => Open("CREATE TABLE later (x)", "CREATE TABLE users (x)"));
        Assert.Equal((long)SqliteSchema.Steps.Count, Query("PRAGMA user_version"));
        Assert.Equal(0L, Query("SELECT count(*) FROM sqlite_master WHERE name = 'later'"));
        await using var store = Open();
        Assert.NotNull(await store.GetUserByNameAsync("alice").Soon());
    }

    [Fact]
    public async Task Many_may_start_on_a_new_file_at_once_and_all_write()
    {
        var stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _file.OpenAsync(_time)))).Soon();
        await Task.WhenAll(stores.SelectMany((store, s) => Enumerable.Range(0, 20).Select(i => store.CreateUserAsync($"{s}.{i}")))).Soon();
        Assert.Equal(80, (await stores[0].ListUsersAsync(PageRequest.All).Soon()).Items.Count);
        Assert.Equal(1L, Query("SELECT count(*) FROM chatbots"));
        foreach (var store in stores)
            await store.DisposeAsync().AsTask().Soon();
    }

    [Fact]
    public async Task Deleting_leaves_nothing_behind_in_any_table()
    {
        await using var store = await _file.OpenAsync(_time).Soon();
        var alice = (await store.CreateUserAsync("alice").Soon())!;
        var bot = (await store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty")).Soon())!;
        var conversation = (await store.CreateConversationAsync(
            new NewConversation(alice.Id, bot.Id) { Title = "t" }, new NewMessage(MessageRole.User, "m")).Soon())!.Conversation;
        await store.AddDocumentAsync(new NewDocument(alice.Id, bot.Id, "a.txt", "p", ["p", "q"])).Soon();
        await store.DeleteConversationAsync(alice.Id, conversation.Id).Soon();
        await store.DeleteChatbotAsync(alice.Id, bot.Id).Soon();
        foreach (string table in new[]
            { "conversations", "messages", "documents", "passages", "message_search", "title_search", "passage_search" })
            Assert.Equal((table, 0L), (table, Query($"SELECT count(*) FROM {table}")));
    }

    [Fact]
    public async Task A_search_can_be_given_up()
    {
        await using var store = await _file.OpenAsync(_time).Soon();
        var alice = (await store.CreateUserAsync("alice").Soon())!;
        using var cancel = new CancellationTokenSource();
        var searches = Enumerable.Range(0, 50).Select(_ => store.SearchConversationsAsync(alice.Id, "a", PageRequest.First, cancel.Token)).ToList();
        await cancel.CancelAsync();
        foreach (var search in searches)
            Assert.True(await Record.ExceptionAsync(() => search.Soon()) is null or OperationCanceledException);
        // The connections are fit for use.
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => store.GetUserAsync(alice.Id))).Soon();
    }

    [Fact]
    public void Options_refuse_what_makes_no_sense()
    {
        var options = new SqliteStoreOptions { Path = "x" };
        Assert.Throws<ArgumentException>(() => options.Path = " ");
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Readers = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.BusyTimeout = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Writes.Capacity = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Writes.GroupSize = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Writes.MaxWaitingLength = 0);
    }
}
