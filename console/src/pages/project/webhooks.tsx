import { ChevronRight, Pause, Play, Plus, RotateCcw, Send, Trash2, Webhook as WebhookIcon } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useOne, useRows, WATCH } from '../../api/queries';
import type { Delivery, Webhook } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { en } from '../../i18n/en';
import { Actions, Button, IconButton, SMALL } from '../../ui/controls';
import { Time } from '../../ui/data';
import { FormDialog, useDeletion } from '../../ui/dialogs';
import { Empty, Failure } from '../../ui/feedback';
import { Field, TextField, textOf } from '../../ui/fields';
import { usePages } from '../../ui/listing';
import type { TabProps } from '../project';

const COMMON = ['PUSH_ARTIFACT', 'DELETE_ARTIFACT'];

/** What an event is called; one that the console does not know by the name that the API gives it. */
function eventName(type: string, t: (message: Message) => string): string {
  return `event.${type}` in en ? t(`event.${type}` as Message) : type;
}

export function Webhooks({ project, may }: TabProps) {
  const { t } = useTexts();
  const edit = may('editWebhooks');
  const [adding, setAdding] = useState(false);
  const webhooks = useRows<Webhook>(['webhooks', project], () =>
    api.GET('/api/v2.0/projects/{project}/webhook/policies', { params: { path: { project }, query: { page_size: 100 } } }),
  );
  const add = edit && (
    <Button kind="primary" icon={Plus} onClick={() => setAdding(true)}>
      {t('webhooks.new')}
    </Button>
  );
  return (
    <>
      {webhooks.isError && <Failure error={webhooks.error} retry={() => void webhooks.refetch()} />}
      {webhooks.data?.rows.length === 0 ? (
        <div class="card">
          <Empty title={t('webhooks.none')}>
            <p>{t('webhooks.none.hint')}</p>
            {add}
          </Empty>
        </div>
      ) : (
        <>
          <div class="bar">
            <span class="muted">{t('webhooks.hint')}</span>
            <span class="space" />
            {add}
          </div>
          <div class="stack">
            {webhooks.data?.rows.map((webhook) => (
              <One key={webhook.id} project={project} webhook={webhook} edit={edit} />
            ))}
          </div>
        </>
      )}
      {adding && <NewWebhook project={project} onClose={() => setAdding(false)} />}
    </>
  );
}

function One({ project, webhook, edit }: { project: string; webhook: Webhook; edit: boolean }) {
  const { t } = useTexts();
  const path = { path: { project, policy: String(webhook.id) } };
  const target = webhook.targets[0];
  const toggle = useAction(
    () =>
      api.PUT('/api/v2.0/projects/{project}/webhook/policies/{policy}', {
        params: path,
        body: {
          name: webhook.name,
          description: webhook.description,
          event_types: webhook.event_types,
          enabled: !webhook.enabled,
          targets: webhook.targets,
        },
      }),
    { refresh: ['webhooks'] },
  );
  const test = useAction(() => api.POST('/api/roadstead/v1/projects/{project}/webhook/policies/{policy}/test', { params: path }), {
    refresh: ['deliveries'],
    done: t('webhooks.tested'),
  });
  const [remove, removing] = useDeletion({
    run: () => api.DELETE('/api/v2.0/projects/{project}/webhook/policies/{policy}', { params: path }),
    refresh: ['webhooks'],
    name: () => webhook.name,
    hint: t('webhooks.delete.hint'),
  });
  const error = toggle.error ?? test.error;
  return (
    <section class="card">
      <header>
        <WebhookIcon size={SMALL} aria-hidden="true" />
        <h2>{webhook.name}</h2>
        {!webhook.enabled && <span class="badge warn">{t('robots.off')}</span>}
        <span class="space" />
        {edit && (
          <>
            <Button kind="small" icon={Send} disabled={test.isPending} onClick={() => test.mutate()}>
              {t('webhooks.test')}
            </Button>
            <Actions
              name={webhook.name}
              actions={[
                {
                  icon: webhook.enabled ? Pause : Play,
                  text: t(webhook.enabled ? 'robots.turnOff' : 'robots.turnOn'),
                  go: () => toggle.mutate(),
                },
                { icon: Trash2, text: t('delete'), go: () => remove(webhook), harm: true },
              ]}
            />
          </>
        )}
      </header>
      <div class="body stack" style={{ gap: '10px' }}>
        {error && <Failure error={error} />}
        <code class="break">{target?.address}</code>
        <span class="badges">
          {webhook.event_types.map((type) => (
            <span class="badge" key={type} title={type}>
              {eventName(type, t)}
            </span>
          ))}
          <span class="badge accent">{target?.payload_format}</span>
        </span>
      </div>
      <Deliveries project={project} webhook={webhook} edit={edit} />
      {removing}
    </section>
  );
}

const STATES: Record<string, string> = { Success: 'ok', Error: 'bad', Running: 'warn' };
const SHOWN = 10; // deliveries

