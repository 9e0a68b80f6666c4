// The viewer-request function of the registry's distribution. It looks at every request, decides which origin gets it
// and what that origin may see, and answers the first challenge by itself. CloudFront Functions runtime 2.0; README.md
// has the table that this follows, and its limits.
//
// The distribution's default origin is the API. A request that this function does not recognise goes there, unchanged
// but for our own headers. Nothing reaches S3 unless `toBlobs` below sends it there, and nothing a function's own URL
// unless `direct` does.
import cf from 'cloudfront';
import crypto from 'crypto';

// The ids of two origins in the distribution; `direct` has those of the others.
const BLOBS = 'blobs';
const RELAY = 'relay';
// 'api' where the distribution has no function URLs.
const READS = 'function';
// Bytes: the largest single PUT that S3 takes.
const DIRECT_LIMIT = 5368709120;
// Bytes: a Lambda event of 6 MB carries the body in base64, beside the headers.
const API_LIMIT = 4500000;
// Characters of metadata; S3 takes 2 KB of it, names included.
const ACTOR_LIMIT = 1024;
// Of the realm; the build for one machine says http.
const SCHEME = 'https';
// The `service` of tokens: TOKEN_SERVICE of the functions.
const SERVICE = 'roadstead';
// Seconds for which the registry still takes an expired token.
const LEEWAY = 60;
const OURS = 'x-roadstead-';
// Changing one of these is a 502.
const READ_ONLY = ['cdn-loop', 'content-length', 'host', 'transfer-encoding', 'via'];

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const UPLOAD_ID = /^[0-9a-f]{32}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const HOST = /^[a-zA-Z0-9.:[\]-]{1,255}$/;
const BEARER = /^bearer +([^ ]+)$/i;
const UPLOADS = '/blobs/uploads/';
// The endpoints below a repository, and the actions that each method needs. A test holds this table to the registry's.
const ENDPOINT = /^\/v2\/(.+)\/(?:(tags)\/list|blobs\/(uploads)\/?|(referrers|manifests|blobs)\/([^/]+))$/;
const ACTIONS = {
  tags: { GET: 'pull' },
  referrers: { GET: 'pull' },
  manifests: { GET: 'pull', PUT: 'pull,push', DELETE: 'delete' },
  blobs: { GET: 'pull', DELETE: 'delete' },
  uploads: { POST: 'pull,push' },
};

async function handler(event) {
  const request = event.request;
  removeOurs(request.headers);
  const length = bodyLength(request.headers);
  if (length < 0) return refuse(400, 'UNSUPPORTED', 'the request says twice, or wrongly, how long its body is');

  const upload = uploadOf(request.uri);
  if (!upload) return challenge(event) || toApi(event, length);

  let keys, relay;
  try {
    const store = cf.kvs();
    keys = (await store.get('upload-keys', { format: 'json' })).keys;
    relay = (await store.get('relay')) === 'on';
  } catch (error) {
    console.log('the key-value store lacks upload-keys or relay: ' + error);
    return refuse(503, 'UNKNOWN', 'the registry takes no uploads: its edge has not been given its settings yet');
  }

  const query = parameters(request.rawQueryString());
  const states = query._state || [];
  const token = states.length === 1 ? readToken(states[0], keys) : null;
  if (!token || token.r !== upload.name || token.i !== upload.id) {
    if (states.length) tell(event, 'forged-upload-token');
    return unknown(token ? 'the upload token belongs to another upload'
      : 'the upload token was not made by this registry; start the upload again');
  }
  const now = Date.now() / 1000;
  if (!(token.e > now)) return unknown('the upload has expired; start it again');
  const sends = length > 0 || request.headers['transfer-encoding'];
  if (sends && !((token.b || token.e) > now)) return unknown('this upload takes no more data; start it again');

  if (request.method === 'PUT') {
    const digests = query.digest || [];
    if (digests.length !== 1 || !DIGEST.test(digests[0])) {
      return refuse(400, 'DIGEST_INVALID', 'one digest is needed: sha256: and 64, or sha512: and 128 lower-case hex digits');
    }
    // A length of nothing closes a chunked upload as often as it is the empty blob; the upload service knows which.
    const whole = length > 0 && length <= DIRECT_LIMIT && !request.headers['content-range'] && !token.c;
    const actor = whole ? actorOf(token) : '';
    if (whole && actor.length <= ACTOR_LIMIT) return toBlobs(request, upload, digests[0], actor);
  }
  return relay ? toRelay(event) : toApi(event, length);
}

