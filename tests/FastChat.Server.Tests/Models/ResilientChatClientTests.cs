using System.Runtime.CompilerServices;
using FastChat.Chat;
using FastChat.Server.Models;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Models;

/// <summary>The manners, over an inner client that does exactly what a test says.</summary>
public sealed class ResilientChatClientTests
{
    private static readonly ChatResponseUpdate Text = new(ChatRole.Assistant, "whole");
    private static readonly ChatResponseUpdate Stop = new(ChatRole.Assistant, []) { FinishReason = ChatFinishReason.Stop };

    [Theory]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(HttpRequestException))]
    [InlineData(typeof(OperationCanceledException))]
    public async Task What_breaks_after_the_reason_leaves_the_answer_whole(Type failure)
    {
        var answer = await Ask([Text, Stop], (Exception)Activator.CreateInstance(failure)!);
        answer.Succeeded();
        Assert.Equal(("whole", ChatFinishReason.Stop), (answer.Text, answer.FinishReason));
    }

    [Fact]
    public async Task A_line_held_open_after_the_reason_keeps_nobody_waiting()
    {
        var timers = new ManualTimers();
        var asking = Ask([Text, Stop], null, timers);
        await timers.ArmedAsync(TimeSpan.FromSeconds(60));
        await timers.ArmedAsync(TimeSpan.FromSeconds(60));
        (await timers.ArmedAsync(TimeSpan.FromSeconds(5))).Fire();
        var answer = await asking;
        answer.Succeeded();
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
    }

    [Fact]
    public async Task Of_cumulative_usage_only_the_last_counts()
    {
        var usage = (long n) => new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new UsageDetails { OutputTokenCount = n })]);
        var answer = await Ask([usage(1), Text, usage(2), Stop, usage(3)], new IOException());
        Assert.Equal(3, answer.Usage?.OutputTokenCount);
    }

    [Fact]
    public async Task A_defect_is_not_dressed_up_as_the_upstreams_failure() =>
        Assert.IsType<InvalidCastException>((await Ask([Text], new InvalidCastException())).Failure);

    [Fact]
    public async Task A_broken_line_before_the_first_update_is_unavailable() =>
        (await Ask([], new IOException())).Failed(ModelFailure.Unavailable);

    [Fact]
    public async Task An_answer_of_more_than_the_limit_is_malformed()
    {
        await using var stream = new BoundedStream(new EndlessStream(), "m");
        byte[] buffer = new byte[1 << 20];
        for (long read = 0; read < BoundedStream.MaxBytes; read += buffer.Length)
            await stream.ReadExactlyAsync(buffer, TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<ModelException>(async () => await stream.ReadExactlyAsync(buffer, TestContext.Current.CancellationToken));
        Assert.Equal(ModelFailure.Malformed, failure.Failure);
    }

    // Yields the updates, then throws the failure or, without one, waits for its cancellation.
    private static async Task<ModelHarness.Answer> Ask(ChatResponseUpdate[] updates, Exception? failure, TimeProvider? time = null)
    {
        var model = new ModelSettings { Name = "m", Provider = ModelProvider.OpenAI, MaxRetries = 0 };
        using var client = new ResilientChatClient(new Scripted(updates, failure), model, time ?? TimeProvider.System, NullLogger.Instance);
        return await client.Ask("hi").CollectAsync();
    }

    private sealed class Scripted(ChatResponseUpdate[] updates, Exception? failure) : IChatClient
    {
        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in updates) yield return update;
            if (failure is not null) throw failure;
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose() { }
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(buffer.Length);
    }
}
