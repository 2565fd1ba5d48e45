using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace FastChat.Server.Auth.Keys;

/// <summary>
/// Our own signing keys: a JSON Web Key Set of HS256 secrets in the data directory, newest first, readable by its owner alone. The first
/// one to need it makes it. Changes are made under a lock file and appear atomically, so the server and any number of commands may use it
/// at the same time. The newest key signs; older ones verify until the last token signed with them must have expired.
/// </summary>
internal sealed class SigningKeyFile(string dataDirectory, TimeSpan keyLifetime, TimeProvider time)
{
    /// <summary>The longest life of a token signed with these keys.</summary>
    public static readonly TimeSpan MaxTokenLifetime = TimeSpan.FromDays(366);

    /// <summary>What our own tokens say.</summary>
    public static readonly TokenScope Scope = new("fastchat", "fastchat");

    private const int SecretBytes = 32;
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(20);

    /// <summary>The file.</summary>
    public string Path { get; } = System.IO.Path.Combine(dataDirectory, "signing-keys.json");

    private string LockPath => System.IO.Path.Combine(dataDirectory, "signing-keys.lock");

    /// <summary>Returns the key that signs now. Makes the first one, and the next when it is older than its lifetime.</summary>
    /// <exception cref="IOException">The directory cannot be written, or the lock is held too long.</exception>
    /// <exception cref="FormatException">The file is damaged; it is left as it is.</exception>
    public async Task<SigningKey> GetCurrentAsync(CancellationToken cancellationToken = default)
    {
        if (Read() is [var newest, ..] && !IsOld(newest))
            return newest;
        return await ChangeAsync(keys => keys is [var key, ..] && !IsOld(key), cancellationToken);
    }

    /// <summary>Makes a new key for new tokens now, for instance since the old one is old or was seen.</summary>
    public Task<SigningKey> RotateAsync(CancellationToken cancellationToken = default) => ChangeAsync(static _ => false, cancellationToken);

    private async Task<SigningKey> ChangeAsync(Func<List<SigningKey>, bool> isFine, CancellationToken cancellationToken)
    {
        CreateDirectory();
        await using var held = await LockAsync(cancellationToken);
        var keys = Read();
        if (isFine(keys))
            return keys[0];
        var now = time.GetUtcNow();
        if (keys.Count > 0)
            keys[0] = keys[0] with { RetiredAt = now };
        keys.RemoveAll(key => key.RetiredAt + MaxTokenLifetime < now);
        keys.Insert(0, new SigningKey(NewKeyId(), RandomNumberGenerator.GetBytes(SecretBytes), now, null));
        Write(keys);
        return keys[0];
    }

    private bool IsOld(SigningKey key) => time.GetUtcNow() - key.CreatedAt >= keyLifetime;

    private static string NewKeyId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));

    private void CreateDirectory()
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(dataDirectory);
        else
            Directory.CreateDirectory(dataDirectory, FileKeySource.OwnerOnlyMode | UnixFileMode.UserExecute);
    }

    private async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        long since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return Open(LockPath, FileMode.OpenOrCreate);
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(since) < LockTimeout && File.Exists(LockPath))
            {
                await Task.Delay(LockRetry, cancellationToken);
            }
        }
    }

    // FileShare.None is an advisory lock (flock) that every other open of ours meets, and that ends with the process.
    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = FileKeySource.OwnerOnlyMode;
        return new FileStream(path, options);
    }

    private List<SigningKey> Read()
    {
        byte[] json;
        try
        {
            json = File.ReadAllBytes(Path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        try
        {
            using var document = JsonDocument.Parse(json);
            return [.. document.RootElement.GetProperty("keys").EnumerateArray().Select(SigningKey.Read)];
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"{Path} is damaged; restore it, or remove it to make every token invalid and start anew.", e);
        }
    }

    private void Write(List<SigningKey> keys)
    {
        string temporary = System.IO.Path.Combine(dataDirectory, $".signing-keys.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var file = Open(temporary, FileMode.CreateNew))
            {
                using (var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
                {
                    writer.WriteStartObject();
                    writer.WriteStartArray("keys");
                    foreach (var key in keys)
                        key.Write(writer);
                    writer.WriteEndArray();
                    writer.WriteEndObject();
                }
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, Path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}

/// <summary>A secret that signs tokens.</summary>
/// <param name="KeyId">Its <c>kid</c>.</param>
/// <param name="Secret">The HS256 secret. Never logged.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="RetiredAt">When a newer one took its place; null for the newest.</param>
internal sealed record SigningKey(string KeyId, byte[] Secret, DateTimeOffset CreatedAt, DateTimeOffset? RetiredAt)
{
    public static SigningKey Read(JsonElement jwk) => new(
        jwk.GetProperty("kid").GetString() ?? throw new FormatException(),
        Base64Url.DecodeFromChars(jwk.GetProperty("k").GetString()),
        DateTimeOffset.FromUnixTimeSeconds(jwk.GetProperty("created").GetInt64()),
        jwk.TryGetProperty("retired", out var retired) ? DateTimeOffset.FromUnixTimeSeconds(retired.GetInt64()) : null);

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("kty", "oct");
        writer.WriteString("alg", "HS256");
        writer.WriteString("use", "sig");
        writer.WriteString("kid", KeyId);
        writer.WriteString("k", Base64Url.EncodeToString(Secret));
        writer.WriteNumber("created", CreatedAt.ToUnixTimeSeconds());
        if (RetiredAt is { } retired)
            writer.WriteNumber("retired", retired.ToUnixTimeSeconds());
        writer.WriteEndObject();
    }

    /// <summary>Keeps the secret out of logs.</summary>
    public override string ToString() => $"SigningKey {KeyId}";
}
