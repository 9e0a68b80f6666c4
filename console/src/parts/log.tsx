import { useOne } from '../api/queries';
import { useTexts } from '../i18n';
import { CopyButton } from '../ui/controls';
import { Result } from '../ui/dialogs';
import { Failure } from '../ui/feedback';

interface LogProps {
  title: string;
  /** The key of the query, and what reads the text. */
  of: unknown[];
  read: () => Promise<{ data?: unknown }>;
  onClose: () => void;
}

/** What a run did, line by line. */
export function Log({ title, of, read, onClose }: LogProps) {
  const { t } = useTexts();
  const log = useOne(of, read);
  const text = String(log.data ?? '');
  return (
    <Result title={title} onClose={onClose} more={text && <CopyButton text={text} />}>
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.isPending && <span class="skeleton" />}
      {log.isSuccess && (
        <pre class="block lines" tabIndex={0}>
          {text || t('run.log.empty')}
        </pre>
      )}
    </Result>
  );
}

/** The badge of a run's state. */
export function RunState({ status }: { status: string }) {
  const { t } = useTexts();
  return <span class={`badge ${STATES[status] ?? ''}`}>{t(`run.${status as 'Success'}`)}</span>;
}

const STATES: Record<string, string> = { Success: 'ok', Error: 'bad', Running: 'warn', Pending: 'warn' };

export function isUnderWay(status: string): boolean {
  return STATES[status] === 'warn';
}
