import { Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useOne } from '../../api/queries';
import type { LimitedGrant, Permission } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { Patterns, patternsOf } from '../../pages/project/member-limits';
import { Button, IconButton } from '../../ui/controls';
import { Choices, EXACT, Field } from '../../ui/fields';

/** What a robot may do in one place: a project's name, `*` for every project, `/` for the registry as a whole. */
export interface Grant {
  where: string;
  rights: ReadonlySet<string>;
  /** Patterns of repositories, one on each line; empty for all. */
  limits: string;
}

export const EVERYWHERE = '*';
const REGISTRY = '/';
const MOST = 40; // places of one robot

export const PRESETS: [Message, string[]][] = [
  ['robots.pull', ['repository:pull']],
  ['robots.push', ['repository:pull', 'repository:push']],
  ['robots.remove', ['repository:pull', 'repository:push', 'artifact:delete', 'tag:delete']],
];

/** Which of the usual sets of rights this is; their number where it is none. */
export function presetOf(rights: readonly string[]): number {
  const at = PRESETS.findIndex(([, usual]) => usual.length === rights.length && usual.every((one) => rights.includes(one)));
  return at < 0 ? PRESETS.length : at;
}

export function usualGrant(where: string): Grant {
  return { where, rights: new Set(PRESETS[0]?.[1]), limits: '' };
}

export function grantOf({ namespace, access, repositories }: LimitedGrant): Grant {
  return {
    where: namespace,
    rights: new Set(access.map(({ resource, action }) => `${resource}:${action}`)),
    limits: (repositories ?? []).join('\n'),
  };
}

export function permissionOf({ where, rights, limits }: Grant): LimitedGrant {
  return {
    kind: where === REGISTRY ? 'system' : 'project',
    namespace: where.trim(),
    access: [...rights].map((right) => {
      const [resource = '', action = ''] = right.split(':');
      return { resource, action };
    }),
    repositories: where === REGISTRY ? [] : patternsOf(limits),
  };
}

/** The same in another place, as far as there are the same rights. */
function moved(grant: Grant, where: string): Grant {
  if (where === REGISTRY) return { where, rights: new Set(), limits: '' };
  return grant.where === REGISTRY ? usualGrant(where) : { ...grant, where };
}

/** Whether a robot with these could be made. */
export function isReady(grants: readonly Grant[]): boolean {
  return grants.length > 0 && grants.every((one) => one.rights.size > 0 && one.where.trim() !== '');
}

interface GrantsProps {
  /** Whether the robot is a project's, which has one place: its project. */
  ofProject: boolean;
  grants: Grant[];
  onGrants: (grants: Grant[]) => void;
}

export function Grants({ ofProject, grants, onGrants }: GrantsProps) {
  const { t } = useTexts();
  const change = (at: number, to: Partial<Grant>) => onGrants(grants.map((one, index) => (index === at ? { ...one, ...to } : one)));
  return (
    <>
      {grants.map((grant, at) => (
        <fieldset key={at} class={ofProject ? undefined : 'grant'}>
          <legend class="visually-hidden">{t('role.may')}</legend>
          {!ofProject && (
            <div class="row" style={{ flexWrap: 'nowrap', alignItems: 'end' }}>
              <Where grant={grant} onWhere={(where) => change(at, moved(grant, where))} />
              {grants.length > 1 && (
                <IconButton icon={Trash2} label={t('robots.place.remove')} onClick={() => onGrants(grants.filter((_, index) => index !== at))} />
              )}
            </div>
          )}
          <Rights grant={grant} onRights={(rights) => change(at, { rights })} />
          {grant.where !== REGISTRY && <Patterns text={grant.limits} onText={(limits) => change(at, { limits })} />}
        </fieldset>
      ))}
      {!ofProject && grants.length < MOST && (
        <div>
          <Button kind="small" icon={Plus} onClick={() => onGrants([...grants, usualGrant('')])}>
            {t('robots.place.add')}
          </Button>
        </div>
      )}
    </>
  );
}

/** Where a grant holds. */
function Where({ grant: { where }, onWhere }: { grant: Grant; onWhere: (where: string) => void }) {
  const { t } = useTexts();
  const named = where !== EVERYWHERE && where !== REGISTRY;
  return (
    <>
      <Field label={t('robots.where')}>
        {(at) => (
          <select {...at} value={named ? 'project' : where} onChange={(event) => onWhere(event.currentTarget.value === 'project' ? '' : event.currentTarget.value)}>
            <option value={EVERYWHERE}>{t('robots.everywhere')}</option>
            <option value="project">{t('robots.oneProject')}</option>
            <option value={REGISTRY}>{t('robots.registry')}</option>
          </select>
        )}
      </Field>
      {named && (
        <Field label={t('project')}>
          {(at) => <input {...at} {...EXACT} required value={where} onInput={(event) => onWhere(event.currentTarget.value)} />}
        </Field>
      )}
    </>
  );
}

function Rights({ grant, onRights }: { grant: Grant; onRights: (rights: ReadonlySet<string>) => void }) {
  const { t } = useTexts();
  const inRegistry = grant.where === REGISTRY;
  const known = useOne(['permissions'], () => api.GET('/api/v2.0/permissions', {}));
  const [choosing, setChoosing] = useState(false);
  const preset = inRegistry || choosing ? PRESETS.length : presetOf([...grant.rights]);
  return (
    <>
      {!inRegistry && (
        <Choices
          legend={t('role.may')}
          options={[...PRESETS.map(([name]) => name), 'robots.choose' as const].map((name, value) => ({ value, text: t(name) }))}
          value={preset}
          onValue={(value) => {
            setChoosing(value === PRESETS.length);
            onRights(new Set(PRESETS[value]?.[1] ?? grant.rights));
          }}
        />
      )}
      {preset === PRESETS.length && <Choose known={(inRegistry ? known.data?.system : known.data?.project) ?? []} own={grant.rights} change={onRights} />}
    </>
  );
}

function Choose({ known, own, change }: { known: Permission[]; own: ReadonlySet<string>; change: (own: ReadonlySet<string>) => void }) {
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
