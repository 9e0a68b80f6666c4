import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** The registry under test: its address, and its first administrator. */
export const REGISTRY = process.env['CONSOLE_REGISTRY'] ?? 'http://127.0.0.1:5000';
export const ADMIN = process.env['CONSOLE_ADMIN'] ?? 'admin';
export const PASSWORD = process.env['CONSOLE_PASSWORD'] ?? '';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const EMPTY = 'application/vnd.oci.empty.v1+json';

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: { os: string; architecture: string; variant?: string };
  annotations?: Record<string, string>;
  artifactType?: string;
}

type Annotations = Record<string, string>;

/** A user of the registry, who speaks its two APIs directly. */
export class Client {
  private readonly basic: string;
  private readonly tokens = new Map<string, string>();

  constructor(
    readonly name = ADMIN,
    password = PASSWORD,
  ) {
    this.basic = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  }

  /** Calls the management API. Throws what it refused. */
  async manage(method: string, path: string, body?: unknown): Promise<Response> {
    const answer = await fetch(`${REGISTRY}/api/${path}`, {
      method,
      headers: { Authorization: this.basic, 'Content-Type': 'application/json', 'X-Is-Resource-Name': 'true' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async blob(repository: string, content: Buffer, mediaType: string): Promise<Descriptor> {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const begun = await this.speak('POST', repository, 'blobs/uploads/');
    const location = new URL(begun.headers.get('location') ?? '', REGISTRY);
    location.searchParams.append('digest', digest);
    const put = await fetch(location, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/octet-stream', Authorization: await this.token(repository) },
      body: new Uint8Array(content),
    });
    if (!put.ok) throw new Error(`blob of ${repository}: ${put.status} ${await put.text()}`);
    return { mediaType, digest, size: content.length };
  }

  async manifest(repository: string, document: object, reference?: string): Promise<Descriptor> {
    const content = Buffer.from(JSON.stringify(document));
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const mediaType = (document as { mediaType: string }).mediaType;
    await this.speak('PUT', repository, `manifests/${reference ?? digest}`, content, mediaType);
    return { mediaType, digest, size: content.length };
  }

  /** Pushes an image with a layer of each of `sizes` bytes, and the history that made them. */
  async image(repository: string, tag: string | undefined, sizes: number[], more: ImageOptions = {}): Promise<Descriptor> {
    const { platform = { os: 'linux', architecture: 'amd64' }, annotations, labels = {}, salt = '' } = more;
    const layers: Descriptor[] = [];
    for (const [index, size] of sizes.entries())
      layers.push(await this.blob(repository, layer(`${repository}${tag ?? ''}${platform.architecture}${salt}${index}`, size), LAYER));
    const created = new Date(Date.UTC(2026, 10, 20, 9, 30)).toISOString();
    const config = {
      created,
      author: 'The build',
      ...platform,
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'PORT=8080'],
        Entrypoint: ['/app/server'],
        Cmd: ['--listen', ':8080'],
        WorkingDir: '/app',
        User: '65532',
        ExposedPorts: { '8080/tcp': {} },
        Labels: { 'org.opencontainers.image.source': 'https://git.example.com/harbour/api', ...labels },
      },
      rootfs: { type: 'layers', diff_ids: layers.map((one) => one.digest) },
      history: [
        ...layers.map((_, index) => ({ created, created_by: STEPS[index % STEPS.length] })),
        { created, created_by: 'ENTRYPOINT ["/app/server"]', empty_layer: true },
      ],
    };
    const described = await this.blob(repository, Buffer.from(JSON.stringify(config)), CONFIG);
    const document = { schemaVersion: 2, mediaType: MANIFEST, config: described, layers, ...(annotations ? { annotations } : {}) };
    return { ...(await this.manifest(repository, document, tag)), platform };
  }

  async index(repository: string, tag: string, manifests: Descriptor[], annotations?: Annotations): Promise<Descriptor> {
    const document = { schemaVersion: 2, mediaType: INDEX, manifests, ...(annotations ? { annotations } : {}) };
    return this.manifest(repository, document, tag);
  }

  /** Pushes an artifact that refers to `subject`, as a signature or an SBOM does. */
  async referrer(repository: string, subject: Descriptor, type: string, content: string, annotations?: Annotations) {
    const config = await this.blob(repository, Buffer.from('{}'), EMPTY);
    const layers = [await this.blob(repository, Buffer.from(content), type)];
    const { mediaType, digest, size } = subject;
    const document = { schemaVersion: 2, mediaType: MANIFEST, artifactType: type, config, layers, subject: { mediaType, digest, size } };
    return this.manifest(repository, { ...document, ...(annotations ? { annotations } : {}) });
  }

  /** Pushes a Helm chart with a README and values. */
  async chart(repository: string, version: string, readme: string, values: string): Promise<Descriptor> {
    const name = repository.split('/').at(-1) ?? '';
    const about = { apiVersion: 'v2', name, version, description: readme.split('\n')[0], type: 'application', appVersion: version };
    const files = { 'Chart.yaml': JSON.stringify(about), 'values.yaml': values, 'README.md': readme }; // JSON is YAML
    const entries = Object.entries(files).map(([file, text]) => entry(`${name}/${file}`, Buffer.from(text)));
    const archive = gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
    const config = await this.blob(repository, Buffer.from(JSON.stringify(about)), 'application/vnd.cncf.helm.config.v1+json');
    const layers = [await this.blob(repository, archive, 'application/vnd.cncf.helm.chart.content.v1.tar+gzip')];
    return this.manifest(repository, { schemaVersion: 2, mediaType: MANIFEST, config, layers }, version);
  }

  async pull(repository: string, reference: string): Promise<void> {
    await this.speak('GET', repository, `manifests/${reference}`);
  }

  private async speak(method: string, repository: string, path: string, body?: Buffer, type?: string): Promise<Response> {
    const answer = await fetch(`${REGISTRY}/v2/${repository}/${path}`, {
      method,
      headers: {
        Authorization: await this.token(repository),
        Accept: `${MANIFEST}, ${INDEX}`,
        ...(type ? { 'Content-Type': type } : {}),
      },
      ...(body ? { body: new Uint8Array(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${repository}/${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  private async token(repository: string): Promise<string> {
    const known = this.tokens.get(repository);
    if (known) return known;
    const query = new URLSearchParams({ service: 'roadstead', scope: `repository:${repository}:pull,push,delete` });
    const answer = await fetch(`${REGISTRY}/token?${query}`, { headers: { Authorization: this.basic } });
    const { token } = (await answer.json()) as { token: string };
    this.tokens.set(repository, `Bearer ${token}`);
    return `Bearer ${token}`;
  }
}

interface ImageOptions {
  platform?: { os: string; architecture: string; variant?: string };
  annotations?: Annotations;
  labels?: Annotations;
  salt?: string;
}

const STEPS = [
  'ADD rootfs.tar.gz / # buildkit',
  'RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata # buildkit',
  'COPY requirements.txt /app/ # buildkit',
  'RUN /bin/sh -c pip install --no-cache-dir -r /app/requirements.txt # buildkit',
  'COPY . /app # buildkit',
];

/** A layer of about `size` bytes: a tar with one file that does not compress. */
function layer(seed: string, size: number): Buffer {
  const content = Buffer.alloc(size);
  let block = createHash('sha512').update(seed).digest();
  for (let at = 0; at < size; at += block.length) {
    block.copy(content, at);
    block = createHash('sha512').update(block).digest();
  }
  return gzipSync(Buffer.concat([entry('app/data', content), Buffer.alloc(1024)]));
}

/** A file in a tar: its header and its content, in blocks of 512 bytes. */
function entry(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
