import { describe, expect, test, vi } from 'vitest';
import { copyText } from '../src/lib/clipboard';
import { pullCommands } from '../src/lib/commands';
import { agentName } from '../src/lib/agent';
import { absolute, bytes, dollars, relative, shortDigest, timeOf } from '../src/lib/format';
import { backOf, placeOf, splitName, to } from '../src/lib/place';
import { hitsOf } from '../src/lib/hits';
import { may } from '../src/lib/roles';
import { linesOf } from '../src/pages/artifact/layers';
import { layerRows } from '../src/pages/compare';
import { timesOf } from '../src/parts/activity';
import { grantOf, isReady, permissionOf, presetOf, usualGrant } from '../src/parts/robots/grants';
import { claimsOf, linesOf as linesOfClaims } from '../src/parts/robots/trust';
import { filled, preferred } from '../src/i18n';

describe('places', () => {
  test.each([
    ['/ui', { page: 'home' }],
    ['/ui/', { page: 'home' }],
    ['/ui/projects', { page: 'projects' }],
    ['/ui/projects/x', { page: 'unknown' }],
    ['/ui/search', { page: 'search' }],
    ['/ui/search/x', { page: 'unknown' }],
    ['/ui/p/ships', { page: 'project', project: 'ships', tab: 'repositories' }],
    ['/ui/p/ships/members', { page: 'project', project: 'ships', tab: 'members' }],
    ['/ui/p/ships/r/a/b/c', { page: 'repository', project: 'ships', repository: 'a/b/c', tab: 'tags' }],
    ['/ui/p/ships/r/a/b/-/info', { page: 'repository', project: 'ships', repository: 'a/b', tab: 'info' }],
    ['/ui/p/ships/r/a/-/a/v1.0', { page: 'artifact', project: 'ships', repository: 'a', reference: 'v1.0' }],
    ['/ui/p/ships/r/a/-/compare/v1/v2', { page: 'compare', project: 'ships', repository: 'a', left: 'v1', right: 'v2' }],
    ['/ui/admin/users', { page: 'administration', tab: 'users' }],
    ['/ui/p/%E0%A4%A', { page: 'project', project: '%E0%A4%A', tab: 'repositories' }],
    ['/ui/nothing', { page: 'unknown' }],
  ])('%s is read', (path, place) => {
    expect(placeOf(path)).toEqual(place);
  });

  test('a path that is written is read as what it was written for', () => {
    const digest = `sha256:${'0a'.repeat(32)}`;
    expect(placeOf(to.artifact('ships', 'a/b/c', digest))).toEqual({ page: 'artifact', project: 'ships', repository: 'a/b/c', reference: digest });
    expect(placeOf(to.compare('ships', 'a/b', 'v1', digest))).toMatchObject({ left: 'v1', right: digest });
  });

  test.each(['https://evil.example', '//evil.example', '/\\evil.example', '/uix', 'javascript:alert(1)', '/ui\\..', undefined])(
    'signing in never leads to %s',
    (back) => {
      expect(backOf(back)).toBe('/ui');
    },
  );

  test('signing in leads back to a page of the console', () => {
    expect(backOf('/ui/p/ships?q=a')).toBe('/ui/p/ships?q=a');
  });

  test('a full name is the project and the rest', () => {
    expect(splitName('ships/a/b')).toEqual(['ships', 'a/b']);
  });
});

