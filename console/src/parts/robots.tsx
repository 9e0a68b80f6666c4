import { Bot, MoreHorizontal, Pause, Play, Plus, RefreshCw, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, dataOf } from '../api/client';
import { PAGE_SIZE, useAction, useOne, useRows } from '../api/queries';
import type { Permission, Robot } from '../api/types';
import { type Message, useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import { registryHost } from '../lib/commands';
import { NothingFound } from '../pages/projects';
import { Confirm } from '../ui/confirm';
import { Button, Command, Dialog, Field, Menu, SMALL } from '../ui/controls';
import { Filter, Header, Pager, Table, Time, Waiting } from '../ui/data';
import { Empty, Failure } from '../ui/feedback';

interface RobotsProps {
  /** The project, or none for the robots of the whole registry. */
  project?: { id: number; name: string };
  edit: boolean;
}

interface Secret {
  name: string;
  secret: string;
}

export function Robots({ project, edit }: RobotsProps) {
  const { t } = useTexts();
  const { query, page } = useAddress();
  const [creating, setCreating] = useState(false);
  const [shown, setShown] = useState<Secret | null>(null);
  const [removing, setRemoving] = useState<Robot | null>(null);
  const [renewing, setRenewing] = useState<Robot | null>(null);
  const filter = query.get('q');
  const q = [project ? `Level=project,ProjectID=${project.id}` : 'Level=system', filter ? `name=~${filter.replace(/[\\,~]/g, '\\$&')}` : '']
    .filter((term) => term)
    .join(',');
  const robots = useRows(['robots', { page, q }], () =>
    api.GET('/api/v2.0/robots', { params: { query: { page, page_size: PAGE_SIZE, q } } }),
  );
  const path = (robot: Robot) => ({ params: { path: { robot: String(robot.id) } } });
  const remove = useAction((robot: Robot) => api.DELETE('/api/v2.0/robots/{robot}', path(robot)), {
    refresh: ['robots'],
    done: (robot) => t('robots.removed', { name: robot.name }),
    then: () => setRemoving(null),
  });
  const renew = useAction(
    async (robot: Robot) => {
      const { secret } = dataOf(await api.PATCH('/api/v2.0/robots/{robot}', { ...path(robot), body: { secret: '' } }));
      setShown({ name: robot.name, secret });
    },
    { refresh: ['robots'], then: () => setRenewing(null) },
  );
  const toggle = useAction(
    ({ id, name, level, permissions, description, disable, duration }: Robot) =>
      api.PUT('/api/v2.0/robots/{robot}', {
        params: { path: { robot: String(id) } },
        body: { name, level, permissions, description, disable: !disable, duration },
      }),
    { refresh: ['robots'], done: (robot) => t(robot.disable ? 'robots.isOn' : 'robots.isOff', { name: robot.name }) },
  );
  const none = robots.data?.total === 0 && !filter;
  const create = edit && (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('robots.new')}
    </Button>
  );
  return (
    <>
      {!none && (
        <div class="bar">
          <Filter name="q" label={t('projects.filter')} />
          <span class="space" />
          {create}
        </div>
      )}
      {toggle.isError && <Failure error={toggle.error} />}
      {robots.isError ? (
        <Failure error={robots.error} retry={() => void robots.refetch()} />
      ) : none ? (
        <div class="card">
          <Empty title={t('robots.none')}>
            <p>{t('robots.none.hint')}</p>
            {create}
          </Empty>
        </div>
      ) : (
        <Table
          label={t('robots')}
          waiting={robots.isPlaceholderData}
          head={
            <>
              <Header>{t('name')}</Header>
              <Header kind="mid">{t('role.may')}</Header>
              <Header>{t('robots.expires')}</Header>
              <Header kind="wide">{t('created')}</Header>
              {edit && (
                <th>
                  <span class="visually-hidden">{t('actions')}</span>
                </th>
              )}
            </>
          }
        >
          {robots.isPending && <Waiting columns={4} rows={3} />}
          {robots.data?.rows.map((robot) => (
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
                <Expiry of={robot} />
              </td>
              <td class="wide">
                <Time at={robot.creation_time} />
              </td>
              {edit && (
                <td class="act">
                  <Menu label={t('users.actions', { name: robot.name })} icon={MoreHorizontal}>
                    {(close) => (
                      <>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            setRenewing(robot);
                          }}
                        >
                          <RefreshCw size={SMALL} aria-hidden="true" />
                          {t('robots.renew')}
                        </button>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            toggle.mutate(robot);
                          }}
                        >
                          {robot.disable ? <Play size={SMALL} aria-hidden="true" /> : <Pause size={SMALL} aria-hidden="true" />}
                          {t(robot.disable ? 'robots.turnOn' : 'robots.turnOff')}
                        </button>
                        <button
                          type="button"
                          onClick={() => {
                            close();
                            setRemoving(robot);
                          }}
                        >
                          <Trash2 size={SMALL} aria-hidden="true" />
                          {t('delete')}
                        </button>
                      </>
                    )}
                  </Menu>
                </td>
              )}
            </tr>
          ))}
          {robots.data?.rows.length === 0 && <NothingFound columns={5} />}
        </Table>
      )}
      <Pager page={page} size={PAGE_SIZE} total={robots.data?.total ?? null} />
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
      {removing && (
        <Confirm
          title={t('robots.delete', { name: removing.name })}
          verb={t('delete')}
          onClose={() => setRemoving(null)}
          action={remove}
          go={() => remove.mutate(removing)}
        >
          <p>{t('robots.delete.hint')}</p>
        </Confirm>
      )}
      {shown && <ShowSecret {...shown} onClose={() => setShown(null)} />}
    </>
  );
}

