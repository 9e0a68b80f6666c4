// The viewer-response function: turns S3's response to a whole PUT into the response of the specification, and adds the
// digest to pulls. CloudFront Functions runtime 2.0. CloudFront runs it only for a status below 400.
//
// The documentation does not say whether `event.request` is the viewer's request or the result of the viewer-request
// function. Both work here: S3's key together with the metadata header that request.js set, or the upload's own URL.
const STORED = /^\/blobs\/(?:(sha256)\/([0-9a-f]{64})|(sha512)\/([0-9a-f]{128}))\//;
const UPLOAD = /^\/v2\/([a-z0-9._\/-]{1,255})\/blobs\/uploads\/[0-9a-f]{32}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

function handler(event) {
  const request = event.request;
  const response = event.response;
  if (request.method === 'PUT') {
    return response.statusCode === 200 ? created(request, response) : response;
  }
  if (request.uri.indexOf('/blobs/') === 0) {
    // A pull by signed URL. The key of a streamed upload has no digest: the signed URL has it as a parameter.
    const digest = storedDigest(request.uri) || queriedDigest(request);
    Object.keys(response.headers).forEach((name) => {
      if (name.indexOf('x-amz-') === 0) delete response.headers[name];
    });
    if (digest) response.headers['docker-content-digest'] = { value: digest };
  }
  return response;
}

// Only S3 responds to a PUT on an upload with 200: the API and the relay respond with 201.
function created(request, response) {
  const stored = storedDigest(request.uri);
  const upload = UPLOAD.exec(request.uri);
  const named = request.headers['x-amz-meta-repository'];
  const digest = stored || (upload && queriedDigest(request));
  const repository = stored ? named && named.value : upload && upload[1];
  if (!digest || !repository) return response;
  const kept = {};
  ['date', 'via', 'warning'].forEach((name) => {
    if (response.headers[name]) kept[name] = response.headers[name];
  });
  kept['content-length'] = { value: '0' };
  kept['docker-content-digest'] = { value: digest };
  kept.location = { value: '/v2/' + repository + '/blobs/' + digest };
  response.statusCode = 201;
  response.statusDescription = 'Created';
  response.headers = kept;
  return response;
}

function storedDigest(uri) {
  const match = STORED.exec(uri);
  return match ? (match[1] || match[3]) + ':' + (match[2] || match[4]) : '';
}

function queriedDigest(request) {
  const parameter = request.querystring.digest;
  const digest = parameter ? parameter.value.replace(/^(sha\d{3})%3a/i, '$1:') : '';
  return DIGEST.test(digest) ? digest : '';
}
