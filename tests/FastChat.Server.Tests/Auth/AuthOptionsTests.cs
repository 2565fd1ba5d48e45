using FastChat.Server.Auth;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Configuration;
using Microsoft.Extensions.Configuration;

namespace FastChat.Server.Tests.Auth;

public sealed class AuthOptionsTests
{
    private static SettingsReader Settings(params (string Key, string? Value)[] settings) => new(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))).Build());

    [Fact]
    public void Every_setting_is_read()
    {
        var settings = Settings(
            ("Auth:Secret", new string('s', 32)), ("auth:keyfiles:0", "a.pem"), ("Auth:KeyFiles:1", "b.pem"), ("Auth:JwksFile", "k.json"),
            ("Auth:JwksUrl", "https://i.example/k"), ("Auth:JwksRefresh", "10m"), ("Auth:JwksMinimumInterval", "5s"), ("Auth:Issuer", "i"),
            ("Auth:Audience", "a"), ("Auth:ClockSkew", "0s"), ("Auth:MaxTokenBytes", "4096"), ("Auth:AdminClaim", "groups"),
            ("Auth:AdminRole", "root"), ("Auth:TrustUserId", "true"), ("Auth:SigningKeyLifetime", "1d12h"));
        var auth = AuthOptions.Read(settings);
        Assert.Empty(settings.Mistakes);
        Assert.Empty(auth.Validate());
        Assert.Equal(["a.pem", "b.pem"], auth.KeyFiles);
        Assert.Equal(
            (new string('s', 32), "k.json", "https://i.example/k", 600, 5, "i", "a", 0, 4096, "groups", "root", true, 36),
            (auth.Secret, auth.JwksFile, auth.JwksUrl?.ToString(), (int)auth.JwksRefresh.TotalSeconds,
                (int)auth.JwksMinimumInterval.TotalSeconds, auth.Issuer, auth.Audience, (int)auth.ClockSkew.TotalSeconds,
                auth.MaxTokenBytes, auth.AdminClaim, auth.AdminRole, auth.TrustUserId, (int)auth.SigningKeyLifetime.TotalHours));
    }

    [Fact]
    public void Every_mistake_is_told_by_name_and_no_value_is_repeated()
    {
        var settings = Settings(
            ("Auth:MaxTokenBytes", "hunter2"), ("Auth:TrustUserId", "hunter2"), ("Auth:ClockSkew", "hunter2"), ("Auth:JwksUrl", "hunter2"),
            ("Auth:Isuer", "hunter2"), ("RateLimits:PerMinute", "hunter2"), ("RateLimits:PerDay", "1"));
        AuthOptions.Read(settings);
        RateLimitOptions.Read(settings);
        Assert.Equal(
            ["Auth:JwksUrl", "Auth:ClockSkew", "Auth:MaxTokenBytes", "Auth:TrustUserId", "Auth:Isuer", "RateLimits:PerMinute", "RateLimits:PerDay"],
            settings.Mistakes.Select(mistake => mistake.Split(' ')[0]));
        Assert.DoesNotContain(settings.Mistakes, mistake => mistake.Contains("hunter2", StringComparison.Ordinal));
    }

    public static TheoryData<string, AuthOptions> Bad => new()
    {
        { "too short", new() { Secret = new string('s', 31) } },
        { "PEM", new() { Secret = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" } },
        { "https", new() { JwksUrl = new Uri("http://issuer.example/keys"), Issuer = "i", Audience = "a" } },
        { "https", new() { JwksUrl = new Uri("file:///etc/keys"), Issuer = "i", Audience = "a" } },
        { "Auth:Audience", new() { JwksUrl = new Uri("https://issuer.example/keys"), Issuer = "i" } },
        { "Auth:Issuer", new() { JwksFile = "keys.json", Audience = "a" } },
        { "JwksMinimumInterval", new() { JwksMinimumInterval = TimeSpan.Zero } },
        { "JwksRefresh", new() { JwksRefresh = TimeSpan.FromSeconds(1) } },
        { "ClockSkew", new() { ClockSkew = TimeSpan.FromHours(1) } },
        { "MaxTokenBytes", new() { MaxTokenBytes = 0 } },
        { "AdminClaim", new() { AdminClaim = "" } },
        { "SigningKeyLifetime", new() { SigningKeyLifetime = TimeSpan.Zero } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Bad_values_are_told(string about, AuthOptions options) =>
        Assert.Contains(about, Assert.Single(options.Validate()), StringComparison.Ordinal);

    [Fact]
    public void The_defaults_are_fine()
    {
        Assert.Empty(new AuthOptions().Validate());
        Assert.Empty(new RateLimitOptions().Validate());
        Assert.Empty(new AuthOptions { JwksUrl = new Uri("http://127.0.0.1:5000/k"), Issuer = "i", Audience = "a" }.Validate());
        Assert.Equal(3, new RateLimitOptions { PerMinute = 0, PerHour = 0, MaxUsers = 0 }.Validate().Count());
    }

    [Theory]
    [InlineData("45s", 45)]
    [InlineData("30m", 1800)]
    [InlineData("12h", 43200)]
    [InlineData("1d12h", 129600)]
    [InlineData("0s", 0)]
    [InlineData("", null)]
    [InlineData("5", null)]
    [InlineData("s", null)]
    [InlineData("1w", null)]
    [InlineData("-1s", null)]
    [InlineData("1.5h", null)]
    [InlineData("1 h", null)]
    [InlineData("999999999d", null)]
    [InlineData("9999999999s", null)]
    public void Durations_are_numbers_with_units(string text, int? seconds) =>
        Assert.Equal(seconds, Durations.TryParse(text, out var duration) ? (int)duration.TotalSeconds : null);
}
