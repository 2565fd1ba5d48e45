using System.Collections.Concurrent;

namespace FastChat.Chat;

/// <summary>The conversations that somebody holds; the last one to let go removes it. Keeps finished turns for a while, within a budget.</summary>
internal sealed class LiveConversations(TimeProvider time, TimeSpan retention, long maxRetainedChars)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LiveConversation> _byId = new(StringComparer.Ordinal);
    private readonly Queue<Retained> _retained = new();
    private long _retainedChars;

    public int Count { get { lock (_gate) return _byId.Count; } }

    public Hold Take(string id)
    {
        lock (_gate)
        {
            if (!_byId.TryGetValue(id, out var live))
                _byId.Add(id, live = new LiveConversation(id));
            live.Holds++;
            return new Hold(this, live);
        }
    }

    public LiveConversation? Find(string id)
    {
        lock (_gate)
            return _byId.GetValueOrDefault(id);
    }

    /// <summary>Keeps a finished turn, and the hold on its conversation, until its time is over or newer ones need the room.</summary>
    public void Retain(Hold hold, ChatTurn turn, int chars)
    {
        lock (_gate)
        {
            _retained.Enqueue(new Retained(time.GetTimestamp(), hold, turn, chars));
            _retainedChars += chars;
        }
        Expire();
    }

    public void Expire()
    {
        while (true)
        {
            Retained oldest;
            lock (_gate)
            {
                if (!_retained.TryPeek(out oldest) || (_retainedChars <= maxRetainedChars && time.GetElapsedTime(oldest.At) < retention))
                    return;
                _retained.Dequeue();
                _retainedChars -= oldest.Chars;
            }
            oldest.Hold.Conversation.Forget(oldest.Turn);
            oldest.Hold.Dispose();
        }
    }

    private readonly record struct Retained(long At, Hold Hold, ChatTurn Turn, int Chars);

    /// <summary>Keeps a conversation in memory until it is disposed of; once is enough, more do no harm.</summary>
    internal sealed class Hold(LiveConversations owner, LiveConversation conversation) : IDisposable
    {
        private bool _released;

        public LiveConversation Conversation => conversation;

        public void Dispose()
        {
            lock (owner._gate)
            {
                if (_released)
                    return;
                _released = true;
                if (--conversation.Holds == 0)
                    owner._byId.Remove(conversation.Id);
            }
        }
    }
}
