// Echoes every message, as text or binary as it came. The one argument is the port on 127.0.0.1.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  backlog: 4096,
  clientTracking: false,
  maxPayload: 16 * 1024 * 1024,
  perMessageDeflate: false,
});
server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});
// Whoever started this is gone when the input ends.
process.stdin.on('end', () => process.exit(0)).resume();
