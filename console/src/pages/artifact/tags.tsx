import { Tag as TagIcon, X } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { pathOf, useAction, useUndo } from '../../api/queries';
import type { Artifact } from '../../api/types';
import { useTexts } from '../../i18n';
import { to } from '../../lib/place';
import { Button } from '../../ui/controls';
import { Confirm, FormDialog } from '../../ui/dialogs';
import { EXACT, TextField, textOf } from '../../ui/fields';
import { usePages } from '../../ui/listing';
import { type At, CONTENT } from './at';

const SHOWN = 100; // tags that an artifact brings with it

export function Tags({ at, artifact, edit, remove }: { at: At; artifact: Artifact; edit: boolean; remove: boolean }) {
  const { t } = useTexts();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string | null>(null);
  const own = artifact.tags ?? [];
  const more = usePages(
    ['tags', at.project, at.repository, 'of', artifact.digest],
    SHOWN,
    (query) =>
      api.GET('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags', {
        params: { ...pathOf({ ...at, reference: artifact.digest }), query },
      }),
    { enabled: own.length >= SHOWN },
  );
  const tags = more.data?.rows ?? own;
  return (
    <section class="card">
      <header>
        <h2>{t('tags')}</h2>
        <span class="space" />
        {edit && (
          <Button kind="small" icon={TagIcon} onClick={() => setAdding(true)}>
            {t('tag.add')}
          </Button>
        )}
      </header>
      <div class="body row">
        {tags.map((tag) => (
          <span class="badge accent" key={tag.name} style={{ padding: '2px 4px 2px 10px' }}>
            <a href={to.artifact(at.project, at.repository, tag.name)}>{tag.name}</a>
            {remove && !tag.immutable ? (
              <button
                type="button"
                class="badge-button"
                aria-label={t('tag.remove', { tag: tag.name })}
                title={t('tag.remove', { tag: tag.name })}
                onClick={() => setRemoving(tag.name)}
              >
                <X size={12} aria-hidden="true" />
              </button>
            ) : (
              <span style={{ width: '4px' }} />
            )}
          </span>
        ))}
        {!tags.length && <span class="muted">{t('tags.untagged')}</span>}
      </div>
      {more.pager}
      {adding && <AddTag at={{ ...at, reference: artifact.digest }} onClose={() => setAdding(false)} />}
      {removing !== null && (
        <RemoveTag at={at} artifact={artifact} tag={removing} onClose={() => setRemoving(null)} />
      )}
    </section>
  );
}

function AddTag({ at, onClose }: { at: At; onClose: () => void }) {
  const { t } = useTexts();
  const add = useAction(
    (name: string) =>
      api.POST('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags', {
        params: pathOf(at),
        body: { name },
      }),
    { refresh: CONTENT, done: (name) => t('tag.added', { tag: name }), then: onClose },
  );
  return (
    <FormDialog title={t('tag.add')} verb={t('add')} onClose={onClose} action={add} send={(form) => add.mutate(textOf(form, 'name'))}>
      <TextField label={t('tag')} hint={t('tag.hint')} name="name" required autoFocus pattern="[\w][\w.\-]{0,127}" {...EXACT} />
    </FormDialog>
  );
}

function RemoveTag({ at, artifact, tag, onClose }: { at: At; artifact: Artifact; tag: string; onClose: () => void }) {
  const { t } = useTexts();
  const { route } = useLocation();
  const back = useUndo(at, (unit) => unit.kind === 'tag' && unit.tags.includes(tag));
  const remove = useAction(
    () =>
      api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags/{tag_name}', {
        params: { path: { ...pathOf({ ...at, reference: artifact.digest }).path, tag_name: tag } },
      }),
    {
      refresh: CONTENT.slice(1),
      done: t('tag.removed', { tag }),
      undo: () => back.mutate(),
      then: () => {
        onClose();
        route(to.artifact(at.project, at.repository, artifact.digest), true);
      },
    },
  );
  return (
    <Confirm title={t('tag.remove', { tag })} verb={t('remove')} onClose={onClose} action={remove} go={() => remove.mutate()}>
      <p>{t('tag.remove.hint', { tag })}</p>
    </Confirm>
  );
}
