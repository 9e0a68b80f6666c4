// Runs the CloudFront functions for the local edge and for the tests: JSON lines in, JSON lines out.
//
//   {"code": {name: source}, "store": {key: value}}       once, before anything else
//   {"id", "function", "event", "query"}                  -> {"id", "result", "origin", "group", "lines"} or {"id", "error"}
//
// `query` is the raw query string, null when the URL has no `?`. Each function lives in a context that has the language
// itself, Buffer and a console, whose lines are in the answer, as in CloudFront: no timers, no network, no eval.
'use strict';

const crypto = require('node:crypto');
const readline = require('node:readline');
const vm = require('node:vm');

const CRYPTO = { createHash: crypto.createHash, createHmac: crypto.createHmac }; // all that the runtime documents
const handlers = new Map();
let store = {};

// The `cloudfront` module, for one invocation at a time: `origin` is what the function selected, `group` what it made.
function cloudfront(invocation) {
  return {
    kvs: () => ({
      async get(key, options) {
        if (!Object.prototype.hasOwnProperty.call(store, key)) throw new Error('KeyNotFound: ' + key);
        return options && options.format === 'json' ? JSON.parse(store[key]) : store[key];
      },
    }),
    selectRequestOriginById(id) {
      invocation.origin = id;
    },
    createRequestOriginGroup(group) {
      invocation.group = group;
    },
  };
}

// Imports become lookups, since a vm script has none. The rest is the code as it is deployed.
function compile(name, source) {
  const body = source.replace(/^import (\w+) from '(\w+)';$/gm, "const $1 = __modules['$2'];");
  const script = new vm.Script(`'use strict';(function (__modules) {${body}\nreturn handler;})`, { filename: `${name}.js` });
  return (modules, log) => {
    const context = vm.createContext({ Buffer, console: { log } }, { codeGeneration: { strings: false, wasm: false } });
    return script.runInContext(context)(modules);
  };
}

// `selectRequestOriginById` must know whose call it is, so every concurrent invocation has a handler of its own; they
// are kept and used again.
async function invoke({ id, function: name, event, query }) {
  const idle = handlers.get(name);
  if (!idle) return { id, error: `there is no function ${name}` };
  const invocation = { origin: null, group: null, lines: [] };
  const slot = idle.free.pop() || idle.make();
  slot.bind(invocation);
  event.request.rawQueryString = () => (query === null ? undefined : query);
  try {
    const result = await slot.handler(event);
    const { origin, group, lines } = invocation;
    return { id, result: JSON.parse(JSON.stringify(result)), origin, group, lines };
  } catch (error) {
    return { id, error: String(error && error.stack) };
  } finally {
    idle.free.push(slot);
  }
}

function prepare(name, source) {
  const create = compile(name, source);
  handlers.set(name, {
    free: [],
    make() {
      let current = null;
      const cf = cloudfront({
        set origin(id) { current.origin = id; },
        set group(made) { current.group = JSON.parse(JSON.stringify(made)); },
      });
      const log = (text) => current.lines.push(String(text));
      return { handler: create({ cloudfront: cf, crypto: CRYPTO }, log), bind(invocation) { current = invocation; } };
    },
  });
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const message = JSON.parse(line);
  if (message.store) store = message.store;
  if (message.code) {
    Object.entries(message.code).forEach(([name, source]) => prepare(name, source));
    return;
  }
  if (message.function) process.stdout.write(`${JSON.stringify(await invoke(message))}\n`);
}).on('close', () => process.exit(0));
