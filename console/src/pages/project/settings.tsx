import { Trash2 } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useProject } from '../../api/queries';
import { useTexts } from '../../i18n';
import { Labels } from '../../parts/labels';
import { to } from '../../lib/place';
import { Button } from '../../ui/controls';
import { Confirm } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import type { TabProps } from '../project';
import { Visibility } from '../projects';

export function ProjectSettings({ project, id, may }: TabProps) {
  const { t, n } = useTexts();
  const { route } = useLocation();
  const [deleting, setDeleting] = useState(false);
  const found = useProject(project);
  const open = found.data?.metadata.public === 'true';
  const held = found.data?.repo_count ?? 0;
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
    done: t('deleted.name', { name: project }),
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
          <Visibility open={change.isPending ? change.variables : open} onOpen={change.mutate} disabled={change.isPending} />
        </div>
      </section>
      <Labels project={id} edit={may('editLabels')} />
      <section class="card">
        <header>
          <h2>{t('project.delete')}</h2>
        </header>
        <div class="body stack">
          <p class="muted">
            {t('project.delete.hint')} {held > 0 && n('project.delete.held', held)}
          </p>
          <div>
            <Button kind="harm" icon={Trash2} disabled={held > 0} onClick={() => setDeleting(true)}>
              {t('project.delete')}
            </Button>
          </div>
        </div>
      </section>
      {deleting && (
        <Confirm
          title={t('delete.name', { name: project })}
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
