// A bridge with Node and Express. Usage: node bridge.js PORT BACKEND_PORT
// Why this is fair: it is the usual solution, done right. One upstream connection, first in first out for each code, a
// time limit for each request; what Express does for each answer without being needed (ETag, X-Powered-By) is switched
// off. Waiting requests stand in a plain Map: an EventEmitter would hand one reply to all who wait for its code.
'use strict';
const net = require('net');
const express = require('express');

const waiting = new Map(); // code -> functions that take the reply, the longest waiting first
const backend = net.connect(Number(process.argv[3]), '127.0.0.1');
backend.setNoDelay(true);
backend.setEncoding('utf8');
backend.on('close', () => process.exit(1));

let rest = '';
backend.on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  for (const line of lines) {
    const queue = waiting.get(line.slice(5, 8)); // "Code 404: ..."
    if (queue && queue.length > 0) queue.shift()(line);
  }
});

function ask(code) {
  return new Promise((resolve) => {
    if (!waiting.has(code)) waiting.set(code, []);
    const queue = waiting.get(code);
    const take = (line) => {
      clearTimeout(deadline);
      resolve(line);
    };
    const deadline = setTimeout(() => {
      queue.splice(queue.indexOf(take), 1);
      resolve(null);
    }, 2000);
    queue.push(take);
    backend.write(code + '\n');
  });
}

const app = express();
app.disable('etag');
app.disable('x-powered-by');
app.get('/', async (request, response) => {
  const code = request.query.statusCode;
  if (typeof code !== 'string' || !/^[0-9A-Za-z]{3}$/.test(code)) {
    return response.status(400).json({ error: 'statusCode must be exactly three letters or digits' });
  }
  const line = await ask(code);
  if (line === null) return response.status(504).json({ error: 'timedout' });
  response.json({ data: line + '\n' });
});

const server = app.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
server.keepAliveTimeout = 60000; // Node's own 5 s would close the connections whose memory is measured
