using BenchmarkDotNet.Attributes;
using FastChat.Benchmarks.Budgets;
using FastChat.Server.Storage.Sqlite;
using FastChat.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Benchmarks.Storage;

/// <summary>SQLite in a file: messages appended, each acknowledged once it is on disk, and the end of a conversation of 1,000 read.</summary>
[MemoryDiagnoser]
public class StoreBenchmarks
{
    private const int Writers = 64;

    private readonly string _directory = Directory.CreateTempSubdirectory("fastchat-bench-").FullName;
    private readonly Task[] _writes = new Task[Writers];
    private readonly NewMessage _message = new(MessageRole.User, "What does the third chapter say about tides, and why twice a day?");
    private IChatStore _store = null!;
    private UserRecord _user = null!;
    private ConversationRecord _read = null!;
    private ConversationRecord _written = null!;

    [GlobalSetup]
    public async Task Setup()
    {
        _store = await SqliteChatStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(_directory, "bench.db") }, TimeProvider.System, NullLogger.Instance);
        _user = (await _store.CreateUserAsync("alice"))!;
        _written = (await _store.CreateConversationAsync(new NewConversation(_user.Id)))!.Conversation;
        _read = (await _store.CreateConversationAsync(new NewConversation(_user.Id)))!.Conversation;
        await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => _store.AppendMessageAsync(_user.Id, _read.Id, _message)));
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>One after the other: a commit each.</summary>
    [Benchmark, Budgeted]
    public Task Append() => _store.AppendMessageAsync(_user.Id, _written.Id, _message);

    /// <summary>64 at a time: they share commits.</summary>
    [Benchmark(OperationsPerInvoke = Writers), Budgeted]
    public Task AppendTogether()
    {
        for (int i = 0; i < Writers; i++) _writes[i] = _store.AppendMessageAsync(_user.Id, _written.Id, _message);
        return Task.WhenAll(_writes);
    }

    /// <summary>The last 50 messages.</summary>
    [Benchmark, Budgeted]
    public Task ReadHistory() => _store.ListMessagesAsync(_user.Id, _read.Id, PageRequest.First);
}
