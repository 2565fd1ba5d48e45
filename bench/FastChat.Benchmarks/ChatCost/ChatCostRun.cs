using System.Diagnostics;
using System.Globalization;
using System.Text;
using FastChat.Benchmarks.Support;

namespace FastChat.Benchmarks.ChatCost;

/// <summary>
/// --chat: what a chat costs beyond the bare WebSocket, over real sockets. FastChat.Server as it is shipped and a bare sender on the same
/// engine take turns as processes on one CPU; the clients, which check every chunk, have the others.
/// </summary>
internal sealed class ChatCostRun(TextWriter output)
{
    public const string Flag = "--chat";
    private const string Usage = "usage: FastChat.Benchmarks --chat [streams] [answers] [messages] [idle]";
    private const double MessagesPerSecond = 400;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Counted = TimeSpan.FromSeconds(8);
    private static readonly byte[] ShortQuestion = Encoding.UTF8.GetBytes("""{"message":"repeat 1","message_type":"text"}""");

    private bool _failed;

    /// <summary>Runs the parts named, or all.</summary>
    /// <returns>0; 1 when something that came was not what must come; 2 for a part that is none.</returns>
    public static async Task<int> RunAsync(string[] parts, TextWriter output)
    {
        var run = new ChatCostRun(output);
        var known = new Dictionary<string, Func<Task>>
        {
            ["streams"] = run.StreamsAsync,
            ["answers"] = run.AnswersAsync,
            ["messages"] = run.MessagesAsync,
            ["idle"] = run.IdleAsync,
        };
        if (!parts.All(known.ContainsKey))
        {
            await output.WriteLineAsync(Usage);
            return 2;
        }
        // The servers have the first CPU.
        using var pinned = Environment.ProcessorCount > 1 ? new SingleCore(1) : null;
        foreach (var (name, part) in known)
        {
            if (parts.Length == 0 || parts.Contains(name)) await part();
        }
        return run._failed ? 1 : 0;
    }