// The 401 that the registry would answer, to a request without a token or with one that has expired, or null. Nothing is
// decided here: a token is read, not verified, and the 401 only makes the client ask for a new one. Every other request,
// and every path that is not exactly an endpoint's, is the registry's to judge.
function challenge(event) {
  const request = event.request;
  const given = request.headers.authorization;
  const expired = given && hasExpired(given);
  if (given && !expired) return null;
  const scope = scopeOf(request.method, request.uri);
  const host = request.headers.host;
  if (scope === null || !host || !HOST.test(host.value)) return null;
  if (expired) tell(event, 'expired-access-token');
  const message = expired
    ? 'the token has expired'
    : 'a bearer token is needed: log in, or ask the realm of the challenge for one';
  let text = 'Bearer realm="' + SCHEME + '://' + host.value + '/token",service="' + SERVICE + '"';
  if (scope) text += ',scope="' + scope + '"';
  if (expired) text += ',error="invalid_token",error_description="' + message + '"';
  const response = failure(401, 'UNAUTHORIZED', message);
  set(response.headers, 'www-authenticate', text);
  set(response.headers, 'docker-distribution-api-version', 'registry/2.0');
  if (request.method === 'HEAD') delete response.body;
  return response;
}

// The scope that a request needs; '' where any token will do; null where it is not an endpoint.
function scopeOf(asked, uri) {
  const method = asked === 'HEAD' ? 'GET' : asked;
  if (uri === '/v2/' || uri === '/v2') return method === 'GET' ? '' : null;
  if (uri === '/v2/_catalog') return method === 'GET' ? 'registry:catalog:*' : null;
  const found = ENDPOINT.exec(uri);
  // The registry decides to which project a name of one component belongs.
  if (!found || found[1].length > 255 || found[1].indexOf('/') < 0 || !NAME.test(found[1])) return null;
  const kind = found[2] || found[3] || found[4];
  const reference = found[5];
  if (reference && !DIGEST.test(reference) && !(kind === 'manifests' && TAG.test(reference))) return null;
  const actions = ACTIONS[kind][method];
  return actions ? 'repository:' + found[1] + ':' + actions : null;
}

// Whether a header holds one bearer token whose payload says that its time is over.
function hasExpired(header) {
  const bearer = header.multiValue ? null : BEARER.exec(header.value);
  const parts = bearer ? bearer[1].split('.') : [];
  if (parts.length !== 3) return false;
  try {
    const expires = JSON.parse(Buffer.from(parts[1], 'base64url').toString()).exp;
    return typeof expires === 'number' && expires + LEEWAY <= Date.now() / 1000;
  } catch (error) {
    return false;
  }
}

function set(headers, name, value) {
  headers[name] = { value: value };
}

function removeOurs(headers) {
  Object.keys(headers).forEach((name) => {
    if (name.indexOf(OURS) === 0) delete headers[name];
  });
}

// Sends the layer to S3. The headers are made anew, so that no credential, x-amz- header or encoding of the client's gets
// through. There is no If-None-Match: the same PUT, repeated after a lost response, must succeed, and the key and the
// checksum leave it nothing to write but the same bytes.
function toBlobs(request, upload, digest, actor) {
  const algorithm = digest.slice(0, 6);
  const hex = digest.slice(7);
  const kept = {};
  READ_ONLY.forEach((name) => {
    if (request.headers[name]) kept[name] = request.headers[name];
  });
  set(kept, 'content-type', 'application/octet-stream');
  set(kept, 'x-amz-checksum-' + algorithm, Buffer.from(hex, 'hex').toString('base64'));
  // What origin access control may sign as the body's hash. S3 knows only SHA-256 there.
  set(kept, 'x-amz-content-sha256', algorithm === 'sha256' ? hex : 'UNSIGNED-PAYLOAD');
  set(kept, 'x-amz-meta-repository', upload.name);
  set(kept, 'x-amz-meta-actor', actor);
  const place = crypto.createHash('sha256').update(upload.name).digest('hex').slice(0, 32);
  request.uri = '/blobs/' + algorithm + '/' + hex + '/' + place + '/' + upload.id;
  request.querystring = {};
  request.headers = kept;
  request.cookies = {};
  cf.selectRequestOriginById(BLOBS);
  return request;
}

// The relay authorises by the upload token alone, so credentials that a careless client sent are removed.
function toRelay(event) {
  delete event.request.headers.authorization;
  event.request.cookies = {};
  introduce(event);
  cf.selectRequestOriginById(RELAY);
  return event.request;
}

function toApi(event, length) {
  if (length > API_LIMIT) {
    return refuse(413, 'DENIED', event.request.uri.indexOf(UPLOADS) < 0
      ? 'the registry takes up to 4.5 MB in this request, not ' + length + ' bytes'
      : 'layers sent in pieces, or over 5 GB, are taken up to 4.5 MB here, and this has ' + length + ' bytes; push with '
        + 'containerd, BuildKit, oras or the containerd image store of Docker, which send a layer whole, or ask '
        + 'the operator of the registry to deploy its relay');
  }
  introduce(event);
  direct(event.request);
  return event.request;
}

