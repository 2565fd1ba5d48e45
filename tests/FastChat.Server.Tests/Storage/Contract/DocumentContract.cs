using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

public abstract class DocumentContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    private async Task<DocumentRecord> AddAsync(UserRecord owner, string name, string[] passages, string chatbot = ChatbotRecord.AssistantId)
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        string text = string.Join("\n\n", passages);
        var document = await Store.AddDocumentAsync(
            new NewDocument(owner.Id, chatbot, name, text, passages) { ContentType = "text/markdown", Size = 123 }).Soon();
        return document!;
    }

    private Task<IReadOnlyList<PassageHit>> AskAsync(UserRecord user, string question, string? chatbot = null, string? document = null) =>
        Store.SearchPassagesAsync(new PassageQuery(user.Id, question) { ChatbotId = chatbot, DocumentId = document }).Soon();

    [Fact]
    public async Task A_document_keeps_what_it_was_made_with()
    {
        var alice = await UserAsync();
        var document = await AddAsync(alice, "Ünïcode 📄.md", ["one", "two"]);
        Assert.Equal((ChatbotRecord.AssistantId, alice.Id, "Ünïcode 📄.md", "text/markdown", 123, 2, Time.GetUtcNow()),
            (document.ChatbotId, document.OwnerId, document.FileName, document.ContentType, document.Size, document.PassageCount,
            document.CreatedAt));
        Assert.Equal(document, await Store.GetDocumentAsync(alice.Id, document.Id).Soon());
        Assert.Equal("one\n\ntwo", await Store.GetDocumentTextAsync(alice.Id, document.Id).Soon());
    }

    [Fact]
    public async Task The_newest_of_a_name_is_found_by_it()
    {
        var alice = await UserAsync();
        await AddAsync(alice, "a.txt", ["old"]);
        var newest = await AddAsync(alice, "a.txt", ["new"]);
        Assert.Equal(newest, await Store.GetDocumentByNameAsync(alice.Id, "a.txt").Soon());
        Assert.Null(await Store.GetDocumentByNameAsync(alice.Id, "A.txt").Soon());
    }

    [Fact]
    public async Task Documents_of_a_chatbot_are_listed_newest_first()
    {
        var alice = await UserAsync();
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty")).Soon();
        await AddAsync(alice, "other.txt", ["x"]);
        var made = new List<DocumentRecord>();
        for (int i = 0; i < 5; i++)
            made.Insert(0, await AddAsync(alice, $"{i}.txt", ["x"], bot!.Id));
        Assert.Equal(made, await AllAsync(2, async page => (await Store.ListDocumentsAsync(alice.Id, bot!.Id, page).Soon())!));
        Assert.Null(await Store.ListDocumentsAsync(alice.Id, "nothing", PageRequest.First).Soon());
    }

    [Fact]
    public async Task Anothers_document_is_not_there()
    {
        var (alice, bob) = (await UserAsync(), await UserAsync("bob"));
        var document = await AddAsync(alice, "a.txt", ["badger"]);
        Assert.Null(await Store.GetDocumentAsync(bob.Id, document.Id).Soon());
        Assert.Null(await Store.GetDocumentByNameAsync(bob.Id, "a.txt").Soon());
        Assert.Null(await Store.GetDocumentTextAsync(bob.Id, document.Id).Soon());
        Assert.Empty((await Store.ListDocumentsAsync(bob.Id, ChatbotRecord.AssistantId, PageRequest.All).Soon())!.Items);
        Assert.False(await Store.DeleteDocumentAsync(bob.Id, document.Id).Soon());
        Assert.Empty(await AskAsync(bob, "badger"));
        Assert.Empty(await AskAsync(bob, "badger", ChatbotRecord.AssistantId));
        Assert.Empty(await AskAsync(bob, "badger", document: document.Id));
        Assert.Null(await Store.AddDocumentAsync(new NewDocument("nobody", ChatbotRecord.AssistantId, "x", "x", ["x"])).Soon());
        Assert.Single(await AskAsync(alice, "badger"));
    }

    [Fact]
    public async Task A_published_chatbot_answers_from_its_owners_documents_and_from_ones_own()
    {
        var (alice, bob, carol) = (await UserAsync(), await UserAsync("bob"), await UserAsync("carol"));
        var bot = await Store.CreateChatbotAsync(new NewChatbot(alice.Id, "Botty") { Visibility = ChatbotVisibility.Public }).Soon();
        var owners = await AddAsync(alice, "owners.txt", ["badger of the owner"], bot!.Id);
        var own = await AddAsync(bob, "own.txt", ["badger of bob"], bot.Id);
        await AddAsync(carol, "carols.txt", ["badger of carol"], bot.Id);
        await AddAsync(alice, "elsewhere.txt", ["badger elsewhere"]);
        Assert.Equal(["own.txt", "owners.txt"], (await AskAsync(bob, "badger", bot.Id)).Select(hit => hit.FileName).Order());
        Assert.Single(await AskAsync(bob, "badger", document: owners.Id));
        Assert.Equal(["own.txt"], (await AskAsync(bob, "badger")).Select(hit => hit.FileName));
        Assert.Equal(["owners.txt"], (await AskAsync(alice, "badger", bot.Id)).Select(hit => hit.FileName));
        Assert.Empty(await AskAsync(alice, "badger", document: own.Id));
        Assert.Null(await Store.GetDocumentAsync(bob.Id, owners.Id).Soon());
        await Store.UpdateChatbotAsync(alice.Id, bot.Id, new ChatbotChanges { Visibility = ChatbotVisibility.Private }).Soon();
        Assert.Empty(await AskAsync(bob, "badger", bot.Id));
        Assert.Empty(await AskAsync(bob, "badger", document: owners.Id));
    }

    [Fact]
    public async Task The_best_passage_comes_first()
    {
        var alice = await UserAsync();
        string[] passages =
        [
            "Our offices are open from nine to five.",
            "Refunds are paid within 14 days. The refund period starts with the delivery.",
            "Shipping takes three days. A refund of the shipping is not possible.",
            "Parrots are birds.",
        ];
        var document = await AddAsync(alice, "terms.md", passages);
        var hits = await AskAsync(alice, "How long is the refund period?");
        Assert.Equal([1, 2], hits.Select(hit => hit.Index));
        Assert.Equal((document.Id, "terms.md", passages[1]), (hits[0].DocumentId, hits[0].FileName, hits[0].Text));
        Assert.True(hits[0].Score > hits[1].Score);
        Assert.Equal([2 / 3d, 1 / 3d], hits.Select(hit => hit.Coverage)); // long, refund, period
        Assert.Empty(await AskAsync(alice, "Where do elephants sleep?"));
    }

    [Fact]
    public async Task No_more_passages_come_than_asked_for()
    {
        var alice = await UserAsync();
        await AddAsync(alice, "a.txt", [.. Enumerable.Range(0, 20).Select(i => $"badger {i}")]);
        Assert.Equal(5, (await AskAsync(alice, "badger")).Count);
        Assert.Equal(7, (await Store.SearchPassagesAsync(new PassageQuery(alice.Id, "badger") { Limit = 7 }).Soon()).Count);
    }

    [Fact]
    public async Task A_deleted_document_is_not_found_any_more()
    {
        var alice = await UserAsync();
        var document = await AddAsync(alice, "a.txt", ["badger"]);
        var kept = await AddAsync(alice, "b.txt", ["badger"]);
        Assert.True(await Store.DeleteDocumentAsync(alice.Id, document.Id).Soon());
        Assert.False(await Store.DeleteDocumentAsync(alice.Id, document.Id).Soon());
        Assert.Null(await Store.GetDocumentAsync(alice.Id, document.Id).Soon());
        Assert.Null(await Store.GetDocumentTextAsync(alice.Id, document.Id).Soon());
        Assert.Equal([kept.Id], (await AskAsync(alice, "badger")).Select(hit => hit.DocumentId));
    }

    [Fact]
    public async Task A_document_of_five_mebibytes_is_kept()
    {
        var alice = await UserAsync();
        string[] passages = [.. Enumerable.Range(0, 5000).Select(i => $"number{i} " + string.Concat(Enumerable.Repeat("lorem ipsum ", 90)))];
        var document = await AddAsync(alice, "big.txt", passages);
        Assert.Equal(5000, document.PassageCount);
        Assert.Equal(4321, Assert.Single(await AskAsync(alice, "number4321")).Index);
    }
}