function ShowSecret({ name, secret, onClose }: Secret & { onClose: () => void }) {
  const { t } = useTexts();
  return (
    <Dialog title={name} onClose={onClose}>
      <p>{t('robots.secret.hint')}</p>
      <Command text={secret} label={t('robots.secret.copy')} />
      <Command text={`docker login -u '${name}' ${registryHost()}`} />
      <div class="actions">
        <Button kind="primary" onClick={onClose} autoFocus>
          {t('done')}
        </Button>
      </div>
    </Dialog>
  );
}

const DAY = 86_400_000; // milliseconds
const SOON = 14; // days before the expiry that are pointed out

function Expiry({ of: robot }: { of: Robot }) {
  const { t } = useTexts();
  if (robot.expires_at < 0) return <span class="muted">{t('never')}</span>;
  const at = new Date(robot.expires_at * 1000);
  const left = (at.getTime() - Date.now()) / DAY;
  return (
    <span class={left < 0 ? 'badge bad' : left < SOON ? 'badge warn' : undefined}>
      <Time at={at.toISOString()} />
    </span>
  );
}

function Rights({ of: robot }: { of: Robot }) {
  const { t } = useTexts();
  const all = robot.permissions.flatMap((one) => one.access.map((access) => `${access.resource}:${access.action}`));
  const preset = PRESETS.find(([, rights]) => rights.length === all.length && rights.every((one) => all.includes(one)));
  const where = [...new Set(robot.permissions.map((one) => one.namespace))].filter((one) => robot.level === 'system' && one !== '/');
  return (
    <span title={all.join(', ')}>
      {preset ? t(preset[0]) : t('robots.rights', { count: all.length })}
      {where.length > 0 && <span class="muted"> · {where.map((one) => (one === '*' ? t('robots.everywhere') : one)).join(', ')}</span>}
    </span>
  );
}

const PRESETS: [Message, string[]][] = [
  ['robots.pull', ['repository:pull']],
  ['robots.push', ['repository:pull', 'repository:push']],
  ['robots.remove', ['repository:pull', 'repository:push', 'artifact:delete', 'tag:delete']],
];
const DURATIONS = [30, 90, 365, -1] as const;

interface NewRobotProps {
  project?: { id: number; name: string };
  onClose: () => void;
  then: (made: Secret) => void;
}

function NewRobot({ project, onClose, then }: NewRobotProps) {
  const { t, n } = useTexts();
  const [preset, setPreset] = useState(0);
  const [own, setOwn] = useState<Set<string>>(new Set());
  const known = useOne(['permissions'], () => api.GET('/api/v2.0/permissions', {}), preset === PRESETS.length);
  const create = useAction(async (form: FormData) => {
    const rights = PRESETS[preset]?.[1] ?? [...own];
    const access = rights.map((right) => {
      const [resource = '', action = ''] = right.split(':');
      return { resource, action };
    });
    const made = dataOf(
      await api.POST('/api/v2.0/robots', {
        body: {
          name: String(form.get('name')).trim(),
          description: String(form.get('description')).trim(),
          duration: Number(form.get('duration')),
          level: project ? 'project' : 'system',
          permissions: [{ kind: 'project', namespace: project?.name ?? '*', access }],
        },
      }),
    );
    then({ name: made.name, secret: made.secret });
  }, { refresh: ['robots'] });
  const nothing = preset === PRESETS.length && own.size === 0;
  return (
    <Dialog title={t('robots.new')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(new FormData(event.currentTarget));
        }}
      >
        {create.isError && <Failure error={create.error} />}
        <Field label={t('name')} hint={t('robots.name.hint')}>
          {(at) => <input {...at} name="name" required autoFocus autoComplete="off" autoCapitalize="none" spellcheck={false} />}
        </Field>
        <Field label={t('description')}>{(at) => <input {...at} name="description" maxLength={1024} autoComplete="off" />}</Field>
        <Field label={t('robots.expires')}>
          {(at) => (
            <select {...at} name="duration" defaultValue="90">
              {DURATIONS.map((days) => (
                <option key={days} value={days} selected={days === 90}>
                  {days < 0 ? t('never') : n('days', days)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <fieldset>
          <legend>{project ? t('role.may') : t('robots.everyProject')}</legend>
          {PRESETS.map(([name], index) => (
            <label class="choice" key={name}>
              <input type="radio" name="preset" checked={preset === index} onChange={() => setPreset(index)} />
              <span>{t(name)}</span>
            </label>
          ))}
          <label class="choice">
            <input type="radio" name="preset" checked={preset === PRESETS.length} onChange={() => setPreset(PRESETS.length)} />
            <span>{t('robots.choose')}</span>
          </label>
        </fieldset>
        {preset === PRESETS.length && <Choose known={known.data?.project ?? []} own={own} change={setOwn} />}
        <div class="actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={create.isPending || nothing}>
            {t('create')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Choose({ known, own, change }: { known: Permission[]; own: Set<string>; change: (own: Set<string>) => void }) {
  const resources = [...new Set(known.map((one) => one.resource))].sort();
  return (
    <div class="rights">
      {resources.map((resource) => (
        <fieldset key={resource}>
          <legend class="small">{resource}</legend>
          <div class="row">
            {known
              .filter((one) => one.resource === resource)
              .map(({ action }) => {
                const right = `${resource}:${action}`;
                return (
                  <label class="choice small" key={right}>
                    <input
                      type="checkbox"
                      checked={own.has(right)}
                      onChange={(event) => {
                        const next = new Set(own);
                        if (event.currentTarget.checked) next.add(right);
                        else next.delete(right);
                        change(next);
                      }}
                    />
                    <span>{action}</span>
                  </label>
                );
              })}
          </div>
        </fieldset>
      ))}
    </div>
  );
}
