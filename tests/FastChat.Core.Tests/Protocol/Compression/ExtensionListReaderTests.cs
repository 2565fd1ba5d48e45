using System.Text;
using FastChat.Protocol.Compression;
using FsCheck;
using FsCheck.Fluent;

namespace FastChat.Core.Tests.Protocol.Compression;

public sealed class ExtensionListReaderTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t ", "")]
    [InlineData(",, ,", "")]
    [InlineData("a", "a")]
    [InlineData(" a , b\t,,c,", "a|b|c")]
    [InlineData("a;x", "a;x")]
    [InlineData("a ; x ; y=1 ;z = \"2\" , b", "a;x;y=1;z=2|b")]
    [InlineData("a;x=\"1\\0\"", "a;x=10")]
    [InlineData("a;x=\"\\\"\\\\\"", "a;x=\"\\")]
    [InlineData("a;x=\"b, c; d\";y,e", "a;x=b, c; d;y|e")]
    [InlineData("a;x=\"\"", "a;x=")]
    [InlineData("!#$%&'*+-.^_`|~;x=~", "!#$%&'*+-.^_`|~;x=~")]
    public void What_is_well_formed_is_read(string value, string expected) => Assert.Equal(expected, Read(value));

    [Theory]
    [InlineData(";")]
    [InlineData("a;")]
    [InlineData("a;;x")]
    [InlineData("a; ; =,,\"")]
    [InlineData("a;=1")]
    [InlineData("a;x=")]
    [InlineData("a;x=,b")]
    [InlineData("a;x=1=2")]
    [InlineData("a;x y")]
    [InlineData("a b")]
    [InlineData("a=1")]
    [InlineData("a;x=\"1")]
    [InlineData("a;x=\"1\\")]
    [InlineData("a;x=\"1\\\"")]
    [InlineData("a;x=\"1\"2")]
    [InlineData("a;x=\"1\u0001\"")]
    [InlineData("a;x=@")]
    [InlineData("\"a\"")]
    [InlineData("a/b")]
    [InlineData("ä")]
    [InlineData("a,\0")]
    public void What_is_malformed_is_noticed(string value) => Assert.EndsWith("malformed", Read(value), StringComparison.Ordinal);

    [Fact]
    public void Long_quoted_values_are_unescaped_too()
    {
        string value = string.Concat(Enumerable.Repeat("\\x", 500));
        Assert.Equal("a;b=" + new string('x', 500), Read($"a;b=\"{value}\""));
    }

    [Fact]
    public void Any_text_ends_in_acceptance_or_malformed()
    {
        Gen<string> texts = Gen.Elements("a", "b1", ";", ",", "=", "\"", "\\", " ", "\t", "\0", "é", "permessage-deflate", "client_max_window_bits")
            .ListOf().Select(parts => string.Concat(parts));
        Prop.ForAll(texts.ToArbitrary(), text => Read(text).Length >= 0).QuickCheckThrowOnFailure();
        Prop.ForAll<string?>(text => Read(text ?? "").Length >= 0).QuickCheckThrowOnFailure();
    }

    private static string Read(string value)
    {
        var reader = new ExtensionListReader(value);
        var read = new StringBuilder();
        while (reader.TryReadExtension(out var name))
        {
            if (read.Length > 0) read.Append('|');
            read.Append(name);
            while (reader.TryReadParameter(out var parameter, out var content, out bool hasValue))
            {
                read.Append(';').Append(parameter);
                if (hasValue) read.Append('=').Append(content);
            }
        }
        if (reader.IsMalformed) read.Append("malformed");
        Assert.False(reader.TryReadParameter(out _, out _, out _));
        return read.ToString();
    }
}
