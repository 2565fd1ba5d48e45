using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FastChat.LoadTests.Load;
using FastChat.LoadTests.Target;
using FastChat.TestKit;

namespace FastChat.LoadTests.Tests.Target;

public class TargetTests
{
    [Fact]
    public async Task Tokens_are_signed_with_the_secret()
    {
        var time = new FakeTimeProvider();
        string[] parts = (await new SecretTokens("the secret", time).GetAsync("load-1", CancellationToken.None)).Split('.');
        Assert.Equal(HMACSHA256.HashData("the secret"u8, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}")), Base64Url.DecodeFromChars(parts[2]));
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
        Assert.Equal("load-1", claims.RootElement.GetProperty("sub").GetString());
        Assert.Equal(time.GetUtcNow().AddDays(2).ToUnixTimeSeconds(), claims.RootElement.GetProperty("exp").GetInt64());
    }

    [Theory]
    [InlineData("Limit                     Soft Limit           Hard Limit           Units     \nMax open files            20000                20000                files     \n", 20_000)]
    [InlineData("Max open files            unlimited            unlimited            files     \n", null)]
    [InlineData("Max processes             100                  100                  processes \n", null)]
    public void The_limit_of_open_files_is_read(string limits, int? most) => Assert.Equal(most, Descriptors.Parse(limits));

    [Fact]
    public void More_sockets_than_files_may_be_open_are_refused_beforehand()
    {
        Descriptors.Check(1);
        if (File.Exists("/proc/self/limits") && Descriptors.Parse(File.ReadAllText("/proc/self/limits")) is < 2_000_000_000)
            Assert.Contains("ulimit -n", Assert.Throws<LoadException>(() => Descriptors.Check(2_000_000_000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_start_is_told_of_with_what_it_said()
    {
        // The tests' directory has no server beside it.
        var failure = await Assert.ThrowsAsync<LoadException>(() => OwnServer.StartAsync([], [], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Matches(@"^The server ended with exit code \d+: .+", failure.Message);
    }
}
