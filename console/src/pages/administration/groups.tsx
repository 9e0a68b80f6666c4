import { MoreHorizontal, Plus, ShieldCheck, ShieldOff, Trash2, UserMinus, Users as UsersIcon } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { PAGE_SIZE, useAction, useOne, useRows } from '../../api/queries';
import type { Group } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { GROUP_KINDS } from '../../lib/roles';
import { Confirm } from '../../ui/confirm';
import { Button, Dialog, Field, Menu, SMALL } from '../../ui/controls';
import { Header, Pager, Table, Waiting } from '../../ui/data';
import { Empty, Failure } from '../../ui/feedback';

const LOCAL = 2;

export function Groups() {
  const { t } = useTexts();
  const { page } = useAddress();
  const [creating, setCreating] = useState(false);
  const [opened, setOpened] = useState<Group | null>(null);
  const [removing, setRemoving] = useState<Group | null>(null);
  const groups = useRows<Group>(['groups', page], () =>
    api.GET('/api/v2.0/usergroups', { params: { query: { page, page_size: PAGE_SIZE } } }),
  );
  const remove = useAction(
    (group: Group) => api.DELETE('/api/v2.0/usergroups/{group}', { params: { path: { group: String(group.id) } } }),
    { refresh: ['groups', 'members'], done: (group) => t('robots.removed', { name: group.group_name }), then: () => setRemoving(null) },
  );
  const create = (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('groups.new')}
    </Button>
  );
  if (groups.isError) return <Failure error={groups.error} retry={() => void groups.refetch()} />;
  return (
    <>
      {groups.data?.total === 0 ? (
        <div class="card">
          <Empty title={t('groups.none')}>
            <p>{t('groups.none.hint')}</p>
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
            label={t('groups')}
            waiting={groups.isPlaceholderData}
            head={
              <>
                <Header>{t('name')}</Header>
                <Header>{t('groups.from')}</Header>
                <th>
                  <span class="visually-hidden">{t('actions')}</span>
                </th>
              </>
            }
          >
            {groups.isPending && <Waiting columns={3} rows={3} />}
            {groups.data?.rows.map((group) => (
              <tr key={group.id}>
                <td>
                  <span class="with-icon">
                    <UsersIcon size={SMALL} aria-hidden="true" />
                    <span class="name">{group.group_name}</span>
                  </span>
                </td>
                <td>
                  {t(GROUP_KINDS[group.group_type as 1])} <span class="muted small break">{group.ldap_group_dn}</span>
                </td>
                <td class="act">
                  <Menu label={t('users.actions', { name: group.group_name })} icon={MoreHorizontal}>
                    {(close) => (
                      <>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            setOpened(group);
                          }}
                        >
                          <UsersIcon size={SMALL} aria-hidden="true" />
                          {t('groups.open')}
                        </button>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            setRemoving(group);
                          }}
                        >
                          <Trash2 size={SMALL} aria-hidden="true" />
                          {t('delete')}
                        </button>
                      </>
                    )}
                  </Menu>
                </td>
              </tr>
            ))}
          </Table>
          <Pager page={page} size={PAGE_SIZE} total={groups.data?.total ?? null} />
        </>
      )}
      {creating && <NewGroup onClose={() => setCreating(false)} />}
      {opened && <OneGroup group={opened} onClose={() => setOpened(null)} />}
      {removing && (
        <Confirm
          title={t('robots.delete', { name: removing.group_name })}
          verb={t('delete')}
          onClose={() => setRemoving(null)}
          action={remove}
          go={() => remove.mutate(removing)}
        >
          <p>{t('groups.delete.hint')}</p>
        </Confirm>
      )}
    </>
  );
}

function NewGroup({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const create = useAction(
    (name: string) => api.POST('/api/v2.0/usergroups', { body: { group_name: name, group_type: LOCAL } }),
    { refresh: ['groups'], then: onClose },
  );
  return (
    <Dialog title={t('groups.new')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(String(new FormData(event.currentTarget).get('name')).trim());
        }}
      >
        {create.isError && <Failure error={create.error} />}
        <Field label={t('name')}>{(at) => <input {...at} name="name" required autoFocus autoComplete="off" maxLength={255} />}</Field>
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

/** Who is in a group, and whether it makes administrators. */
function OneGroup({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useTexts();
  const [name, setName] = useState('');
  const path = { group: String(group.id) };
  const local = group.group_type === LOCAL;
  const details = useOne(['groups', 'one', group.id], () => api.GET('/api/roadstead/v1/usergroups/{group}', { params: { path } }));
  const members = useRows(
    ['groups', 'members', group.id],
    () => api.GET('/api/roadstead/v1/usergroups/{group}/members', { params: { path, query: { page_size: 100 } } }),
    local,
  );
  const setAdmin = useAction(
    (admin: boolean) => api.PUT('/api/roadstead/v1/usergroups/{group}/admin', { params: { path }, body: { admin } }),
    { refresh: ['groups'] },
  );
  const add = useAction(
    () => api.POST('/api/roadstead/v1/usergroups/{group}/members', { params: { path }, body: { username: name.trim() } }),
    { refresh: ['groups'], then: () => setName('') },
  );
  const remove = useAction(
    (username: string) =>
      api.DELETE('/api/roadstead/v1/usergroups/{group}/members/{user_name}', { params: { path: { ...path, user_name: username } } }),
    { refresh: ['groups'] },
  );
  const error = setAdmin.error ?? add.error ?? remove.error ?? members.error ?? details.error;
  const admin = details.data?.admin ?? false;
  return (
    <Dialog title={group.group_name} onClose={onClose}>
      {error && <Failure error={error} />}
      {local && (
        <>
          <form
            class="row"
            style={{ flexWrap: 'nowrap' }}
            onSubmit={(event) => {
              event.preventDefault();
              add.mutate();
            }}
          >
            <input
              aria-label={t('user')}
              placeholder={t('user')}
              required
              autoFocus
              autoComplete="off"
              autoCapitalize="none"
              spellcheck={false}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <Button type="submit" disabled={add.isPending}>
              {t('add')}
            </Button>
          </form>
          <ul class="rules" aria-label={t('members')}>
            {members.data?.rows.map((member) => (
              <li key={member.username} style={{ padding: '4px 0' }}>
                <span class="sentence">{member.username}</span>
                <Button
                  kind="plain"
                  icon={UserMinus}
                  aria-label={t('members.remove', { name: member.username })}
                  title={t('members.remove', { name: member.username })}
                  onClick={() => remove.mutate(member.username)}
                />
              </li>
            ))}
            {members.data?.rows.length === 0 && <li class="muted">{t('groups.empty')}</li>}
          </ul>
        </>
      )}
      {!local && <p class="muted">{t('groups.elsewhere')}</p>}
      <div class="actions">
        {details.data && (
          <Button icon={admin ? ShieldOff : ShieldCheck} disabled={setAdmin.isPending} onClick={() => setAdmin.mutate(!admin)}>
            {t(admin ? 'users.takeAdmin' : 'users.makeAdmin')}
          </Button>
        )}
        <Button kind="primary" onClick={onClose}>
          {t('done')}
        </Button>
      </div>
    </Dialog>
  );
}