function Deliveries({ project, webhook, edit }: { project: string; webhook: Webhook; edit: boolean }) {
  const { t } = useTexts();
  const [open, setOpen] = useState<number | null>(null);
  const path = { project, policy: String(webhook.id) };
  const deliveries = usePages<Delivery>(
    ['deliveries', project, webhook.id],
    SHOWN,
    (query) => api.GET('/api/v2.0/projects/{project}/webhook/policies/{policy}/executions', { params: { path, query } }),
    { watch: () => WATCH },
  );
  const again = useAction(
    (delivery: Delivery) =>
      api.POST('/api/roadstead/v1/projects/{project}/webhook/policies/{policy}/executions/{execution}/redeliver', {
        params: { path: { ...path, execution: String(delivery.id) } },
      }),
    { refresh: ['deliveries'], done: t('webhooks.again') },
  );
  const error = deliveries.error ?? again.error;
  if (error)
    return (
      <div class="body">
        <Failure error={error} retry={() => (again.error ? again.reset() : void deliveries.refetch())} />
      </div>
    );
  if (!deliveries.data?.rows.length) return null;
  return (
    <>
      <ul class="rules">
        {deliveries.data.rows.map((delivery) => (
          <li key={delivery.id} style={{ flexWrap: 'wrap' }}>
            <button
              type="button"
              class="twist"
              aria-expanded={open === delivery.id}
              aria-label={t('webhooks.payload')}
              onClick={() => setOpen(open === delivery.id ? null : delivery.id)}
            >
              <ChevronRight size={14} aria-hidden="true" />
            </button>
            <span class={`badge ${STATES[delivery.status] ?? ''}`}>{t(`delivery.${delivery.status as 'Success'}`)}</span>
            <span class="sentence">
              {eventName(delivery.extra_attrs.event_type, t)} <span class="muted small">{delivery.status_message}</span>
            </span>
            <span class="muted small">
              <Time at={delivery.start_time} />
            </span>
            {edit && (
              <IconButton
                icon={RotateCcw}
                disabled={again.isPending}
                label={t('webhooks.redeliver')}
                onClick={() => again.mutate(delivery)}
              />
            )}
            {open === delivery.id && (
              <pre class="block" tabIndex={0} style={{ flexBasis: '100%' }}>
                {readable(delivery.extra_attrs.payload)}
              </pre>
            )}
          </li>
        ))}
      </ul>
      {deliveries.pager}
    </>
  );
}

/** JSON with line breaks; anything else as it is. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function NewWebhook({ project, onClose }: { project: string; onClose: () => void }) {
  const { t } = useTexts();
  const [chosen, setChosen] = useState(new Set(COMMON));
  const known = useOne(['webhook-events', project], () =>
    api.GET('/api/v2.0/projects/{project}/webhook/events', { params: { path: { project } } }),
  );
  const add = useAction(
    (form: FormData) => {
      const authorization = textOf(form, 'authorization');
      return api.POST('/api/v2.0/projects/{project}/webhook/policies', {
        params: { path: { project } },
        body: {
          name: textOf(form, 'name'),
          enabled: true,
          event_types: [...chosen],
          targets: [
            {
              type: 'http',
              address: textOf(form, 'address'),
              payload_format: form.get('format') === 'CloudEvents' ? 'CloudEvents' : 'Default',
              ...(authorization ? { auth_header: authorization } : {}),
            },
          ],
        },
      });
    },
    { refresh: ['webhooks'], done: t('webhooks.added'), then: onClose },
  );
  const types = (known.data?.event_type ?? COMMON).filter((type) => !/^(SCANNING|REPLICATION)/.test(type));
  return (
    <FormDialog title={t('webhooks.new')} verb={t('add')} onClose={onClose} action={add} ready={chosen.size > 0} send={add.mutate}>
      <TextField label={t('name')} name="name" required autoFocus maxLength={100} />
      <TextField label={t('address')} name="address" type="url" required placeholder="https://ci.example.com/hook" />
      <TextField label={t('webhooks.authorization')} hint={t('webhooks.authorization.hint')} name="authorization" spellcheck={false} />
      <Field label={t('webhooks.format')}>
        {(at) => (
          <select {...at} name="format">
            <option value="Default">{t('webhooks.format.default')}</option>
            <option value="CloudEvents">CloudEvents</option>
          </select>
        )}
      </Field>
      <fieldset>
        <legend>{t('webhooks.events')}</legend>
        {types.map((type) => (
          <label class="choice" key={type}>
            <input
              type="checkbox"
              checked={chosen.has(type)}
              onChange={(event) => {
                const next = new Set(chosen);
                if (event.currentTarget.checked) next.add(type);
                else next.delete(type);
                setChosen(next);
              }}
            />
            <span>
              {eventName(type, t)}
              <small class="mono">{type}</small>
            </span>
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}
