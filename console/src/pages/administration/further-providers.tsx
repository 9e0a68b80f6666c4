import { Pencil, Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { testOidc } from '../../api/providers';
import { useAction, useRows } from '../../api/queries';
import type { OidcProvider } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { en } from '../../i18n/en';
import { Button, Command, IconButton } from '../../ui/controls';
import { FormDialog, useDeletion } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { EXACT, TextField, textOf } from '../../ui/fields';
import { Test } from './provider-test';

const PATH = '/api/roadstead/v1/oidc-providers/{provider}';
const TEXTS = ['name', 'scope', 'user_claim', 'groups_claim', 'group_filter', 'admin_group', 'extra_redirect_parms'] as const;
const FLAGS = ['auto_onboard', 'logout'] as const;
const REFRESH = ['further-providers', 'providers'];

/** The OpenID Connect providers beside the first, which the configuration names. */
export function FurtherProviders({ origin }: { origin: string }) {
  const { t } = useTexts();
  const [editing, edit] = useState<OidcProvider | 'new' | null>(null);
  const found = useRows<OidcProvider>(['further-providers'], () => api.GET('/api/roadstead/v1/oidc-providers'));
  const [remove, removing] = useDeletion({
    run: (one: OidcProvider) => api.DELETE(PATH, { params: { path: { provider: one.id } } }),
    refresh: REFRESH,
    name: (one) => one.name || one.id,
    hint: t('providers.further.delete.hint'),
  });
  return (
    <section class="card">
      <header>
        <h2>{t('providers.further')}</h2>
      </header>
      <div class="body stack">
        <p class="muted">{t('providers.further.hint')}</p>
        {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
        {found.isPending && <span class="skeleton" />}
        {found.data && found.data.rows.length > 0 && (
          <table>
            <tbody>
              {found.data.rows.map((one) => (
                <tr key={one.id}>
                  <th scope="row" class="name">
                    {one.name || one.id}
                  </th>
                  <td class="break">{one.endpoint}</td>
                  <td class="act">
                    <IconButton icon={Pencil} label={t('providers.further.edit', { name: one.name || one.id })} onClick={() => edit(one)} />
                    <IconButton icon={Trash2} label={t('delete.name', { name: one.name || one.id })} onClick={() => remove(one)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <div>
          <Button icon={Plus} onClick={() => edit('new')}>
            {t('providers.further.new')}
          </Button>
        </div>
      </div>
      {editing && <Edit origin={origin} provider={editing === 'new' ? null : editing} onClose={() => edit(null)} />}
      {removing}
    </section>
  );
}

/** One provider's settings. A secret that is left empty stays as it is. */
function Edit({ origin, provider, onClose }: { origin: string; provider: OidcProvider | null; onClose: () => void }) {
  const { t } = useTexts();
  const [id, setId] = useState(provider?.id ?? '');
  const [endpoint, setEndpoint] = useState(provider?.endpoint ?? '');
  const labels = (field: string) => {
    const hint = `configuration.oidc_${field}.hint`;
    return { label: t(`configuration.oidc_${field}` as Message), hint: hint in en ? t(hint as Message) : undefined };
  };
  const save = useAction(
    (form: FormData) => {
      const secret = textOf(form, 'client_secret');
      const texts = Object.fromEntries(TEXTS.map((field) => [field, textOf(form, field)]));
      const flags = Object.fromEntries(FLAGS.map((field) => [field, form.get(field) !== null]));
      const body = { ...texts, ...flags, endpoint, client_id: textOf(form, 'client_id'), ...(secret ? { client_secret: secret } : {}) };
      return api.PUT(PATH, { params: { path: { provider: id } }, body });
    },
    { refresh: REFRESH, done: t('configuration.saved'), then: onClose },
  );
  const title = provider ? t('providers.further.edit', { name: provider.name || provider.id }) : t('providers.further.new');
  return (
    <FormDialog title={title} verb={t('save')} onClose={onClose} action={save} send={save.mutate}>
      {!provider && (
        <TextField
          {...EXACT}
          label={t('providers.further.id')}
          hint={t('providers.further.id.hint')}
          name="id"
          value={id}
          onInput={(event) => setId(event.currentTarget.value.trim())}
          pattern="[a-z0-9]([a-z0-9\-]{0,30}[a-z0-9])?"
          required
          autoFocus
        />
      )}
      <TextField
        {...EXACT}
        label={t('configuration.oidc_endpoint')}
        name="endpoint"
        type="url"
        value={endpoint}
        onInput={(event) => setEndpoint(event.currentTarget.value.trim())}
        required
      />
      <div class="row">
        <Test off={!endpoint} run={() => testOidc(endpoint)} />
      </div>
      {id && (
        <div class="commands">
          <span>{t('providers.register')}</span>
          <Command text={`${origin}/c/oidc/callback/${id}`} label={t('providers.register.callback')} />
          <Command text={`${origin}/ui`} label={t('providers.register.logout')} />
        </div>
      )}
      <TextField {...EXACT} label={t('configuration.oidc_client_id')} name="client_id" defaultValue={provider?.client_id} required />
      <TextField
        {...EXACT}
        label={t('configuration.oidc_client_secret')}
        hint={provider?.has_secret ? t('providers.further.secret') : undefined}
        name="client_secret"
        type="password"
        autoComplete="new-password"
      />
      {TEXTS.map((field) => (
        <TextField {...EXACT} key={field} {...labels(field)} name={field} defaultValue={provider?.[field] ?? DEFAULTS[field] ?? ''} />
      ))}
      {FLAGS.map((field) => (
        <label class="choice" key={field}>
          <input type="checkbox" name={field} defaultChecked={provider?.[field]} />
          <span>{labels(field).label}</span>
        </label>
      ))}
    </FormDialog>
  );
}

const DEFAULTS: Partial<Record<(typeof TEXTS)[number], string>> = { scope: 'openid', extra_redirect_parms: '{}' };
