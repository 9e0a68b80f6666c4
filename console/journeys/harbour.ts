import { Client } from './registry';

export const PEOPLE_PASSWORD = 'Quay-side 7 lanterns';
const KIB = 1024;
const MIB = 1024 * KIB;

const ROBOTS = [
  ['ci', ['pull', 'push'], 90, 'Pushes from the build server'],
  ['cluster', ['pull'], -1, 'Pulls for the production cluster'],
  ['importer', ['pull'], 5, 'Copies to the old registry until it is gone'],
] as const;

/** Fills an empty registry with what a small company has in one. Safe to run again. */
export async function fill(): Promise<void> {
  const admin = new Client();
  const quietly = async (work: Promise<unknown>) => {
    await work.catch((error: Error) => {
      if (!/: 409 /.test(error.message)) throw error;
    });
  };
  for (const username of ['ada', 'brendan', 'mei', 'yusuf'])
    await quietly(admin.manage('POST', 'v2.0/users', { username, password: PEOPLE_PASSWORD, email: `${username}@example.com`, realname: username }));
  for (const [project_name, open] of [['harbour', false], ['charts', false], ['library', true], ['lighthouse', false], ['archive', false]] as const)
    await quietly(admin.manage('POST', 'v2.0/projects', { project_name, metadata: { public: String(open) } }));
  for (const [project, username, role_id] of [['harbour', 'ada', 1], ['harbour', 'brendan', 2], ['harbour', 'mei', 4], ['harbour', 'yusuf', 3], ['charts', 'mei', 1]] as const)
    await quietly(admin.manage('POST', `v2.0/projects/${project}/members`, { role_id, member_user: { username } }));

  for (const [name, rights, duration, description] of ROBOTS)
    await quietly(
      admin.manage('POST', 'v2.0/robots', {
        name,
        level: 'project',
        duration,
        description,
        permissions: [{ kind: 'project', namespace: 'harbour', access: rights.map((action) => ({ resource: 'repository', action })) }],
      }),
    );
  await quietly(
    admin.manage('POST', 'v2.0/projects/harbour/immutabletagrules', {
      action: 'immutable',
      template: 'immutable_template',
      tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '?.*.*' }],
      scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'api' }] },
    }),
  );

  await quietly(
    admin.manage('POST', 'v2.0/projects/harbour/webhook/policies', {
      name: 'deploy',
      enabled: true,
      event_types: ['PUSH_ARTIFACT'],
      targets: [{ type: 'http', address: 'http://127.0.0.1:9/hook', payload_format: 'CloudEvents' }],
    }),
  );
  await quietly(admin.manage('POST', 'v2.0/usergroups', { group_name: 'quay', group_type: 2 }));
  await quietly(admin.manage('POST', 'roadstead/v1/users/current/tokens', { name: 'laptop', access: 'read', duration: 90 }));
  const quotas = (await (await admin.manage('GET', 'v2.0/quotas?page_size=100')).json()) as { id: number; ref: { name: string } }[];
  const harbour = quotas.find((quota) => quota.ref.name === 'harbour');
  if (harbour) await admin.manage('PUT', `v2.0/quotas/${harbour.id}`, { hard: { storage: 20 * MIB } });

  await quietly(admin.manage('POST', 'v2.0/labels', { name: 'approved', description: 'Passed the harbour master', color: '#4d7c0f', scope: 'g' }));
  const { project_id: ref } = (await (await admin.manage('GET', 'v2.0/projects/harbour')).json()) as { project_id: number };
  await admin
    .manage('POST', 'v2.0/retentions', {
      algorithm: 'or',
      scope: { level: 'project', ref },
      trigger: { kind: 'Schedule', settings: { cron: '0 0 3 * * *' } },
      rules: [
        {
          action: 'retain',
          template: 'latestPushedK',
          params: { latestPushedK: 30 },
          tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'build-*', extras: '{"untagged":true}' }],
          scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'nightly' }] },
        },
      ],
    })
    .catch((error: Error) => {
      if (!/: 400 /.test(error.message)) throw error; // it has its policy already
    });

  const ada = new Client('ada', PEOPLE_PASSWORD);
  const mei = new Client('mei', PEOPLE_PASSWORD);
  const brendan = new Client('brendan', PEOPLE_PASSWORD);
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64', variant: 'v8' },
    { os: 'linux', architecture: 's390x' },
  ];
  for (const version of ['1.9.4', '2.0.0', '2.0.1', '2.1.0']) {
    const children = [];
    for (const platform of platforms)
      children.push(await ada.image('harbour/api', undefined, [300 * KIB, 90 * KIB, 4 * KIB], { platform, salt: version }));
    const index = await ada.index('harbour/api', version, children, {
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': '9f2c1e7a55d0b1c4',
      'org.opencontainers.image.source': 'https://git.example.com/harbour/api',
    });
    if (version === '2.1.0') {
      await ada.index('harbour/api', 'latest', children, {
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.revision': '9f2c1e7a55d0b1c4',
        'org.opencontainers.image.source': 'https://git.example.com/harbour/api',
      });
      await ada.referrer('harbour/api', index, 'application/vnd.dev.sigstore.bundle.v0.3+json', '{"mediaType":"bundle"}');
      const sbom = await ada.referrer('harbour/api', index, 'application/spdx+json', '{"spdxVersion":"SPDX-2.3"}');
      await ada.referrer('harbour/api', sbom, 'application/vnd.dev.sigstore.bundle.v0.3+json', '{"mediaType":"of the sbom"}');
    }
  }
  await ada.manage('PUT', 'v2.0/projects/harbour/repositories/api', {
    description: '## Berths and tides\n\nThe API behind the harbour office.\n\n```sh\ndocker run -p 8080:8080 harbour/api\n```\n\n- `TIDE_TABLES`: where the tables are\n',
  });
  for (const [branch, size] of [['main', 700], ['fix-berth-allocation', 712], ['feature-tide-tables', 840]] as const)
    await brendan.image('harbour/web/frontend', branch, [120 * KIB, size * KIB], { labels: { 'com.example.branch': branch } });
  await brendan.image('harbour/web/backend', 'main', [2 * MIB, 30 * KIB], { labels: { team: 'quay' } });
  await brendan.image('harbour/jobs/manifest-importer', '0.3', [64 * KIB]);
  for (let build = 1; build <= 60; build += 1)
    await brendan.image('harbour/nightly', `build-${String(build).padStart(3, '0')}`, [2 * KIB], { salt: String(build % 7) });
  await ada.image('library/alpine', '3.22', [800 * KIB]).catch(async () => admin.image('library/alpine', '3.22', [800 * KIB]));
  await admin.image('library/postgres', '18', [900 * KIB, 400 * KIB, 20 * KIB]);
  await mei.image('charts/tools', '1.0', [10 * KIB]);
  await brendan.image('harbour/web/frontend', 'fix-fog-horn', [50 * KIB]);
  await quietly(mei.manage('DELETE', 'v2.0/projects/harbour/repositories/web%2Ffrontend/artifacts/fix-fog-horn'));
  for (let pull = 0; pull < 5; pull += 1) await brendan.pull('harbour/api', '2.1.0');
  const run = { schedule: { type: 'Manual', cron: '' }, parameters: { delete_untagged: false, dry_run: true, workers: 1 } };
  await quietly(admin.manage('POST', 'v2.0/system/gc/schedule', run));
}
