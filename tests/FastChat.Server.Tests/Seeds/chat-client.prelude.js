// What a page has and this script needs, before the front end's own code, which follows word for word. Each call of a page's function is
// written to standard output as a line of JSON.
const [, , server, userJwtToken] = process.argv;
const tell = (name, ...args) => console.info(JSON.stringify([name, ...args]));
const browserFetch = globalThis.fetch;
const BrowserWebSocket = globalThis.WebSocket;
// Its user has selected a chatbot; here that is the built-in one.
globalThis.fetch = (path, options) => browserFetch(new URL(path.replace('selected_chatbot_id', 'assistant'), server), options);
// The document's server is at localhost:8000; this one is on a free port.
globalThis.WebSocket = class extends BrowserWebSocket {
  constructor(url) { super(url.replace('localhost:8000', new URL(server).host)); }
};
const unload = [];
globalThis.window = { addEventListener: (type, action) => { if (type === 'beforeunload') unload.push(action); } };
console.log = (...args) => tell('log', ...args);
console.error = (...args) => tell('error', String(args[0]));
const displayMessage = (...args) => tell('displayMessage', ...args);
const createNewAssistantMessage = () => tell('createNewAssistantMessage');
const appendToAssistantMessage = chunk => tell('appendToAssistantMessage', chunk);
const displayError = message => tell('displayError', message);
// A page would show the answer; this one then goes away.
const finalizeAssistantMessage = text => { tell('finalizeAssistantMessage', text); for (const action of unload) action(); };
