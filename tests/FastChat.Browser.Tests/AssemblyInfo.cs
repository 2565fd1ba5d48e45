using FastChat.Browser.Tests;

// One browser and one server for all; a page and a user for each test.
[assembly: AssemblyFixture(typeof(BrowserHost))]
// A browser takes a core for itself.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
