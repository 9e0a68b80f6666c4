import { KeyRound, Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, dataOf } from '../../api/client';
import { useAction, useRows, useSession } from '../../api/queries';
import type { AccessToken } from '../../api/types';
import { useTexts } from '../../i18n';
import { registryHost } from '../../lib/commands';
import { Confirm } from '../../ui/confirm';
import { Button, Command, Dialog, Field, SMALL } from '../../ui/controls';
import { Header, Table, Time, Waiting } from '../../ui/data';
import { Empty, Failure } from '../../ui/feedback';

const ACCESS = ['read', 'write', 'admin'] as const;
type Access = (typeof ACCESS)[number];
const DURATIONS = [7, 30, 90, 365, -1] as const;

/** One's own access tokens: passwords of their own for a laptop or a script. */
export function Tokens() {
  const { t } = useTexts();
  const [creating, setCreating] = useState(false);
  const [removing, setRemoving] = useState<AccessToken | null>(null);
  const tokens = useRows<AccessToken>(['tokens'], () => api.GET('/api/roadstead/v1/users/current/tokens', {}));
  const remove = useAction(
    (token: AccessToken) => api.DELETE('/api/roadstead/v1/users/current/tokens/{token}', { params: { path: { token: token.id } } }),
    { refresh: ['tokens'], done: (token) => t('robots.removed', { name: token.name }), then: () => setRemoving(null) },
  );
  const create = (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('tokens.new')}
    </Button>
  );
  return (
    <>
      {tokens.isError ? (
        <Failure error={tokens.error} retry={() => void tokens.refetch()} />
      ) : tokens.data?.rows.length === 0 ? (
        <div class="card">
          <Empty title={t('tokens.none')}>
            <p>{t('tokens.none.hint')}</p>
            {create}
          </Empty>
        </div>
      ) : (
        <>
          <div class="bar">
            <span class="space" />
            {create}
          </div>
          <Table
            label={t('tokens')}
            head={
              <>
                <Header>{t('name')}</Header>
                <Header kind="mid">{t('role.may')}</Header>
                <Header>{t('robots.expires')}</Header>
                <Header kind="mid">{t('tokens.used')}</Header>
                <th>
                  <span class="visually-hidden">{t('actions')}</span>
                </th>
              </>
            }
          >
            {tokens.isPending && <Waiting columns={5} rows={2} />}
            {tokens.data?.rows.map((token) => (
              <tr key={token.id}>
                <td>
                  <span class="with-icon">
                    <KeyRound size={SMALL} aria-hidden="true" />
                    <span class="name">{token.name}</span>
                  </span>
                </td>
                <td class="mid">
                  {t(`tokens.${token.access as Access}`)}
                  {token.projects.length > 0 && <span class="muted"> · {token.projects.join(', ')}</span>}
                </td>
                <td>
                  {token.expires_at < 0 ? (
                    <span class="muted">{t('never')}</span>
                  ) : (
                    <Time at={new Date(token.expires_at * 1000).toISOString()} />
                  )}
                </td>
                <td class="mid">
                  <Time at={token.last_used} none={t('never')} />
                </td>
                <td class="act">
                  <Button
                    kind="plain"
                    icon={Trash2}
                    aria-label={t('robots.delete', { name: token.name })}
                    title={t('robots.delete', { name: token.name })}
                    onClick={() => setRemoving(token)}
                  />
                </td>
              </tr>
            ))}
          </Table>
        </>
      )}
      {creating && <NewToken onClose={() => setCreating(false)} />}
      {removing && (
        <Confirm
          title={t('robots.delete', { name: removing.name })}
          verb={t('delete')}
          onClose={() => setRemoving(null)}
          action={remove}
          go={() => remove.mutate(removing)}
        >
          <p>{t('tokens.delete.hint')}</p>
        </Confirm>
      )}
    </>
  );
}

function NewToken({ onClose }: { onClose: () => void }) {
  const { t, n } = useTexts();
  const session = useSession();
  const [access, setAccess] = useState<Access>('read');
  const [made, setMade] = useState<string | null>(null);
  const create = useAction(
    async (form: FormData) => {
      const body = { name: String(form.get('name')).trim(), access, duration: Number(form.get('duration')) };
      setMade(dataOf(await api.POST('/api/roadstead/v1/users/current/tokens', { body })).token);
    },
    { refresh: ['tokens'] },
  );
  if (made !== null)
    return (
      <Dialog title={t('tokens.made')} onClose={onClose}>
        <p>{t('tokens.made.hint')}</p>
        <Command text={made} label={t('tokens.copy')} />
        <Command text={`docker login -u ${session.data?.name ?? ''} ${registryHost()}`} />
        <div class="actions">
          <Button kind="primary" onClick={onClose} autoFocus>
            {t('done')}
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={t('tokens.new')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(new FormData(event.currentTarget));
        }}
      >
        {create.isError && <Failure error={create.error} />}
        <Field label={t('name')} hint={t('tokens.name.hint')}>
          {(at) => <input {...at} name="name" required autoFocus autoComplete="off" maxLength={100} />}
        </Field>
        <Field label={t('robots.expires')}>
          {(at) => (
            <select {...at} name="duration">
              {DURATIONS.map((days) => (
                <option key={days} value={days} selected={days === 90}>
                  {days < 0 ? t('never') : n('days', days)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <fieldset>
          <legend>{t('role.may')}</legend>
          {ACCESS.map((one) => (
            <label class="choice" key={one}>
              <input type="radio" name="access" checked={access === one} onChange={() => setAccess(one)} />
              <span>
                {t(`tokens.${one}`)}
                <small>{t(`tokens.${one}.hint`)}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <div class="actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={create.isPending}>
            {t('create')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
