import { TriangleAlert } from 'lucide-preact';
import { api } from '../../api/client';
import { useOne } from '../../api/queries';
import { useTexts } from '../../i18n';
import { bytes } from '../../lib/format';
import { SMALL } from '../../ui/controls';

const NEAR = 0.9; // of the limit, from which it is said

/** Says that a project's storage is nearly used up, or is, to those who may see its quota. */
export function QuotaNotice({ project }: { project: string }) {
  const { t, language } = useTexts();
  const found = useOne(['quotas', 'of', project], () => api.GET('/api/v2.0/projects/{project}/summary', { params: { path: { project } } }));
  const limit = found.data?.quota?.hard.storage ?? -1;
  const used = found.data?.quota?.used.storage ?? 0;
  if (found.isPending && !found.failureCount) return <span class="coming" hidden />;
  if (limit <= 0 || used < limit * NEAR) return null;
  return (
    <p class="notice-box" role="status" style={{ marginBottom: '16px' }}>
      <TriangleAlert size={SMALL} aria-hidden="true" />
      <span>
        {t(used < limit ? 'quotas.near' : 'quotas.full', { project, used: bytes(used, language), limit: bytes(limit, language) })}
      </span>
    </p>
  );
}
