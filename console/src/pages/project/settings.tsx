import { api } from '../../api/client';
import { useAction, useProject } from '../../api/queries';
import { useTexts } from '../../i18n';
import { Labels } from '../../parts/labels';
import { Failure } from '../../ui/feedback';
import type { TabProps } from '../project';

export function ProjectSettings({ project, id, may }: TabProps) {
  const { t } = useTexts();
  const found = useProject(project);
  const open = found.data?.metadata.public === 'true';
  const change = useAction(
    (value: boolean) =>
      api.PUT('/api/v2.0/projects/{project}', {
        params: { path: { project } },
        body: { metadata: { public: String(value) } },
      }),
    { refresh: ['project', 'projects'], done: (value) => t(value ? 'project.isPublic' : 'project.isPrivate', { project }) },
  );
  return (
    <div class="stack narrow">
      <section class="card">
        <header>
          <h2>{t('access')}</h2>
        </header>
        <div class="body stack">
          {change.isError && <Failure error={change.error} />}
          <fieldset disabled={change.isPending}>
            <legend class="visually-hidden">{t('access')}</legend>
            {[false, true].map((value) => (
              <label class="choice" key={String(value)}>
                <input
                  type="radio"
                  name="access"
                  checked={(change.isPending ? change.variables : open) === value}
                  onChange={() => change.mutate(value)}
                />
                <span>
                  {t(value ? 'public' : 'private')}
                  <small>{t(value ? 'public.hint' : 'private.hint')}</small>
                </span>
              </label>
            ))}
          </fieldset>
        </div>
      </section>
      <Labels project={id} edit={may('editLabels')} />
    </div>
  );
}
