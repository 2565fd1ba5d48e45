using System.Collections.Concurrent;
using FastChat.Server.Storage.Sql;
using FastChat.Storage;
using Microsoft.Data.Sqlite;

namespace FastChat.Server.Storage.Sqlite;

/// <summary>
/// The writer's connection and those of readers. In memory there is one connection only (a second would see another database), which
/// writer and readers take turns with.
/// </summary>
internal sealed class SqliteConnections : IDisposable
{
    private readonly SqliteStoreOptions _options;
    private readonly bool _inMemory;
    private readonly SemaphoreSlim _turns;
    private readonly ConcurrentStack<SqlSession> _idle = new();
    private bool _disposed;

    static SqliteConnections() => SQLitePCL.Batteries_V2.Init();

    public SqliteConnections(SqliteStoreOptions options, ILogger logger)
    {
        _options = options;
        _inMemory = options.Path == SqliteStoreOptions.InMemory;
        _turns = new SemaphoreSlim(_inMemory ? 1 : options.Readers);
        if (!_inMemory)
            StoreFile.Prepare(Path.GetFullPath(options.Path), logger); // SQLite gives its log the mode of the file
        Writer = Connect();
        try
        {
            // Reads the header: a file that is no database is refused before anything is written to it.
            Writer.Number("PRAGMA user_version");
            if (!_inMemory && Writer.First("PRAGMA journal_mode = WAL", row => row.GetString(0)) != "wal")
                throw new StoreException(StoreError.Unavailable, "its file system cannot do SQLite's write-ahead log");
            Writer.Execute("PRAGMA synchronous = FULL");
            Writer.Execute("PRAGMA journal_size_limit = 67108864");
            EngineVersion = Writer.First("SELECT sqlite_version()", row => row.GetString(0))!;
        }
        catch
        {
            Writer.Dispose();
            throw;
        }
    }

    /// <summary>For the writer's thread; in memory, between <see cref="WaitForTurn"/> and <see cref="EndTurn"/> only.</summary>
    public SqlSession Writer { get; }

    public string EngineVersion { get; }

    /// <summary>Before the writer begins.</summary>
    public void WaitForTurn()
    {
        if (_inMemory)
            _turns.Wait();
    }

    /// <summary>After the writer has committed or rolled back.</summary>
    public void EndTurn()
    {
        if (_inMemory)
            _turns.Release();
    }

    /// <summary>Takes a reader's connection, which must be given back.</summary>
    public async Task<SqlSession> RentAsync(CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken);
        try
        {
            if (Volatile.Read(ref _disposed))
                throw new StoreException(StoreError.Closed, "The store is closed.");
            if (_inMemory)
                return Writer;
            return _idle.TryPop(out var session) ? session : Connect();
        }
        catch
        {
            _turns.Release();
            throw;
        }
    }

    public void Return(SqlSession session)
    {
        if (!_inMemory)
            _idle.Push(session);
        _turns.Release();
    }

    /// <summary>Waits for the readers and closes everything. The last connection moves the log into the file.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _disposed, true);
        for (int i = 0; i < (_inMemory ? 1 : _options.Readers); i++)
            _turns.Wait();
        foreach (var session in _idle)
            session.Dispose();
        Writer.Dispose();
        _turns.Release(_inMemory ? 1 : _options.Readers); // whoever waited is told that the store is closed
    }

    private SqlSession Connect()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = _options.Path,
            ForeignKeys = true,
            Pooling = false, // the pool here keeps prepared statements, too
            // Waiting for a lock is left to the driver, which asks again every 150 ms. SQLite's own busy_timeout sleeps whole seconds in
            // this build of it: those who wait wake up together, one gets the lock, and with a handful of them some ran out of tries.
            DefaultTimeout = (int)Math.Ceiling(_options.BusyTimeout.TotalSeconds),
        }.ToString());
        var session = new SqlSession(connection);
        try
        {
            connection.Open();
            session.Execute("PRAGMA trusted_schema = OFF");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
