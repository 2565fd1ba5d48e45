using FastChat.Storage;

namespace FastChat.Chat;

/// <summary>Somebody who wants to know when an answer of a conversation begins, a socket for instance.</summary>
internal interface IConversationListener
{
    /// <summary>An answer begins now. Called in the order of the answers; must return at once and not throw.</summary>
    void OnAnswerStarting(ChatTurn turn);
}

/// <summary>
/// What is in memory about a conversation that something happens in: turns that wait, the one that runs, those finished a moment ago, and
/// who listens. Turns run one at a time, in the order in which they came.
/// </summary>
internal sealed class LiveConversation(string id)
{
    private readonly List<Entry> _turns = []; // also what is locked
    private IConversationListener[] _listeners = [];
    private SemaphoreSlim? _submitting; // most conversations in memory are idle

    public string Id { get; } = id;

    /// <summary>How many hold this object; guarded by <see cref="LiveConversations"/>.</summary>
    public int Holds { get; set; }

    /// <summary>Lets one message at a time be committed: what is looked up about its repetition must not change meanwhile.</summary>
    public SemaphoreSlim Submitting => LazyInitializer.EnsureInitialized(ref _submitting, static () => new SemaphoreSlim(1, 1));

    public bool IsBusy { get { lock (_turns) return _turns.Any(t => t.State != TurnState.Finished); } }

    public int Waiting { get { lock (_turns) return _turns.Count(t => t.State is TurnState.Held or TurnState.Ready); } }

    public ChatTurn? Running { get { lock (_turns) return _turns.Find(t => t.State == TurnState.Running)?.Turn; } }

    public ChatTurn? Find(string messageId) { lock (_turns) return _turns.Find(t => t.Turn.Is(messageId))?.Turn; }

    public ChatTurn? FindByClientId(string clientMessageId)
    {
        lock (_turns)
            return _turns.Find(t => t.Turn.Question.ClientMessageId == clientMessageId)?.Turn;
    }

    public ChatTurn[] Unfinished { get { lock (_turns) return [.. _turns.Where(t => t.State != TurnState.Finished).Select(t => t.Turn)]; } }

    /// <summary>Adds a turn that keeps its place but may not run yet.</summary>
    public void Add(ChatTurn turn)
    {
        lock (_turns)
            _turns.Add(new Entry(turn));
    }

    /// <summary>Lets a turn run when it is its time. Once is enough, more do no harm.</summary>
    public void Release(ChatTurn turn) => Change(turn, TurnState.Held, TurnState.Ready);

    public void Finish(ChatTurn turn) => Change(turn, TurnState.Running, TurnState.Finished);

    public void Forget(ChatTurn turn)
    {
        lock (_turns)
            _turns.RemoveAll(t => t.Turn == turn);
    }

    /// <summary>Takes the next turn to run, if none runs and the first in line may.</summary>
    public ChatTurn? TakeNext(out IConversationListener[] listeners)
    {
        lock (_turns)
        {
            listeners = _listeners;
            var first = _turns.Find(t => t.State != TurnState.Finished);
            if (first?.State != TurnState.Ready)
                return null;
            first.State = TurnState.Running;
            return first.Turn;
        }
    }

    /// <summary>Adds a listener, who from now on hears of every answer that begins; the one that runs already is returned.</summary>
    public ChatTurn? Attach(IConversationListener listener)
    {
        lock (_turns)
        {
            _listeners = [.. _listeners, listener];
            return _turns.Find(t => t.State == TurnState.Running)?.Turn;
        }
    }

    public void Detach(IConversationListener listener)
    {
        lock (_turns)
            _listeners = [.. _listeners.Where(l => l != listener)];
    }

    private void Change(ChatTurn turn, TurnState from, TurnState to)
    {
        lock (_turns)
        {
            if (_turns.Find(t => t.Turn == turn && t.State == from) is { } entry)
                entry.State = to;
        }
    }

    private enum TurnState
    {
        Held,
        Ready,
        Running,
        Finished,
    }

    private sealed class Entry(ChatTurn turn)
    {
        public ChatTurn Turn { get; } = turn;

        public TurnState State { get; set; }
    }
}
