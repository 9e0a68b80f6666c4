import { Plus, ShieldCheck, ShieldOff, Trash2, UserMinus, Users as UsersIcon } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { PAGE_SIZE, useAction, useOne, useRows } from '../../api/queries';
import type { Group } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { GROUP_KINDS } from '../../lib/roles';
import { Actions, Button, IconButton, SMALL } from '../../ui/controls';
import { Header } from '../../ui/data';
import { FormDialog, Result, useDeletion } from '../../ui/dialogs';
import { Empty, Failure } from '../../ui/feedback';
import { EXACT, TextField, textOf } from '../../ui/fields';
import { Listing, usePages } from '../../ui/listing';

const LOCAL = 2;

export function Groups() {
  const { t } = useTexts();
  const { page } = useAddress();
  const [creating, setCreating] = useState(false);
  const [opened, setOpened] = useState<Group | null>(null);
  const groups = useRows<Group>(['groups', page], () =>
    api.GET('/api/v2.0/usergroups', { params: { query: { page, page_size: PAGE_SIZE } } }),
  );
  const [remove, removing] = useDeletion({
    run: (group: Group) => api.DELETE('/api/v2.0/usergroups/{group}', { params: { path: { group: String(group.id) } } }),
    refresh: ['groups', 'members'],
    name: (group) => group.group_name,
    hint: t('groups.delete.hint'),
  });
  const create = (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('groups.new')}
    </Button>
  );
  return (
    <>
      <Listing
        label={t('groups')}
        list={groups}
        waiting={3}
        bar={
          <>
            <span class="space" />
            {create}
          </>
        }
        none={
          <Empty title={t('groups.none')}>
            <p>{t('groups.none.hint')}</p>
            {create}
          </Empty>
        }
        head={[<Header>{t('name')}</Header>, <Header>{t('groups.from')}</Header>]}
        actions
        row={(group) => (
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
              <Actions
                name={group.group_name}
                actions={[
                  { icon: UsersIcon, text: t('groups.open'), go: () => setOpened(group) },
                  { icon: Trash2, text: t('delete'), go: () => remove(group), harm: true },
                ]}
              />
            </td>
          </tr>
        )}
      />
      {creating && <NewGroup onClose={() => setCreating(false)} />}
      {opened && <OneGroup group={opened} onClose={() => setOpened(null)} />}
      {removing}
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
    <FormDialog
      title={t('groups.new')}
      verb={t('create')}
      onClose={onClose}
      action={create}
      send={(form) => create.mutate(textOf(form, 'name'))}
    >
      <TextField label={t('name')} name="name" required autoFocus maxLength={255} />
    </FormDialog>
  );
}

/** Who is in a group, and whether it makes administrators. */
function OneGroup({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useTexts();
  const [name, setName] = useState('');
  const path = { group: String(group.id) };
  const local = group.group_type === LOCAL;
  const details = useOne(['groups', 'one', group.id], () => api.GET('/api/roadstead/v1/usergroups/{group}', { params: { path } }));
  const members = usePages(
    ['groups', 'members', group.id],
    PAGE_SIZE,
    (query) => api.GET('/api/roadstead/v1/usergroups/{group}/members', { params: { path, query } }),
    { enabled: local },
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
    <Result
      title={group.group_name}
      onClose={onClose}
      more={
        details.data && (
          <Button icon={admin ? ShieldOff : ShieldCheck} disabled={setAdmin.isPending} onClick={() => setAdmin.mutate(!admin)}>
            {t(admin ? 'users.takeAdmin' : 'users.makeAdmin')}
          </Button>
        )
      }
    >
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
              {...EXACT}
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
                <IconButton
                  icon={UserMinus}
                  label={t('members.remove', { name: member.username })}
                  onClick={() => remove.mutate(member.username)}
                />
              </li>
            ))}
            {members.data?.rows.length === 0 && <li class="muted">{t('groups.empty')}</li>}
          </ul>
          {members.pager}
        </>
      )}
      {!local && <p class="muted">{t('groups.elsewhere')}</p>}
    </Result>
  );
}
