import { useProjects, useRows, PAGE_SIZE, useSearch } from '../api/queries';
import { api } from '../api/client';
import type { Artifact } from '../api/types';
import { type Message, useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import { shortDigest } from '../lib/format';
import { type Hit, hitsOf, type Kind, KINDS } from '../lib/hits';
import { splitName, to } from '../lib/place';
import { HitIcon } from '../parts/hit';
import { Digest, Filter, Header, Size, Time } from '../ui/data';
import { Empty, Failure } from '../ui/feedback';
import { Listing } from '../ui/listing';
import { Head } from '../ui/shell';

const SHOWN = 100; // of each kind: what the registry gives at most

const TITLES: Record<Kind, Message> = {
  project: 'title.projects',
  repository: 'repositories',
  tag: 'tags',
  artifact: 'artifacts',
  blob: 'kind.blob',
  label: 'labels',
};

/** Everything that a search finds; or the artifacts that have a label. */
export function Results() {
  const { query } = useAddress();
  const label = Number(query.get('label'));
  return label ? <Labelled label={label} name={query.get('name') ?? ''} project={query.get('project')} /> : <Found text={query.get('q') ?? ''} />;
}

function Found({ text }: { text: string }) {
  const { t } = useTexts();
  const asked = text.trim();
  const found = useSearch(asked, SHOWN);
  const hits = asked && found.data ? hitsOf(found.data) : [];
  const groups = KINDS.map((kind) => [kind, hits.filter((hit) => hit.kind === kind)] as const).filter(([, some]) => some.length);
  return (
    <>
      <Head title={t('title.search')}>
        <Filter name="q" label={t('search.label')} />
      </Head>
      {found.isError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : !asked ? (
        <div class="card">
          <Empty title={t('search.what')}>
            <p>{t('search.ways')}</p>
          </Empty>
        </div>
      ) : found.isSuccess && !groups.length ? (
        <div class="card">
          <Empty title={t('search.none', { text: asked })}>
            <p>{t('search.ways')}</p>
          </Empty>
        </div>
      ) : (
        <div class={`stack${found.isPlaceholderData ? ' waiting' : ''}`}>
          {found.data && found.data.more.length > 0 && <p class="muted">{t('search.more')}</p>}
          {groups.map(([kind, some]) => (
            <Group key={kind} title={t(TITLES[kind])} hits={some} />
          ))}
        </div>
      )}
    </>
  );
}

function Group({ title, hits }: { title: string; hits: Hit[] }) {
  const { language } = useTexts();
  return (
    <section class="card">
      <header>
        <h2>{title}</h2>
        <span class="muted small">{hits.length.toLocaleString(language)}</span>
      </header>
      <ul class="rules">
        {hits.map((hit) => (
          <li key={hit.href}>
            <HitIcon hit={hit} />
            <a class="sentence name" href={hit.href}>
              {hit.text}
            </a>
            {hit.more && <span class="muted small">{hit.more}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The artifacts of a project that have a label; of one of the registry, first in which project. */
function Labelled({ label, name, project }: { label: number; name: string; project: string | null }) {
  const { t } = useTexts();
  const crumbs: [string, string][] = [[t('title.search'), to.search()]];
  if (project) crumbs.push([project, to.project(project)]);
  return (
    <>
      <Head title={t('search.labelled', { name })} crumbs={crumbs} />
      {project ? <Artifacts label={label} project={project} /> : <Where label={label} name={name} />}
    </>
  );
}

function Artifacts({ label, project }: { label: number; project: string }) {
  const { t } = useTexts();
  const { page } = useAddress();
  const artifacts = useRows<Artifact>(['labelled', project, label, page], () =>
    api.GET('/api/v2.0/projects/{project}/artifacts', {
      params: { path: { project }, query: { page, page_size: PAGE_SIZE, q: `labels=(${label})`, with_accessory: false } },
    }),
  );
  return (
    <Listing
      label={t('artifacts')}
      list={artifacts}
      none={<Empty title={t('search.labelled.none')} />}
      head={[
        <Header>{t('repository')}</Header>,
        <Header kind="mid">{t('digest')}</Header>,
        <Header kind="mid number">{t('size')}</Header>,
        <Header>{t('pushed')}</Header>,
      ]}
      row={(one) => {
        const [, repository] = splitName(one.repository_name);
        const tag = one.tags?.[0]?.name;
        return (
          <tr key={`${one.repository_name}${one.digest}`}>
            <td>
              <a class="name" href={to.artifact(project, repository, tag ?? one.digest)}>
                {tag ? `${repository}:${tag}` : `${repository}@${shortDigest(one.digest)}`}
              </a>
            </td>
            <td class="mid">
              <Digest of={one.digest} />
            </td>
            <td class="mid number">
              <Size of={one.size} />
            </td>
            <td>
              <Time at={one.push_time} />
            </td>
          </tr>
        );
      }}
    />
  );
}

function Where({ label, name }: { label: number; name: string }) {
  const { t } = useTexts();
  const { query, page } = useAddress();
  const filter = query.get('q');
  const projects = useProjects({ page, filter, sort: null });
  return (
    <Listing
      label={t('title.projects')}
      list={projects}
      filtered={filter !== null}
      bar={
        <>
          <span class="muted">{t('search.labelled.where')}</span>
          <span class="space" />
          <Filter name="q" label={t('projects.filter')} />
        </>
      }
      head={[<Header>{t('project')}</Header>]}
      row={(one) => (
        <tr key={one.project_id}>
          <td>
            <a class="name" href={to.labelled(label, name, one.name)}>
              {one.name}
            </a>
          </td>
        </tr>
      )}
    />
  );
}
