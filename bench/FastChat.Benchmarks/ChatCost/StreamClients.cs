using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FastChat.Connections;
using FastChat.Measure;
using FastChat.Storage;

namespace FastChat.Benchmarks.ChatCost;

/// <summary>Many clients, in this process: each asks, and every chunk that comes is checked against what must come next.</summary>
internal sealed class StreamClients : WebSocketHandler, IAsyncDisposable
{
    public const string Secret = "a secret of the benchmark, of more than 32 bytes";

    private readonly WebSocketClient _client = new();
    private readonly List<WebSocketConnection> _connections = [];
    private readonly Lock _gate = new();
    private readonly LatencyHistogram _gaps = new();
    private bool _notesGaps;
    private long _chunks;
    private long _merged;
    private long _completed;
    private string? _mistake;

    /// <summary>Chunks received, as the model made them.</summary>
    public long Chunks => Interlocked.Read(ref _chunks);

    /// <summary>Of those, chunks that came in one message with the next, since the reader was behind.</summary>
    public long Merged => Interlocked.Read(ref _merged);

    /// <summary>Answers that were complete, with every chunk before.</summary>
    public long Completed => Interlocked.Read(ref _completed);

    /// <summary>The first thing that was not as it must be.</summary>
    public string? Mistake => Volatile.Read(ref _mistake);

    /// <summary>How many chunks an answer has.</summary>
    public int Wanted { get; set; } = 1;

    /// <summary>Times from one chunk of an answer to the next, in nanoseconds, since <see cref="NoteGaps"/>.</summary>
    public LatencyHistogram Gaps => _gaps;

    /// <summary>Opens that many connections more to the bare server.</summary>
    public async Task OpenBareAsync(int port, int count)
    {
        for (int i = 0; i < count; i++) Add(await _client.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/"), this));
    }

    /// <summary>Opens that many connections more to the chat server: each a user of its own with a token and a session.</summary>
    public async Task OpenChatAsync(int port, int count, string prefix = "user")
    {
        int first = _connections.Count;
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await Parallel.ForEachAsync(Enumerable.Range(first, count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, stop) =>
        {
            string token = Token($"{prefix}-{i}");
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/chatbot/{ChatbotRecord.AssistantId}/session");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var response = await http.SendAsync(request, stop);
            var body = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(stop);
            Add(await _client.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/ws/chat/{body.GetProperty("session_id").GetString()}?token={token}"), this, stop));
        });
    }

    /// <summary>Asks once on each connection, spread over a time so that the answers' pauses do not all end together.</summary>
    public Task AskAllAsync(byte[] question, TimeSpan over) => SendAsync(question, _connections.Count / over.TotalSeconds, over);

    /// <summary>Sends messages on all connections in turn at a rate, for a time.</summary>
    /// <returns>How many.</returns>
    public async Task<long> SendAsync(byte[] message, double perSecond, TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        long all = (long)Math.Round(perSecond * time.TotalSeconds);
        for (long sent = 0; sent < all; await Task.Delay(1))
        {
            long due = Math.Min(all, (long)(Stopwatch.GetElapsedTime(start).TotalSeconds * perSecond) + 1);
            for (; sent < due; sent++) await _connections[(int)(sent % _connections.Count)].SendTextAsync(message);
        }
        return all;
    }

    /// <summary>Forgets the gaps noted so far, and notes those that come.</summary>
    public void NoteGaps()
    {
        lock (_gate)
        {
            _gaps.Clear();
            _notesGaps = true;
        }
    }

    public override ValueTask OnMessageAsync(WebSocketConnection connection, WebSocketMessage message)
    {
        var text = message.Payload.IsSingleSegment ? message.Payload.FirstSpan : message.Payload.ToArray();
        var state = (State)(connection.State ??= new State());
        if (text.StartsWith("{\"type\":\"response_chunk\",\"chunk\":\""u8)) OnChunk(state, text["{\"type\":\"response_chunk\",\"chunk\":\"".Length..]);
        else if (text.StartsWith("{\"type\":\"response_complete\""u8)) OnComplete(state);
        else if (text.StartsWith("{\"type\":\"error\""u8)) Complain($"The server says: {Encoding.UTF8.GetString(text)}");
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections) connection.Abort();
        await Task.WhenAll(_connections.Select(c => c.Completion));
        await _client.DisposeAsync();
    }

    private void Add(WebSocketConnection connection)
    {
        lock (_gate) _connections.Add(connection);
    }

    private void OnChunk(State state, ReadOnlySpan<byte> rest)
    {
        int seq = 0;
        int at = rest.LastIndexOf((byte)':');
        bool read = at > 0 && Utf8Parser.TryParse(rest[(at + 1)..], out seq, out _) && seq > state.Seq && seq <= Answer.Longest;
        var expected = read ? Answer.Text.AsSpan(Answer.Ends[state.Seq]..(Answer.Ends[seq] - (seq == Wanted ? 1 : 0))) : default;
        if (!read || !rest.StartsWith(expected) || rest[expected.Length] != '"') Complain($"Chunk {seq} after {state.Seq}: {Encoding.UTF8.GetString(rest)}");
        Interlocked.Add(ref _chunks, seq - state.Seq);
        if (seq - state.Seq > 1) Interlocked.Add(ref _merged, seq - state.Seq - 1);
        long now = Stopwatch.GetTimestamp();
        if (state.Seq > 0 && Volatile.Read(ref _notesGaps))
            lock (_gate) _gaps.Add((long)Stopwatch.GetElapsedTime(state.At, now).TotalNanoseconds);
        (state.Seq, state.At) = (seq, now);
    }

    private void OnComplete(State state)
    {
        if (state.Seq != Wanted) Complain($"Complete after chunk {state.Seq} of {Wanted}.");
        state.Seq = 0;
        Interlocked.Increment(ref _completed);
    }

    private void Complain(string mistake) => Interlocked.CompareExchange(ref _mistake, mistake, null);

    private static string Token(string user)
    {
        string text = Encode("""{"alg":"HS256","typ":"JWT"}"""u8) + "." + Encode(Encoding.UTF8.GetBytes(
            $$"""{"sub":"{{user}}","exp":{{TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeSeconds()}}}"""));
        return text + "." + Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(text)));

        static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
    }

    private sealed class State
    {
        public int Seq;
        public long At;
    }
}
