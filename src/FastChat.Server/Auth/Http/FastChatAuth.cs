using FastChat.Chat;
using FastChat.Server.Auth.Keys;
using FastChat.Server.Auth.RateLimits;
using FastChat.Server.Auth.Tokens;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace FastChat.Server.Auth.Http;

/// <summary>Puts authentication and rate limits into a host.</summary>
internal static class FastChatAuth
{
    /// <summary>The authentication scheme.</summary>
    public const string Scheme = "FastChat";

    /// <summary>The policy that lets every identified user in.</summary>
    public const string UserPolicy = "FastChat.User";

    /// <summary>The policy that lets admins in.</summary>
    public const string AdminPolicy = "FastChat.Admin";

    /// <summary>The role claim of admins, whatever the token calls it.</summary>
    public const string AdminRole = "FastChat.Admin";

    /// <summary>
    /// Registers <see cref="IUserAuthenticator"/>, <see cref="TokenIssuer"/>, <see cref="UserRateLimiter"/> (also as the engine's limiter), the scheme and both policies.
    /// The scheme does not become the default: it must not change how a host application authenticates its own routes.
    /// </summary>
    /// <param name="services">The host's services; a <see cref="TimeProvider"/> there is used.</param>
    /// <param name="auth">Valid options.</param>
    /// <param name="limits">Valid options.</param>
    /// <param name="trust">What <see cref="UserIdTrusts.Decide"/> decided.</param>
    /// <param name="dataDirectory">Where our own signing key is, or is made when the authenticator is first asked for.</param>
    public static IServiceCollection AddFastChatAuth(
        this IServiceCollection services, AuthOptions auth, RateLimitOptions limits, UserIdTrust trust, string dataDirectory)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(auth);
        services.AddSingleton(s => new SigningKeyFile(dataDirectory, auth.SigningKeyLifetime, s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton(OpenKeys);
        services.AddSingleton(s => new TokenValidator(
            auth, s.GetRequiredService<KeyRing>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<TokenValidator>>()));
        services.TryAddSingleton<IUserAuthenticator>(s => new UserAuthenticator(
            s.GetRequiredService<TokenValidator>(), trust, s.GetRequiredService<ILogger<UserAuthenticator>>()));
        services.AddSingleton(s => new UserRateLimiter(limits, s.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IChatRateLimiter>(s => s.GetRequiredService<UserRateLimiter>());
        // Not AddAuthentication: that brings data protection along, which writes keys into the home directory and is not needed here.
        services.AddAuthenticationCore(options => options.AddScheme<FastChatAuthenticationHandler>(Scheme, displayName: null));
        services.AddWebEncoders();
        services.TryAddTransient<FastChatAuthenticationHandler>();
        services.AddAuthorizationBuilder()
            .AddPolicy(UserPolicy, policy => policy.AddAuthenticationSchemes(Scheme).RequireAuthenticatedUser())
            .AddPolicy(AdminPolicy, policy => policy.AddAuthenticationSchemes(Scheme).RequireRole(AdminRole));
        return services;
    }

    // Waits for the disk once, at start: a container has no asynchronous way to make a singleton.
    private static KeyRing OpenKeys(IServiceProvider services)
    {
        var file = services.GetRequiredService<SigningKeyFile>();
        file.GetCurrentAsync().GetAwaiter().GetResult();
        return KeyRing.Open(services.GetRequiredService<AuthOptions>(), file, services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<KeyRing>>());
    }
}
