using System.Collections.Concurrent;
using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

/// <summary>Concurrency, group commit, limits of the queue, closing and opening again.</summary>
public abstract class WriterContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    private static NewMessage User(string text) => new(MessageRole.User, text);

    [Fact]
    public async Task Many_writers_lose_nothing_and_number_without_gaps()
    {
        var alice = await UserAsync();
        var conversations = new List<ConversationRecord>();
        for (int i = 0; i < 4; i++)
            conversations.Add(await ConversationAsync(alice));
        await Task.WhenAll(Enumerable.Range(0, 800).Select(i => Task.Run(async () =>
        {
            var conversation = conversations[i % 4];
            var stored = (await Store.AppendMessageAsync(alice.Id, conversation.Id, User($"{i}")))!.Value.Message;
            // Whoever was told can read it.
            Assert.Equal(stored, await Store.GetMessageAsync(alice.Id, stored.Id));
        }))).Soon();
        foreach (var conversation in conversations)
        {
            var messages = (await Store.ListMessagesAsync(alice.Id, conversation.Id, PageRequest.All).Soon())!.Items;
            Assert.Equal(Enumerable.Range(1, 200), messages.Select(message => (int)message.Seq));
            Assert.Equal(200, messages.Select(message => message.Content).Distinct().Count());
        }
    }

    [Fact]
    public async Task A_reader_sees_a_conversation_and_its_count_of_one_moment()
    {
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        using var written = new SemaphoreSlim(0);
        var writing = Task.Run(async () =>
        {
            for (int i = 0; i < 200; i++)
            {
                await Store.AppendMessageAsync(alice.Id, conversation.Id, User("x"));
                written.Release();
            }
        });
        int last = 0;
        while (last < 200)
        {
            // Not more often than there is something new: who reads without a pause keeps the writer of a database in memory waiting.
            Assert.True(await written.WaitAsync(Soonest.Limit));
            int count = (await Store.ListMessagesAsync(alice.Id, conversation.Id, PageRequest.All).Soon())!.Items.Count;
            Assert.True(count >= last);
            last = count;
        }
        await writing.Soon();
        Assert.Equal(200, (await Store.GetConversationAsync(alice.Id, conversation.Id).Soon())!.MessageCount);
    }

    [Fact]
    public async Task A_write_that_fails_fails_alone()
    {
        using var held = new ManualResetEventSlim();
        using var holding = new SemaphoreSlim(0);
        await ReopenAsync(writes => writes.OnCommit = _ =>
        {
            holding.Release();
            held.Wait(Soonest.Limit);
        });
        // The hook holds the writer's thread while the others queue up.
        var user = Store.CreateUserAsync("alice");
        Assert.True(await holding.WaitAsync(Soonest.Limit));
        var alice = (await user.Soon())!;
        var create = Store.CreateConversationAsync(new NewConversation(alice.Id), new NewMessage(MessageRole.User, "x") { Id = "taken" });
        var clash = Store.CreateConversationAsync(new NewConversation(alice.Id), new NewMessage(MessageRole.User, "x") { Id = "taken" });
        var others = Enumerable.Range(0, 10).Select(_ => Store.CreateConversationAsync(new NewConversation(alice.Id))).ToList();
        held.Set();
        Assert.NotNull(await create.Soon());
        await Assert.ThrowsAsync<StoreException>(() => clash.Soon());
        Assert.All(await Task.WhenAll(others).Soon(), Assert.NotNull);
        Assert.Equal(11, (await Store.ListConversationsAsync(alice.Id, PageRequest.All).Soon()).Items.Count);
    }

    [Fact]
    public async Task What_comes_while_the_disk_is_busy_shares_the_next_commit()
    {
        var commits = new ConcurrentQueue<StoreCommit>();
        using var held = new ManualResetEventSlim();
        using var holding = new SemaphoreSlim(0);
        await ReopenAsync(writes => writes.OnCommit = commit =>
        {
            commits.Enqueue(commit);
            holding.Release();
            held.Wait(Soonest.Limit);
        });
        var first = Store.CreateUserAsync("first");
        Assert.True(await holding.WaitAsync(Soonest.Limit));
        var group = Enumerable.Range(0, 10).Select(i => Store.CreateUserAsync($"user{i}")).ToList();
        held.Set();
        await Task.WhenAll([first, .. group]).Soon();
        await Store.PingAsync().Soon(); // its commit comes after that of the group
        Assert.Equal([1, 10], commits.Take(2).Select(commit => commit.Operations));
    }

    [Fact]
    public async Task A_full_queue_refuses_and_a_dropped_write_is_not_written()
    {
        using var held = new ManualResetEventSlim();
        using var holding = new SemaphoreSlim(0);
        await ReopenAsync(writes =>
        {
            writes.Capacity = 2;
            writes.OnCommit = _ =>
            {
                holding.Release();
                held.Wait(Soonest.Limit);
            };
        });
        var first = Store.CreateUserAsync("first");
        Assert.True(await holding.WaitAsync(Soonest.Limit));
        using var cancel = new CancellationTokenSource();
        var dropped = Store.CreateUserAsync("dropped", cancel.Token);
        var second = Store.CreateUserAsync("second");
        var refusal = await Assert.ThrowsAsync<StoreException>(() => Store.CreateUserAsync("third").Soon());
        Assert.Equal(StoreError.Busy, refusal.Error);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dropped.Soon());
        held.Set();
        Assert.NotNull(await first.Soon());
        Assert.NotNull(await second.Soon());
        Assert.Null(await Store.GetUserByNameAsync("dropped").Soon());
        Assert.NotNull(await Store.CreateUserAsync("third").Soon());
    }

    [Fact]
    public async Task More_text_than_may_wait_is_refused()
    {
        using var held = new ManualResetEventSlim();
        using var holding = new SemaphoreSlim(0);
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        if (!Subject.IsPersistent)
            return; // reopening would forget the conversation
        await ReopenAsync(writes =>
        {
            writes.MaxWaitingLength = 1000;
            writes.OnCommit = _ =>
            {
                holding.Release();
                held.Wait(Soonest.Limit);
            };
        });
        // One message may always wait, however long.
        var first = Store.AppendMessageAsync(alice.Id, conversation.Id, User(new string('x', 5000)));
        Assert.True(await holding.WaitAsync(Soonest.Limit));
        var second = Store.AppendMessageAsync(alice.Id, conversation.Id, User(new string('x', 400)));
        var refusal = await Assert.ThrowsAsync<StoreException>(
            () => Store.AppendMessageAsync(alice.Id, conversation.Id, User(new string('x', 400))).Soon());
        Assert.Equal(StoreError.Busy, refusal.Error);
        held.Set();
        await Task.WhenAll(first, second).Soon();
        Assert.NotNull(await Store.AppendMessageAsync(alice.Id, conversation.Id, User(new string('x', 400))).Soon());
    }

    [Fact]
    public async Task A_hook_that_throws_stops_nothing()
    {
        await ReopenAsync(writes => writes.OnCommit = _ => throw new InvalidOperationException("a host's mistake"));
        Assert.NotNull(await Store.CreateUserAsync("one").Soon());
        Assert.NotNull(await Store.CreateUserAsync("two").Soon());
    }

    [Fact]
    public async Task A_cancelled_call_does_nothing()
    {
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.CreateUserAsync("alice", cancel.Token).Soon());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.GetUserAsync("alice", cancel.Token).Soon());
        Assert.Null(await Store.GetUserByNameAsync("alice").Soon());
    }

    [Fact]
    public async Task Closing_finishes_what_waits_and_refuses_what_comes()
    {
        if (!Subject.IsPersistent)
            return; // what was written could not be seen afterwards
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice);
        var appends = Enumerable.Range(0, 100).Select(i => Store.AppendMessageAsync(alice.Id, conversation.Id, User($"{i}"))).ToList();
        var closed = Store;
        await ReopenAsync();
        Assert.All(await Task.WhenAll(appends).Soon(), result => Assert.True(result!.Value.Created));
        Assert.Equal(StoreError.Closed, (await Assert.ThrowsAsync<StoreException>(() => closed.CreateUserAsync("x").Soon())).Error);
        Assert.Equal(StoreError.Closed, (await Assert.ThrowsAsync<StoreException>(() => closed.GetUserAsync("x").Soon())).Error);
        Assert.Equal(StoreError.Closed, (await Assert.ThrowsAsync<StoreException>(() => closed.PingAsync().Soon())).Error);
        await closed.DisposeAsync().AsTask().Soon();
        Assert.Equal(100, (await Store.GetConversationAsync(alice.Id, conversation.Id).Soon())!.MessageCount);
    }

    [Fact]
    public async Task Everything_is_there_after_opening_again()
    {
        if (!Subject.IsPersistent)
            return;
        var alice = await UserAsync();
        var conversation = await ConversationAsync(alice, "badger");
        var message = await SayAsync(conversation, "otter");
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty")).Soon();
        var document = await Store.AddDocumentAsync(new NewDocument(alice.Id, bot!.Id, "a.txt", "heron", ["heron"])).Soon();
        await ReopenAsync();
        Assert.Equal(alice, await Store.GetUserByNameAsync("alice").Soon());
        Assert.Equal(message, await Store.GetMessageAsync(alice.Id, message.Id).Soon());
        Assert.Equal(bot, await Store.GetChatbotAsync(alice.Id, bot.Id).Soon());
        Assert.Equal(document, await Store.GetDocumentAsync(alice.Id, document!.Id).Soon());
        Assert.Single((await Store.SearchConversationsAsync(alice.Id, "otter", PageRequest.First).Soon()).Items);
        Assert.Single(await Store.SearchPassagesAsync(new PassageQuery(alice.Id, "herons")).Soon());
        Assert.Equal(2, (await Store.ListChatbotsAsync(alice.Id, PageRequest.All).Soon()).Items.Count);
    }

    [Fact]
    public async Task An_open_store_answers_the_ping() => await Store.PingAsync().Soon();
}
