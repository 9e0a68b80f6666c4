import { KeyRound, LockOpen, ShieldCheck, ShieldOff, UserCheck, UserMinus, UserPlus, UserX } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useSession, useUsers } from '../../api/queries';
import type { User } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { registryHost } from '../../lib/commands';
import { Actions, Button, Command } from '../../ui/controls';
import { Filter, Header, Time } from '../../ui/data';
import { FormDialog, Result, useDeletion } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { EXACT, Field, TextField, textOf } from '../../ui/fields';
import { Listing } from '../../ui/listing';

function pathOf(user: User) {
  return { params: { path: { user: String(user.user_id) } } };
}

export function Users() {
  const { t } = useTexts();
  const { query, page } = useAddress();
  const session = useSession();
  const users = useUsers({ page, filter: query.get('q'), sort: query.get('sort') });
  const [creating, setCreating] = useState(false);
  const [resetting, setResetting] = useState<User | null>(null);
  const [remove, removing] = useDeletion({
    run: (user: User) => api.DELETE('/api/v2.0/users/{user}', pathOf(user)),
    refresh: ['users', 'members'],
    name: (user) => user.username,
    hint: (user) => t('users.delete.hint', { name: user.username }),
  });
  const setAdmin = useAction(
    (user: User) => api.PUT('/api/v2.0/users/{user}/sysadmin', { ...pathOf(user), body: { sysadmin_flag: !user.sysadmin_flag } }),
    {
      refresh: ['users'],
      done: (user) => t(user.sysadmin_flag ? 'users.notAdmin' : 'users.isAdmin', { name: user.username }),
    },
  );
  const release = useAction((user: User) => api.POST('/api/roadstead/v1/users/{user}/release', pathOf(user)), {
    done: (user) => t('users.released', { name: user.username }),
  });
  const setDisabled = useAction(
    (user: User) => api.PUT('/api/roadstead/v1/users/{user}/disabled', { ...pathOf(user), body: { disabled: !user.disabled } }),
    {
      refresh: ['users'],
      done: (user) => t(user.disabled ? 'users.isEnabled' : 'users.isDisabled', { name: user.username }),
    },
  );
  const error = setAdmin.error ?? release.error ?? setDisabled.error;
  return (
    <>
      {error && <Failure error={error} />}
      <Listing
        label={t('users')}
        list={users}
        waiting={4}
        bar={
          <>
            <Filter name="q" label={t('users.filter')} />
            <span class="space" />
            <Button kind="primary" icon={UserPlus} onClick={() => setCreating(true)}>
              {t('users.new')}
            </Button>
          </>
        }
        head={[
          <Header sort="username" by="username">
            {t('name')}
          </Header>,
          <Header kind="mid">{t('role')}</Header>,
          <Header kind="wide" sort="creation_time" by="username" down>
            {t('created')}
          </Header>,
        ]}
        actions
        row={(user) => (
          <tr key={user.user_id}>
            <td>
              <span class="name">{user.username}</span>{' '}
              {user.username === session.data?.name && <span class="badge">{t('you')}</span>}
              {user.disabled && <span class="badge warn">{t('users.disabled')}</span>}
            </td>
            <td class="mid">
              {user.sysadmin_flag ? <span class="badge accent">{t('role.system')}</span> : <span class="muted">–</span>}
            </td>
            <td class="wide">
              <Time at={user.creation_time} />
            </td>
            <td class="act">
              {user.username !== session.data?.name && (
                <Actions
                  name={user.username}
                  actions={[
                    {
                      icon: user.sysadmin_flag ? ShieldOff : ShieldCheck,
                      text: t(user.sysadmin_flag ? 'users.takeAdmin' : 'users.makeAdmin'),
                      go: () => setAdmin.mutate(user),
                    },
                    { icon: KeyRound, text: t('users.reset'), go: () => setResetting(user) },
                    { icon: LockOpen, text: t('users.release'), go: () => release.mutate(user) },
                    {
                      icon: user.disabled ? UserCheck : UserMinus,
                      text: t(user.disabled ? 'users.enable' : 'users.disable'),
                      go: () => setDisabled.mutate(user),
                    },
                    { icon: UserX, text: t('delete'), go: () => remove(user), harm: true },
                  ]}
                />
              )}
            </td>
          </tr>
        )}
      />
      {creating && <NewUser onClose={() => setCreating(false)} />}
      {removing}
      {resetting && <ResetPassword user={resetting} onClose={() => setResetting(null)} />}
    </>
  );
}

const ALPHABET = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789';

/** A password of 20 characters that nobody mistakes for others; with a digit and letters of both cases. */
export function generatedPassword(): string {
  for (;;) {
    // 256 is no multiple of the alphabet's length, so what lies above the last multiple is drawn again.
    const drawn = [...crypto.getRandomValues(new Uint8Array(64))].filter((value) => value < 4 * ALPHABET.length);
    const text = drawn.slice(0, 20).map((value) => ALPHABET[value % ALPHABET.length]).join('');
    if (text.length === 20 && /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text)) return text;
  }
}

/** What to hand to somebody whose password was set. It is shown once, and kept nowhere. */
function Handover({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  const { t } = useTexts();
  return (
    <Result title={t('users.handover', { name })} onClose={onClose}>
      <p>{t('users.handover.hint')}</p>
      <dl class="facts">
        <dt>{t('address')}</dt>
        <dd>{window.location.origin}</dd>
        <dt>{t('user')}</dt>
        <dd>{name}</dd>
      </dl>
      <Command text={password} label={t('copy.password')} />
      <Command text={`docker login -u ${name} ${registryHost()}`} />
    </Result>
  );
}

function NewUser({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const [made, setMade] = useState<{ name: string; password: string } | null>(null);
  const create = useAction(
    ({ name, password }: { name: string; password: string }) =>
      api.POST('/api/v2.0/users', { body: { username: name, password } }),
    { refresh: ['users'], then: setMade },
  );
  if (made) return <Handover {...made} onClose={onClose} />;
  return (
    <FormDialog
      title={t('users.new')}
      verb={t('create')}
      onClose={onClose}
      action={create}
      send={(form) => create.mutate({ name: textOf(form, 'name'), password: String(form.get('password')) })}
    >
      <TextField label={t('name')} hint={t('users.name.hint')} name="name" required autoFocus {...EXACT} />
      <NewPassword />
    </FormDialog>
  );
}

function ResetPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTexts();
  const [made, setMade] = useState<string | null>(null);
  const reset = useAction(
    (password: string) => api.PUT('/api/v2.0/users/{user}/password', { ...pathOf(user), body: { new_password: password } }),
    { then: setMade },
  );
  if (made !== null) return <Handover name={user.username} password={made} onClose={onClose} />;
  return (
    <FormDialog
      title={t('users.reset.title', { name: user.username })}
      verb={t('users.reset')}
      onClose={onClose}
      action={reset}
      send={(form) => reset.mutate(String(form.get('password')))}
    >
      <p>{t('users.reset.hint', { name: user.username })}</p>
      <NewPassword />
    </FormDialog>
  );
}

/** A generated password, which may be replaced by a chosen one. */
function NewPassword() {
  const { t } = useTexts();
  const [text, setText] = useState(generatedPassword);
  return (
    <Field label={t('password')} hint={t('password.hint')}>
      {(at) => (
        <input
          {...at}
          name="password"
          class="mono"
          required
          minLength={8}
          maxLength={128}
          autoComplete="new-password"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
