using System.Net;
using System.Security.Cryptography;
using FastChat.Server.Auth;
using FastChat.Server.Auth.Keys;
using FastChat.Server.Auth.Tokens;
using FastChat.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastChat.Server.Tests.Auth.Keys;

public sealed class JwksUrlKeySourceTests : IDisposable
{
    private static readonly TimeSpan Bound = Hosting.TestServer.Patience;
    private readonly FakeTimeProvider _time = new();
    private readonly Publisher _publisher = new();
    private readonly HttpClient _http;
    private readonly JwksUrlKeySource _source;
    private readonly TokenValidator _validator;
    private readonly RSA _first = RSA.Create(2048);
    private readonly RSA _second = RSA.Create(2048);

    public JwksUrlKeySourceTests()
    {
        _http = new HttpClient(_publisher);
        var options = new AuthOptions { JwksUrl = new Uri("https://issuer.example/keys"), Issuer = "i", Audience = "a" };
        _source = new JwksUrlKeySource(options, new TokenScope("i", "a"), _http, _time, NullLogger.Instance);
        _validator = new TokenValidator(options, new KeyRing([_source]), _time, NullLogger.Instance);
        _publisher.Body = Forge.Set(Forge.Jwk(_first, "1"));
    }

    public void Dispose()
    {
        _http.Dispose();
        _first.Dispose();
        _second.Dispose();
    }

    private async Task<AuthFailure> TryAsync(RSA key, string kid)
    {
        string claims = $$"""{"iss":"i","aud":"a","sub":"u","exp":{{_time.GetUtcNow().ToUnixTimeSeconds() + 60}}}""";
        return (await _validator.ValidateAsync(Forge.Rs256(key, claims, kid), CancellationToken.None).AsTask().WaitAsync(Bound)).Failure;
    }

    [Fact]
    public async Task Keys_are_fetched_once_and_kept()
    {
        Assert.Equal(0, _publisher.Requests);
        for (int i = 0; i < 3; i++)
            Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        Assert.Equal(1, _publisher.Requests);
    }

    [Fact]
    public async Task An_unknown_key_id_fetches_but_not_more_often_than_the_minimum_interval()
    {
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        _publisher.Body = Forge.Set(Forge.Jwk(_first, "1"), Forge.Jwk(_second, "2"));
        for (int i = 0; i < 5; i++)
            Assert.Equal(AuthFailure.UnknownKey, await TryAsync(_second, "2"));
        Assert.Equal(1, _publisher.Requests);

        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(AuthFailure.None, await TryAsync(_second, "2"));
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        Assert.Equal(2, _publisher.Requests);
        for (int i = 0; i < 5; i++)
            Assert.Equal(AuthFailure.UnknownKey, await TryAsync(_second, "3"));
        Assert.Equal(2, _publisher.Requests);
    }

    [Fact]
    public async Task Keys_are_fetched_anew_when_the_refresh_period_has_passed()
    {
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        _publisher.Body = Forge.Set(Forge.Jwk(_second, "2"));
        _time.Advance(TimeSpan.FromHours(1));
        _publisher.Hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Served from what is here while the fetch runs in the background; joining it shows its result.
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        _publisher.Hold.SetResult();
        await _source.RefreshAsync(CancellationToken.None).AsTask().WaitAsync(Bound);
        Assert.Equal(2, _publisher.Requests);
        Assert.Equal(AuthFailure.UnknownKey, await TryAsync(_first, "1"));
        Assert.Equal(AuthFailure.None, await TryAsync(_second, "2"));
    }

    [Fact]
    public async Task Without_a_first_fetch_the_keys_are_unavailable_until_one_succeeds()
    {
        _publisher.Status = HttpStatusCode.InternalServerError;
        Assert.Equal(AuthFailure.KeysUnavailable, await TryAsync(_first, "1"));
        Assert.Equal(AuthFailure.KeysUnavailable, await TryAsync(_first, "1"));
        Assert.Equal(1, _publisher.Requests);
        _publisher.Status = HttpStatusCode.OK;
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
    }

    [Fact]
    public async Task The_last_good_keys_outlive_a_failing_publisher_but_not_for_ever()
    {
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        _publisher.Status = HttpStatusCode.BadGateway;
        _time.Advance(TimeSpan.FromHours(23));
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        await _source.RefreshAsync(CancellationToken.None).AsTask().WaitAsync(Bound);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(AuthFailure.KeysUnavailable, await TryAsync(_first, "1"));
    }

    [Fact]
    public async Task A_secret_that_is_published_is_none()
    {
        byte[] secret = new byte[32];
        _publisher.Body = Forge.Set(Forge.Jwk(secret, "1"));
        string claims = $$"""{"iss":"i","aud":"a","sub":"u","exp":{{_time.GetUtcNow().ToUnixTimeSeconds() + 60}}}""";
        var result = await _validator.ValidateAsync(Forge.Hs256(secret, claims, "1"), CancellationToken.None).AsTask().WaitAsync(Bound);
        Assert.Equal(AuthFailure.UnknownKey, result.Failure);
    }

    [Fact]
    public async Task Many_requests_at_once_share_one_fetch()
    {
        _publisher.Hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var all = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TryAsync(_first, "1")));
        await _publisher.Asked.Task.WaitAsync(Bound);
        _publisher.Hold.SetResult();
        Assert.All(await all.WaitAsync(Bound), failure => Assert.Equal(AuthFailure.None, failure));
        Assert.Equal(1, _publisher.Requests);
    }

    [Fact]
    public async Task A_publisher_that_does_not_answer_is_given_up()
    {
        _publisher.Hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = TryAsync(_first, "1");
        await _publisher.Asked.Task.WaitAsync(Bound);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(AuthFailure.KeysUnavailable, await waiting.WaitAsync(Bound));
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("{}")]
    public async Task An_answer_that_is_no_key_set_changes_nothing(string body)
    {
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
        _publisher.Body = body;
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(AuthFailure.UnknownKey, await TryAsync(_second, "2"));
        Assert.Equal(2, _publisher.Requests);
        Assert.Equal(AuthFailure.None, await TryAsync(_first, "1"));
    }

    private sealed class Publisher : HttpMessageHandler
    {
        private int _requests;

        public int Requests => Volatile.Read(ref _requests);

        public string Body { get; set; } = "";

        public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

        public TaskCompletionSource? Hold { get; set; }

        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            Asked.TrySetResult();
            if (Hold is { } hold)
                await hold.Task.WaitAsync(cancellationToken);
            return new HttpResponseMessage(Status) { Content = new StringContent(Body) };
        }
    }
}
