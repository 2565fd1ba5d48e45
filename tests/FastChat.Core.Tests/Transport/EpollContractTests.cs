using System.Net;
using System.Net.Sockets;
using FastChat.Transport;
using FastChat.Transport.Epoll;

namespace FastChat.Core.Tests.Transport;

public abstract class EpollContractTests : TransportContractTests
{
    protected abstract EndPoint Address { get; }

    protected virtual bool Inline => true;

    protected override int BuffersOfListener => 2;

    protected override TransportListener CreateListener()
    {
        Assert.SkipUnless(EpollListener.IsSupported, "epoll is a Linux facility.");
        return new EpollListener(Address, new EpollOptions { Pool = Pool, Loops = 2 });
    }

    protected override void OnAccepted(TransportConnection connection) => connection.InlineContinuations = Inline;
}

public sealed class EpollTcpContractTests : EpollContractTests
{
    protected override EndPoint Address => new IPEndPoint(IPAddress.Loopback, 0);
}

public sealed class EpollUnixContractTests : EpollContractTests
{
    protected override EndPoint Address { get; } = new UnixDomainSocketEndPoint(UnixSocketPath.New());
}

public sealed class EpollThreadPoolContractTests : EpollContractTests
{
    protected override EndPoint Address => new IPEndPoint(IPAddress.Loopback, 0);

    protected override bool Inline => false;
}

public sealed class TlsOverEpollContractTests : TlsContractTests
{
    protected override int BuffersOfListener => 2;

    protected override TransportListener CreateInnerListener()
    {
        Assert.SkipUnless(EpollListener.IsSupported, "epoll is a Linux facility.");
        return new EpollListener(new IPEndPoint(IPAddress.Loopback, 0), new EpollOptions { Pool = Pool, Loops = 2 });
    }

    protected override void OnAccepted(TransportConnection connection) => connection.InlineContinuations = true;
}