// Sends a read to the URL of its function, without the HTTP API in between. CloudFront's signature to the function
// replaces Authorization, so the client's goes along in a header of ours. A function URL can neither send a challenge nor
// the length of what it does not send: the registry responds 403 in place of 401, upon which CloudFront asks the API, and
// HEAD goes to the API at once, as does what has no token yet.
function direct(request) {
  const uri = request.uri;
  const given = request.headers.authorization;
  const read = given && uri.indexOf('/v2/') === 0 && uri.indexOf(UPLOADS) < 0;
  const reader = uri === '/token' ? 'token' : read ? 'registry' : '';
  if (READS === 'api' || request.method !== 'GET' || !reader) return;
  if (given) request.headers[OURS + 'authorization'] = given;
  delete request.headers.authorization;
  const group = [{ originId: reader }, { originId: 'api' }];
  cf.createRequestOriginGroup({ originIds: group, failoverCriteria: { statusCodes: [403] } });
}

// Tells the origin the viewer's host and address. It believes them beside the secret that CloudFront adds.
function introduce(event) {
  const headers = event.request.headers;
  if (headers.host) set(headers, OURS + 'host', headers.host.value);
  set(headers, OURS + 'address', event.viewer.ip);
}

// Name and id, if the path is exactly an upload's URL: nothing encoded, doubled or dotted. Otherwise null.
function uploadOf(uri) {
  const at = uri.lastIndexOf(UPLOADS);
  if (at < 5 || at > 259 || uri.indexOf('/v2/') !== 0) return null;
  const name = uri.slice(4, at);
  const id = uri.slice(at + UPLOADS.length);
  return NAME.test(name) && UPLOAD_ID.test(id) ? { name: name, id: id } : null;
}

// The body's length in bytes; 0 for no body or a chunked one; -1 if the headers contradict each other.
function bodyLength(headers) {
  const sized = headers['content-length'];
  const coded = headers['transfer-encoding'];
  if (coded && (sized || coded.multiValue || coded.value.toLowerCase() !== 'chunked')) return -1;
  if (!sized) return 0;
  if (sized.multiValue && sized.multiValue.length > 1) return -1;
  return /^[0-9]{1,15}$/.test(sized.value) ? Number(sized.value) : -1;
}

// Every value of every query parameter, decoded once; what cannot be decoded stays as it is.
function parameters(text) {
  const found = Object.create(null);
  (text || '').split('&').forEach((pair) => {
    const at = pair.indexOf('=');
    const name = decoded(at < 0 ? pair : pair.slice(0, at));
    if (!found[name]) found[name] = [];
    found[name].push(at < 0 ? '' : decoded(pair.slice(at + 1)));
  });
  return found;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    return text;
  }
}

// The payload of an upload token that one of `keys` (base64 by id) has signed, or null. The runtime has no comparison in
// constant time, so MACs of the two MACs are compared, whose timing tells a guesser nothing.
function readToken(text, keys) {
  const parts = text.split('.');
  if (parts.length !== 3 || !Object.prototype.hasOwnProperty.call(keys, parts[0])) return null;
  const key = Buffer.from(keys[parts[0]], 'base64');
  const expected = mac(key, parts[0] + '.' + parts[1]);
  if (mac(key, expected) !== mac(key, parts[2])) return null;
  try {
    return JSON.parse(Buffer.from(parts[1], 'base64url').toString());
  } catch (error) {
    return null;
  }
}

function mac(key, text) {
  return crypto.createHmac('sha256', key).update(text).digest('base64url');
}

// Who uploads, for the audit trail, since an S3 event does not say: subject, kind and token id.
function actorOf(token) {
  return Buffer.from(JSON.stringify({ s: token.s, k: token.k, j: token.j })).toString('base64url');
}

// A line in the log of this function, of which CloudWatch makes a metric: nothing else sees what is answered here. The
// path was checked, and holds no token.
function tell(event, what) {
  console.log(what + ' ' + event.viewer.ip + ' ' + event.request.uri);
}

function unknown(message) {
  return refuse(404, 'BLOB_UPLOAD_UNKNOWN', message);
}

function refuse(status, code, message) {
  const response = failure(status, code, message);
  set(response.headers, 'cache-control', 'no-store');
  return response;
}

// As functions/hosting/boundary.py has it.
function failure(status, code, message) {
  const headers = {};
  set(headers, 'content-type', 'application/json');
  set(headers, 'x-content-type-options', 'nosniff');
  if (SCHEME === 'https') set(headers, 'strict-transport-security', 'max-age=31536000');
  const data = JSON.stringify({ errors: [{ code: code, message: message }] });
  return { statusCode: status, headers: headers, body: { encoding: 'text', data: data } };
}
