using FastChat.Chat;
using Microsoft.Extensions.AI;

namespace FastChat.Core.Tests.Chat;

public sealed class ModelContextTests
{
    private static readonly ModelPassage[] Passages = [new("a.md", "First."), new("b.csv", "Second,\nline")];

    [Fact]
    public void Passages_are_text_for_any_model_and_records_for_one_that_asks()
    {
        var message = ModelContext.CreatePassages(Passages);
        Assert.Equal(ChatRole.System, message.Role);
        Assert.EndsWith("\n\n[Source: a.md]\nFirst.\n\n[Source: b.csv]\nSecond,\nline", message.Text, StringComparison.Ordinal);
        Assert.True(ModelContext.TryGetPassages(message, out var found));
        Assert.Equal(Passages, found);
    }

    [Fact]
    public void A_copy_of_the_message_keeps_them()
    {
        Assert.True(ModelContext.TryGetPassages(ModelContext.CreatePassages(Passages).Clone(), out var found));
        Assert.Equal(2, found.Count);
    }

    [Fact]
    public void Any_other_message_has_none()
    {
        Assert.False(ModelContext.TryGetPassages(new ChatMessage(ChatRole.System, "[Source: a.md]\nFirst."), out _));
        Assert.False(ModelContext.TryGetPassages(
            new ChatMessage(ChatRole.User, "x") { AdditionalProperties = new() { ["fastchat.passages"] = "no list" } }, out _));
    }

    [Fact]
    public void No_passages_make_no_message() => Assert.Throws<ArgumentOutOfRangeException>(() => ModelContext.CreatePassages([]));
}
