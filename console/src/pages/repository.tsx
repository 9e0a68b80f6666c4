import { BadgeCheck, FileText } from 'lucide-preact';
import { useTags } from '../api/queries';
import { useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import { pullCommands, registryHost } from '../lib/commands';
import { to } from '../lib/place';
import { Command, SMALL } from '../ui/controls';
import { Digest, Filter, Header, Size, Table, Time, Waiting } from '../ui/data';
import { Empty, Failure } from '../ui/feedback';
import { Head } from '../ui/shell';
import { Nowhere } from './nowhere';

const PLATFORMS = 3; // shown in a row of the list

export function Repository({ project, repository, tab }: { project: string; repository: string; tab: string }) {
  const { t } = useTexts();
  const name = `${registryHost()}/${project}/${repository}`;
  return (
    <>
      <Head
        title={repository}
        crumbs={[
          [t('title.projects'), to.projects()],
          [project, to.project(project)],
        ]}
      />
      {tab === 'tags' ? <Tags project={project} repository={repository} name={name} /> : <Nowhere />}
    </>
  );
}

function Tags({ project, repository, name }: { project: string; repository: string; name: string }) {
  const { t, n } = useTexts();
  const { query, hrefWith } = useAddress();
  const prefix = query.get('prefix');
  const after = query.get('after');
  const sort = query.get('sort');
  const tags = useTags(project, repository, { sort, prefix, after });
  const order = prefix ? 'name' : '-pushed';
  const first = tags.data?.rows[0];
  const command = pullCommands(name, first?.name ?? null, '', '')[0]?.[1];
  return (
    <>
      <div class="bar">
        <Filter name="prefix" label={t('tags.filter')} />
        <span class="muted" role="status">
          {tags.data?.total !== null && tags.data?.total !== undefined && n('tags.count', tags.data.total)}
        </span>
        <span class="space" />
        {first && command && !prefix && !after && (
          <div style={{ flex: '0 1 460px', minWidth: 0 }}>
            <Command text={command} />
          </div>
        )}
      </div>
      {tags.isError ? (
        <Failure error={tags.error} retry={() => void tags.refetch()} />
      ) : (
        <Table
          label={t('tags')}
          waiting={tags.isPlaceholderData}
          head={
            <>
              <Header sort="name" by={order}>
                {t('tag')}
              </Header>
              <Header kind="mid">{t('platforms')}</Header>
              <Header kind="number mid">{t('size')}</Header>
              {prefix ? (
                <Header>{t('pushed')}</Header>
              ) : (
                <Header sort="pushed" by={order} down>
                  {t('pushed')}
                </Header>
              )}
              <Header kind="wide">{t('lastPull')}</Header>
              <Header kind="wide">{t('digest')}</Header>
            </>
          }
        >
          {tags.isPending && <Waiting columns={6} />}
          {tags.data?.rows.map((tag) => (
            <tr key={tag.name}>
              <td>
                <span class="with-icon">
                  <a class="name" href={to.artifact(project, repository, tag.name)}>
                    {tag.name}
                  </a>
                  {tag.signed && <BadgeCheck size={SMALL} aria-label={t('signed')} />}
                  {tag.sbom && <FileText size={SMALL} aria-label={t('sbom')} />}
                </span>
              </td>
              <td class="mid">
                <Platforms of={tag.platforms} type={tag.artifact_type} />
              </td>
              <td class="number mid">
                <Size of={tag.size} />
              </td>
              <td>
                <Time at={tag.push_time} />
                {tag.pushed_by && <span class="muted mid"> · {tag.pushed_by}</span>}
              </td>
              <td class="wide">
                <Time at={tag.pull_time} none={t('never')} />
              </td>
              <td class="wide">
                <Digest of={tag.digest} href={to.artifact(project, repository, tag.digest)} />
              </td>
            </tr>
          ))}
          {tags.data?.rows.length === 0 && (
            <tr>
              <td colSpan={6}>
                {prefix ? (
                  <span class="muted">{t('tags.none.prefix', { prefix })}</span>
                ) : (
                  <Empty title={t('tags.none')}>
                    <p>{t('tags.none.hint')}</p>
                  </Empty>
                )}
              </td>
            </tr>
          )}
        </Table>
      )}
      {(after || tags.data?.next) && (
        <nav class="pager" aria-label={t('pages')}>
          <span class="space" />
          {after && (
            <a class="button small" href={hrefWith({ after: null })}>
              {t('pages.first')}
            </a>
          )}
          {tags.data?.next && (
            <a class="button small" rel="next" href={hrefWith({ after: tags.data.next.get('after') })}>
              {t('pages.next')}
            </a>
          )}
        </nav>
      )}
    </>
  );
}

/** The platforms of a multi-architecture image, or what else it is. */
export function Platforms({ of, type }: { of: string[]; type: string }) {
  if (!of.length) return <span class="muted break">{type || '–'}</span>;
  const shown = of.slice(0, PLATFORMS);
  return (
    <span class="badges" title={of.join(', ')}>
      {shown.map((platform) => (
        <span class="badge" key={platform}>
          {platform}
        </span>
      ))}
      {of.length > PLATFORMS && <span class="badge">+{of.length - PLATFORMS}</span>}
    </span>
  );
}
