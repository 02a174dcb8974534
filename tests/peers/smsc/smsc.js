// An SMSC on node-smpp, for the stories: it takes short messages, sends receipts and messages, and misbehaves as it is told.
//
//     node smsc.js '{"port":0,"user":"packetboat","password":"secret"}'
//
// Everything that happens is a line of JSON on standard output. The first is {"event":"ready","port":…,"control":…}. The
// options can be changed while it runs: GET /set?NAME=VALUE on the control port.
//
//   port, control      where it listens, on 127.0.0.1; 0 takes a free port
//   certificate, key   files; with them it speaks TLS
//   user, password     what a bind has to say; anything will do without
//   only               "transmitter", "receiver" or "transceiver": other binds are refused
//   bind_status        every bind is refused with this status
//   delay              milliseconds from a submission to its answer
//   mute               submissions get no answer
//   deaf               enquire_links get no answer
//   status             every submission is refused with this status
//   throttle           every so many submissions one is refused with throttle_status (0x58)
//   rate               more submissions than this in any second are refused with throttle_status
//   drop_after         at this many submissions from now, all connections are cut: once
//   early              1: what is submitted counts as taken when it comes, not when it is answered
//   receipts           the state of receipts (DELIVRD, UNDELIV, …), or "none"
//   receipt_delay      milliseconds from the answer to the receipt; negative: the receipt comes before the answer
//   receipt_form       "both", "text" or "parameters"
//   receipt_id         "same", "decimal" or "hexadecimal": how receipts write the id, which answers write in hexadecimal
//   ping               milliseconds from one enquire_link of its own to the next
//
// Control, beside /set: /kick cuts all connections, /unbind ends their sessions, /deliver?from=&to=&hex=&esm=&dcs=&PARAMETER=
// sends a message to every receiver, /raw?hex= writes octets to every connection, /stat counts.
'use strict';
const fs = require('fs');
const http = require('http');
const smpp = require('smpp');

const options = {
  port: 0, control: 0, delay: 0, throttle_status: 0x58, receipts: 'DELIVRD', receipt_delay: 20, receipt_form: 'both',
  receipt_id: 'same', ...JSON.parse(process.argv[2] || '{}'),
};
const number = (name) => Number(options[name] || 0);
const say = (event, more) => process.stdout.write(JSON.stringify({ event, at: Date.now(), ...more }) + '\n');

// Octets stay octets: otherwise node-smpp makes texts of them by data_coding.
for (const command of Object.values(smpp.commands)) {
  for (const parameter of Object.values(command.params || {})) delete parameter.filter;
}
for (const tlv of Object.values(smpp.tlvs)) delete tlv.filter;
const read = smpp.PDU.prototype.fromBuffer;
smpp.PDU.prototype.fromBuffer = function (buffer) {
  Object.defineProperty(this, 'raw', { value: Buffer.from(buffer), enumerable: false });
  return read.call(this, buffer);
};

const sessions = new Set();
const open = new Map();
const count = { submissions: 0, taken: 0, messages: 0, throttled: 0 };
let nextId = 0xa0001;
let second = [];
let until = number('drop_after');

function fields(pdu) {
  const out = {};
  for (const [name, value] of Object.entries(pdu)) {
    if (typeof value !== 'function') out[name] = Buffer.isBuffer(value) ? value.toString('hex') : value;
  }
  out.raw = pdu.raw.toString('hex');
  return out;
}

// Information elements of a user data header (TS 23.040 9.2.3.24).
function header(octets) {
  const found = { length: octets[0] + 1 };
  for (let at = 1; at + 1 < found.length;) {
    const [id, length] = [octets[at], octets[at + 1]];
    const data = octets.subarray(at + 2, at + 2 + length);
    if (id === 0x00) found.part = { reference: data[0], total: data[1], number: data[2] };
    if (id === 0x08) found.part = { reference: data.readUInt16BE(0), total: data[2], number: data[3] };
    if (id === 0x05) found.port = data.readUInt16BE(0);
    at += 2 + length;
  }
  return found;
}