describe('formats', () => {
  test.each([
    [0, '$0.00'],
    [0.0004, '< $0.01'],
    [0.01, '$0.01'],
    [1234.567, '$1,234.57'],
  ])('%d dollars are %s', (amount, text) => {
    expect(dollars(amount, 'en')).toBe(text);
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KiB'],
    [1536, '1.50 KiB'],
    [12_900_000, '12.3 MiB'],
    [5 * 1024 ** 4, '5.00 TiB'],
  ])('%d bytes are %s', (size, text) => {
    expect(bytes(size, 'en')).toBe(text);
  });

  test('a time is told relative to now, in the reader’s language', () => {
    const now = new Date('2026-11-26T12:00:00Z');
    expect(relative(new Date('2026-11-26T10:00:00Z'), now, 'en')).toBe('2 hours ago');
    expect(relative(new Date('2026-11-25T12:00:00Z'), now, 'en')).toBe('yesterday');
    expect(relative(new Date('2026-11-26T11:59:50Z'), now, 'en')).toBeNull();
    expect(relative(new Date('2027-02-24T11:00:00Z'), now, 'en')).toBe('in 3 months');
    expect(relative(new Date('2026-11-26T10:05:00Z'), now, 'en')).toBe('1 hour ago');
    expect(relative(new Date('2026-11-26T10:00:00Z'), now, 'zh-Hant')).toBe('2 小時前');
    expect(absolute(now, 'en')).toMatch(/2026/);
  });

  test('Harbor’s year 1 is no time', () => {
    expect(timeOf('0001-01-01T00:00:00.000Z')).toBeNull();
    expect(timeOf('')).toBeNull();
    expect(timeOf('nonsense')).toBeNull();
    expect(timeOf('2026-11-26T12:00:00.000Z')).toEqual(new Date('2026-11-26T12:00:00Z'));
  });

  test('a digest is cut to twelve digits', () => {
    expect(shortDigest('sha256:0123456789abcdef')).toBe('sha256:0123456789ab');
  });

  test('values are filled in once: a value that looks like one stays text', () => {
    expect(filled('{name} is {role}', { name: '{role}', role: 'x' })).toBe('{role} is x');
    expect(filled('{unknown}')).toBe('{unknown}');
  });

  test('a value turns no words around that follow it', () => {
    expect(filled('{name} is deleted', { name: 'a\u202eb\u2069' })).toBe('ab is deleted');
  });

  test('text of the browser that names no language is ignored', () => {
    const languages = vi.spyOn(navigator, 'languages', 'get');
    languages.mockReturnValue(['en-US@posix', 'zh-TW']);
    expect(preferred()).toBe('zh-Hant');
    languages.mockReturnValue(['C']);
    expect(preferred()).toBe('en');
    languages.mockRestore();
  });
});

describe('pull commands', () => {
  const name = 'registry.example/ships/api';
  test('a tag is pulled by its tag, anything else by its digest', () => {
    expect(pullCommands(name, 'v1', 'sha256:00', '')[0]).toEqual(['docker', `docker pull ${name}:v1`]);
    expect(pullCommands(name, null, 'sha256:00', '')[0]).toEqual(['docker', `docker pull ${name}@sha256:00`]);
  });
  test('a chart is pulled by Helm, which writes a plus where a tag has an underscore', () => {
    const [first] = pullCommands(name, '1.0.0_build1', 'sha256:00', 'application/vnd.cncf.helm.config.v1+json');
    expect(first).toEqual(['helm', `helm pull oci://${name} --version 1.0.0+build1`]);
  });
});

test('a text is copied where the browser has no clipboard for the page, and the focus stays', async () => {
  Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });
  document.body.innerHTML = '<button>copy</button>';
  const button = document.querySelector('button');
  button?.focus();
  let copied = '';
  document.execCommand = () => {
    copied = (document.activeElement as HTMLTextAreaElement).value;
    return true;
  };
  await copyText('docker pull x');
  expect([copied, document.activeElement, document.querySelector('textarea')]).toEqual(['docker pull x', button, null]);
  document.execCommand = () => false;
  await expect(copyText('x')).rejects.toThrow();
});

describe('roles', () => {
  test('a developer writes retention, and does not see which tags never change', () => {
    expect([may('editRetention', 2, false), may('seeImmutability', 2, false), may('seeImmutability', 4, false)]).toEqual([true, false, true]);
  });

  test('a developer pushes and does not remove', () => {
    expect(may('push', 2, false)).toBe(true);
    expect(may('remove', 2, false)).toBe(false);
  });
  test('a system administrator may everything, somebody without a role nothing', () => {
    expect(may('editMembers', undefined, true)).toBe(true);
    expect(may('push', undefined, false)).toBe(false);
  });
});

describe('programs that have a session', () => {
  test.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox 145 · Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0', 'Edge 142 · Windows'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', 'Safari 18 · macOS'],
    ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36', 'Chrome 142 · Android'],
    ['curl/8.9.1', 'curl/8.9.1'],
    ['', ''],
  ])('%s', (text, name) => expect(agentName(text)).toBe(name));
});

