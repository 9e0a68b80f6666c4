import { useState } from 'preact/hooks';
import { api, dataOf } from '../../api/client';
import { useAction, useOne } from '../../api/queries';
import type { Robot } from '../../api/types';
import { useTexts } from '../../i18n';
import { FormDialog } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { DurationField, EXACT, TextField, textOf } from '../../ui/fields';
import { EVERYWHERE, type Grant, grantOf, Grants, isReady, permissionOf, usualGrant } from './grants';

export interface Secret {
  name: string;
  secret: string;
}

const DURATIONS = [30, 90, 365, -1];

interface NewRobotProps {
  project?: { id: number; name: string };
  onClose: () => void;
  then: (made: Secret) => void;
}

export function NewRobot({ project, onClose, then }: NewRobotProps) {
  const { t } = useTexts();
  const [grants, setGrants] = useState<Grant[]>([usualGrant(project?.name ?? EVERYWHERE)]);
  const create = useAction(
    async (form: FormData) => {
      const body = {
        name: textOf(form, 'name'),
        description: textOf(form, 'description'),
        duration: Number(form.get('duration')),
        level: project ? ('project' as const) : ('system' as const),
        permissions: grants.map(permissionOf),
      };
      const made = dataOf(await api.POST('/api/roadstead/v1/robots', { body }));
      then({ name: made.name, secret: made.secret });
    },
    { refresh: ['robots'] },
  );
  return (
    <FormDialog title={t('robots.new')} verb={t('create')} onClose={onClose} action={create} ready={isReady(grants)} send={create.mutate}>
      <TextField label={t('name')} hint={t('robots.name.hint')} name="name" required autoFocus {...EXACT} />
      <TextField label={t('description')} name="description" maxLength={1024} />
      <DurationField days={DURATIONS} />
      <Grants ofProject={project !== undefined} grants={grants} onGrants={setGrants} />
    </FormDialog>
  );
}

/** What a robot may do, and for how long; its name and its secret stay. */
export function EditRobot({ robot, onClose }: { robot: Robot; onClose: () => void }) {
  const { t } = useTexts();
  const path = { params: { path: { robot: String(robot.id) } } };
  const found = useOne(['robots', 'one', robot.id], () => api.GET('/api/roadstead/v1/robots/{robot}', path));
  const [changed, setChanged] = useState<Grant[] | null>(null);
  const grants = changed ?? found.data?.permissions.map(grantOf) ?? [];
  const save = useAction(
    (form: FormData) =>
      api.PUT('/api/roadstead/v1/robots/{robot}', {
        ...path,
        body: {
          name: robot.name,
          level: robot.level,
          disable: robot.disable,
          description: textOf(form, 'description'),
          duration: Number(form.get('duration')),
          permissions: grants.map(permissionOf),
        },
      }),
    { refresh: ['robots'], done: t('robots.saved', { name: robot.name }), then: onClose },
  );
  return (
    <FormDialog title={robot.name} verb={t('save')} onClose={onClose} action={save} ready={found.isSuccess && isReady(grants)} send={save.mutate}>
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      <TextField label={t('description')} name="description" maxLength={1024} defaultValue={robot.description} />
      <DurationField days={DURATIONS} now={robot.duration} hint={t('robots.duration.hint')} />
      {found.isPending && <span class="skeleton" />}
      <Grants ofProject={robot.level === 'project'} grants={grants} onGrants={setChanged} />
    </FormDialog>
  );
}