// Adds a short message to what was taken, and says so when a message is whole.
function take(pdu, id) {
  count.taken++;
  const payload = pdu.message_payload && pdu.message_payload.length ? pdu.message_payload : pdu.short_message;
  let body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload || '');
  let found = { port: pdu.dest_port };
  if (pdu.esm_class & 0x40) {
    found = header(body);
    body = body.subarray(found.length);
  } else if (pdu.sar_total_segments !== undefined) {
    found.part = { reference: pdu.sar_msg_ref_num, total: pdu.sar_total_segments, number: pdu.sar_segment_seqnum };
  }
  const whole = (bodies, ids) => {
    count.messages++;
    say('message', {
      from: pdu.source_addr, to: pdu.destination_addr, port: found.port, parts: bodies.length, ids,
      data_coding: pdu.data_coding, hex: Buffer.concat(bodies).toString('hex'),
    });
  };
  if (!found.part) return whole([body], [id]);
  const key = [pdu.source_addr, pdu.destination_addr, found.part.reference, found.part.total].join(' ');
  const parts = open.get(key) || new Map();
  if (parts.has(found.part.number)) say('duplicate', { key, number: found.part.number });
  parts.set(found.part.number, { body, id });
  open.set(key, parts);
  if (parts.size === found.part.total) {
    open.delete(key);
    const sorted = [...parts.keys()].sort((a, b) => a - b).map((each) => parts.get(each));
    whole(sorted.map((part) => part.body), sorted.map((part) => part.id));
  }
}

const STATES = { ENROUTE: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };

function receipt(session, pdu, id) {
  const state = options.receipts;
  const asked = pdu.registered_delivery & 3;
  if (state === 'none' || !asked || (asked === 2 && state === 'DELIVRD')) return;
  const to = session.mode !== 'transmitter' && sessions.has(session)
    ? session : [...sessions].find((other) => other.mode && other.mode !== 'transmitter');
  if (!to) return say('receipt_undeliverable', { id });
  const written = options.receipt_id === 'decimal' ? String(parseInt(id, 16)) : id;
  const day = new Date().toISOString().replace(/[-:T]/g, '').slice(2, 12);
  const done = state === 'DELIVRD' ? '001' : '000';
  const text = `id:${written} sub:001 dlvrd:${done} submit date:${day} done date:${day} stat:${state} err:${done === '001' ? '000' : '011'} text:`;
  const fields = {
    esm_class: 4, source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
    dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi, destination_addr: pdu.source_addr,
  };
  if (options.receipt_form !== 'parameters') fields.short_message = Buffer.from(text);
  if (options.receipt_form !== 'text') Object.assign(fields, { receipted_message_id: written, message_state: STATES[state] || 7 });
  say('receipt', { id, state });
  to.deliver_sm(fields, (answer) => say('receipt_answer', { id, status: answer.command_status }));
}

function bind(session, pdu) {
  const mode = pdu.command.slice('bind_'.length);
  let status = number('bind_status');
  if (!status && session.mode) status = 0x05;
  if (!status && options.only && options.only !== mode) status = 0x0d;
  if (!status && options.user !== undefined && pdu.system_id !== options.user) status = 0x0f;
  if (!status && options.password !== undefined && pdu.password !== options.password) status = 0x0e;
  say('bind', { mode, status, pdu: fields(pdu) });
  if (status) {
    session.send(pdu.response({ command_status: status }));
    return session.close();
  }
  session.mode = mode;
  if (number('ping')) session.pinging = setInterval(() => session.enquire_link(() => say('pong')), number('ping'));
  session.send(pdu.response({ system_id: 'smsc', sc_interface_version: 0x34 }));
}

