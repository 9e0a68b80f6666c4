import { Lock } from 'lucide-preact';
import { api } from '../../api/client';
import { pathOf, useAccessories, useAction, useUndo } from '../../api/queries';
import type { Artifact } from '../../api/types';
import { useTexts } from '../../i18n';
import { shortDigest } from '../../lib/format';
import { SMALL } from '../../ui/controls';
import { Size } from '../../ui/data';
import { Confirm } from '../../ui/dialogs';
import { type At, CONTENT } from './at';

interface DeleteProps {
  at: At;
  artifact: Artifact;
  onClose: () => void;
  then: () => void;
}

/** Names everything that goes with the artifact before anything goes. */
export function DeleteArtifact({ at, artifact, onClose, then }: DeleteProps) {
  const { t, n } = useTexts();
  const accessories = useAccessories(at);
  const back = useUndo(at, (unit) => unit.digest === artifact.digest);
  const remove = useAction(
    () =>
      api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}', {
        params: pathOf(at),
      }),
    {
      refresh: [...CONTENT.slice(1), 'trash'],
      done: t('artifact.deleted', { digest: shortDigest(artifact.digest) }),
      undo: () => back.mutate(),
      then,
    },
  );
  const tags = artifact.tags ?? [];
  const children = artifact.references ?? [];
  const kept = tags.find((tag) => tag.immutable);
  const others = accessories.data?.total ?? accessories.data?.rows.length ?? 0;
  return (
    <Confirm
      title={t('artifact.delete', { digest: shortDigest(artifact.digest) })}
      verb={t('delete')}
      onClose={onClose}
      action={remove}
      ready={!accessories.isPending && !kept}
      go={() => remove.mutate()}
    >
      {kept ? (
        <p class="notice-box">
          <Lock size={SMALL} aria-hidden="true" />
          <span class="break">{t('artifact.delete.kept', { tag: kept.name })}</span>
        </p>
      ) : (
        <>
          <p>{t('artifact.delete.hint')}</p>
          <ul style={{ paddingLeft: '20px' }}>
            <li>
              <code>{shortDigest(artifact.digest)}</code>, <Size of={artifact.size} />
            </li>
            {tags.length > 0 && (
              <li class="break">
                {n('tags.count', tags.length)}: {tags.map((tag) => tag.name).join(', ')}
              </li>
            )}
            {children.length > 0 && <li>{n('artifact.delete.children', children.length)}</li>}
            {others > 0 && <li>{n('artifact.delete.accessories', others)}</li>}
          </ul>
          <p class="muted">{t('artifact.delete.trash')}</p>
        </>
      )}
    </Confirm>
  );
}
