using System.Text;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Keys;
using FastChat.Server.Auth.Tokens;

namespace FastChat.Server.Tests.Auth.Keys;

public sealed class SigningKeyFileTests : IDisposable
{
    private readonly AuthFixture _auth = new();

    public void Dispose() => _auth.Dispose();

    private SigningKeyFile Another(string? directory = null) =>
        new(directory ?? _auth.Directory.FullName, _auth.Options.SigningKeyLifetime, _auth.Time);

    [Fact]
    public async Task The_first_use_makes_a_file_for_its_owner_alone()
    {
        string directory = _auth.PathOf("new/data");
        var file = Another(directory);
        var key = await file.GetCurrentAsync();
        Assert.Equal(32, key.Secret.Length);
        Assert.Equal(key.Secret, (await Another(directory).GetCurrentAsync()).Secret);
        Assert.DoesNotContain(Forge.Encode(key.Secret), key.ToString(), StringComparison.Ordinal);
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory));
        Assert.Empty(Directory.GetFiles(directory, "*.tmp"));
    }

    [Fact]
    public async Task Everybody_who_comes_at_once_gets_the_same_first_key()
    {
        var keys = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Another().GetCurrentAsync())))
            .WaitAsync(Hosting.TestServer.Patience);
        Assert.Single(keys.Select(key => key.KeyId).Distinct());
    }

    [Fact]
    public async Task Old_keys_verify_after_a_rotation_and_new_tokens_name_the_new_key()
    {
        var validator = await _auth.OpenAsync();
        var issuer = new TokenIssuer(Another(), _auth.Options, _auth.Time);
        string before = await issuer.IssueAsync("u1", "Ada", TimeSpan.FromDays(1));
        var rotated = await Another().RotateAsync();
        string after = await issuer.IssueAsync("u1", "Ada", TimeSpan.FromDays(1));
        Assert.Contains(rotated.KeyId, Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(after.Split('.')[0])),
            StringComparison.Ordinal);
        foreach (string token in (string[])[after, before])
            Assert.Equal(AuthFailure.None, (await validator.ValidateAsync(token, CancellationToken.None)).Failure);
    }

    [Fact]
    public async Task An_old_key_is_replaced_and_dropped_when_its_last_token_must_have_expired()
    {
        var first = await _auth.Signing.GetCurrentAsync();
        _auth.Time.Advance(TimeSpan.FromDays(90) - TimeSpan.FromSeconds(1));
        Assert.Equal(first.KeyId, (await _auth.Signing.GetCurrentAsync()).KeyId);
        _auth.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotEqual(first.KeyId, (await _auth.Signing.GetCurrentAsync()).KeyId);

        _auth.Time.Advance(SigningKeyFile.MaxTokenLifetime);
        await _auth.Signing.RotateAsync();
        Assert.Contains(first.KeyId, File.ReadAllText(_auth.Signing.Path), StringComparison.Ordinal);
        _auth.Time.Advance(TimeSpan.FromSeconds(1));
        await _auth.Signing.RotateAsync();
        Assert.DoesNotContain(first.KeyId, File.ReadAllText(_auth.Signing.Path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"keys\":[{\"kid\":\"a\"}]}")]
    [InlineData("[]")]
    public async Task A_damaged_file_is_told_of_and_left_alone(string content)
    {
        File.WriteAllText(_auth.Signing.Path, content);
        var e = await Assert.ThrowsAsync<FormatException>(() => _auth.Signing.GetCurrentAsync());
        Assert.Contains("signing-keys.json", e.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(_auth.Signing.Path));
    }

    [Fact]
    public async Task A_file_that_others_may_read_is_refused_at_start()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        if (OperatingSystem.IsWindows())
            return; // The analyzer does not know that the line above has ended the test.
        await _auth.Signing.GetCurrentAsync();
        File.SetUnixFileMode(_auth.Signing.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var e = await Assert.ThrowsAsync<FormatException>(_auth.OpenAsync);
        Assert.Contains("chmod 600", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_live_for_a_year_at_most()
    {
        var issuer = new TokenIssuer(_auth.Signing, _auth.Options, _auth.Time);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => issuer.IssueAsync("u", "n", TimeSpan.Zero));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => issuer.IssueAsync("u", "n", TimeSpan.FromDays(367)));
    }
}