function submission(session, pdu) {
  const n = ++count.submissions;
  const now = Date.now();
  let status = number('status');
  if (!session.mode || session.mode === 'receiver') status = 0x04;
  second = second.filter((at) => now - at < 1000);
  if (!status && ((number('throttle') && n % number('throttle') === 0) || (number('rate') && second.length >= number('rate')))) {
    status = number('throttle_status');
    count.throttled++;
  }
  if (!status) second.push(now);
  if (until && --until === 0) {
    say('dropped', { n, pdu: fields(pdu) });
    for (const each of sessions) each.destroy();
    return;
  }
  const id = status ? undefined : (nextId++).toString(16);
  say('submission', { n, status, id, pdu: fields(pdu) });
  if (id && options.early) take(pdu, id);
  if (number('mute')) return;
  if (id && number('receipt_delay') < 0) receipt(session, pdu, id);
  setTimeout(() => {
    if (!sessions.has(session)) return say('unanswered', { n, id });
    if (id && !options.early) take(pdu, id);
    session.send(pdu.response(status ? { command_status: status } : { message_id: id }));
    say('answered', { n, id, status });
    if (id && number('receipt_delay') >= 0) setTimeout(() => receipt(session, pdu, id), number('receipt_delay'));
  }, number('delay'));
}

function take_pdu(session, pdu) {
  if (pdu.command === 'submit_sm' || pdu.command === 'data_sm') return submission(session, pdu);
  if (/^bind_(transmitter|receiver|transceiver)$/.test(pdu.command)) return bind(session, pdu);
  say('pdu', { command: pdu.command, status: pdu.command_status, sequence: pdu.sequence_number });
  if (pdu.isResponse()) return undefined;
  if (pdu.command === 'enquire_link') return number('deaf') ? undefined : session.send(pdu.response());
  if (pdu.command === 'unbind') {
    session.send(pdu.response());
    return session.close();
  }
  return session.send(pdu.response({ command_status: 0x03 }));
}

const tls = options.certificate
  ? { cert: fs.readFileSync(options.certificate), key: fs.readFileSync(options.key) } : {};
const server = smpp.createServer(tls, (session) => {
  sessions.add(session);
  say('connect', { from: session.socket.remotePort });
  session.on('error', (error) => say('error', { text: String(error) }));
  session.on('close', () => {
    sessions.delete(session);
    clearInterval(session.pinging);
    say('close', { mode: session.mode });
  });
  session.on('pdu', (pdu) => take_pdu(session, pdu));
});
server.on('tlsClientError', (error) => say('tls_error', { text: String(error) }));

function deliver(query) {
  const { from = '358401234567', to = '100', hex = '', esm = 0, dcs = 0, payload, ...more } = query;
  const fields = {
    source_addr_ton: 1, source_addr_npi: 1, source_addr: from, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to,
    esm_class: Number(esm), data_coding: Number(dcs),
  };
  if (payload) fields.message_payload = Buffer.from(hex, 'hex');
  else fields.short_message = Buffer.from(hex, 'hex');
  for (const [name, value] of Object.entries(more)) fields[name] = Number(value);
  const receivers = [...sessions].filter((session) => session.mode && session.mode !== 'transmitter');
  for (const session of receivers) {
    session.deliver_sm(fields, (answer) => say('deliver_answer', { from, command: answer.command, status: answer.command_status }));
  }
  return { receivers: receivers.length };
}

const control = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://smsc');
  const query = Object.fromEntries(searchParams);
  let answer = { ...count, incomplete: open.size, sessions: [...sessions].map((session) => session.mode) };
  if (pathname === '/set') {
    Object.assign(options, query);
    if ('drop_after' in query) until = number('drop_after');
  }
  if (pathname === '/kick') for (const session of sessions) session.destroy();
  if (pathname === '/unbind') for (const session of sessions) session.unbind();
  if (pathname === '/raw') for (const session of sessions) session.socket.write(Buffer.from(query.hex, 'hex'));
  if (pathname === '/deliver') answer = deliver(query);
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(answer));
});

server.listen(number('port'), '127.0.0.1', () => {
  control.listen(number('control'), '127.0.0.1', () => {
    say('ready', { port: server.address().port, control: control.address().port });
  });
});
