using System.Text;
using FastChat.Handshake;

namespace FastChat.Core.Tests.Handshake;

public sealed class OriginPolicyTests
{
    [Theory]
    [InlineData("https://a.example", "https://a.example", true)]
    [InlineData("https://A.example:443", "HTTPS://a.EXAMPLE", true)]
    [InlineData("http://a.example", "http://a.example:80", true)]
    [InlineData("http://a.example:8080", "http://a.example:8080", true)]
    [InlineData("http://[::1]:8080", "http://[::1]:8080", true)]
    [InlineData("http://[::1]", "http://[::1]:80", true)]
    [InlineData("app://-", "app://-", true)]
    [InlineData("https://a.example", "http://a.example", false)]
    [InlineData("https://a.example", "https://a.example:80", false)]
    [InlineData("https://a.example", "https://a.example:444", false)]
    [InlineData("https://a.example", "https://b.a.example", false)]
    [InlineData("https://a.example", "https://a.example.evil", false)]
    [InlineData("https://a.example", "https://a.example/", false)]
    [InlineData("https://a.example", "https://a.example:443:443", false)]
    [InlineData("https://a.example", "https://a.example:", false)]
    [InlineData("https://a.example", "https://user@a.example", false)]
    [InlineData("https://a.example", "https://a.example https://b.example", false)]
    [InlineData("https://a.example", "a.example", false)]
    [InlineData("https://a.example", "null", false)]
    [InlineData("https://a.example", "", false)]
    [InlineData("null", "null", true)]
    [InlineData("null", "https://a.example", false)]
    [InlineData("*", "https://anything.example", true)]
    [InlineData("*", "null", true)]
    public void Compares_scheme_host_and_port(string listed, string origin, bool allowed) =>
        Assert.Equal(allowed, new OriginPolicy(["https://first.example", listed]).Allows(Encoding.UTF8.GetBytes(origin)));

    [Fact]
    public void An_empty_list_allows_no_page() => Assert.False(new OriginPolicy([]).Allows("https://a.example"u8));

    [Theory]
    [InlineData("a.example"), InlineData("https://a.example/"), InlineData("https://*.example/x"), InlineData("https://"), InlineData("")]
    [InlineData("https://a.example:99999"), InlineData("https://bücher.example"), InlineData("://a")]
    public void Refuses_an_entry_that_is_no_origin(string entry) => Assert.Throws<ArgumentException>(() => new OriginPolicy([entry]));
}
