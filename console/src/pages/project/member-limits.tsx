import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useOne } from '../../api/queries';
import type { Member } from '../../api/types';
import { useTexts } from '../../i18n';
import { roleName, ROLES } from '../../lib/roles';
import { FormDialog } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { Field } from '../../ui/fields';

/** The patterns of a text with one on each line. */
export function patternsOf(text: string): string[] {
  return text.split(/\s+/).filter((one) => one !== '');
}

export function Patterns({ text, onText }: { text: string; onText: (text: string) => void }) {
  const { t } = useTexts();
  return (
    <Field label={t('members.limits')} hint={t('members.limits.hint')}>
      {(at) => (
        <textarea
          {...at}
          class="mono"
          rows={2}
          value={text}
          placeholder="team-a/**"
          autoCapitalize="none"
          spellcheck={false}
          onInput={(event) => onText(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** A member's role, and the repositories to which it is limited. */
export function MemberLimits({ project, member, onClose }: { project: string; member: Member; onClose: () => void }) {
  const { t } = useTexts();
  const path = { project, member: String(member.id) };
  const found = useOne(['members', project, 'limits', member.id], () =>
    api.GET('/api/roadstead/v1/projects/{project}/members/{member}', { params: { path } }),
  );
  const [role, setRole] = useState<number | null>(null);
  const [text, setText] = useState<string | null>(null);
  const name = member.entity_name;
  const shown = text ?? found.data?.repositories.join('\n') ?? '';
  const save = useAction(
    () =>
      api.PUT('/api/roadstead/v1/projects/{project}/members/{member}', {
        params: { path },
        body: { role_id: role ?? found.data?.role_id ?? member.role_id, repositories: patternsOf(shown) },
      }),
    {
      refresh: ['members'],
      done: () => t(patternsOf(shown).length ? 'members.limited' : 'members.unlimited', { name, project }),
      then: onClose,
    },
  );
  return (
    <FormDialog
      title={t('members.limit', { name })}
      verb={t('save')}
      onClose={onClose}
      action={save}
      ready={found.isSuccess}
      send={() => save.mutate()}
    >
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <span class="skeleton" />}
      {found.data && (
        <>
          <Field label={t('role')}>
            {(at) => (
              <select {...at} value={role ?? found.data.role_id} onChange={(event) => setRole(Number(event.currentTarget.value))}>
                {ROLES.map((one) => (
                  <option key={one} value={one}>
                    {t(roleName(one))}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Patterns text={shown} onText={setText} />
        </>
      )}
    </FormDialog>
  );
}