describe('layers', () => {
  const layer = (name: string, size = 1) => ({ digest: `sha256:${name}`, media_type: 'tar', size });

  test('stand beside the steps that made them, with settings between', () => {
    const steps = [{ created_by: 'ADD x' }, { created_by: 'ENV a=b', empty_layer: true }, { created_by: '/bin/sh -c #(nop)  COPY y' }];
    expect(linesOf([layer('a'), layer('b')], steps)).toEqual([
      { layer: layer('a'), text: 'ADD x' },
      { layer: null, text: 'ENV a=b' },
      { layer: layer('b'), text: 'COPY y' },
    ]);
  });

  test('stand alone where the build tells of another number of them', () => {
    expect(linesOf([layer('a')], [])).toEqual([{ layer: layer('a'), text: '' }]);
    expect(linesOf([layer('a')], [{ created_by: 'x' }, { created_by: 'y' }])).toEqual([{ layer: layer('a'), text: '' }]);
  });

  test('are compared by their digests', () => {
    const rows = layerRows([layer('base'), layer('old')], [layer('base'), layer('new')]);
    expect(rows.map((row) => [row.mark, row.layer.digest])).toEqual([
      [' ', 'sha256:base'],
      ['-', 'sha256:old'],
      ['+', 'sha256:new'],
    ]);
  });
});

test('what a search finds leads to its pages', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const hits = hitsOf({
    projects: [{ name: 'ships', project_id: 1, public: true }],
    repositories: [{ name: 'ships/a/b', project_id: 1, public: true }],
    tags: [{ repository: 'ships/a/b', name: 'v1', digest, push_time: '' }],
    artifacts: [
      { repository: 'ships/a/b', digest, is_manifest: true },
      { repository: 'ships/c', digest, is_manifest: false },
    ],
    labels: [
      { id: 7, name: 'a&b', color: '#123', scope: 'p', project: 'ships' },
      { id: 8, name: 'c', color: '', scope: 'g', project: null },
    ],
    more: [],
  });
  expect(hits.map((hit) => [hit.kind, hit.href])).toEqual([
    ['artifact', `/ui/p/ships/r/a/b/-/a/sha256%3A${'ab'.repeat(32)}`],
    ['blob', '/ui/p/ships/r/c'],
    ['tag', '/ui/p/ships/r/a/b/-/a/v1'],
    ['project', '/ui/p/ships'],
    ['repository', '/ui/p/ships/r/a/b'],
    ['label', '/ui/search?label=7&name=a%26b&project=ships'],
    ['label', '/ui/search?label=8&name=c'],
  ]);
});

describe('what a robot may do', () => {
  const access = [
    { resource: 'repository', action: 'pull' },
    { resource: 'repository', action: 'push' },
  ];

  test('is shown and saved as it came', () => {
    for (const permission of [
      { kind: 'project' as const, namespace: 'ships', access, repositories: ['team-a/**', 'base'] },
      { kind: 'project' as const, namespace: '*', access, repositories: [] },
      { kind: 'system' as const, namespace: '/', access: [{ resource: 'user', action: 'list' }], repositories: [] },
    ])
      expect(permissionOf(grantOf(permission))).toEqual(permission);
  });

  test('is a usual set of rights whatever their order', () => {
    expect(presetOf(['repository:push', 'repository:pull'])).toBe(1);
    expect(presetOf(['repository:push'])).toBe(3);
    expect(presetOf([])).toBe(3);
  });

  test('is complete with a place and a right in each', () => {
    expect(isReady([usualGrant('ships')])).toBe(true);
    expect(isReady([])).toBe(false);
    expect(isReady([usualGrant('ships'), usualGrant(' ')])).toBe(false);
    expect(isReady([{ ...usualGrant('*'), rights: new Set() }])).toBe(false);
  });

  test('claims of a rule are lines', () => {
    const claims = { sub: 'repo:team/app:ref=refs/heads/*', repository: 'team/app' };
    expect(claimsOf(linesOfClaims(claims))).toEqual(claims);
    expect(claimsOf(' repository = team/app \n\nsub')).toEqual({ repository: 'team/app', sub: '' });
  });
});

test('days of the trail are asked for in UTC, from their first second to their last', () => {
  const utc = (text: string) => new Date(text).toISOString().slice(0, 19);
  expect(timesOf('2026-11-01', '2026-11-02')).toBe(`op_time=[${utc('2026-11-01T00:00:00')}~${utc('2026-11-02T23:59:59')}]`);
  expect(timesOf('2026-11-01', null)).toBe(`op_time=[${utc('2026-11-01T00:00:00')}~]`);
  expect(timesOf(null, null)).toBeUndefined();
  expect(timesOf('x', '')).toBeUndefined();
});
