using FastChat.Storage;

namespace FastChat.Server.Tests.Storage.Contract;

public abstract class UserContract<TStore> : StoreContract<TStore>
    where TStore : StoreUnderTest, new()
{
    [Fact]
    public async Task A_user_is_found_by_id_and_by_name()
    {
        var alice = await UserAsync();
        Assert.Equal("alice", alice.Name);
        Assert.Equal(Time.GetUtcNow(), alice.CreatedAt);
        Assert.Equal(alice, await Store.GetUserAsync(alice.Id).Soon());
        Assert.Equal(alice, await Store.GetUserByNameAsync("alice").Soon());
        Assert.Null(await Store.GetUserAsync("alice").Soon());
        Assert.Null(await Store.GetUserByNameAsync("Alice").Soon());
    }

    [Fact]
    public async Task A_name_is_given_once()
    {
        await UserAsync();
        Assert.Null(await Store.CreateUserAsync("alice").Soon());
        Assert.NotNull(await Store.CreateUserAsync("Alice").Soon());
    }

    [Fact]
    public async Task Of_many_who_want_a_name_at_once_one_gets_it()
    {
        var users = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => Store.CreateUserAsync("alice")))).Soon();
        Assert.Single(users, user => user is not null);
    }

    [Fact]
    public async Task A_user_of_another_issuer_is_made_once_and_takes_nobodys_name()
    {
        var alice = await UserAsync();
        var users = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Store.EnsureUserAsync("auth0|7", "alice")))).Soon();
        Assert.All(users, user => Assert.Equal(users[0], user));
        Assert.Equal(("auth0|7", "alice"), (users[0].Id, users[0].Name));
        Assert.Equal(alice, await Store.GetUserByNameAsync("alice").Soon());
        Assert.Equal(alice, await Store.EnsureUserAsync(alice.Id, "mallory").Soon());
    }

    [Fact]
    public async Task An_id_that_cannot_be_kept_as_it_is_is_refused()
    {
        foreach (string id in new[] { "", "a\0b", "a\ud800" })
        {
            var refusal = await Assert.ThrowsAsync<StoreException>(() => Store.EnsureUserAsync(id, "x").Soon());
            Assert.Equal(StoreError.InvalidRequest, refusal.Error);
        }
    }

    [Fact]
    public async Task Users_are_listed_newest_first()
    {
        var made = new List<UserRecord>();
        for (int i = 0; i < 7; i++)
            made.Insert(0, await UserAsync($"user{i}"));
        Assert.Equal(made, await AllAsync(3, page => Store.ListUsersAsync(page)));
        var tail = await Store.ListUsersAsync(new PageRequest(10, made[4].Id)).Soon();
        Assert.Equal(made[5..], tail.Items);
        Assert.Null(tail.Next);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("~")]
    [InlineData("'; DROP TABLE users; --")]
    public async Task A_cursor_that_is_none_is_refused(string before)
    {
        var refusal = await Assert.ThrowsAsync<StoreException>(() => Store.ListUsersAsync(new PageRequest(5, before)).Soon());
        Assert.Equal(StoreError.InvalidRequest, refusal.Error);
    }

    [Fact]
    public async Task A_limit_below_one_is_refused()
    {
        var refusal = await Assert.ThrowsAsync<StoreException>(() => Store.ListUsersAsync(new PageRequest(0)).Soon());
        Assert.Equal(StoreError.InvalidRequest, refusal.Error);
    }
}
