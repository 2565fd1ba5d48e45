using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Tests.Models;

/// <summary>
/// A chat completions server on loopback, over real HTTP: each request is answered by the next script. Requests are kept as received.
/// </summary>
internal sealed class FakeUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Func<Exchange, Task>> _scripts = Channel.CreateUnbounded<Func<Exchange, Task>>();
    private readonly Channel<Request> _requests = Channel.CreateUnbounded<Request>();

    private FakeUpstream(WebApplication app) => _app = app;

    public Uri Endpoint => new(_app.Urls.First() + "/v1");

    public static async Task<FakeUpstream> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var upstream = new FakeUpstream(builder.Build());
        upstream._app.Run(upstream.AnswerAsync);
        await upstream._app.StartAsync();
        return upstream;
    }

    /// <summary>Answers the next request that has no script yet.</summary>
    public FakeUpstream Then(Func<Exchange, Task> script)
    {
        Assert.True(_scripts.Writer.TryWrite(script));
        return this;
    }

    /// <summary>The next request received.</summary>
    public Task<Request> RequestAsync() => _requests.Reader.ReadAsync().AsTask().WaitAsync(Bound);

    /// <summary>How many requests were received that nobody read yet.</summary>
    public int Waiting => _requests.Reader.Count;

    public static TimeSpan Bound => Hosting.TestServer.Patience;

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(atOnce.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var body = await JsonDocument.ParseAsync(context.Request.Body);
        await _requests.Writer.WriteAsync(new Request(
            context.Request.Path, context.Request.Headers.Authorization.ToString(), context.Connection.Id, body.RootElement));
        if (!_scripts.Reader.TryRead(out var script)) throw new InvalidOperationException("A request without a script.");
        try
        {
            await script(new Exchange(context));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left, as some tests want it to.
        }
    }

    internal sealed record Request(string Path, string Authorization, string Connection, JsonElement Body);

    /// <summary>One request being answered.</summary>
    internal sealed class Exchange(HttpContext context)
    {
        public CancellationToken Aborted => context.RequestAborted;

        /// <summary>Ends the TCP connection in the middle of the body.</summary>
        public void Reset() => context.Abort();

        public async Task RefuseAsync(int status, string body, string? retryAfter = null)
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            if (status is 301 or 302 or 307 or 308) context.Response.Headers.Location = "/elsewhere";
            if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
            await context.Response.WriteAsync(body, Aborted);
        }

        public Task RawAsync(string text, string contentType = "text/event-stream") => BytesAsync(Encoding.UTF8.GetBytes(text), contentType);

        public async Task BytesAsync(ReadOnlyMemory<byte> bytes, string contentType = "text/event-stream")
        {
            if (!context.Response.HasStarted)
            {
                context.Response.ContentType = contentType;
                context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
            }
            await context.Response.Body.WriteAsync(bytes, Aborted);
            await context.Response.Body.FlushAsync(Aborted);
        }

        public Task HeadersAsync() => RawAsync(": thinking\n\n");

        public Task TextAsync(string delta) => ChunkAsync(new { content = delta }, null);

        public Task FinishAsync(string reason = "stop") => ChunkAsync(new { }, reason);

        public Task ChunkAsync(object delta, string? finishReason) => EventAsync(new
        {
            id = "chatcmpl-1",
            @object = "chat.completion.chunk",
            created = 1705314600,
            model = "m-1",
            choices = new[] { new { index = 0, delta, finish_reason = finishReason } },
        });

        public Task UsageAsync(int prompt, int completion) => EventAsync(new
        {
            id = "chatcmpl-1",
            @object = "chat.completion.chunk",
            choices = Array.Empty<object>(),
            usage = new { prompt_tokens = prompt, completion_tokens = completion, total_tokens = prompt + completion },
        });

        public Task EventAsync(object data) => RawAsync($"data: {JsonSerializer.Serialize(data)}\n\n");

        public Task DoneAsync() => RawAsync("data: [DONE]\n\n");

        /// <summary>A whole answer.</summary>
        public async Task AnswerAsync(params string[] deltas)
        {
            await ChunkAsync(new { role = "assistant", content = "" }, null);
            foreach (string delta in deltas) await TextAsync(delta);
            await FinishAsync();
            await UsageAsync(7, deltas.Length);
            await DoneAsync();
        }

        /// <summary>Waits until the client has gone away.</summary>
        public async Task GoneAsync()
        {
            var gone = new TaskCompletionSource();
            await using var registration = Aborted.Register(gone.SetResult);
            await gone.Task.WaitAsync(Bound);
        }
    }
}
