using Microsoft.Extensions.Logging;

namespace FastChat.Server.Auth.Keys;

/// <summary>
/// Keys in a file, read again when it changes. The file is looked at once a second at most, or at once when a token names an unknown key.
/// A file that cannot be read any more leaves the last good keys in force: it may be in the middle of being replaced.
/// </summary>
internal sealed class FileKeySource : KeySource
{
    private const int MaxBytes = 256 * 1024;
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly bool _ownerOnly;
    private readonly Func<byte[], IReadOnlyList<VerificationKey>> _parse;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private IReadOnlyList<VerificationKey> _keys = [];
    private (DateTime Written, long Length) _version;
    private long _checkedAt;
    private bool _failing;

    /// <summary>Reads the file. Throws an <see cref="IOException"/> or <see cref="FormatException"/> with a sentence when it cannot.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ownerOnly">True for a file with secrets of ours: refused when group or others may read it.</param>
    /// <param name="parse">Reads its content; throws a <see cref="FormatException"/>.</param>
    /// <param name="scope">What tokens signed with these keys must say.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told when the file changes or cannot be read.</param>
    public FileKeySource(
        string path, bool ownerOnly, Func<byte[], IReadOnlyList<VerificationKey>> parse, TokenScope scope, TimeProvider time, ILogger logger)
        : base(scope)
    {
        (_path, _ownerOnly, _parse, _time, _logger) = (path, ownerOnly, parse, time, logger);
        _checkedAt = time.GetTimestamp();
        try
        {
            Load();
        }
        catch (FormatException e)
        {
            throw new FormatException($"{path}: {e.Message}", e);
        }
    }

    public override ValueTask<IReadOnlyList<VerificationKey>?> GetAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_checkedAt) >= CheckEvery)
                Check();
            return new(_keys);
        }
    }

    public override ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            Check();
        return default;
    }

    private void Check()
    {
        _checkedAt = _time.GetTimestamp();
        try
        {
            if (Load())
                AuthLog.KeysRead(_logger, _path, _keys.Count);
            _failing = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            if (!_failing)
                AuthLog.KeysNotRead(_logger, _path, e.Message);
            _failing = true;
        }
    }

    // The times are asked of the open file, not of the path, which may be a link whose target changes.
    private bool Load()
    {
        using var handle = File.OpenHandle(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var version = (File.GetLastWriteTimeUtc(handle), RandomAccess.GetLength(handle));
        if (version == _version)
            return false;
        if (version.Item2 > MaxBytes)
            throw new FormatException($"The file is larger than {MaxBytes} bytes.");
        if (_ownerOnly && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(handle) & ~OwnerOnlyMode) != 0)
            throw new FormatException("Others may read or change this file of secrets; chmod 600 makes it private.");
        byte[] content = new byte[version.Item2];
        int read = 0;
        for (int n = 1; n > 0 && read < content.Length; read += n)
            n = RandomAccess.Read(handle, content.AsSpan(read), read);
        _keys = _parse(content[..read]);
        _version = version;
        return true;
    }

    /// <summary>The mode of a file that only its owner reads and writes.</summary>
    internal const UnixFileMode OwnerOnlyMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
}
