import { useLocation } from 'preact-iso';
import { api } from '../../api/client';
import { useAction, useOne, useTags, useUndo } from '../../api/queries';
import { finished } from '../../api/trash';
import { useTexts } from '../../i18n';
import { to } from '../../lib/place';
import { Confirm } from '../../ui/dialogs';

interface DeleteRepositoryProps {
  project: string;
  repository: string;
  onClose: () => void;
}

/** Says how much goes with a repository before it goes. */
export function DeleteRepository({ project, repository, onClose }: DeleteRepositoryProps) {
  const { t, n } = useTexts();
  const { route } = useLocation();
  const params = { path: { project_name: project, repository } };
  const PATH = '/api/v2.0/projects/{project_name}/repositories/{repository}';
  const found = useOne(['repository', project, repository], () => api.GET(PATH, { params }));
  const tags = useTags(project, repository, { sort: null, prefix: null, after: null });
  const back = useUndo({ project, repository }, (unit) => unit.kind === 'repository');
  const remove = useAction(
    async () => {
      const { response } = await api.DELETE(PATH, { params });
      await finished(response);
    },
    {
      refresh: ['repositories', 'trash'],
      done: t('deleted.name', { name: repository }),
      undo: () => void back.mutate(),
      then: () => route(to.project(project)),
    },
  );
  return (
    <Confirm
      title={t('delete.name', { name: repository })}
      verb={t('delete')}
      onClose={onClose}
      action={remove}
      ready={!found.isPending && !tags.isPending}
      go={() => remove.mutate()}
    >
      <p>{t('repository.delete.hint', { name: repository })}</p>
      <ul style={{ paddingLeft: '20px' }}>
        {found.data && <li>{n('artifacts.count', found.data.artifact_count)}</li>}
        {tags.data && tags.data.total !== null && <li>{n('tags.count', tags.data.total)}</li>}
      </ul>
    </Confirm>
  );
}
