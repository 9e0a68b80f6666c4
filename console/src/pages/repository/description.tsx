import { Pencil } from 'lucide-preact';
import { lazy, Suspense } from 'preact/compat';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useOne } from '../../api/queries';
import { useTexts } from '../../i18n';
import { Button } from '../../ui/controls';
import { Field } from '../../ui/fields';
import { Empty, Failure } from '../../ui/feedback';

const Markdown = lazy(() => import('../../ui/markdown').then((one) => one.Markdown));
const MAX = 2_048; // characters, as the registry takes them

/** What a repository is for, in Markdown. */
export function Description({ project, repository, edit }: { project: string; repository: string; edit: boolean }) {
  const { t } = useTexts();
  const path = { project_name: project, repository };
  const [text, setText] = useState<string | null>(null);
  const found = useOne(['repository', project, repository], () =>
    api.GET('/api/v2.0/projects/{project_name}/repositories/{repository}', { params: { path } }),
  );
  const save = useAction(
    (description: string) =>
      api.PUT('/api/v2.0/projects/{project_name}/repositories/{repository}', { params: { path }, body: { description } }),
    { refresh: ['repository', 'repositories'], done: t('repository.info.saved'), then: () => setText(null) },
  );
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <span class="skeleton" />;
  const { description } = found.data;
  if (text !== null)
    return (
      <form
        class="card narrow"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(text);
        }}
      >
        <div class="body form">
          {save.isError && <Failure error={save.error} />}
          <Field label={t('description')} hint={t('repository.info.hint')}>
            {(at) => (
              <textarea {...at} rows={10} maxLength={MAX} autoFocus value={text} onInput={(event) => setText(event.currentTarget.value)} />
            )}
          </Field>
        </div>
        <footer>
          <Button type="submit" kind="primary" disabled={save.isPending}>
            {t('save')}
          </Button>
          <Button onClick={() => setText(null)}>{t('cancel')}</Button>
        </footer>
      </form>
    );
  return (
    <section class="card narrow">
      {description ? (
        <>
          <header>
            <h2>{t('description')}</h2>
          </header>
          <div class="body">
            <Suspense fallback={null}>
              <Markdown text={description} />
            </Suspense>
          </div>
          {edit && (
            <footer>
              <Button icon={Pencil} onClick={() => setText(description)}>
                {t('repository.info.edit')}
              </Button>
            </footer>
          )}
        </>
      ) : (
        <Empty title={t('repository.info.none')}>
          <p>{t('repository.info.none.hint')}</p>
          {edit && (
            <Button icon={Pencil} onClick={() => setText('')}>
              {t('repository.info.write')}
            </Button>
          )}
        </Empty>
      )}
    </section>
  );
}
