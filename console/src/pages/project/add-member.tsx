import { Users } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useFoundGroups, useFoundUsers } from '../../api/queries';
import { useTexts } from '../../i18n';
import { registryHost } from '../../lib/commands';
import { GROUP_KINDS, roleHint, roleName, ROLES } from '../../lib/roles';
import { Button, Command, SMALL } from '../../ui/controls';
import { FormDialog, Result } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { Choices, EXACT, Field } from '../../ui/fields';
import { Patterns, patternsOf } from './member-limits';

const PAUSE = 200; // milliseconds after the last key until names are looked up

/** The text as it was `PAUSE` ago, once it rests. */
function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}

/** Adds users and groups, one after the other, each with a role in the whole project or in some repositories. */
export function AddMember({ project, onClose }: { project: string; onClose: () => void }) {
  const { t } = useTexts();
  const [kind, setKind] = useState<'user' | 'group'>('user');
  const [name, setName] = useState('');
  const [group, setGroup] = useState<{ id: number; name: string } | null>(null);
  const [role, setRole] = useState<number>(2);
  const [limits, setLimits] = useState('');
  const [added, setAdded] = useState<{ kind: string; name: string } | null>(null);
  const add = useAction(
    () =>
      api.POST('/api/roadstead/v1/projects/{project}/members', {
        params: { path: { project } },
        body: {
          role_id: role,
          repositories: patternsOf(limits),
          ...(kind === 'group' ? { member_group: { id: group?.id ?? 0 } } : { member_user: { username: name } }),
        },
      }),
    { refresh: ['members'], then: () => setAdded({ kind, name: kind === 'group' ? (group?.name ?? '') : name }) },
  );
  if (added)
    return (
      <Result
        title={t('members.added', { name: added.name })}
        onClose={onClose}
        more={
          <Button
            onClick={() => {
              setAdded(null);
              setName('');
              setGroup(null);
            }}
          >
            {t('members.another')}
          </Button>
        }
      >
        {added.kind === 'user' ? (
          <>
            <p>{t('members.added.hint', { name: added.name, role: t(roleName(role)) })}</p>
            <Command text={`docker login -u ${added.name} ${registryHost()}`} />
          </>
        ) : (
          <p>{t('members.added.group', { name: added.name, role: t(roleName(role)) })}</p>
        )}
      </Result>
    );
  return (
    <FormDialog
      title={t('members.add')}
      verb={t('add')}
      onClose={onClose}
      action={add}
      ready={kind === 'user' ? name !== '' : group !== null}
      send={() => add.mutate()}
    >
      <div>
        <div class="segments" role="group" aria-label={t('members.who')}>
          {(['user', 'group'] as const).map((one) => (
            <button type="button" key={one} aria-pressed={kind === one} onClick={() => setKind(one)}>
              {t(one)}
            </button>
          ))}
        </div>
      </div>
      {kind === 'user' ? <UserField name={name} onName={setName} /> : <GroupField group={group} onGroup={setGroup} />}
      <Choices
        legend={t('role')}
        options={ROLES.map((value) => ({ value, text: t(roleName(value)), hint: t(roleHint(value)) }))}
        value={role}
        onValue={setRole}
      />
      <Patterns text={limits} onText={setLimits} />
    </FormDialog>
  );
}

function UserField({ name, onName }: { name: string; onName: (name: string) => void }) {
  const { t } = useTexts();
  const found = useFoundUsers(useRested(name));
  return (
    <Field label={t('user')} hint={t('members.user.hint')}>
      {(at) => (
        <>
          <input
            {...at}
            list="found-users"
            value={name}
            required
            autoFocus
            {...EXACT}
            onInput={(event) => onName(event.currentTarget.value.trim())}
          />
          <datalist id="found-users">
            {found.data?.map((user) => (
              <option key={user.user_id} value={user.username} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

interface GroupFieldProps {
  group: { id: number; name: string } | null;
  onGroup: (group: { id: number; name: string } | null) => void;
}

/** Groups of several providers may have one name, so a group is chosen from those that are found. */
function GroupField({ group, onGroup }: GroupFieldProps) {
  const { t } = useTexts();
  const [text, setText] = useState('');
  const asked = useRested(text.trim());
  const found = useFoundGroups(asked);
  return (
    <>
      <Field label={t('group')} hint={t('members.group.hint')}>
        {(at) => (
          <input
            {...at}
            value={text}
            autoFocus
            {...EXACT}
            onInput={(event) => {
              setText(event.currentTarget.value);
              onGroup(null);
            }}
          />
        )}
      </Field>
      {found.isError && <Failure error={found.error} />}
      {asked !== '' && found.data && (
        <fieldset>
          <legend class="visually-hidden">{t('search.results')}</legend>
          {found.data.map((one) => (
            <label class="choice" key={one.id}>
              <input
                type="radio"
                name="group"
                required
                checked={group?.id === one.id}
                onChange={() => onGroup({ id: one.id, name: one.group_name })}
              />
              <Users size={SMALL} aria-hidden="true" />
              <span class="break">
                {one.group_name} <span class="muted">{t(GROUP_KINDS[one.group_type as 1])}</span>
              </span>
            </label>
          ))}
          {found.data.length === 0 && <p class="muted">{t('nothingFound')}</p>}
        </fieldset>
      )}
    </>
  );
}
