import { KeyRound, Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, dataOf } from '../../api/client';
import { useAction, useRows, useSession } from '../../api/queries';
import type { AccessToken } from '../../api/types';
import { useTexts } from '../../i18n';
import { registryHost } from '../../lib/commands';
import { Button, Command, IconButton, SMALL } from '../../ui/controls';
import { Header, Time, Until } from '../../ui/data';
import { FormDialog, Result, useDeletion } from '../../ui/dialogs';
import { Empty } from '../../ui/feedback';
import { Choices, DurationField, TextField, textOf } from '../../ui/fields';
import { Listing } from '../../ui/listing';

const ACCESS = ['read', 'write', 'admin'] as const;
type Access = (typeof ACCESS)[number];
const DURATIONS = [7, 30, 90, 365, -1];

/** One's own access tokens: passwords of their own for a laptop or a script. */
export function Tokens() {
  const { t } = useTexts();
  const [creating, setCreating] = useState(false);
  const tokens = useRows<AccessToken>(['tokens'], () => api.GET('/api/roadstead/v1/users/current/tokens', {}));
  const [remove, removing] = useDeletion({
    run: (token: AccessToken) =>
      api.DELETE('/api/roadstead/v1/users/current/tokens/{token}', { params: { path: { token: token.id } } }),
    refresh: ['tokens'],
    name: (token) => token.name,
    hint: t('tokens.delete.hint'),
  });
  const create = (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('tokens.new')}
    </Button>
  );
  return (
    <>
      <Listing
        label={t('tokens')}
        list={tokens}
        waiting={2}
        bar={
          <>
            <span class="space" />
            {create}
          </>
        }
        none={
          <Empty title={t('tokens.none')}>
            <p>{t('tokens.none.hint')}</p>
            {create}
          </Empty>
        }
        head={[
          <Header>{t('name')}</Header>,
          <Header kind="mid">{t('role.may')}</Header>,
          <Header>{t('robots.expires')}</Header>,
          <Header kind="mid">{t('tokens.used')}</Header>,
        ]}
        actions
        row={(token) => (
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
              <Until at={token.expires_at} />
            </td>
            <td class="mid">
              <Time at={token.last_used} none={t('never')} />
            </td>
            <td class="act">
              <IconButton icon={Trash2} label={t('delete.name', { name: token.name })} onClick={() => remove(token)} />
            </td>
          </tr>
        )}
      />
      {creating && <NewToken onClose={() => setCreating(false)} />}
      {removing}
    </>
  );
}

function NewToken({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const session = useSession();
  const [access, setAccess] = useState<Access>('read');
  const [made, setMade] = useState<string | null>(null);
  const create = useAction(
    async (form: FormData) => {
      const body = { name: textOf(form, 'name'), access, duration: Number(form.get('duration')) };
      setMade(dataOf(await api.POST('/api/roadstead/v1/users/current/tokens', { body })).token);
    },
    { refresh: ['tokens'] },
  );
  if (made !== null)
    return (
      <Result title={t('tokens.made')} onClose={onClose}>
        <p>{t('tokens.made.hint')}</p>
        <Command text={made} label={t('tokens.copy')} />
        <Command text={`docker login -u ${session.data?.name ?? ''} ${registryHost()}`} />
      </Result>
    );
  return (
    <FormDialog title={t('tokens.new')} verb={t('create')} onClose={onClose} action={create} send={create.mutate}>
      <TextField label={t('name')} hint={t('tokens.name.hint')} name="name" required autoFocus maxLength={100} />
      <DurationField days={DURATIONS} />
      <Choices
        legend={t('role.may')}
        options={ACCESS.map((value) => ({ value, text: t(`tokens.${value}`), hint: t(`tokens.${value}.hint`) }))}
        value={access}
        onValue={setAccess}
      />
    </FormDialog>
  );
}
