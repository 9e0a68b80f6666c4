import { ListFilter, Trash2, User, UserPlus, Users } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { PAGE_SIZE, useAction, useMembers, useSession } from '../../api/queries';
import type { Member } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { roleHint, roleName, ROLES } from '../../lib/roles';
import { Button, Dialog, SMALL } from '../../ui/controls';
import { Filter, Header, Pager, Table, Waiting } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import type { TabProps } from '../project';
import { NothingFound } from '../projects';
import { AddMember } from './add-member';
import { MemberLimits } from './member-limits';

export function Members({ project, may }: TabProps) {
  const { t } = useTexts();
  const { query, page } = useAddress();
  const session = useSession();
  const members = useMembers(project, { page, filter: query.get('q') });
  const [adding, setAdding] = useState(false);
  const [limiting, setLimiting] = useState<Member | null>(null);
  const [removing, setRemoving] = useState<Member | null>(null);
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
  const remove = useAction(
    (member: Member) => api.DELETE('/api/v2.0/projects/{project}/members/{member}', path(member)),
    {
      refresh: ['members'],
      done: (member) => t('members.removed', { name: member.entity_name }),
      then: () => setRemoving(null),
    },
  );
  return (
    <>
      <div class="bar">
        <Filter name="q" label={t('members.filter')} />
        <span class="space" />
        {edit && (
          <Button kind="primary" icon={UserPlus} onClick={() => setAdding(true)}>
            {t('members.add')}
          </Button>
        )}
      </div>
      {change.isError && <Failure error={change.error} />}
      {members.isError ? (
        <Failure error={members.error} retry={() => void members.refetch()} />
      ) : (
        <Table
          label={t('members')}
          waiting={members.isPlaceholderData}
          head={
            <>
              <Header>{t('name')}</Header>
              <Header>{t('role')}</Header>
              <Header kind="wide">{t('role.may')}</Header>
              {edit && (
                <th>
                  <span class="visually-hidden">{t('actions')}</span>
                </th>
              )}
            </>
          }
        >
          {members.isPending && <Waiting columns={edit ? 4 : 3} rows={3} />}
          {members.data?.rows.map((member) => {
            const Icon = member.entity_type === 'g' ? Users : User;
            const self = member.entity_type === 'u' && member.entity_name === session.data?.name;
            return (
              <tr key={member.id}>
                <td>
                  <span class="with-icon">
                    <Icon size={SMALL} aria-label={t(member.entity_type === 'g' ? 'group' : 'user')} />
                    <span class="name">{member.entity_name}</span>
                    {self && <span class="badge mid">{t('you')}</span>}
                  </span>
                </td>
                <td>
                  {edit && !(self && !session.data?.admin) ? (
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
                    {!(self && !session.data?.admin) && (
                      <Button
                        kind="plain"
                        icon={ListFilter}
                        aria-label={t('members.limit', { name: member.entity_name })}
                        title={t('members.limit', { name: member.entity_name })}
                        onClick={() => setLimiting(member)}
                      />
                    )}
                    <Button
                      kind="plain"
                      icon={Trash2}
                      aria-label={t('members.remove', { name: member.entity_name })}
                      title={t('members.remove', { name: member.entity_name })}
                      onClick={() => setRemoving(member)}
                    />
                  </td>
                )}
              </tr>
            );
          })}
          {members.data?.rows.length === 0 && <NothingFound columns={4} />}
        </Table>
      )}
      <Pager page={page} size={PAGE_SIZE} total={members.data?.total ?? null} />
      {adding && <AddMember project={project} onClose={() => setAdding(false)} />}
      {limiting && <MemberLimits project={project} member={limiting} onClose={() => setLimiting(null)} />}
      {removing && (
        <Dialog title={t('members.remove', { name: removing.entity_name })} onClose={() => setRemoving(null)}>
          <p>{t('members.remove.hint', { name: removing.entity_name, project })}</p>
          {remove.isError && <Failure error={remove.error} />}
          <div class="actions">
            <Button onClick={() => setRemoving(null)} autoFocus>
              {t('cancel')}
            </Button>
            <Button kind="harm primary" disabled={remove.isPending} onClick={() => remove.mutate(removing)}>
              {t('remove')}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
