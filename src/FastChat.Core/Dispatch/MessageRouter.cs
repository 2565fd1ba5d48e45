using System.Buffers;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace FastChat.Dispatch;

/// <summary>
/// Maps the <c>type</c> of JSON messages to whatever handles them: a delegate, an enum, an object. Built once by
/// <see cref="MessageRouterBuilder{THandler}"/>, immutable from then on, safe for concurrent use; a lookup allocates nothing.
/// </summary>
/// <typeparam name="THandler">What a type is mapped to.</typeparam>
public sealed class MessageRouter<THandler>
    where THandler : notnull
{
    private readonly FrozenDictionary<int, THandler> _codes;
    private readonly FrozenDictionary<byte[], THandler>.AlternateLookup<ReadOnlySpan<byte>> _names;

    internal MessageRouter(IEnumerable<KeyValuePair<int, THandler>> codes, IEnumerable<KeyValuePair<string, THandler>> names, EnvelopeLimits limits)
    {
        Limits = limits;
        _codes = codes.ToFrozenDictionary();
        _names = names.ToFrozenDictionary(n => Encoding.UTF8.GetBytes(n.Key), n => n.Value, Utf8Comparer.Instance)
            .GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>What a message may cost.</summary>
    public EnvelopeLimits Limits { get; }

    /// <summary>Reads the type of a message and finds its handler.</summary>
    /// <param name="message">One JSON text, in as many segments as it came. Not kept.</param>
    /// <param name="handler">The handler; default unless the result is <see cref="EnvelopeError.None"/>.</param>
    /// <param name="envelope">The type that was read, also when nothing is mapped to it.</param>
    public EnvelopeError Route(in ReadOnlySequence<byte> message, out THandler? handler, out Envelope envelope)
    {
        handler = default;
        var error = EnvelopeReader.Read(message, Limits, out envelope);
        if (error != EnvelopeError.None)
            return error;
        bool found = envelope.Kind == EnvelopeKind.Code ? TryFind(envelope.Code, out handler) : TryFind(envelope.Name, out handler);
        return found ? EnvelopeError.None : EnvelopeError.UnknownType;
    }

    /// <summary>Finds what an integer type is mapped to.</summary>
    public bool TryFind(int code, [MaybeNullWhen(false)] out THandler handler) => _codes.TryGetValue(code, out handler);

    /// <summary>Finds what a string type is mapped to. Names compare byte by byte.</summary>
    public bool TryFind(ReadOnlySpan<byte> utf8Name, [MaybeNullWhen(false)] out THandler handler) =>
        _names.TryGetValue(utf8Name, out handler);
}

/// <summary>Collects the types of a protocol and builds its <see cref="MessageRouter{THandler}"/>. For one thread.</summary>
/// <typeparam name="THandler">What a type is mapped to.</typeparam>
/// <example><code>
/// var router = new MessageRouterBuilder&lt;Func&lt;ReadOnlySequence&lt;byte&gt;, ValueTask&gt;&gt;()
///     .Map("join", Join)
///     .Map(7, Leave)
///     .Build();
/// if (router.Route(message, out var handle, out _) == EnvelopeError.None) await handle(message);
/// </code></example>
public sealed class MessageRouterBuilder<THandler>
    where THandler : notnull
{
    private readonly Dictionary<int, THandler> _codes = [];
    private readonly Dictionary<string, THandler> _names = new(StringComparer.Ordinal);

    /// <summary>Maps an integer <c>type</c>.</summary>
    /// <exception cref="ArgumentException">The code is mapped already.</exception>
    public MessageRouterBuilder<THandler> Map(int code, THandler handler)
    {
        _codes.Add(code, handler);
        return this;
    }

    /// <summary>Maps a string <c>type</c>.</summary>
    /// <exception cref="ArgumentException">
    /// The name is empty, longer than <see cref="Envelope.MaxNameBytes"/> in UTF-8, or mapped already.
    /// </exception>
    public MessageRouterBuilder<THandler> Map(string name, THandler handler)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (Encoding.UTF8.GetByteCount(name) > Envelope.MaxNameBytes)
            throw new ArgumentException($"A message name has at most {Envelope.MaxNameBytes} bytes.", nameof(name));
        _names.Add(name, handler);
        return this;
    }

    /// <summary>Makes the router; this builder may go on and make another.</summary>
    /// <param name="limits">What a message may cost; the defaults when null.</param>
    public MessageRouter<THandler> Build(EnvelopeLimits? limits = null) => new(_codes, _names, limits ?? EnvelopeLimits.Default);
}
