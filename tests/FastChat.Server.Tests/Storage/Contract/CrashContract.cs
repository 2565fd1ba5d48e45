using System.Diagnostics;
using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

/// <summary>kill -9 in the middle of writing, again and again on the same store: what was acknowledged is there, once.</summary>
public abstract class CrashContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    private const int Rounds = 6;

    /// <summary>Looks at the closed store after a crash.</summary>
    protected virtual void CheckFiles()
    {
    }

    [Fact]
    public async Task Every_acknowledged_message_survives_kill_9_once()
    {
        var random = new Random(20240115);
        var acknowledged = new List<string[]>();
        for (int round = 0; round < Rounds; round++)
        {
            await Store.DisposeAsync().AsTask().Soon();
            int before = acknowledged.Count;
            await CrashAsync(random.Next(20, 600), acknowledged);
            Assert.True(acknowledged.Count - before >= 20);
            await ReopenAsync();
            await CheckAsync(acknowledged);
        }
        await Store.DisposeAsync().AsTask().Soon();
        CheckFiles();
        await ReopenAsync();
    }

    private async Task CrashAsync(int lines, List<string[]> acknowledged)
    {
        string program = typeof(CrashChild).Assembly.Location;
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            ["exec", program, "-noLogo", "-noColor", "-explicit", "only",
            "-method", $"{typeof(CrashChild).FullName}.{nameof(CrashChild.Append_until_killed)}"])
        {
            RedirectStandardOutput = true,
            Environment = { [CrashChild.Variable] = CrashChild.Describe(typeof(TStore), Subject.Directory) },
        };
        using var child = Process.Start(start)!;
        try
        {
            for (int i = 0; await child.StandardOutput.ReadLineAsync().Soon() is { } line; i++)
            {
                if (i == lines)
                    child.Kill(); // SIGKILL; what is in the pipe by now was acknowledged as well
                if (line.StartsWith("stored ", StringComparison.Ordinal) && line.EndsWith(';')) // else the kill cut it
                    acknowledged.Add(line[7..^1].Split(' '));
            }
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync().Soon();
        }
    }

    private async Task CheckAsync(List<string[]> acknowledged)
    {
        var conversations = await Store.ListConversationsAsync("crash", PageRequest.All).Soon();
        var stored = new Dictionary<string, MessageRecord>();
        foreach (var conversation in conversations.Items)
        {
            var messages = (await Store.ListMessagesAsync("crash", conversation.Id, PageRequest.All).Soon())!.Items;
            Assert.Equal(Enumerable.Range(1, conversation.MessageCount), messages.Select(message => (int)message.Seq));
            Assert.Equal(messages.Count, messages.Select(message => message.ClientMessageId).Distinct().Count());
            foreach (var message in messages)
                stored.Add(message.Id, message);
        }
        foreach (string[] fields in acknowledged)
        {
            Assert.True(stored.TryGetValue(fields[1], out var message), $"Message {fields[3]} was acknowledged and is gone.");
            Assert.Equal((fields[0], fields[2], fields[3]), (message.ConversationId, $"{message.Seq}", message.ClientMessageId));
            Assert.StartsWith(fields[3] + " ", message.Content, StringComparison.Ordinal);
        }
    }
}
