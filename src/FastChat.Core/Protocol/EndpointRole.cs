namespace FastChat.Protocol;

/// <summary>Which end this is: a server sends unmasked frames and refuses unmasked ones, a client the other way round (RFC 6455 section 5.1).</summary>
internal enum EndpointRole : byte
{
    Server,
    Client,
}
