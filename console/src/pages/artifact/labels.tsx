import { X } from 'lucide-preact';
import { api } from '../../api/client';
import { pathOf, useAction } from '../../api/queries';
import type { Artifact, Label } from '../../api/types';
import { useTexts } from '../../i18n';
import { LabelBadge, useLabels } from '../../parts/labels';
import { Coming } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import type { At } from './at';

export function LabelsOf({ at, artifact, edit }: { at: At; artifact: Artifact; edit: boolean }) {
  const { t } = useTexts();
  const own = useLabels(artifact.project_id, edit);
  const everywhere = useLabels(undefined, edit);
  const set = artifact.labels as Label[];
  const path = pathOf(at);
  const add = useAction(
    (id: number) =>
      api.POST('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels', { params: path, body: { id } }),
    { refresh: ['artifact'] },
  );
  const remove = useAction(
    (id: number) =>
      api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels/{label_id}', {
        params: { path: { ...path.path, label_id: String(id) } },
      }),
    { refresh: ['artifact'] },
  );
  const known = [...(own.data ?? []), ...(everywhere.data ?? [])];
  const left = known.filter((label) => !set.some((one) => one.id === label.id));
  const error = add.error ?? remove.error;
  if (own.isLoading || everywhere.isLoading) return <Coming />;
  if (!set.length && !(edit && known.length)) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('labels')}</h2>
      </header>
      <div class="body row">
        {error && <Failure error={error} />}
        {set.map((label) => (
          <span class="row" key={label.id} style={{ gap: 0 }}>
            <LabelBadge label={label} />
            {edit && (
              <button
                type="button"
                class="badge-button"
                aria-label={t('labels.remove', { name: label.name })}
                title={t('labels.remove', { name: label.name })}
                onClick={() => remove.mutate(label.id)}
              >
                <X size={12} aria-hidden="true" />
              </button>
            )}
          </span>
        ))}
        {edit && left.length > 0 && (
          <select
            aria-label={t('labels.add')}
            style={{ width: 'auto', minHeight: '28px', padding: '1px 6px' }}
            value=""
            onChange={(event) => add.mutate(Number(event.currentTarget.value))}
          >
            <option value="">{t('labels.add')}</option>
            {left.map((label) => (
              <option key={label.id} value={label.id}>
                {label.name}
              </option>
            ))}
          </select>
        )}
      </div>
    </section>
  );
}
