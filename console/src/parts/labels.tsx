import { Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { useAction, useRows } from '../api/queries';
import type { Label } from '../api/types';
import { useTexts } from '../i18n';
import { Confirm } from '../ui/confirm';
import { Button, Dialog, Field } from '../ui/controls';
import { Failure } from '../ui/feedback';

const COLOURS = ['#0b6675', '#2563eb', '#7c3aed', '#be185d', '#b91c1c', '#b45309', '#4d7c0f', '#475569'];

/** The labels of a project, or without one those of the registry. */
export function useLabels(project?: number) {
  return useRows<Label>(['labels', project ?? 'global'], () =>
    api.GET('/api/v2.0/labels', {
      params: { query: { scope: project === undefined ? 'g' : 'p', project_id: project, page_size: 100 } },
    }),
  );
}

/** A label: its colour is a dot, so that its name can be read whatever the colour. */
export function LabelBadge({ label }: { label: Pick<Label, 'name' | 'color'> }) {
  return (
    <span class="badge">
      <i class="dot" style={{ background: /^#[0-9a-f]{3,8}$/i.test(label.color) ? label.color : 'currentColor' }} />
      {label.name}
    </span>
  );
}

export function Labels({ project, edit }: { project?: number; edit: boolean }) {
  const { t } = useTexts();
  const labels = useLabels(project);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Label | null>(null);
  const remove = useAction(
    (label: Label) => api.DELETE('/api/v2.0/labels/{label}', { params: { path: { label: String(label.id) } } }),
    { refresh: ['labels', 'artifact'], done: (label) => t('robots.removed', { name: label.name }), then: () => setRemoving(null) },
  );
  return (
    <section class="card">
      <header>
        <h2>{t('labels')}</h2>
        <span class="muted small wide">{t('labels.hint')}</span>
        <span class="space" />
        {edit && (
          <Button kind="small" icon={Plus} onClick={() => setAdding(true)}>
            {t('labels.new')}
          </Button>
        )}
      </header>
      {labels.isError && (
        <div class="body">
          <Failure error={labels.error} />
        </div>
      )}
      {labels.data?.rows.length === 0 && <p class="body muted">{t('labels.none')}</p>}
      <ul class="rules">
        {labels.data?.rows.map((label) => (
          <li key={label.id}>
            <LabelBadge label={label} />
            <span class="sentence muted">{label.description}</span>
            {edit && (
              <Button
                kind="plain"
                icon={Trash2}
                aria-label={t('robots.delete', { name: label.name })}
                title={t('robots.delete', { name: label.name })}
                onClick={() => setRemoving(label)}
              />
            )}
          </li>
        ))}
      </ul>
      {adding && <NewLabel project={project} onClose={() => setAdding(false)} />}
      {removing && (
        <Confirm
          title={t('robots.delete', { name: removing.name })}
          verb={t('delete')}
          onClose={() => setRemoving(null)}
          action={remove}
          go={() => remove.mutate(removing)}
        >
          <p>{t('labels.delete.hint')}</p>
        </Confirm>
      )}
    </section>
  );
}

function NewLabel({ project, onClose }: { project?: number; onClose: () => void }) {
  const { t } = useTexts();
  const [color, setColor] = useState(COLOURS[0] as string);
  const add = useAction(
    (form: FormData) =>
      api.POST('/api/v2.0/labels', {
        body: {
          name: String(form.get('name')).trim(),
          description: String(form.get('description')).trim(),
          color,
          scope: project === undefined ? 'g' : 'p',
          ...(project === undefined ? {} : { project_id: project }),
        },
      }),
    { refresh: ['labels'], then: onClose },
  );
  return (
    <Dialog title={t('labels.new')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate(new FormData(event.currentTarget));
        }}
      >
        {add.isError && <Failure error={add.error} />}
        <Field label={t('name')}>{(at) => <input {...at} name="name" required autoFocus maxLength={128} autoComplete="off" />}</Field>
        <Field label={t('description')}>{(at) => <input {...at} name="description" maxLength={1024} autoComplete="off" />}</Field>
        <fieldset>
          <legend>{t('labels.colour')}</legend>
          <div class="row">
            {COLOURS.map((one, index) => (
              <label key={one} class="swatch">
                <input
                  type="radio"
                  name="colour"
                  class="visually-hidden"
                  aria-label={t('labels.colour.number', { number: index + 1 })}
                  checked={color === one}
                  onChange={() => setColor(one)}
                />
                <i style={{ background: one }} />
              </label>
            ))}
          </div>
        </fieldset>
        <div class="actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={add.isPending}>
            {t('create')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
