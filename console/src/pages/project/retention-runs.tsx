import { ChevronRight, ScrollText, Square } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { FOLLOW, useAction } from '../../api/queries';
import type { RetentionExecution, RetentionTask } from '../../api/types';
import { useTexts } from '../../i18n';
import { isUnderWay, Log, RunState } from '../../parts/log';
import { IconButton } from '../../ui/controls';
import { Time } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import { usePages } from '../../ui/listing';

const SHOWN = 5; // runs of a page
const REPOSITORIES = 25; // of a page of a run

/** The last runs of a project's rules; each opens to say what stayed and went in which repository. */
export function RetentionRuns({ id, there, edit }: { id: number; there: boolean; edit: boolean }) {
  const { t } = useTexts();
  const runs = usePages<RetentionExecution>(
    ['retention-runs', id],
    SHOWN,
    (query) => api.GET('/api/v2.0/retentions/{id}/executions', { params: { path: { id: String(id) }, query } }),
    { enabled: there, watch: (rows) => rows.some((one) => isUnderWay(one.status)) && FOLLOW },
  );
  if (runs.isLoading) return <span class="coming" hidden />;
  if (!runs.data?.rows.length) return null;
  return (
    <>
      <ul class="rules" aria-label={t('retention.runs')}>
        {runs.data.rows.map((run) => (
          <Run key={run.id} id={id} run={run} edit={edit} />
        ))}
      </ul>
      {runs.pager}
    </>
  );
}

function Run({ id, run, edit }: { id: number; run: RetentionExecution; edit: boolean }) {
  const { t, n } = useTexts();
  const [open, setOpen] = useState(false);
  const [read, setRead] = useState<RetentionTask | null>(null);
  const path = { id: String(id), eid: String(run.id) };
  const stop = useAction(() => api.PATCH('/api/v2.0/retentions/{id}/executions/{eid}', { params: { path }, body: { action: 'stop' } }), {
    refresh: ['retention-runs'],
    done: t('run.stopping'),
  });
  const tasks = usePages<RetentionTask>(
    ['retention-runs', id, run.id],
    REPOSITORIES,
    (query) =>
      api.GET('/api/v2.0/retentions/{id}/executions/{eid}/tasks', { params: { path, query } }),
    { enabled: open, watch: () => isUnderWay(run.status) && FOLLOW },
  );
  const how = t(run.dry_run ? 'retention.dryRun' : run.trigger === 'Schedule' ? 'retention.bySchedule' : 'retention.byHand');
  return (
    <li style={{ flexWrap: 'wrap' }}>
      <button type="button" class="twist" aria-expanded={open} aria-label={how} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden="true" />
      </button>
      <RunState status={run.status} />
      <span class="sentence">{how}</span>
      <span class="muted small">
        <Time at={run.start_time} />
      </span>
      {edit && isUnderWay(run.status) && <IconButton icon={Square} label={t('run.stop')} disabled={stop.isPending} onClick={() => stop.mutate()} />}
      {stop.isError && <Failure error={stop.error} />}
      {open && (
        <div style={{ flexBasis: '100%', paddingLeft: '34px' }}>
          {tasks.isError && <Failure error={tasks.error} />}
          <ul class="verdicts" style={{ paddingLeft: 0 }}>
            {tasks.data?.rows.map((task) => (
              <li key={task.id}>
                <span class="name">{task.repository}</span>
                <span class="muted small">
                  {n('retention.stay', task.retained)} · {n('retention.go', task.total - task.retained)}
                </span>
                <IconButton icon={ScrollText} label={t('retention.log', { repository: task.repository })} onClick={() => setRead(task)} />
              </li>
            ))}
            {tasks.data?.rows.length === 0 && <li class="muted">{t('retention.runs.none')}</li>}
          </ul>
          {tasks.pager}
        </div>
      )}
      {read && (
        <Log
          title={read.repository}
          of={['retention-runs', id, run.id, 'log', read.id]}
          read={() => api.GET('/api/v2.0/retentions/{id}/executions/{eid}/tasks/{tid}', { params: { path: { ...path, tid: String(read.id) } }, parseAs: 'text' })}
          onClose={() => setRead(null)}
        />
      )}
    </li>
  );
}
