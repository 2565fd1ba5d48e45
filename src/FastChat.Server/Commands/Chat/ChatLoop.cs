namespace FastChat.Server.Commands.Chat;

/// <summary>Reads lines, asks, shows the answers as they stream, until the input ends or somebody leaves.</summary>
internal sealed class ChatLoop(ChatConversation conversation, ChatScreen screen, CommandContext context)
{
    private bool _failed;

    /// <summary>Runs until the end of input or <c>/quit</c>.</summary>
    /// <returns>0, or 1 when some question got an error for an answer.</returns>
    /// <exception cref="CommandException">The connection ended.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            screen.Prompt();
            string? line = await ReadLineAsync(cancellationToken);
            if (line is null || line.Trim() == "/quit")
                return _failed ? ExitCode.Failure : ExitCode.Success;
            if (!string.IsNullOrWhiteSpace(line))
                await AskAsync(line, cancellationToken);
        }
    }

    // A console's ReadLine cannot be cancelled: it waits on a thread that the end of the process takes along. Meanwhile whatever comes on
    // the socket belongs to another window of the same session, and is let pass.
    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = Task.Run(context.In.ReadLine, cancellationToken);
        while (true)
        {
            var more = conversation.Events.WaitToReadAsync(cancellationToken).AsTask();
            if (await Task.WhenAny(line, more) == line || line.IsCompleted)
                return await line;
            await more;
            while (conversation.Events.TryRead(out _))
            {
            }
        }
    }

    private async Task AskAsync(string question, CancellationToken cancellationToken)
    {
        string id = Guid.NewGuid().ToString("N");
        // Begun before anybody can stop it: what is sent keeps its order.
        var asking = conversation.AskAsync(question, id, cancellationToken);
        context.Interrupts.Handler = () =>
        {
            _ = StopAsync();
            return true;
        };
        try
        {
            await asking;
            screen.Begin(conversation.Chatbot);
            await ShowAnswerAsync(id, cancellationToken);
        }
        finally
        {
            context.Interrupts.Handler = null;
        }

        async Task StopAsync()
        {
            try
            {
                await conversation.StopAsync(cancellationToken);
            }
            catch (Exception)
            {
                // The connection is gone: the reader of the answer learns that too, and tells it.
                context.Interrupts.Handler = null;
            }
        }
    }

    // Other windows of the session ask too, and all see all answers: ours is the one that the acknowledgement of our question names. A
    // server that names none has one answer at a time.
    private async Task ShowAnswerAsync(string questionId, CancellationToken cancellationToken)
    {
        ChatEvent? received = null;
        bool streamed = false;
        await foreach (var said in conversation.Events.ReadAllAsync(cancellationToken))
        {
            bool ours = (said.ClientMessageId ?? questionId) == questionId
                && (received?.AnswerId is not { } answer || (said.AnswerId ?? answer) == answer);
            switch (said.Kind)
            {
                case ChatEventKind.Received when ours:
                    received ??= said;
                    break;
                case ChatEventKind.Chunk when ours && received is not null:
                    screen.Chunk(said.Text);
                    streamed = true;
                    break;
                case ChatEventKind.Complete when ours && received is not null:
                    if (!streamed)
                        screen.Chunk(said.Text);
                    screen.End(said.FinishReason);
                    return;
                case ChatEventKind.Error when ours && (received is not null || said.AnswerId is null):
                    _failed = true;
                    if (streamed)
                        screen.End(null);
                    screen.Error(said.Text);
                    return;
            }
        }
        // Completed without an exception: we are leaving.
        cancellationToken.ThrowIfCancellationRequested();
    }
}
