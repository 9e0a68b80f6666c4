import { KeyRound, MoreHorizontal, ShieldCheck, ShieldOff, UserPlus, UserX } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { PAGE_SIZE, useAction, useSession, useUsers } from '../../api/queries';
import type { User } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { registryHost } from '../../lib/commands';
import { Confirm } from '../../ui/confirm';
import { Button, Command, Dialog, Field, Menu, SMALL } from '../../ui/controls';
import { Filter, Header, Pager, Table, Time, Waiting } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import { NothingFound } from '../projects';

export function Users() {
  const { t } = useTexts();
  const { query, page } = useAddress();
  const session = useSession();
  const users = useUsers({ page, filter: query.get('q'), sort: query.get('sort') });
  const [creating, setCreating] = useState(false);
  const [resetting, setResetting] = useState<User | null>(null);
  const [removing, setRemoving] = useState<User | null>(null);
  const remove = useAction(
    (user: User) => api.DELETE('/api/v2.0/users/{user}', { params: { path: { user: String(user.user_id) } } }),
    { refresh: ['users', 'members'], done: (user) => t('robots.removed', { name: user.username }), then: () => setRemoving(null) },
  );
  const setAdmin = useAction(
    (user: User) =>
      api.PUT('/api/v2.0/users/{user}/sysadmin', {
        params: { path: { user: String(user.user_id) } },
        body: { sysadmin_flag: !user.sysadmin_flag },
      }),
    {
      refresh: ['users'],
      done: (user) => t(user.sysadmin_flag ? 'users.notAdmin' : 'users.isAdmin', { name: user.username }),
    },
  );
  return (
    <>
      <div class="bar">
        <Filter name="q" label={t('users.filter')} />
        <span class="space" />
        <Button kind="primary" icon={UserPlus} onClick={() => setCreating(true)}>
          {t('users.new')}
        </Button>
      </div>
      {setAdmin.isError && <Failure error={setAdmin.error} />}
      {users.isError ? (
        <Failure error={users.error} retry={() => void users.refetch()} />
      ) : (
        <Table
          label={t('users')}
          waiting={users.isPlaceholderData}
          head={
            <>
              <Header sort="username" by="username">
                {t('name')}
              </Header>
              <Header kind="mid">{t('role')}</Header>
              <Header kind="wide" sort="creation_time" by="username" down>
                {t('created')}
              </Header>
              <th>
                <span class="visually-hidden">{t('actions')}</span>
              </th>
            </>
          }
        >
          {users.isPending && <Waiting columns={4} rows={4} />}
          {users.data?.rows.map((user) => (
            <tr key={user.user_id}>
              <td>
                <span class="name">{user.username}</span>{' '}
                {user.username === session.data?.name && <span class="badge">{t('you')}</span>}
              </td>
              <td class="mid">
                {user.sysadmin_flag ? <span class="badge accent">{t('role.system')}</span> : <span class="muted">–</span>}
              </td>
              <td class="wide">
                <Time at={user.creation_time} />
              </td>
              <td class="act">
                {user.username !== session.data?.name && (
                  <Menu label={t('users.actions', { name: user.username })} icon={MoreHorizontal}>
                    {(close) => (
                      <>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            setAdmin.mutate(user);
                          }}
                        >
                          {user.sysadmin_flag ? (
                            <ShieldOff size={SMALL} aria-hidden="true" />
                          ) : (
                            <ShieldCheck size={SMALL} aria-hidden="true" />
                          )}
                          {t(user.sysadmin_flag ? 'users.takeAdmin' : 'users.makeAdmin')}
                        </button>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            setResetting(user);
                          }}
                        >
                          <KeyRound size={SMALL} aria-hidden="true" />
                          {t('users.reset')}
                        </button>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            setRemoving(user);
                          }}
                        >
                          <UserX size={SMALL} aria-hidden="true" />
                          {t('delete')}
                        </button>
                      </>
                    )}
                  </Menu>
                )}
              </td>
            </tr>
          ))}
          {users.data?.rows.length === 0 && <NothingFound columns={4} />}
        </Table>
      )}
      <Pager page={page} size={PAGE_SIZE} total={users.data?.total ?? null} />
      {creating && <NewUser onClose={() => setCreating(false)} />}
      {removing && (
        <Confirm
          title={t('robots.delete', { name: removing.username })}
          verb={t('delete')}
          onClose={() => setRemoving(null)}
          action={remove}
          go={() => remove.mutate(removing)}
        >
          <p>{t('users.delete.hint', { name: removing.username })}</p>
        </Confirm>
      )}
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
    <Dialog title={t('users.handover', { name })} onClose={onClose}>
      <p>{t('users.handover.hint')}</p>
      <dl class="facts">
        <dt>{t('address')}</dt>
        <dd>{window.location.origin}</dd>
        <dt>{t('user')}</dt>
        <dd>{name}</dd>
      </dl>
      <Command text={password} label={t('copy.password')} />
      <Command text={`docker login -u ${name} ${registryHost()}`} />
      <div class="actions">
        <Button kind="primary" onClick={onClose} autoFocus>
          {t('done')}
        </Button>
      </div>
    </Dialog>
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
    <Dialog title={t('users.new')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          create.mutate({ name: String(form.get('name')).trim(), password: String(form.get('password')) });
        }}
      >
        {create.isError && <Failure error={create.error} />}
        <Field label={t('name')} hint={t('users.name.hint')}>
          {(at) => (
            <input {...at} name="name" required autoFocus autoComplete="off" autoCapitalize="none" spellcheck={false} />
          )}
        </Field>
        <NewPassword />
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

function ResetPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTexts();
  const [made, setMade] = useState<string | null>(null);
  const reset = useAction(
    (password: string) =>
      api.PUT('/api/v2.0/users/{user}/password', {
        params: { path: { user: String(user.user_id) } },
        body: { new_password: password },
      }),
    { then: setMade },
  );
  if (made !== null) return <Handover name={user.username} password={made} onClose={onClose} />;
  return (
    <Dialog title={t('users.reset.title', { name: user.username })} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          reset.mutate(String(new FormData(event.currentTarget).get('password')));
        }}
      >
        <p>{t('users.reset.hint', { name: user.username })}</p>
        {reset.isError && <Failure error={reset.error} />}
        <NewPassword />
        <div class="actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={reset.isPending}>
            {t('users.reset')}
          </Button>
        </div>
      </form>
    </Dialog>
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
