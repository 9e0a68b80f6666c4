import { BadgeCheck, Bot, Pause, Pencil, Play, Plus, RefreshCw, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, dataOf } from '../api/client';
import { like, PAGE_SIZE, useAction, useRows } from '../api/queries';
import type { Robot } from '../api/types';
import { useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import { registryHost } from '../lib/commands';
import { Actions, Button, Command, SMALL } from '../ui/controls';
import { Filter, Header, Time, Until } from '../ui/data';
import { Confirm, Result, useDeletion } from '../ui/dialogs';
import { Empty, Failure } from '../ui/feedback';
import { Listing } from '../ui/listing';
import { EditRobot, NewRobot, type Secret } from './robots/form';
import { presetOf, PRESETS } from './robots/grants';
import { Trust } from './robots/trust';

interface RobotsProps {
  /** The project, or none for the robots of the whole registry. */
  project?: { id: number; name: string };
  edit: boolean;
}

export function Robots({ project, edit }: RobotsProps) {
  const { t } = useTexts();
  const { query, page } = useAddress();
  const [creating, setCreating] = useState(false);
  const [shown, setShown] = useState<Secret | null>(null);
  const [renewing, setRenewing] = useState<Robot | null>(null);
  const [editing, setEditing] = useState<Robot | null>(null);
  const [trusting, setTrusting] = useState<Robot | null>(null);
  const filter = query.get('q');
  const q = [project ? `Level=project,ProjectID=${project.id}` : 'Level=system', like('name', filter)].filter((term) => term).join(',');
  const robots = useRows<Robot>(['robots', { page, q }], () =>
    api.GET('/api/v2.0/robots', { params: { query: { page, page_size: PAGE_SIZE, q } } }),
  );
  const path = (robot: Robot) => ({ params: { path: { robot: String(robot.id) } } });
  const [remove, removing] = useDeletion({
    run: (robot: Robot) => api.DELETE('/api/v2.0/robots/{robot}', path(robot)),
    refresh: ['robots'],
    name: (robot) => robot.name,
    hint: t('robots.delete.hint'),
  });
  const renew = useAction(
    async (robot: Robot) => {
      const { secret } = dataOf(await api.PATCH('/api/v2.0/robots/{robot}', { ...path(robot), body: { secret: '' } }));
      setShown({ name: robot.name, secret });
    },
    { refresh: ['robots'], then: () => setRenewing(null) },
  );
  const toggle = useAction(
    (robot: Robot) => {
      const { name, level, permissions, description, disable, duration } = robot;
      return api.PUT('/api/v2.0/robots/{robot}', {
        ...path(robot),
        body: { name, level, permissions, description, disable: !disable, duration },
      });
    },
    { refresh: ['robots'], done: (robot) => t(robot.disable ? 'robots.isOn' : 'robots.isOff', { name: robot.name }) },
  );
  const create = edit && (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('robots.new')}
    </Button>
  );
  return (
    <>
      {toggle.isError && <Failure error={toggle.error} />}
      <Listing
        label={t('robots')}
        list={robots}
        waiting={3}
        filtered={filter !== null}
        bar={
          <>
            <Filter name="q" label={t('projects.filter')} />
            <span class="space" />
            {create}
          </>
        }
        none={
          <Empty title={t('robots.none')}>
            <p>{t('robots.none.hint')}</p>
            {create}
          </Empty>
        }
        head={[
          <Header>{t('name')}</Header>,
          <Header kind="mid">{t('role.may')}</Header>,
          <Header>{t('robots.expires')}</Header>,
          <Header kind="wide">{t('created')}</Header>,
        ]}
        actions={edit}
        row={(robot) => (
          <tr key={robot.id}>
            <td>
              <span class="with-icon">
                <Bot size={SMALL} aria-hidden="true" />
                <span>
                  <span class="name">{robot.name}</span> {robot.disable && <span class="badge warn">{t('robots.off')}</span>}
                  {robot.description && <div class="muted small break">{robot.description}</div>}
                </span>
              </span>
            </td>
            <td class="mid">
              <Rights of={robot} />
            </td>
            <td>
              <Until at={robot.expires_at} />
            </td>
            <td class="wide">
              <Time at={robot.creation_time} />
            </td>
            {edit && (
              <td class="act">
                <Actions
                  name={robot.name}
                  actions={[
                    { icon: Pencil, text: t('robots.edit'), go: () => setEditing(robot) },
                    { icon: BadgeCheck, text: t('robots.trust'), go: () => setTrusting(robot) },
                    { icon: RefreshCw, text: t('robots.renew'), go: () => setRenewing(robot) },
                    {
                      icon: robot.disable ? Play : Pause,
                      text: t(robot.disable ? 'robots.turnOn' : 'robots.turnOff'),
                      go: () => toggle.mutate(robot),
                    },
                    { icon: Trash2, text: t('delete'), go: () => remove(robot), harm: true },
                  ]}
                />
              </td>
            )}
          </tr>
        )}
      />
      {creating && (
        <NewRobot
          project={project}
          onClose={() => setCreating(false)}
          then={(made) => {
            setCreating(false);
            setShown(made);
          }}
        />
      )}
      {editing && <EditRobot robot={editing} onClose={() => setEditing(null)} />}
      {trusting && <Trust robot={trusting} onClose={() => setTrusting(null)} />}
      {renewing && (
        <Confirm
          title={t('robots.renew.title', { name: renewing.name })}
          verb={t('robots.renew')}
          onClose={() => setRenewing(null)}
          action={renew}
          go={() => renew.mutate(renewing)}
        >
          <p>{t('robots.renew.hint')}</p>
        </Confirm>
      )}
      {removing}
      {shown && (
        <Result title={shown.name} onClose={() => setShown(null)}>
          <p>{t('robots.secret.hint')}</p>
          <Command text={shown.secret} label={t('robots.secret.copy')} />
          <Command text={`docker login -u '${shown.name}' ${registryHost()}`} />
        </Result>
      )}
    </>
  );
}

function Rights({ of: robot }: { of: Robot }) {
  const { t } = useTexts();
  const all = robot.permissions.flatMap((one) => one.access.map((access) => `${access.resource}:${access.action}`));
  const preset = PRESETS[presetOf(all)];
  const where = [...new Set(robot.permissions.map((one) => one.namespace))].filter((one) => robot.level === 'system' && one !== '/');
  return (
    <span title={all.join(', ')}>
      {preset ? t(preset[0]) : t('robots.rights', { count: all.length })}
      {where.length > 0 && <span class="muted"> · {where.map((one) => (one === '*' ? t('robots.everywhere') : one)).join(', ')}</span>}
    </span>
  );
}
