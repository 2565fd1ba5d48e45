using FastChat.Server.Storage;
using FastChat.Storage;
using FastChat.TestKit;

namespace FastChat.Server.Tests.Storage.Contract;

/// <summary>How the contract suite opens one implementation; its files live in a directory of its own.</summary>
public abstract class StoreUnderTest : IAsyncDisposable
{
    private readonly Lock _gate = new();

    /// <summary>Made when first asked for: once, though several stores are opened at the same time.</summary>
    public string Directory
    {
        get
        {
            lock (_gate)
                return field ??= System.IO.Directory.CreateTempSubdirectory("fastchat-store-").FullName;
        }
        internal set;
    }

    /// <summary>True when what was stored is there after closing and opening again.</summary>
    public virtual bool IsPersistent => true;

    public abstract Task<IChatStore> OpenAsync(TimeProvider time, Action<WriteQueueOptions>? configure = null);

    public ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Base of the contract suite: one open store for each test.</summary>
public abstract class StoreContract<TStore> : IAsyncLifetime
    where TStore : StoreUnderTest, new()
{
    protected TStore Subject { get; } = new();

    protected FakeTimeProvider Time { get; } = new();

    protected IChatStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Store = await Subject.OpenAsync(Time).Soon();

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync().AsTask().Soon();
        await Subject.DisposeAsync();
    }

    protected async Task ReopenAsync(Action<WriteQueueOptions>? configure = null)
    {
        await Store.DisposeAsync().AsTask().Soon();
        Store = await Subject.OpenAsync(Time, configure).Soon();
    }

    protected async Task<UserRecord> UserAsync(string name = "alice") => (await Store.CreateUserAsync(name).Soon())!;

    protected async Task<ConversationRecord> ConversationAsync(UserRecord user, string title = "")
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        return (await Store.CreateConversationAsync(new NewConversation(user.Id) { Title = title }).Soon())!.Conversation;
    }

    protected async Task<MessageRecord> SayAsync(ConversationRecord conversation, string text) =>
        (await Store.AppendMessageAsync(conversation.UserId, conversation.Id, new NewMessage(MessageRole.User, text)).Soon())!.Value.Message;

    /// <summary>Reads every page, newest first.</summary>
    protected static async Task<List<T>> AllAsync<T>(int limit, Func<PageRequest, Task<Page<T>>> read)
    {
        var all = new List<T>();
        string? before = null;
        do
        {
            var page = await read(new PageRequest(limit, before)).Soon();
            Assert.True(page.Items.Count <= limit);
            all.AddRange(page.Items);
            before = page.Next;
        }
        while (before is not null);
        return all;
    }
}

/// <summary>Bounded waiting.</summary>
internal static class Soonest
{
    public static readonly TimeSpan Limit = Hosting.TestServer.Patience;

    public static Task Soon(this Task task) => task.WaitAsync(Limit);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Limit);
}
