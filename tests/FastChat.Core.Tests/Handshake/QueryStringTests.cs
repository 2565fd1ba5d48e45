using System.Text;
using FastChat.Handshake;

namespace FastChat.Core.Tests.Handshake;

public sealed class QueryStringTests
{
    [Theory]
    [InlineData("a=1&b=2", "b", "2")]
    [InlineData("a=1&a=2", "a", "1")]
    [InlineData("a&b", "a", "")]
    [InlineData("a=&b", "a", "")]
    [InlineData("=x&a=1", "", "x")]
    [InlineData("&&a=b=c&", "a", "b=c")]
    [InlineData("A=1", "a", null)]
    [InlineData("aa=1", "a", null)]
    [InlineData("", "a", null)]
    [InlineData("a=x+y%20z", "a", "x y z")]
    [InlineData("a=%2B%26%3D%25", "a", "+&=%")]
    [InlineData("a=100%&b=%4&c=%zz", "a", "100%")]
    [InlineData("a=100%&b=%4&c=%zz", "b", "%4")]
    [InlineData("a=100%&b=%4&c=%zz", "c", "%zz")]
    [InlineData("a=%C3%A9%f0%9f%91%8b", "a", "é👋")]
    [InlineData("a=%ff", "a", "\ufffd")]
    [InlineData("session%5Fid=1", "session_id", "1")]
    [InlineData("a+b=1", "a b", "1")]
    [InlineData("%C3%A9=1", "é", "1")]
    public void Finds_and_decodes(string query, string name, string? value)
    {
        var pairs = new QueryString(Encoding.ASCII.GetBytes(query));
        Assert.Equal(value, pairs.MoveTo(name) ? QueryString.Decode(pairs.Value) : null);
    }

    [Fact]
    public void Decodes_values_of_any_length()
    {
        string text = string.Concat(Enumerable.Repeat("é ", 700));
        Assert.Equal(text, QueryString.Decode(Encoding.ASCII.GetBytes(text.Replace("é", "%C3%A9", StringComparison.Ordinal).Replace(' ', '+'))));
    }

    [Theory]
    [InlineData("/a%20b", "/a b")]
    [InlineData("/a+b", "/a+b")]
    [InlineData("/a%2Fb%2fc", "/a%2Fb%2fc")]
    [InlineData("/a%00b", "/a%00b")]
    [InlineData("/%e2%82%ac", "/€")]
    [InlineData("/%", "/%")]
    [InlineData("/%4", "/%4")]
    [InlineData("/%4G%G4%41", "/%4G%G4A")]
    [InlineData("/%2541", "/%41")]
    public void Decodes_paths_but_not_encoded_slashes(string path, string decoded)
    {
        byte[] scratch = new byte[path.Length];
        int length = PercentEncoding.DecodePath(Encoding.ASCII.GetBytes(path), scratch);
        Assert.Equal(decoded, Encoding.UTF8.GetString(scratch, 0, length));
    }
}
