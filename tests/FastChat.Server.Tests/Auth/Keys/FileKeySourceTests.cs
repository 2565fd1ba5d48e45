using FastChat.Server.Auth;

namespace FastChat.Server.Tests.Auth.Keys;

public sealed class FileKeySourceTests : IDisposable
{
    private static readonly byte[] Old = new byte[32];
    private static readonly byte[] New = [.. Enumerable.Range(0, 40).Select(i => (byte)i)];
    private readonly AuthFixture _auth = new();

    public FileKeySourceTests()
    {
        _auth.Options.Secret = null;
        _auth.Options.JwksFile = _auth.PathOf("jwks.json");
        File.WriteAllText(_auth.Options.JwksFile, Forge.Set(Forge.Jwk(Old, "old")));
    }

    public void Dispose() => _auth.Dispose();

    [Fact]
    public async Task A_key_that_appears_in_the_file_is_found_at_once_and_one_that_goes_is_gone_in_a_second()
    {
        var validator = await _auth.OpenAsync();
        async Task<AuthFailure> TryAsync(byte[] secret, string kid) =>
            (await validator.ValidateAsync(Forge.Hs256(secret, _auth.Claims(), kid), CancellationToken.None)).Failure;
        Assert.Equal(AuthFailure.None, await TryAsync(Old, "old"));
        Assert.Equal(AuthFailure.UnknownKey, await TryAsync(New, "new"));

        File.WriteAllText(_auth.Options.JwksFile!, Forge.Set(Forge.Jwk(New, "new"), Forge.Jwk(Old, "old")));
        Assert.Equal(AuthFailure.None, await TryAsync(New, "new"));
        Assert.Equal(AuthFailure.None, await TryAsync(Old, "old"));

        File.WriteAllText(_auth.Options.JwksFile!, Forge.Set(Forge.Jwk(New, "new")));
        _auth.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(AuthFailure.UnknownKey, await TryAsync(Old, "old"));
        Assert.Equal(AuthFailure.None, await TryAsync(New, "new"));
    }

    [Theory]
    [InlineData("{\"keys\":[")]
    [InlineData(null)]
    public async Task A_file_that_cannot_be_read_leaves_the_last_keys_in_force(string? content)
    {
        var validator = await _auth.OpenAsync();
        if (content is null)
            File.Delete(_auth.Options.JwksFile!);
        else
            File.WriteAllText(_auth.Options.JwksFile!, content);
        _auth.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.NotNull((await validator.ValidateAsync(Forge.Hs256(Old, _auth.Claims(), "old"), CancellationToken.None)).User);
    }

    [Fact]
    public async Task A_link_whose_target_changes_is_noticed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making links needs a privilege on Windows.");
        Directory.CreateDirectory(_auth.PathOf("v1"));
        Directory.CreateDirectory(_auth.PathOf("v2"));
        File.WriteAllText(_auth.PathOf("v1/jwks.json"), Forge.Set(Forge.Jwk(Old, "old")));
        File.WriteAllText(_auth.PathOf("v2/jwks.json"), Forge.Set(Forge.Jwk(New, "new")));
        Directory.CreateSymbolicLink(_auth.PathOf("data"), _auth.PathOf("v1"));
        File.Delete(_auth.Options.JwksFile!);
        File.CreateSymbolicLink(_auth.Options.JwksFile!, _auth.PathOf("data/jwks.json"));
        var validator = await _auth.OpenAsync();
        Directory.Delete(_auth.PathOf("data"));
        Directory.CreateSymbolicLink(_auth.PathOf("data"), _auth.PathOf("v2"));
        Assert.NotNull((await validator.ValidateAsync(Forge.Hs256(New, _auth.Claims(), "new"), CancellationToken.None)).User);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_mistake_at_start()
    {
        _auth.Options.JwksFile = _auth.PathOf("missing.json");
        await Assert.ThrowsAsync<FileNotFoundException>(_auth.OpenAsync);
    }

    [Fact]
    public async Task A_bad_file_is_named_at_start()
    {
        File.WriteAllText(_auth.Options.JwksFile!, "nonsense");
        var e = await Assert.ThrowsAsync<FormatException>(_auth.OpenAsync);
        Assert.Contains("jwks.json", e.Message, StringComparison.Ordinal);
    }
}
