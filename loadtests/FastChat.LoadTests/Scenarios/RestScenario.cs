using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Target;
using FastChat.LoadTests.Wire;

namespace FastChat.LoadTests.Scenarios;

/// <summary>Every kind of REST request that a front end makes.</summary>
internal sealed class RestScenario(ScenarioContext context) : Scenario(context)
{
    private const int Chunks = 20;
    private const int MostConversations = 20;

    // Of a hundred requests. A conversation has to be there before the rest can be asked of it.
    private static readonly (string Name, int Share)[] Mix = [("post_chat", 30), ("list", 25), ("get", 20), ("search", 8), ("rename", 7), ("export", 5), ("delete", 5)];

    private Visitor[] _visitors = [];

    public static ScenarioDefinition Definition { get; } = new("rest", "REST mix: ask, list, read, search, rename, export, delete")
    {
        Details = "30 of 100 requests ask a question and compare the answer; 25 list conversations, 20 read one with its messages, 8 search for a word that only one has, " +
            "7 rename, 5 export, 5 delete and see that it is gone. What comes back is compared with what this user has sent.",
        Latencies =
        [
            new("rest", "every request, from the moment it was due"),
            new("post_chat", "POST /chat"), new("list", "GET /conversations"), new("get", "GET /conversations/{id}"), new("search", "GET /conversations/search"),
            new("rename", "PATCH /conversations/{id}"), new("export", "GET /conversations/{id}/export"), new("delete", "DELETE /conversations/{id}, and GET after it"),
        ],
        Settings =
        [
            Setting.Count("users", "Users", 50, 100_000),
            Setting.Rate("Requests a second", "150"),
            Setting.Duration("20s"),
        ],
        Sockets = _ => 256,
        Create = c => new RestScenario(c),
    };

    private ChatTarget Target => Context.Target;

