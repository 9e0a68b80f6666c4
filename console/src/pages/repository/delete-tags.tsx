import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import type { TagRow } from '../../api/types';
import { useTexts } from '../../i18n';
import { Button } from '../../ui/controls';
import { Dialog } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { useToast } from '../../ui/toast';
import { Choices } from '../../ui/fields';

const AT_ONCE = 4; // requests
const NAMED = 12; // tags that are named before the rest is counted

interface DeleteTagsProps {
  project: string;
  repository: string;
  tags: TagRow[];
  onClose: () => void;
  then: () => void;
}

/** Deletes what several tags point to, or the tags alone. Says which could not go, and goes on with the others. */
export function DeleteTags({ project, repository, tags, onClose, then }: DeleteTagsProps) {
  const { t, n } = useTexts();
  const client = useQueryClient();
  const say = useToast();
  const [alone, setAlone] = useState(false);
  const [done, setDone] = useState<number | null>(null);
  const [errors, setErrors] = useState<[name: string, error: unknown][]>([]);
  const digests = [...new Set(tags.map((tag) => tag.digest))];
  const path = (reference: string) => ({ project_name: project, repository, reference });
  const work: [string, () => Promise<unknown>][] = alone
    ? tags.map((tag) => [
        tag.name,
        () =>
          api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags/{tag_name}', {
            params: { path: { ...path(tag.digest), tag_name: tag.name } },
          }),
      ])
    : digests.map((digest) => [
        tags.find((tag) => tag.digest === digest)?.name ?? digest,
        () =>
          api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}', {
            params: { path: path(digest) },
          }),
      ]);
  const go = async () => {
    const left = [...work];
    const failed: [string, unknown][] = [];
    setDone(0);
    const worker = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [name, run] = next;
        await run().catch((error: unknown) => failed.push([name, error]));
        setDone((count) => (count ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await client.invalidateQueries();
    setDone(null);
    setErrors(failed);
    if (!failed.length) {
      say(n('tags.deleted', tags.length));
      then();
    }
  };
  return (
    <Dialog title={n('tags.delete', tags.length)} onClose={onClose}>
      <p class="break">
        {tags
          .slice(0, NAMED)
          .map((tag) => tag.name)
          .join(', ')}
        {tags.length > NAMED && ` +${tags.length - NAMED}`}
      </p>
      <Choices
        legend={t('tags.delete.what')}
        quiet
        options={[false, true].map((value) => ({
          value,
          text: value ? t('tags.delete.alone') : n('tags.delete.artifacts', digests.length),
          hint: t(value ? 'tags.delete.alone.hint' : 'tags.delete.artifacts.hint'),
        }))}
        value={alone}
        onValue={setAlone}
        disabled={done !== null}
      />
      {errors.slice(0, 3).map(([name, error]) => (
        <div key={name}>
          <b>{name}</b>
          <Failure error={error} />
        </div>
      ))}
      <div class="actions">
        <Button onClick={onClose} autoFocus>
          {t('cancel')}
        </Button>
        <Button kind="harm primary" disabled={done !== null} onClick={() => void go()}>
          {done === null ? t('delete') : `${done} / ${work.length}`}
        </Button>
      </div>
    </Dialog>
  );
}
