namespace FastChat.Server.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void The_host_assembly_loads() => Assert.Equal("fastchat", typeof(Program).Assembly.GetName().Name);
}
