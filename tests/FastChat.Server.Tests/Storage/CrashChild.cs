using System.Globalization;
using FastChat.Storage;

namespace FastChat.Server.Tests.Storage;

/// <summary>
/// The victim of <see cref="Contract.CrashContract{TStore}"/>: run in a process of its own, appends to a store and prints a line for each
/// message once the store has acknowledged it, until it is killed. Explicit: no ordinary test run starts it.
/// </summary>
public sealed class CrashChild
{
    /// <summary>The environment variable that says how to open the store.</summary>
    public const string Variable = "FASTCHAT_TEST_CRASH_STORE";

    public static string Describe(Type subject, string directory) => $"{subject.FullName}|{directory}";

    [Fact(Explicit = true)]
    public async Task Append_until_killed()
    {
        string[] parts = Environment.GetEnvironmentVariable(Variable)!.Split('|');
        var subject = (Contract.StoreUnderTest)Activator.CreateInstance(typeof(CrashChild).Assembly.GetType(parts[0])!)!;
        subject.Directory = parts[1];
        var store = await subject.OpenAsync(TimeProvider.System);
        var user = await store.EnsureUserAsync("crash", "crash");
        var conversations = new string[4];
        for (int i = 0; i < conversations.Length; i++)
            conversations[i] = (await store.CreateConversationAsync(new NewConversation(user.Id)))!.Conversation.Id;
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async writer =>
        {
            for (int i = 0; ; i++)
            {
                string id = string.Create(CultureInfo.InvariantCulture, $"{writer}.{i}.{Environment.ProcessId}");
                var message = new NewMessage(MessageRole.User, id + " " + new string('x', i * 37 % 3000)) { ClientMessageId = id };
                var stored = (await store.AppendMessageAsync(user.Id, conversations[writer % conversations.Length], message))!.Value.Message;
                lock (gate)
                    output.WriteLine($"stored {stored.ConversationId} {stored.Id} {stored.Seq} {stored.ClientMessageId};");
            }
        }));
    }
}
