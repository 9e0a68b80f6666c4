import { RotateCcw, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useOne, useRows } from '../../api/queries';
import { finished, restore } from '../../api/trash';
import type { TrashUnit } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { shortDigest } from '../../lib/format';
import { to } from '../../lib/place';
import { Button, IconButton } from '../../ui/controls';
import { Header, Table, Time, Waiting } from '../../ui/data';
import { Confirm } from '../../ui/dialogs';
import { Empty, Failure } from '../../ui/feedback';
import type { TabProps } from '../project';

const KINDS: Record<TrashUnit['kind'], Message> = {
  tag: 'tag',
  manifest: 'type.other',
  artifact: 'type.other',
  repository: 'repository',
};
const PAGE = 100; // units of one page, as the registry has it
const DAY = 86_400;

/** What was deleted, and can still come back. */
export function Trash({ project, may }: TabProps) {
  const { t, n } = useTexts();
  const { query, hrefWith, route } = useAddress();
  const before = query.get('before');
  const [removing, setRemoving] = useState<TrashUnit | 'all' | null>(null);
  const trash = useRows<TrashUnit>(['trash', project, before], () =>
    api.GET('/api/roadstead/v1/projects/{project}/trash', {
      params: { path: { project }, query: { before: before ?? undefined } },
    }),
  );
  const grace = useOne(['trash-grace', project], () =>
    api.GET('/api/roadstead/v1/projects/{project}/trash-grace', { params: { path: { project } } }),
  );
  const bring = useAction((unit: TrashUnit) => restore(project, unit.id), {
    refresh: ['trash', 'tags', 'repositories', 'artifact'],
    done: (unit) => t('trash.restored', { name: nameOf(unit) }),
  });
  const remove = useAction(
    async (unit: TrashUnit | 'all') => {
      const { response } =
        unit === 'all'
          ? await api.DELETE('/api/roadstead/v1/projects/{project}/trash', { params: { path: { project } } })
          : await api.DELETE('/api/roadstead/v1/projects/{project}/trash/{unit}', { params: { path: { project, unit: unit.id } } });
      await finished(response);
    },
    {
      refresh: ['trash'],
      done: t('trash.emptied'),
      then: () => {
        setRemoving(null);
        route(to.project(project, 'trash'), true);
      },
    },
  );
  const setGrace = useAction(
    (seconds: number) =>
      api.PUT('/api/roadstead/v1/projects/{project}/trash-grace', { params: { path: { project } }, body: { seconds } }),
    { refresh: ['trash-grace'], done: t('trash.grace.changed') },
  );
  const rows = trash.data?.rows ?? [];
  const last = rows.at(-1);
  const days = (grace.data?.seconds ?? 0) / DAY;
  const choices = [...new Set([0, 1, 7, 14, 30, 90, days])].sort((a, b) => a - b);
  return (
    <>
      <div class="bar">
        <label class="row">
          <span class="muted">{t('trash.grace')}</span>
          <select
            style={{ width: 'auto' }}
            value={grace.data ? days : ''}
            disabled={!grace.data || !may('emptyTrash') || setGrace.isPending}
            onChange={(event) => setGrace.mutate(Number(event.currentTarget.value) * DAY)}
          >
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice === 0 ? t('trash.grace.none') : n('days', choice)}
              </option>
            ))}
          </select>
        </label>
        <span class="space" />
        {may('emptyTrash') && (
          <Button kind="harm" icon={Trash2} disabled={!rows.length} onClick={() => setRemoving('all')}>
            {t('trash.empty')}
          </Button>
        )}
      </div>
      {bring.isError && <Failure error={bring.error} />}
      {setGrace.isError && <Failure error={setGrace.error} />}
      {trash.isError ? (
        <Failure error={trash.error} retry={() => void trash.refetch()} />
      ) : trash.isSuccess && rows.length === 0 ? (
        <div class="card">
          <Empty title={t('trash.none')}>
            <p>{t('trash.none.hint')}</p>
          </Empty>
        </div>
      ) : (
        <Table
          label={t('trash')}
          waiting={trash.isPlaceholderData}
          head={
            <>
              <Header>{t('name')}</Header>
              <Header kind="mid">{t('trash.with')}</Header>
              <Header kind="mid">{t('trash.deleted')}</Header>
              <Header kind="mid">{t('trash.until')}</Header>
              <th>
                <span class="visually-hidden">{t('actions')}</span>
              </th>
            </>
          }
        >
          {trash.isPending && <Waiting columns={5} rows={3} />}
          {rows.map((unit) => (
            <tr key={unit.id}>
              <td>
                <span class="name">{nameOf(unit)}</span> <span class="badge">{t(KINDS[unit.kind])}</span>
                <div class="small muted on-phone">
                  {t('trash.until')} <Time at={unit.expires} />
                </div>
              </td>
              <td class="mid">
                <span class="badges">
                  {unit.kind !== 'tag' &&
                    unit.tags.slice(0, 3).map((tag) => (
                      <span class="badge accent" key={tag}>
                        {tag}
                      </span>
                    ))}
                  {unit.kind !== 'tag' && unit.tag_count > 3 && <span class="badge">+{unit.tag_count - 3}</span>}
                </span>
              </td>
              <td class="mid">
                <Time at={unit.deleted} /> <span class="muted">· {unit.deleted_by}</span>
              </td>
              <td class="mid">
                <Time at={unit.expires} />
              </td>
              <td class="act">
                <Button
                  kind="small"
                  icon={RotateCcw}
                  disabled={bring.isPending}
                  aria-label={t('trash.restore.name', { name: nameOf(unit) })}
                  onClick={() => bring.mutate(unit)}
                >
                  {t('trash.restore')}
                </Button>{' '}
                {may('emptyTrash') && (
                  <IconButton icon={Trash2} label={t('trash.remove', { name: nameOf(unit) })} onClick={() => setRemoving(unit)} />
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {(before || rows.length === PAGE) && (
        <nav class="pager" aria-label={t('pages')}>
          <span class="space" />
          {before && (
            <a class="button small" href={hrefWith({ before: null })}>
              {t('pages.first')}
            </a>
          )}
          {rows.length === PAGE && last && (
            <a class="button small" rel="next" href={hrefWith({ before: last.id })}>
              {t('pages.next')}
            </a>
          )}
        </nav>
      )}
      {removing && (
        <Confirm
          title={removing === 'all' ? t('trash.empty') : t('trash.remove', { name: nameOf(removing) })}
          verb={t('trash.forGood')}
          onClose={() => setRemoving(null)}
          action={remove}
          go={() => remove.mutate(removing)}
        >
          <p>{t('trash.forGood.hint')}</p>
        </Confirm>
      )}
    </>
  );
}

/** `api:v1`, `api@sha256:0a…` or `api`: without the project, which the page names. */
function nameOf(unit: TrashUnit): string {
  const name = unit.repository.slice(unit.repository.indexOf('/') + 1);
  if (unit.kind === 'repository') return name;
  return unit.kind === 'tag' && unit.tags[0] ? `${name}:${unit.tags[0]}` : `${name}@${shortDigest(unit.digest)}`;
}
