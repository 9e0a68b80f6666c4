import { Trash2 } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useProject } from '../../api/queries';
import { useTexts } from '../../i18n';
import { Labels } from '../../parts/labels';
import { to } from '../../lib/place';
import { Confirm } from '../../ui/confirm';
import { Button } from '../../ui/controls';
import { Failure } from '../../ui/feedback';
import type { TabProps } from '../project';

export function ProjectSettings({ project, id, may }: TabProps) {
  const { t } = useTexts();
  const { route } = useLocation();
  const [deleting, setDeleting] = useState(false);
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
  const remove = useAction(() => api.DELETE('/api/v2.0/projects/{project}', { params: { path: { project } } }), {
    refresh: ['projects'],
    done: t('robots.removed', { name: project }),
    then: () => route(to.projects()),
  });
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
      <section class="card">
        <header>
          <h2>{t('project.delete')}</h2>
        </header>
        <div class="body stack">
          <p class="muted">{t('project.delete.hint')}</p>
          <div>
            <Button kind="harm" icon={Trash2} onClick={() => setDeleting(true)}>
              {t('project.delete')}
            </Button>
          </div>
        </div>
      </section>
      {deleting && (
        <Confirm
          title={t('robots.delete', { name: project })}
          verb={t('delete')}
          onClose={() => setDeleting(false)}
          action={remove}
          go={() => remove.mutate()}
        >
          <p>{t('project.delete.goes', { project })}</p>
        </Confirm>
      )}
    </div>
  );
}
