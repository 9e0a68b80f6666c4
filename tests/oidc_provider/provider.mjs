/*
 * A provider of OpenID Connect for tests: npm's certified `oidc-provider`, with people who sign in by their name alone.
 *
 * `node provider.mjs` reads a JSON object in each line of its input, and writes one in response. The first is
 * `{issuer, port, tls?: {key, cert}, clients, people, idTokenSeconds?, claimsInIdToken?}`. Later ones replace any of
 * these but the first three; `{"rotate": true}` makes a new signing key, and forgets the old one. A person is a name
 * and claims: `{"grace": {"preferred_username": "Grace", "groups": ["devs"]}}`; `sub` is the name unless a claim says.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const PROFILE = ['preferred_username', 'name', 'groups'];
let settings = { clients: [], people: {}, idTokenSeconds: 300, claimsInIdToken: false };
let keys = [newKey()];
let provider = null;
let handle = null;
let server = null;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), use: 'sig', alg: 'RS256' };
}

function make() {
  provider = new Provider(settings.issuer, {
    clients: settings.clients,
    jwks: { keys },
    cookies: { keys: ['only a test'] },
    claims: { openid: ['sub'], profile: PROFILE, email: ['email'] },
    conformIdTokenClaims: !settings.claimsInIdToken,
    pkce: { required: () => true },
    ttl: { IdToken: settings.idTokenSeconds, Interaction: 600, Session: 3600, Grant: 3600, AccessToken: 300 },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true, logoutSource } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount,
    loadExistingGrant,
  });
  handle = provider.callback();
}

function findAccount(_, name) {
  const person = settings.people[name];
  if (!person) return undefined;
  return { accountId: name, claims: () => ({ sub: name, ...person }) };
}

/** Everybody has agreed to everything that the client asks. */
async function loadExistingGrant(ctx) {
  const { client, session, params } = ctx.oidc;
  const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  await grant.save();
  return grant;
}

function logoutSource(ctx, form) {
  ctx.body = page('Sign out', `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out everywhere</button>`);
}

function page(title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`;
}

async function interact(request, response) {
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response);
    const form =
      '<form method="post"><label>Name <input name="login" required autofocus></label>' +
      '<button name="go" value="on">Continue</button></form>' +
      '<form method="post"><button name="go" value="no">Cancel</button></form>';
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page('The provider', form));
    return;
  }
  const form = new URLSearchParams(await bodyOf(request));
  const name = form.get('login') ?? '';
  if (form.get('go') === 'on' && !(name in settings.people)) {
    response.writeHead(401, { 'Content-Type': 'text/plain' }).end('nobody has that name');
    return;
  }
  const refused = { error: 'access_denied', error_description: 'the person did not want to' };
  const result = form.get('go') === 'on' ? { login: { accountId: name } } : refused;
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function serve(request, response) {
  if (!request.url.startsWith('/interaction/')) return handle(request, response);
  return interact(request, response).catch((error) => {
    response.writeHead(400, { 'Content-Type': 'text/plain' }).end(`${error.name}: ${error.message}`);
  });
}

async function obey(line) {
  const { rotate, ...changes } = JSON.parse(line);
  settings = { ...settings, ...changes };
  if (rotate) keys = [newKey()];
  make();
  if (server === null) {
    server = settings.tls ? createTlsServer(settings.tls, serve) : createServer(serve);
    await new Promise((done) => server.listen(settings.port, '127.0.0.1', done));
  }
  return { issuer: settings.issuer, kid: keys[0].kid };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await obey(line))}\n`);
}
process.exit(0);
