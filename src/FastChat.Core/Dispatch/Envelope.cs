using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace FastChat.Dispatch;

/// <summary>How a message says what it is.</summary>
public enum EnvelopeKind
{
    /// <summary>It does not.</summary>
    None,
    /// <summary>By an integer <c>type</c>.</summary>
    Code,
    /// <summary>By a string <c>type</c>.</summary>
    Name,
}

/// <summary>The <c>type</c> of a message, copied out of it: valid after the received bytes are gone. Holds no heap memory.</summary>
public struct Envelope
{
    /// <summary>The longest name that is read, in UTF-8 bytes; a longer one is <see cref="EnvelopeError.UnknownType"/>.</summary>
    public const int MaxNameBytes = 64;

    private NameBytes _name;
    private int _value;

    /// <summary>Which of <see cref="Code"/> and <see cref="Name"/> holds.</summary>
    public EnvelopeKind Kind { get; private set; }

    /// <summary>The integer <c>type</c>; 0 for other kinds.</summary>
    public readonly int Code => Kind == EnvelopeKind.Code ? _value : 0;

    /// <summary>The string <c>type</c>, unescaped UTF-8; empty for other kinds. Lives as long as this value does.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Name => Kind == EnvelopeKind.Name ? ((ReadOnlySpan<byte>)_name)[.._value] : default;

    internal static Envelope FromCode(int code) => new() { Kind = EnvelopeKind.Code, _value = code };

    internal static Envelope FromName(scoped ReadOnlySpan<byte> name)
    {
        var envelope = new Envelope { Kind = EnvelopeKind.Name, _value = name.Length };
        name.CopyTo(envelope._name);
        return envelope;
    }

    [InlineArray(MaxNameBytes)]
    private struct NameBytes
    {
        private byte _first;
    }
}
