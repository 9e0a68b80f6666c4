import { Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { useAction, useAllRows } from '../api/queries';
import type { Label } from '../api/types';
import { useTexts } from '../i18n';
import { Button, IconButton } from '../ui/controls';
import { FormDialog, useDeletion } from '../ui/dialogs';
import { Failure } from '../ui/feedback';
import { TextField, textOf } from '../ui/fields';

const COLOURS = ['#0b6675', '#2563eb', '#7c3aed', '#be185d', '#b91c1c', '#b45309', '#4d7c0f', '#475569'];

/** The labels of a project, or without one those of the registry. The registry lists them to whoever is signed in. */
export function useLabels(project?: number, enabled = true) {
  return useAllRows<Label>(
    ['labels', project ?? 'global'],
    (query) => api.GET('/api/v2.0/labels', { params: { query: { scope: project === undefined ? 'g' : 'p', project_id: project, ...query } } }),
    enabled,
  );
}

export function LabelDot({ color }: { color: string }) {
  return <i class="dot" style={{ background: /^#[0-9a-f]{3,8}$/i.test(color) ? color : 'currentColor' }} />;
}

/** A label: its colour is a dot, so that its name can be read whatever the colour. */
export function LabelBadge({ label }: { label: Pick<Label, 'name' | 'color'> }) {
  return (
    <span class="badge">
      <LabelDot color={label.color} />
      {label.name}
    </span>
  );
}

export function Labels({ project, edit }: { project?: number; edit: boolean }) {
  const { t } = useTexts();
  const labels = useLabels(project);
  const [adding, setAdding] = useState(false);
  const [remove, removing] = useDeletion({
    run: (label: Label) => api.DELETE('/api/v2.0/labels/{label}', { params: { path: { label: String(label.id) } } }),
    refresh: ['labels', 'artifact'],
    name: (label) => label.name,
    hint: t('labels.delete.hint'),
  });
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
      {labels.data?.length === 0 && <p class="body muted">{t('labels.none')}</p>}
      <ul class="rules">
        {labels.data?.map((label) => (
          <li key={label.id}>
            <LabelBadge label={label} />
            <span class="sentence muted">{label.description}</span>
            {edit && (
              <IconButton icon={Trash2} label={t('delete.name', { name: label.name })} onClick={() => remove(label)} />
            )}
          </li>
        ))}
      </ul>
      {adding && <NewLabel project={project} onClose={() => setAdding(false)} />}
      {removing}
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
          name: textOf(form, 'name'),
          description: textOf(form, 'description'),
          color,
          scope: project === undefined ? 'g' : 'p',
          ...(project === undefined ? {} : { project_id: project }),
        },
      }),
    { refresh: ['labels'], then: onClose },
  );
  return (
    <FormDialog title={t('labels.new')} verb={t('create')} onClose={onClose} action={add} send={add.mutate}>
      <TextField label={t('name')} name="name" required autoFocus maxLength={128} />
      <TextField label={t('description')} name="description" maxLength={1024} />
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
    </FormDialog>
  );
}