    /// <summary>The cost of a chunk while so many answers stream, against the same frames sent bare.</summary>
    private async Task StreamsAsync()
    {
        foreach (int connections in (int[])[1000, 2000])
        {
            await output.WriteLineAsync($"{connections} answers stream, {1000 / Pause.TotalMilliseconds:0} chunks/s each");
            double pauses = await StreamAsync(connections, BareWork.Pause);
            double bare = await StreamAsync(connections, BareWork.Stream);
            double chat = await StreamAsync(connections, null);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"  chat / bare {chat / bare:0.00}; without what the model's pauses cost {(chat - pauses) / (bare - pauses):0.00}"));
        }
    }

    private async Task<double> StreamAsync(int connections, BareWork? work)
    {
        using var server = work is { } bare ? await StartBareAsync(bare) : await StartChatAsync(Pause);
        await using var clients = new StreamClients { Wanted = Answer.Longest };
        await (work is null ? clients.OpenChatAsync(server.Port, connections) : clients.OpenBareAsync(server.Port, connections));
        await clients.AskAllAsync(Answer.Question(Answer.Longest), TimeSpan.FromSeconds(3));
        await Task.Delay(TimeSpan.FromSeconds(6)); // until what streams is compiled for good
        clients.NoteGaps();
        long chunks = clients.Chunks;
        var (used, seconds) = await MeasureAsync(server, () => Task.Delay(Counted));
        chunks = clients.Chunks - chunks;
        // A pause takes a little longer than it says; what is not sent can only be reckoned.
        if (work == BareWork.Pause) chunks = (long)(connections * seconds / Pause.TotalSeconds);
        string name = work switch { null => "chat", BareWork.Pause => "pauses", _ => "bare" };
        double cpu = used.CpuSeconds / chunks * 1e6;
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-7} {chunks / seconds,7:0} chunks/s {cpu,7:0.00} us and {(double)used.Allocated / chunks,6:0} bytes each, {used.Collections,4} collections") +
            (work == BareWork.Pause ? "" : $", {Gaps(clients)}"));
        Check(clients);
        return cpu;
    }

    /// <summary>2,000 answers of 100 chunks at once, each to its end: nothing lost, nothing out of order.</summary>
    private async Task AnswersAsync()
    {
        const int connections = 2000, chunks = 100;
        using var server = await StartChatAsync(Pause);
        await using var clients = new StreamClients { Wanted = chunks };
        await clients.OpenChatAsync(server.Port, connections);
        for (int round = 0; round < 3; round++)
        {
            long before = clients.Completed, received = clients.Chunks, merged = clients.Merged;
            clients.NoteGaps();
            await clients.AskAllAsync(Answer.Question(chunks), TimeSpan.FromSeconds(2));
            await UntilCompleteAsync(clients, before + connections);
            await output.WriteLineAsync($"{clients.Completed - before} of {connections} answers complete, {clients.Chunks - received} of {connections * chunks} chunks, " +
                $"{clients.Merged - merged} of them together with the next; {Gaps(clients)}");
        }
        Check(clients);
    }

    /// <summary>
    /// The cost of a message that is stored, answered in one chunk and stored again, at the same rate over more and more connections. Each
    /// run has as many messages before it, and each message as much history: only the number of connections differs.
    /// </summary>
    private async Task MessagesAsync()
    {
        const int most = 10_000;
        await output.WriteLineAsync($"{MessagesPerSecond:0} messages/s in all, each answered with one chunk");
        foreach (int connections in (int[])[100, 1000, most])
        {
            foreach (bool chat in (bool[])[false, true])
            {
                using var server = chat ? await StartChatAsync(TimeSpan.Zero, ("FASTCHAT_CHAT__MAXHISTORYMESSAGES", "2")) : await StartBareAsync(BareWork.Reply);
                await using var clients = new StreamClients();
                await (chat ? clients.OpenChatAsync(server.Port, connections) : clients.OpenBareAsync(server.Port, connections));
                // One each of the most connections, so that none that is counted is a conversation's first.
                long first = await clients.SendAsync(ShortQuestion, 1.5 * MessagesPerSecond, TimeSpan.FromSeconds(most / (1.5 * MessagesPerSecond)));
                await UntilCompleteAsync(clients, first);
                long completed = clients.Completed, sent = 0;
                var (used, _) = await MeasureAsync(server, async () =>
                {
                    sent = await clients.SendAsync(ShortQuestion, MessagesPerSecond, Counted);
                    await UntilCompleteAsync(clients, completed + sent);
                });
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"  {connections,6} connections {(chat ? "chat" : "bare"),-5} {used.CpuSeconds / sent * 1e6,7:0.0} us and {(double)used.Allocated / sent,7:0} bytes each"));
                Check(clients);
            }
        }
    }

    /// <summary>What 10,000 sockets that only wait add to the memory of a server that has just started, and to one that has served some before.</summary>
    private async Task IdleAsync()
    {
        const int connections = 10_000;
        // Twice the keep-alive's interval, so that each has been pinged; an idle server gives back what it needed to become one.
        var settled = TimeSpan.FromSeconds(61);
        using var server = await StartChatAsync(TimeSpan.Zero);
        await Task.Delay(TimeSpan.FromSeconds(3));
        long? started = server.Rss;
        await using (var first = new StreamClients())
        {
            await first.OpenChatAsync(server.Port, 200, "first");
            await UntilCompleteAsync(first, await first.SendAsync(ShortQuestion, 200, TimeSpan.FromSeconds(6)));
            Check(first);
        }
        await Task.Delay(settled);
        long? served = server.Rss;
        await using var clients = new StreamClients();
        await clients.OpenChatAsync(server.Port, connections, "idle");
        await Task.Delay(settled);
        long? idle = server.Rss;
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{connections} idle sockets: {idle / 1048576.0:0.0} MiB, {(idle - started) / 1048576.0:0.0} MiB more than at the start and {(idle - served) / 1048576.0:0.0} MiB ({(idle - served) / 1024.0 / connections:0.00} KiB each) more than after the first 200 users"));
        Check(clients);
    }

    private static async Task<(Usage Used, double Seconds)> MeasureAsync(MeasuredProcess server, Func<Task> work)
    {
        var before = await server.ReadAsync();
        long start = Stopwatch.GetTimestamp();
        await work();
        return (await server.ReadAsync() - before, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static async Task UntilCompleteAsync(StreamClients clients, long completed)
    {
        long start = Stopwatch.GetTimestamp();
        while (clients.Completed < completed && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30)) await Task.Delay(10);
    }

    private static string Gaps(StreamClients clients) => string.Create(CultureInfo.InvariantCulture,
        $"from chunk to chunk p50 {clients.Gaps.Percentile(0.5) / 1e6:0.0} p99 {clients.Gaps.Percentile(0.99) / 1e6:0.0} p99.9 {clients.Gaps.Percentile(0.999) / 1e6:0.0} max {clients.Gaps.Max / 1e6:0.0} ms");

    private void Check(StreamClients clients)
    {
        if (clients.Mistake is not { } mistake) return;
        _failed = true;
        output.WriteLine($"  NOT AS IT MUST BE: {mistake}");
    }

    private static Task<MeasuredProcess> StartBareAsync(BareWork work) => MeasuredProcess.StartAsync("FastChat.Benchmarks.dll",
        [BareServer.Role, $"{work}", Pause.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)],
        // What FastChat.Server sets for itself.
        ("DOTNET_ThreadPool_UnfairSemaphoreSpinLimit", "0"), ("DOTNET_TieredPGO", "0"));

    private static async Task<MeasuredProcess> StartChatAsync(TimeSpan pause, params (string Name, string Value)[] settings)
    {
        string data = Directory.CreateTempSubdirectory("fastchat-cost").FullName;
        return await MeasuredProcess.StartAsync("fastchat.dll", ["serve", "--port", "0", "--data", data],
            [("FASTCHAT_AUTH__SECRET", StreamClients.Secret),
            ("FASTCHAT_RATELIMITS__PERMINUTE", "1000000"),
            ("FASTCHAT_RATELIMITS__PERHOUR", "60000000"),
            ("FASTCHAT_MODELS__0__PROVIDER", "offline"),
            ("FASTCHAT_MODELS__0__WORDDELAY", pause.ToString("c", CultureInfo.InvariantCulture)),
            ("FASTCHAT_LOGGING__LOGLEVEL__DEFAULT", "Warning"),
            .. settings]);
    }
}
