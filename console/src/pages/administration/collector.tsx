import { Play, ScrollText, Square } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { FOLLOW, PAGE_SIZE, useAction, useOne, useRows, WATCH } from '../../api/queries';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { bytes } from '../../lib/format';
import { isUnderWay, Log, RunState } from '../../parts/log';
import { Button, IconButton } from '../../ui/controls';
import { Header, Time } from '../../ui/data';
import { Empty, Failure } from '../../ui/feedback';
import { Listing } from '../../ui/listing';

const TYPES = ['None', 'Hourly', 'Daily', 'Weekly'] as const;
const CRONS: Record<string, string> = { None: '', Hourly: '0 0 * * * *', Daily: '0 0 0 * * *', Weekly: '0 0 0 * * 0' };

/** The collector, which frees what nothing needs any more: its runs, its schedule, and a run by hand. */
export function Collector() {
  const { t } = useTexts();
  const { page } = useAddress();
  const [dry, setDry] = useState(false);
  const [opened, setOpened] = useState<number | null>(null);
  const schedule = useOne(['collector', 'schedule'], () => api.GET('/api/v2.0/system/gc/schedule', {}));
  const runs = useRows(['collector', page], () => api.GET('/api/v2.0/system/gc', { params: { query: { page, page_size: PAGE_SIZE } } }), {
    watch: (rows) => (rows.some((one) => isUnderWay(one.job_status)) ? FOLLOW : WATCH),
  });
  const parameters = { delete_untagged: false, dry_run: dry, workers: 1 };
  const run = useAction(
    () =>
      api.POST('/api/v2.0/system/gc/schedule', { body: { schedule: { type: 'Manual', cron: '' }, parameters } }),
    { refresh: ['collector'], done: t('collector.started') },
  );
  const change = useAction(
    (type: string) =>
      api.PUT('/api/v2.0/system/gc/schedule', {
        body: { schedule: { type: type as 'None', cron: CRONS[type] ?? '' }, parameters: { ...parameters, dry_run: false } },
      }),
    { refresh: ['collector'], done: t('configuration.saved') },
  );
  const path = (id: number) => ({ params: { path: { gc_id: String(id) } } });
  const stop = useAction((id: number) => api.PUT('/api/v2.0/system/gc/{gc_id}', path(id)), { refresh: ['collector'], done: t('run.stopping') });
  const type = schedule.data?.schedule?.type ?? 'None';
  const error = run.error ?? change.error ?? schedule.error ?? stop.error;
  return (
    <>
      <p class="muted" style={{ marginBottom: '12px' }}>
        {t('collector.hint')}
      </p>
      <div class="bar">
        <label class="row">
          <span class="muted">{t('collector.also')}</span>
          <select
            style={{ width: 'auto' }}
            value={schedule.data ? type : ''}
            disabled={!schedule.data || change.isPending}
            onChange={(event) => change.mutate(event.currentTarget.value)}
          >
            {[...new Set<string>([...TYPES, type])].map((one) => (
              <option key={one} value={one}>
                {one in CRONS ? t(`collector.${one as 'None'}`) : (schedule.data?.schedule?.cron ?? one)}
              </option>
            ))}
          </select>
        </label>
        <span class="space" />
        <label class="choice">
          <input type="checkbox" checked={dry} onChange={(event) => setDry(event.currentTarget.checked)} />
          <span>{t('retention.dryRun')}</span>
        </label>
        <Button icon={Play} disabled={run.isPending} onClick={() => run.mutate()}>
          {t('retention.run')}
        </Button>
      </div>
      {error && <Failure error={error} />}
      <Listing
        label={t('collector')}
        list={runs}
        waiting={4}
        none={<Empty title={t('collector.none')} />}
        head={[
          <Header>{t('collector.state')}</Header>,
          <Header>{t('collector.began')}</Header>,
          <Header kind="mid">{t('collector.kind')}</Header>,
          <Header>{t('collector.freed')}</Header>,
        ]}
        actions
        row={(one) => (
          <tr key={one.id}>
            <td>
              <RunState status={one.job_status} />
            </td>
            <td>
              <Time at={one.creation_time} />
            </td>
            <td class="mid">{t(one.job_kind === 'MANUAL' ? 'retention.byHand' : 'retention.bySchedule')}</td>
            <td>
              <Freed text={one.job_parameters} />
            </td>
            <td class="act">
              {isUnderWay(one.job_status) && (
                <IconButton icon={Square} label={t('run.stop')} disabled={stop.isPending} onClick={() => stop.mutate(one.id)} />
              )}
              <IconButton icon={ScrollText} label={t('run.log')} onClick={() => setOpened(one.id)} />
            </td>
          </tr>
        )}
      />
      {opened !== null && (
        <Log
          title={t('run.log')}
          of={['collector', 'log', opened]}
          read={() => api.GET('/api/v2.0/system/gc/{gc_id}/log', { ...path(opened), parseAs: 'text' })}
          onClose={() => setOpened(null)}
        />
      )}
    </>
  );
}

/** What a run freed, from the text of a JSON object in which Harbor's API keeps it. */
function Freed({ text }: { text: string }) {
  const { t, n, language } = useTexts();
  try {
    const found = JSON.parse(text) as { freed_space?: number; purged_blobs?: number; dry_run?: boolean };
    if (found.freed_space === undefined) return <span class="muted">–</span>;
    return (
      <>
        {bytes(found.freed_space, language)} <span class="muted">· {n('collector.blobs', found.purged_blobs ?? 0)}</span>{' '}
        {found.dry_run && <span class="badge">{t('retention.dryRun')}</span>}
      </>
    );
  } catch {
    return <span class="muted">–</span>;
  }
}
