using FastChat.Server.Auth.Keys;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FastChat.Server.Auth.Tokens;

/// <summary>Tells whose token this is, or which rule it breaks. Any thread may ask at any time.</summary>
internal sealed class TokenValidator(AuthOptions options, KeyRing keys, TimeProvider time, ILogger logger)
{
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = options.MaxTokenBytes };

    public async ValueTask<AuthResult> ValidateAsync(string raw, CancellationToken cancellationToken)
    {
        var failure = CompactToken.TryRead(raw, options.MaxTokenBytes, out var token);
        if (token is null)
            return failure;
        failure = await VerifyAsync(token, cancellationToken);
        // The key may be newer than what we know. A token without a key id cannot say so.
        if (failure is AuthFailure.UnknownKey or AuthFailure.BadSignature or AuthFailure.KeysUnavailable && token.KeyId is { } keyId)
        {
            await keys.RefreshAsync(keyId, cancellationToken);
            failure = await VerifyAsync(token, cancellationToken);
        }
        if (failure is not AuthFailure.None)
            return failure;
        var claims = token.Claims;
        return claims.Subject is null
            ? AuthFailure.MissingSubject
            : new AuthenticatedUser(claims.Subject, claims.Name ?? claims.Subject)
            {
                IsAdmin = claims.Has(options.AdminClaim, options.AdminRole),
                // The clock that issued the token may be behind ours: it is good for as long as it is let in.
                ExpiresAt = claims.ExpiresAt is { } expires && expires < DateTimeOffset.MaxValue - options.ClockSkew
                    ? expires + options.ClockSkew : DateTimeOffset.MaxValue,
            };
    }

    private async ValueTask<AuthFailure> VerifyAsync(CompactToken token, CancellationToken cancellationToken)
    {
        var (candidates, unavailable) = await keys.FindAsync(token.Algorithm, token.KeyId, cancellationToken);
        var failure = AuthFailure.UnknownKey;
        foreach (var (scope, key) in candidates)
        {
            failure = Verify(token, scope, key);
            if (failure is not AuthFailure.BadSignature)
                return failure;
        }
        // Only public keys are fetched: for HS256 nothing was out of reach.
        return unavailable && token.Algorithm != SecurityAlgorithms.HmacSha256 ? AuthFailure.KeysUnavailable : failure;
    }

    private AuthFailure Verify(CompactToken token, TokenScope scope, VerificationKey key)
    {
        var lifetime = AuthFailure.None;
        var result = _handler.ValidateToken(token.Raw, new TokenValidationParameters
        {
            // The resolver gives the one key that is bound to the token's algorithm; nothing else is ever tried.
            IssuerSigningKeyResolver = (_, _, _, _) => [key.Key],
            RequireSignedTokens = true,
            ValidateIssuer = scope.Issuer is not null,
            ValidIssuer = scope.Issuer,
            ValidateAudience = scope.Audience is not null,
            ValidAudience = scope.Audience,
            // Our clock, not the library's, so that it can be tested and the skew is ours.
            LifetimeValidator = (_, _, _, _) => (lifetime = CheckLifetime(token.Claims)) is AuthFailure.None,
        });
        if (result.IsValid)
            return scope.Audience is null && token.Claims.HasAudience ? AuthFailure.WrongAudience : AuthFailure.None;
        return result.Exception switch
        {
            // Comes first: the library reports a lifetime that our validator refused in its own words.
            SecurityTokenInvalidLifetimeException => lifetime,
            SecurityTokenInvalidIssuerException => AuthFailure.WrongIssuer,
            SecurityTokenInvalidAudienceException => AuthFailure.WrongAudience,
            SecurityTokenInvalidSignatureException => AuthFailure.BadSignature,
            var other => Unforeseen(other),
        };
    }

    private AuthFailure CheckLifetime(TokenClaims claims)
    {
        var now = time.GetUtcNow();
        if (claims.ExpiresAt is not { } expires)
            return AuthFailure.MissingExpiry;
        if (now - expires >= options.ClockSkew)
            return AuthFailure.Expired;
        return claims.NotBefore - now > options.ClockSkew ? AuthFailure.NotYetValid : AuthFailure.None;
    }

    private AuthFailure Unforeseen(Exception? exception)
    {
        AuthLog.LibraryFailed(logger, exception?.GetType().Name ?? "no exception");
        return AuthFailure.Malformed;
    }
}
