using FastChat.Server.Storage.Sql;
using FastChat.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace FastChat.Server.Storage.Sqlite;

/// <summary>The SQLite store's connections, transactions and errors.</summary>
internal sealed class SqliteStore : SqlChatStore
{
    private readonly SqliteConnections _connections;
    private readonly WriteQueue<SqlSession> _writes;

    public SqliteStore(SqliteConnections connections, SqliteStoreOptions options, TimeProvider time, ILogger logger)
        : base(new SqliteSearch(), time)
    {
        _connections = connections;
        _writes = new WriteQueue<SqlSession>(new Target(connections), options.Writes, time, logger);
    }

    public override string Name => "sqlite";

    public override async Task PingAsync(CancellationToken cancellationToken = default)
    {
        await ReadAsync(s => s.Number("SELECT 1"), cancellationToken);
        await WriteAsync(s => s.Number("SELECT 1"), 0, cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        await _writes.DisposeAsync();
        await Task.Run(_connections.Dispose);
    }

    protected override Task<T> WriteAsync<T>(Func<SqlSession, T> body, long length, CancellationToken cancellationToken) =>
        _writes.RunAsync(body, length, cancellationToken);

    protected override Task<T> ReadAsync<T>(Func<SqlSession, T> body, CancellationToken cancellationToken) =>
        // SQLite blocks on the disk: never on the caller's thread, which may be an event loop.
        Task.Run(async () =>
        {
            var session = await _connections.RentAsync(cancellationToken);
            try
            {
                return Read(session, body, cancellationToken);
            }
            finally
            {
                _connections.Return(session);
            }
        }, cancellationToken);

    private static T Read<T>(SqlSession session, Func<SqlSession, T> body, CancellationToken cancellationToken)
    {
        try
        {
            // One snapshot for all that the body reads.
            session.Execute("BEGIN");
            try
            {
                using var interrupt = cancellationToken.UnsafeRegister(
                    static connection => raw.sqlite3_interrupt(((SqliteConnection)connection!).Handle), session.Connection);
                return body(session);
            }
            finally
            {
                session.Execute("COMMIT");
            }
        }
        catch (SqliteException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (SqliteException e)
        {
            throw Translate(e);
        }
    }

    private static StoreException Translate(SqliteException e) => e.SqliteErrorCode switch
    {
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new(StoreError.Unavailable, "Another process has the database locked.", e),
        raw.SQLITE_FULL => new(StoreError.Unavailable, "The disk is full.", e),
        raw.SQLITE_CONSTRAINT => new(StoreError.InvalidRequest, "An id is in use already.", e),
        raw.SQLITE_TOOBIG => new(StoreError.InvalidRequest, "The text is longer than the database takes.", e),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new(StoreError.Unavailable, "The database is damaged.", e),
        _ => new(StoreError.Unavailable, $"The database failed (SQLite error {e.SqliteErrorCode}).", e),
    };

    private sealed class Target(SqliteConnections connections) : IWriteTarget<SqlSession>
    {
        private bool _begun;

        public SqlSession Begin()
        {
            connections.WaitForTurn();
            _begun = true;
            // Immediate: waits for other processes here, where nothing was done yet.
            connections.Writer.Execute("BEGIN IMMEDIATE");
            return connections.Writer;
        }

        public void Commit()
        {
            connections.Writer.Execute("COMMIT");
            End();
        }

        public void RollBack()
        {
            if (!_begun)
                return;
            try
            {
                connections.Writer.Execute("ROLLBACK");
            }
            catch (SqliteException)
            {
                // Some failures (a full disk, for one) roll back by themselves, and after a failed BEGIN there is nothing to.
            }
            End();
        }

        public Exception Translate(Exception exception) =>
            exception is SqliteException e ? SqliteStore.Translate(e) : exception;

        private void End()
        {
            _begun = false;
            connections.EndTurn();
        }
    }
}
