import { BadgeCheck, ChevronRight, FileText, Lock, Trash2 } from 'lucide-preact';
import { Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useProject, useSession, useTags } from '../api/queries';
import type { TagRow } from '../api/types';
import { useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import { pullCommands, registryHost } from '../lib/commands';
import { to } from '../lib/place';
import { may, type Right } from '../lib/roles';
import { Actions, Button, Command, CopyButton, Sign } from '../ui/controls';
import { DeleteRepository } from './repository/delete-repository';
import { DeleteTags } from './repository/delete-tags';
import { Children } from './repository/children';
import { Description } from './repository/description';
import { Untagged } from './repository/untagged';
import { Digest, Filter, Header, Size, Table, Time, toTop, Waiting } from '../ui/data';
import { Empty, Failure } from '../ui/feedback';
import { Head, Tabs as TabBar } from '../ui/shell';
import { Nowhere } from './nowhere';

const PLATFORMS = 3; // shown in a row of the list

export function Repository({ project, repository, tab }: { project: string; repository: string; tab: string }) {
  const { t } = useTexts();
  const session = useSession();
  const found = useProject(project);
  const [deleting, setDeleting] = useState(false);
  const name = `${registryHost()}/${project}/${repository}`;
  const admin = session.data?.admin ?? false;
  const has = (right: Right) => found.isSuccess && may(right, found.data.current_user_role_id, admin);
  const keeper = has('remove');
  return (
    <>
      <Head
        title={repository}
        crumbs={[
          [t('title.projects'), to.projects()],
          [project, to.project(project)],
        ]}
      >
        {keeper && (
          <Actions name={repository} actions={[{ icon: Trash2, text: t('repository.delete'), go: () => setDeleting(true), harm: true }]} />
        )}
      </Head>
      {deleting && <DeleteRepository project={project} repository={repository} onClose={() => setDeleting(false)} />}
      <TabBar
        label={repository}
        now={tab}
        tabs={[
          ['tags', t('tags'), to.repository(project, repository)],
          ['untagged', t('untagged'), to.repository(project, repository, 'untagged')],
          ['info', t('description'), to.repository(project, repository, 'info')],
        ]}
      />
      {tab === 'tags' ? (
        <Tags project={project} repository={repository} name={name} remove={found.isPending ? admin || undefined : keeper} />
      ) : tab === 'untagged' ? (
        <Untagged project={project} repository={repository} />
      ) : tab === 'info' ? (
        <Description project={project} repository={repository} edit={has('describe')} />
      ) : (
        <Nowhere />
      )}
    </>
  );
}

interface TagsProps {
  project: string;
  repository: string;
  name: string;
  /** Whether the reader may delete; undefined while that is asked, since it decides the columns. */
  remove: boolean | undefined;
}

function Tags({ project, repository, name, remove }: TagsProps) {
  const { t, n } = useTexts();
  const { query, hrefWith } = useAddress();
  const prefix = query.get('prefix');
  const after = query.get('after');
  const sort = query.get('sort');
  const tags = useTags(project, repository, { sort, prefix, after });
  const order = prefix ? 'name' : '-pushed';
  const first = tags.data?.rows[0];
  const [chosen, setChosen] = useState<Map<string, TagRow>>(new Map());
  const [deleting, setDeleting] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  useEffect(() => setChosen(new Map()), [prefix, after, sort]);
  const rows = tags.data?.rows ?? [];
  const waiting = tags.isPending || remove === undefined;
  const shown = waiting ? [] : rows;
  const choosable = rows.filter((tag) => !tag.immutable);
  const choose = (wanted: TagRow[], on: boolean) => {
    const next = new Map(chosen);
    for (const tag of wanted)
      if (on) next.set(tag.name, tag);
      else next.delete(tag.name);
    setChosen(next);
  };
  const pullCommand = (tag: TagRow) => pullCommands(name, tag.name, tag.digest, tag.artifact_type)[0]?.[1] ?? '';
  return (
    <>
      <div class="bar">
        <Filter name="prefix" label={t('tags.filter')} />
        <span class="muted" role="status">
          {tags.data?.total !== null && tags.data?.total !== undefined && n('tags.count', tags.data.total)}
        </span>
        <span class="space" />
        {chosen.size > 0 && (
          <Button kind="harm" icon={Trash2} onClick={() => setDeleting(true)}>
            {n('tags.delete', chosen.size)}
          </Button>
        )}
        {chosen.size === 0 && !prefix && !after && (first ?? waiting) && (
          <div style={{ flex: '0 1 460px', minWidth: 0 }}>{first ? <Command text={pullCommand(first)} /> : <div class="command" />}</div>
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
              {remove && (
                <th class="check">
                  <input
                    type="checkbox"
                    aria-label={t('tags.chooseAll')}
                    checked={choosable.length > 0 && choosable.every((tag) => chosen.has(tag.name))}
                    onChange={(event) => choose(choosable, event.currentTarget.checked)}
                  />
                </th>
              )}
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
          {waiting && <Waiting columns={remove ? 7 : 6} />}
          {shown.map((tag) => (
            <Fragment key={tag.name}>
              <tr>
                {remove && (
                  <td class="check">
                    <input
                      type="checkbox"
                      aria-label={t('tags.choose', { tag: tag.name })}
                      disabled={tag.immutable}
                      checked={chosen.has(tag.name)}
                      onChange={(event) => choose([tag], event.currentTarget.checked)}
                    />
                  </td>
                )}
                <td>
                  <span class="with-icon">
                    {tag.platforms.length > 1 && (
                      <button
                        type="button"
                        class="twist"
                        aria-expanded={open === tag.name}
                        aria-label={t('platforms.of', { tag: tag.name })}
                        onClick={() => setOpen(open === tag.name ? null : tag.name)}
                      >
                        <ChevronRight size={14} aria-hidden="true" />
                      </button>
                    )}
                    <a class="name" href={to.artifact(project, repository, tag.name)}>
                      {tag.name}
                    </a>
                    {tag.immutable && <Sign icon={Lock} size={14} label={t('immutable')} />}
                    {tag.signed && <Sign icon={BadgeCheck} label={t('signed')} />}
                    {tag.sbom && <Sign icon={FileText} label={t('sbom')} />}
                    <span class="mid">
                      <CopyButton text={pullCommand(tag)} label={t('copy.pull', { tag: tag.name })} />
                    </span>
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
              {open === tag.name && (
                <tr>
                  <td colSpan={remove ? 7 : 6} style={{ paddingLeft: remove ? '78px' : '42px' }}>
                    <Children project={project} repository={repository} reference={tag.digest} />
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
          {tags.data?.rows.length === 0 && (
            <tr>
              <td colSpan={remove ? 7 : 6}>
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
      {deleting && (
        <DeleteTags
          project={project}
          repository={repository}
          tags={[...chosen.values()]}
          onClose={() => setDeleting(false)}
          then={() => {
            setDeleting(false);
            setChosen(new Map());
          }}
        />
      )}
      {!waiting && (after || tags.data?.next) && (
        <nav class="pager" aria-label={t('pages')}>
          <span class="space" />
          {after && (
            <a class="button small" href={hrefWith({ after: null })} onClick={toTop}>
              {t('pages.first')}
            </a>
          )}
          {tags.data?.next && (
            <a class="button small" rel="next" href={hrefWith({ after: tags.data.next.get('after') })} onClick={toTop}>
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
