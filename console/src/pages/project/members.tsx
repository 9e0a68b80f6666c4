import { ListFilter, Trash2, User, UserPlus, Users } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useMembers, useSession } from '../../api/queries';
import type { Member } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { roleHint, roleName, ROLES } from '../../lib/roles';
import { Button, IconButton, Sign } from '../../ui/controls';
import { Filter, Header } from '../../ui/data';
import { useDeletion } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { Listing } from '../../ui/listing';
import type { TabProps } from '../project';
import { AddMember } from './add-member';
import { MemberLimits } from './member-limits';

export function Members({ project, may }: TabProps) {
  const { t } = useTexts();
  const { query, page } = useAddress();
  const session = useSession();
  const members = useMembers(project, { page, filter: query.get('q') });
  const [adding, setAdding] = useState(false);
  const [limiting, setLimiting] = useState<Member | null>(null);
  const edit = may('editMembers');
  const path = (member: Member) => ({ params: { path: { project, member: String(member.id) } } });
  const change = useAction(
    ({ member, role }: { member: Member; role: number }) =>
      api.PUT('/api/v2.0/projects/{project}/members/{member}', { ...path(member), body: { role_id: role } }),
    {
      refresh: ['members'],
      done: ({ member, role }) => t('members.changed', { name: member.entity_name, role: t(roleName(role)) }),
    },
  );
  const [remove, removing] = useDeletion({
    run: (member: Member) => api.DELETE('/api/v2.0/projects/{project}/members/{member}', path(member)),
    refresh: ['members'],
    name: (member) => member.entity_name,
    hint: (member) => t('members.remove.hint', { name: member.entity_name, project }),
    words: {
      title: (name) => t('members.remove', { name }),
      verb: t('remove'),
      done: (name) => t('members.removed', { name }),
    },
  });
  return (
    <>
      {change.isError && <Failure error={change.error} />}
      <Listing
        label={t('members')}
        list={members}
        waiting={3}
        bar={
          <>
            <Filter name="q" label={t('members.filter')} />
            <span class="space" />
            {edit && (
              <Button kind="primary" icon={UserPlus} onClick={() => setAdding(true)}>
                {t('members.add')}
              </Button>
            )}
          </>
        }
        head={[<Header>{t('name')}</Header>, <Header>{t('role')}</Header>, <Header kind="wide">{t('role.may')}</Header>]}
        actions={edit}
        row={(member) => {
          const self = member.entity_type === 'u' && member.entity_name === session.data?.name;
          const fixed = self && !session.data?.admin;
          return (
            <tr key={member.id}>
              <td>
                <span class="with-icon">
                  <Sign icon={member.entity_type === 'g' ? Users : User} label={t(member.entity_type === 'g' ? 'group' : 'user')} />
                  <span class="name">{member.entity_name}</span>
                  {self && <span class="badge mid">{t('you')}</span>}
                </span>
              </td>
              <td>
                {edit && !fixed ? (
                  <select
                    aria-label={t('members.role', { name: member.entity_name })}
                    value={member.role_id}
                    disabled={change.isPending}
                    style={{ width: 'auto', minHeight: '30px', padding: '2px 6px' }}
                    onChange={(event) => change.mutate({ member, role: Number(event.currentTarget.value) })}
                  >
                    {ROLES.map((role) => (
                      <option key={role} value={role}>
                        {t(roleName(role))}
                      </option>
                    ))}
                  </select>
                ) : (
                  t(roleName(member.role_id))
                )}
              </td>
              <td class="wide muted">{t(roleHint(member.role_id))}</td>
              {edit && (
                <td class="act">
                  {!fixed && (
                    <IconButton
                      icon={ListFilter}
                      label={t('members.limit', { name: member.entity_name })}
                      onClick={() => setLimiting(member)}
                    />
                  )}
                  <IconButton icon={Trash2} label={t('members.remove', { name: member.entity_name })} onClick={() => remove(member)} />
                </td>
              )}
            </tr>
          );
        }}
      />
      {adding && <AddMember project={project} onClose={() => setAdding(false)} />}
      {limiting && <MemberLimits project={project} member={limiting} onClose={() => setLimiting(null)} />}
      {removing}
    </>
  );
}
