import { api } from '../../api/client';
import type { Puller } from '../../api/types';
import { useTexts } from '../../i18n';
import { Coming, Time } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import { usePages } from '../../ui/listing';
import type { At } from './at';

const PAGE = 10; // names

/** Who pulled an artifact within ninety days, for whoever may read the trail. */
export function Pullers({ at }: { at: At }) {
  const { t, n } = useTexts();
  const pullers = usePages<Puller>(['pullers', at], PAGE, (query) =>
    api.GET('/api/roadstead/v1/projects/{project}/repositories/{repository}/artifacts/{reference}/pullers', { params: { path: { ...at }, query } }),
  );
  if (pullers.isLoading) return <Coming />;
  if (pullers.isError) return <Failure error={pullers.error} retry={() => void pullers.refetch()} />;
  const rows = pullers.data?.rows ?? [];
  return (
    <section class="card">
      <header>
        <h2>{t('pullers')}</h2>
        <span class="muted small">{t('pullers.hint')}</span>
      </header>
      {pullers.isSuccess && rows.length === 0 && <p class="body muted">{t('pullers.none')}</p>}
      <ul class="rules">
        {rows.map((one) => (
          <li key={one.name ?? ''}>
            <span class="sentence">{one.name ?? <span class="muted">{t('pullers.anonymous')}</span>}</span>
            <span class="muted small nowrap">{n('pulls.count', one.pull_count)}</span>
            <span class="muted small nowrap">
              <Time at={one.last_pull} />
            </span>
          </li>
        ))}
      </ul>
      {pullers.pager}
    </section>
  );
}