    public override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        int users = Context.Settings.Count("users");
        if (users > Target.Tokens.MostUsers) users = Target.Tokens.MostUsers;
        _visitors = new Visitor[users];
        for (int i = 0; i < users; i++) _visitors[i] = new Visitor(await Target.SignInAsync(string.Create(CultureInfo.InvariantCulture, $"{Context.Tag}-{i}"), cancellationToken));
    }

    public override async Task OperateAsync(Arrival arrival, long due, CancellationToken cancellationToken)
    {
        var visitor = _visitors[arrival.Index % _visitors.Length];
        await visitor.Turn.WaitAsync(cancellationToken);
        try
        {
            var random = new Random(HashCode.Combine(Context.Seed, arrival.Index));
            string kind = Choose(random, visitor);
            await RunAsync(kind, visitor, random, cancellationToken);
            Record(kind, due);
            Record("rest", due);
        }
        finally
        {
            visitor.Turn.Release();
        }
    }

    public override ValueTask DisposeAsync()
    {
        foreach (var visitor in _visitors.Where(v => v is not null)) visitor.Turn.Dispose();
        return default;
    }

    private static string Choose(Random random, Visitor visitor)
    {
        if (visitor.Conversations.Count == 0) return "post_chat";
        if (visitor.Conversations.Count >= MostConversations) return "delete";
        int at = random.Next(Mix.Sum(m => m.Share));
        foreach (var (name, share) in Mix)
            if ((at -= share) < 0) return name;
        return Mix[0].Name;
    }

    private async Task RunAsync(string kind, Visitor visitor, Random random, CancellationToken cancellationToken)
    {
        var user = visitor.User;
        if (kind == "post_chat")
        {
            var question = Question.Repeat(string.Create(CultureInfo.InvariantCulture, $"{user.Name}-{++visitor.Asked}"), Chunks, anyModel: Target.AnyModel);
            var answer = await visitor.ChangeAsync(() =>
                Target.SendAsync(user, HttpMethod.Post, "chat", WireJson.Default.ChatIn, JsonContent.Create(new ChatOut(question.Text), WireJson.Default.ChatOut), cancellationToken));
            Check(question.Expected is null || answer.Response == System.Text.Encoding.ASCII.GetString(question.Expected.Text), "POST /chat: another answer than this question has.");
            visitor.Conversations.Add(new Known(answer.ConversationId, question, answer.Response));
            return;
        }
        var known = visitor.Conversations[random.Next(visitor.Conversations.Count)];
        string path = $"conversations/{known.Id}";
        switch (kind)
        {
            case "list":
                var listed = await Target.SendAsync(user, HttpMethod.Get, "conversations?messages=false&limit=100", WireJson.Default.IReadOnlyListConversationIn, cancellationToken: cancellationToken);
                Check(visitor.Has(listed.Select(c => c.Id).ToHashSet()), "GET /conversations: other conversations than this user has.");
                break;
            case "get":
                var read = await Target.SendAsync(user, HttpMethod.Get, path, WireJson.Default.ConversationIn, cancellationToken: cancellationToken);
                Check(read.Messages is [{ Role: "user" } asked, { Role: "assistant" } answered] && asked.Content == known.Question.Text && answered.Content == known.Answer,
                    "GET /conversations/{id}: other messages than were sent.");
                break;
            case "search":
                string word = known.Question.ClientMessageId;
                var hits = await Target.SendAsync(user, HttpMethod.Get, $"conversations/search?q={Uri.EscapeDataString(word)}", WireJson.Default.IReadOnlyListHitIn, cancellationToken: cancellationToken);
                Check(hits.Any(h => h.Id == known.Id), "GET /conversations/search: the conversation with this word is not found.");
                break;
            case "rename":
                string title = $"Title {random.Next()}";
                var renamed = await Target.SendAsync(user, HttpMethod.Patch, path, WireJson.Default.ConversationIn, JsonContent.Create(new TitleOut(title), WireJson.Default.TitleOut), cancellationToken);
                Check(renamed.Title == title, "PATCH /conversations/{id}: another title than was given.");
                break;
            case "export":
                Check((await Target.GetTextAsync(user, HttpMethod.Get, path + "/export?format=markdown", cancellationToken)).Contains(known.Question.ClientMessageId, StringComparison.Ordinal),
                    "GET /conversations/{id}/export: the question is not in it.");
                break;
            default:
                visitor.Conversations.Remove(known);
                await visitor.ChangeAsync(() => Target.GetTextAsync(user, HttpMethod.Delete, path, cancellationToken));
                Check(await Target.StatusAsync(user, HttpMethod.Get, path, cancellationToken) == HttpStatusCode.NotFound, "GET /conversations/{id}: still there after DELETE.");
                break;
        }
    }

    private void Check(bool isRight, string otherwise)
    {
        if (isRight) return;
        Measurements.Add(new Faults(0, 0, 0, 1));
        throw new LoadException(otherwise);
    }

    /// <summary>A conversation as it has to be.</summary>
    private sealed record Known(string Id, Question Question, string Answer);

    private sealed class Visitor(ChatUser user)
    {
        // A change that failed may have been made all the same: what else there is cannot be said any more.
        private bool _isUnsure;

        public ChatUser User => user;

        public SemaphoreSlim Turn { get; } = new(1, 1);

        public List<Known> Conversations { get; } = [];

        public int Asked { get; set; }

        /// <summary>Has the server change what this user has.</summary>
        public async Task<T> ChangeAsync<T>(Func<Task<T>> change)
        {
            bool before = _isUnsure;
            _isUnsure = true;
            var result = await change();
            _isUnsure = before;
            return result;
        }

        /// <summary>Whether these are the conversations that this user has.</summary>
        public bool Has(HashSet<string> ids) => _isUnsure ? ids.IsSupersetOf(Conversations.Select(c => c.Id)) : ids.SetEquals(Conversations.Select(c => c.Id));
    }
}
