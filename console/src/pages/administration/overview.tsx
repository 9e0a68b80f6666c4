import { CircleAlert, CircleCheck } from 'lucide-preact';
import { api } from '../../api/client';
import { useOne, useSystem } from '../../api/queries';
import { useTexts } from '../../i18n';
import { bytes } from '../../lib/format';
import { SMALL } from '../../ui/controls';
import { Failure } from '../../ui/feedback';

/** What the registry holds, and whether it is well. */
export function Overview() {
  const { t, language } = useTexts();
  const statistics = useOne(['statistics'], () => api.GET('/api/v2.0/statistics', {}));
  const health = useOne(['health'], () => api.GET('/api/v2.0/health', {}));
  const system = useSystem();
  const figures: [string, string | undefined][] = [
    [t('title.projects'), statistics.data?.total_project_count.toLocaleString(language)],
    [t('repositories'), statistics.data?.total_repo_count.toLocaleString(language)],
    [t('overview.storage'), statistics.data && bytes(statistics.data.total_storage_consumption, language)],
  ];
  return (
    <div class="stack">
      {statistics.isError && <Failure error={statistics.error} retry={() => void statistics.refetch()} />}
      <div class="figures">
        {figures.map(([name, value]) => (
          <div class="card figure" key={name}>
            <span class="muted">{name}</span>
            <strong>{value ?? <span class="skeleton" style={{ width: '80px' }} />}</strong>
          </div>
        ))}
      </div>
      <section class="card">
        <header>
          <h2>{t('overview.health')}</h2>
        </header>
        <div class="body stack">
          {health.isError && <Failure error={health.error} retry={() => void health.refetch()} />}
          {health.data?.components.map((one) => (
            <div class="row" key={one.name}>
              {one.status === 'healthy' ? (
                <CircleCheck size={SMALL} class="good" aria-hidden="true" />
              ) : (
                <CircleAlert size={SMALL} class="danger" aria-hidden="true" />
              )}
              <span>{one.name}</span>
              <span class="muted">{one.error ?? t(one.status === 'healthy' ? 'overview.healthy' : 'overview.unhealthy')}</span>
            </div>
          ))}
        </div>
      </section>
      {system.data && (
        <section class="card">
          <header>
            <h2>{t('overview.about')}</h2>
          </header>
          <dl class="body facts">
            <dt>{t('address')}</dt>
            <dd>{system.data.external_url}</dd>
            <dt>{t('overview.harbor')}</dt>
            <dd>{system.data.harbor_version}</dd>
          </dl>
        </section>
      )}
    </div>
  );
}
