import { ChevronRight } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import type { RetentionExecution } from '../../api/types';
import { useTexts } from '../../i18n';
import { Time } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import { usePages } from '../../ui/listing';

const SHOWN = 5; // runs of a page
const REPOSITORIES = 25; // of a page of a run
const STATES: Record<string, string> = { Success: 'ok', Error: 'bad', Running: 'warn', Pending: 'warn' };

/** The last runs of a project's rules; each opens to say what stayed and went in which repository. */
export function RetentionRuns({ id, there }: { id: number; there: boolean }) {
  const { t } = useTexts();
  const runs = usePages<RetentionExecution>(
    ['retention-runs', id],
    SHOWN,
    (query) => api.GET('/api/v2.0/retentions/{id}/executions', { params: { path: { id: String(id) }, query } }),
    { enabled: there },
  );
  if (!runs.data?.rows.length) return null;
  return (
    <>
      <ul class="rules" aria-label={t('retention.runs')}>
        {runs.data.rows.map((run) => (
          <Run key={run.id} id={id} run={run} />
        ))}
      </ul>
      {runs.pager}
    </>
  );
}

function Run({ id, run }: { id: number; run: RetentionExecution }) {
  const { t, n } = useTexts();
  const [open, setOpen] = useState(false);
  const tasks = usePages(
    ['retention-runs', id, run.id],
    REPOSITORIES,
    (query) =>
      api.GET('/api/v2.0/retentions/{id}/executions/{eid}/tasks', { params: { path: { id: String(id), eid: String(run.id) }, query } }),
    { enabled: open },
  );
  const how = t(run.dry_run ? 'retention.dryRun' : run.trigger === 'Schedule' ? 'retention.bySchedule' : 'retention.byHand');
  return (
    <li style={{ flexWrap: 'wrap' }}>
      <button type="button" class="twist" aria-expanded={open} aria-label={how} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden="true" />
      </button>
      <span class={`badge ${STATES[run.status] ?? ''}`}>{t(`run.${run.status}`)}</span>
      <span class="sentence">{how}</span>
      <span class="muted small">
        <Time at={run.start_time} />
      </span>
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
              </li>
            ))}
            {tasks.data?.rows.length === 0 && <li class="muted">{t('retention.runs.none')}</li>}
          </ul>
          {tasks.pager}
        </div>
      )}
    </li>
  );
}
