import type { Artifact } from '../api/types';

/** What the configuration of an image says, as far as it is shown. Everything in it was pushed, so anything may be there. */
export interface ImageFacts {
  created: string | null;
  author: string;
  platform: string;
  user: string;
  workingDirectory: string;
  entrypoint: string;
  command: string;
  ports: string[];
  volumes: string[];
  environment: string[];
  labels: [string, string][];
}

type Loose = Record<string, unknown>;

export function imageFacts(artifact: Artifact): ImageFacts | null {
  const attributes = artifact.extra_attrs as Loose | undefined;
  if (!attributes || typeof attributes['os'] !== 'string') return null;
  const config = record(attributes['config']);
  return {
    created: text(attributes['created']) || null,
    author: text(attributes['author']),
    platform: platformOf(attributes),
    user: text(config['User']),
    workingDirectory: text(config['WorkingDir']),
    entrypoint: words(config['Entrypoint']),
    command: words(config['Cmd']),
    ports: Object.keys(record(config['ExposedPorts'])),
    volumes: Object.keys(record(config['Volumes'])),
    environment: list(config['Env']),
    labels: pairs(config['Labels']),
  };
}

/** `linux/arm64/v8`. */
export function platformOf(platform: Loose | undefined): string {
  const parts = [platform?.['os'], platform?.['architecture'], platform?.['variant']];
  return parts.filter((part) => typeof part === 'string' && part !== '').join('/');
}

/** Names and values, sorted; a value that is no text as JSON. */
export function pairs(value: unknown): [string, string][] {
  return Object.entries(record(value))
    .map(([name, one]): [string, string] => [name, typeof one === 'string' ? one : JSON.stringify(one)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function record(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** The words of a command as a shell would need them quoted. */
function words(value: unknown): string {
  return list(value)
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
