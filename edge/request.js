// The viewer-request function of the registry's distribution: looks at every request, decides which origin gets it and
// what that origin may see. CloudFront Functions runtime 2.0; README.md has the table this follows, and its limits.
//
// The distribution's default origin is the API. So what this function does not recognise goes to the API untouched but
// for our own headers, and nothing reaches S3 unless `toBlobs` below sends it there.
import cf from 'cloudfront';
import crypto from 'crypto';

const BLOBS = 'blobs'; // the ids of the other two origins in the distribution
const RELAY = 'relay';
const DIRECT_LIMIT = 5368709120; // bytes: the largest single PUT that S3 takes
const API_LIMIT = 4500000; // bytes: a Lambda event of 6 MB carries the body in base64, beside the headers
const ACTOR_LIMIT = 1024; // characters of metadata; S3 takes 2 KB of it, names and all
const OURS = 'x-roadstead-';
const READ_ONLY = ['cdn-loop', 'content-length', 'host', 'transfer-encoding', 'via']; // touching one is a 502

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const UPLOAD_ID = /^[0-9a-f]{32}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const UPLOADS = '/blobs/uploads/';

async function handler(event) {
  const request = event.request;
  removeOurs(request.headers);
  const length = bodyLength(request.headers);
  if (length < 0) return refuse(400, 'UNSUPPORTED', 'the request says twice, or wrongly, how long its body is');

  const upload = uploadOf(request.uri);
  if (!upload) return toApi(event, length);

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
  if (!token) return unknown('the upload token was not made by this registry; start the upload again');
  if (token.r !== upload.name || token.i !== upload.id) return unknown('the upload token belongs to another upload');
  if (!(token.e > Date.now() / 1000)) return unknown('the upload has expired; start it again');

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

function removeOurs(headers) {
  Object.keys(headers).forEach((name) => {
    if (name.indexOf(OURS) === 0) delete headers[name];
  });
}

// Straight to S3. The headers are made anew, so that no credential, no x-amz- header and no encoding of the client's
// gets through. No If-None-Match: the same PUT, repeated after a lost answer, must succeed, and the key and the
// checksum together leave it nothing else to write than the same bytes.
function toBlobs(request, upload, digest, actor) {
  const algorithm = digest.slice(0, 6);
  const hex = digest.slice(7);
  const kept = {};
  READ_ONLY.forEach((name) => {
    if (request.headers[name]) kept[name] = request.headers[name];
  });
  kept['content-type'] = { value: 'application/octet-stream' };
  kept['x-amz-checksum-' + algorithm] = { value: Buffer.from(hex, 'hex').toString('base64') };
  // What origin access control may sign as the body's hash. S3 knows only SHA-256 there.
  kept['x-amz-content-sha256'] = { value: algorithm === 'sha256' ? hex : 'UNSIGNED-PAYLOAD' };
  kept['x-amz-meta-repository'] = { value: upload.name };
  kept['x-amz-meta-actor'] = { value: actor };
  const place = crypto.createHash('sha256').update(upload.name).digest('hex').slice(0, 32);
  request.uri = '/blobs/' + algorithm + '/' + hex + '/' + place + '/' + upload.id;
  request.querystring = {};
  request.headers = kept;
  request.cookies = {};
  cf.selectRequestOriginById(BLOBS);
  return request;
}

// The relay goes by the upload token alone; what else a careless client sent stays here.
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
  return event.request;
}

// By which name and from where the viewer came. The API believes it beside the secret that CloudFront adds.
function introduce(event) {
  const host = event.request.headers.host;
  if (host) event.request.headers[OURS + 'host'] = { value: host.value };
  event.request.headers[OURS + 'address'] = { value: event.viewer.ip };
}

// Name and id, if the path is an upload's URL letter by letter. What is encoded, doubled or dotted is none.
function uploadOf(uri) {
  const at = uri.lastIndexOf(UPLOADS);
  if (at < 5 || at > 259 || uri.indexOf('/v2/') !== 0) return null;
  const name = uri.slice(4, at);
  const id = uri.slice(at + UPLOADS.length);
  return NAME.test(name) && UPLOAD_ID.test(id) ? { name: name, id: id } : null;
}

// The body's length in bytes; 0 when there is none or it is chunked; -1 when the headers contradict each other.
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

// The payload of an upload token that one of `keys` (base64 by id) has signed, else null. The runtime promises no
// comparison in constant time, so what is compared are MACs of the two MACs, which tell a guesser nothing.
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

// Who uploads, for the audit trail, which an S3 event does not know: subject, kind and token id.
function actorOf(token) {
  return Buffer.from(JSON.stringify({ s: token.s, k: token.k, j: token.j })).toString('base64url');
}

function unknown(message) {
  return refuse(404, 'BLOB_UPLOAD_UNKNOWN', message);
}

function refuse(status, code, message) {
  return {
    statusCode: status,
    headers: { 'content-type': { value: 'application/json' }, 'cache-control': { value: 'no-store' } },
    body: { encoding: 'text', data: JSON.stringify({ errors: [{ code: code, message: message }] }) },
  };
}
