import { ChevronRight, FileText, GitCompareArrows, PenLine, Tag as TagIcon, Trash2, X } from 'lucide-preact';
import { lazy, Suspense } from 'preact/compat';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import {
  pathOf,
  type Step,
  useAccessories,
  useAction,
  useAddition,
  useArtifact,
  useUndo,
  useProject,
  useSession,
} from '../api/queries';
import type { Accessory, Artifact as ArtifactType, Label } from '../api/types';
import { type Message, useTexts } from '../i18n';
import { pullCommands, registryHost } from '../lib/commands';
import { shortDigest } from '../lib/format';
import { imageFacts, pairs, platformOf } from '../lib/image';
import { to } from '../lib/place';
import { LabelBadge, useLabels } from '../parts/labels';
import { may } from '../lib/roles';
import { Button, Command, CopyButton, SMALL } from '../ui/controls';
import { Confirm, FormDialog } from '../ui/dialogs';
import { EXACT, TextField, textOf } from '../ui/fields';
import { Digest, Size, Time } from '../ui/data';
import { Failure } from '../ui/feedback';
import { Head } from '../ui/shell';

const Markdown = lazy(() => import('../ui/markdown').then((one) => one.Markdown));

export interface At {
  project: string;
  repository: string;
  reference: string;
}

export function Artifact(at: At) {
  const { t } = useTexts();
  const { route } = useLocation();
  const artifact = useArtifact(at);
  const session = useSession();
  const project = useProject(at.project);
  const [deleting, setDeleting] = useState(false);
  const { project: projectName, repository, reference } = at;
  const has = (right: 'remove' | 'push' | 'label') =>
    project.isSuccess && may(right, project.data.current_user_role_id, session.data?.admin ?? false);
  const crumbs: [string, string][] = [
    [t('title.projects'), to.projects()],
    [projectName, to.project(projectName)],
    [repository, to.repository(projectName, repository)],
  ];
  const byTag = !reference.includes(':');
  if (artifact.isError)
    return (
      <>
        <Head title={byTag ? reference : shortDigest(reference)} crumbs={crumbs} />
        <Failure error={artifact.error} retry={() => void artifact.refetch()} />
      </>
    );
  const found = artifact.data;
  return (
    <>
      <Head
        title={byTag ? reference : shortDigest(reference)}
        crumbs={crumbs}
        meta={
          found ? (
            <>
              <span>{t(TYPES[found.type] ?? 'type.other')}</span>
              <span>
                <Size of={found.size} />
              </span>
              <span>
                {t('pushed')} <Time at={found.push_time} />
              </span>
              <span>
                {t('lastPull')} <Time at={found.pull_time} none={t('never')} />
              </span>
              <Digest of={found.digest} href={to.artifact(projectName, repository, found.digest)} />
            </>
          ) : (
            <span class="skeleton" style={{ width: '260px' }} />
          )
        }
      >
        {found && (
          <>
            <a class="button" href={to.compare(projectName, repository, reference, '')}>
              <GitCompareArrows size={SMALL} aria-hidden="true" />
              {t('compare')}
            </a>
            {has('remove') && (
              <Button kind="harm" icon={Trash2} onClick={() => setDeleting(true)}>
                {t('delete')}
              </Button>
            )}
          </>
        )}
      </Head>
      {found && (
        <div class="columns">
          <div class="stack">
            <Pull at={at} artifact={found} />
            {(found.references ?? []).length > 0 && <Children at={at} artifact={found} />}
            <Readme at={at} artifact={found} />
            <Layers at={at} artifact={found} />
            <Configuration artifact={found} />
          </div>
          <div class="stack">
            <Tags at={at} artifact={found} edit={has('push')} remove={has('remove')} />
            <LabelsOf at={{ ...at, reference: found.digest }} artifact={found} edit={has('label')} />
            <Referrers at={{ ...at, reference: found.digest }} />
            <Annotations artifact={found} />
          </div>
        </div>
      )}
      {deleting && found && (
        <DeleteArtifact
          at={{ ...at, reference: found.digest }}
          artifact={found}
          onClose={() => setDeleting(false)}
          then={() => route(to.repository(projectName, repository))}
        />
      )}
    </>
  );
}

const TYPES: Record<string, Message> = { IMAGE: 'type.image', CHART: 'type.chart', SBOM: 'type.sbom', WASM: 'type.wasm' };

function Pull({ at, artifact }: { at: At; artifact: ArtifactType }) {
  const { t } = useTexts();
  const [chosen, setChosen] = useState(0);
  const [byDigest, setByDigest] = useState(at.reference.includes(':'));
  const name = `${registryHost()}/${at.project}/${at.repository}`;
  const tag = at.reference.includes(':') ? (artifact.tags?.[0]?.name ?? null) : at.reference;
  const commands = pullCommands(name, byDigest ? null : tag, artifact.digest, artifact.media_type);
  const command = commands[chosen] ?? commands[0];
  return (
    <section class="card">
      <header>
        <h2>{t('pull')}</h2>
        <span class="space" />
        <div class="segments" role="group" aria-label={t('pull.client')}>
          {commands.map(([client], index) => (
            <button type="button" key={client} aria-pressed={command === commands[index]} onClick={() => setChosen(index)}>
              {client}
            </button>
          ))}
        </div>
      </header>
      <div class="body stack" style={{ gap: '10px' }}>
        {command && <Command text={command[1]} />}
        {tag && (
          <label class="choice">
            <input type="checkbox" checked={byDigest} onChange={(event) => setByDigest(event.currentTarget.checked)} />
            <span>
              {t('pull.digest')} <small style={{ display: 'inline' }}>{t('pull.digest.hint')}</small>
            </span>
          </label>
        )}
      </div>
    </section>
  );
}

function Children({ at, artifact }: { at: At; artifact: ArtifactType }) {
  const { t } = useTexts();
  return (
    <section class="card">
      <header>
        <h2>{t('platforms')}</h2>
        <span class="muted small">{t('platforms.hint')}</span>
      </header>
      <table aria-label={t('platforms')}>
        <tbody>
          {(artifact.references ?? []).map((child) => (
            <tr key={child.child_digest}>
              <td class="name">{platformOf(child.platform) || t('platforms.none')}</td>
              <td>
                <Digest of={child.child_digest} href={to.artifact(at.project, at.repository, child.child_digest)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Readme({ at, artifact }: { at: At; artifact: ArtifactType }) {
  const links = artifact.addition_links ?? {};
  const readme = useAddition(at, 'readme.md', 'readme.md' in links);
  const values = useAddition(at, 'values.yaml', 'values.yaml' in links);
  return (
    <>
      {readme.data && (
        <section class="card">
          <header>
            <h2>README</h2>
          </header>
          <div class="body">
            <Suspense fallback={null}>
              <Markdown text={readme.data} />
            </Suspense>
          </div>
        </section>
      )}
      {values.data && (
        <section class="card">
          <header>
            <h2>values.yaml</h2>
            <span class="space" />
            <CopyButton text={values.data} />
          </header>
          <div class="body">
            <pre class="block" tabIndex={0}>
              {values.data}
            </pre>
          </div>
        </section>
      )}
    </>
  );
}

function Layers({ at, artifact }: { at: At; artifact: ArtifactType }) {
  const { t, n } = useTexts();
  const there = 'build_history' in (artifact.addition_links ?? {});
  const history = useAddition(at, 'build_history', there);
  const steps = history.data ? stepsOf(history.data) : [];
  if (!there || !steps.length) return null;
  const layers = steps.filter((step) => !step.empty_layer).length;
  return (
    <section class="card">
      <header>
        <h2>{t('history')}</h2>
        <span class="muted small">{n('layers.count', layers)}</span>
      </header>
      <ol class="layers" style={{ padding: 0, margin: 0 }}>
        {steps.map((step, index) => (
          <li key={index}>
            <span class={`badge${step.empty_layer ? '' : ' accent'}`} style={{ justifySelf: 'start', alignSelf: 'start' }}>
              {t(step.empty_layer ? 'history.setting' : 'history.layer')}
            </span>
            <code>{(step.created_by ?? step.comment ?? '').replace(/^\/bin\/sh -c #\(nop\)\s+/, '')}</code>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The steps of a build; none where the text is not what it should be. */
export function stepsOf(text: string): Step[] {
  try {
    const steps: unknown = JSON.parse(text);
    return Array.isArray(steps) ? steps.filter((one): one is Step => typeof one === 'object' && one !== null) : [];
  } catch {
    return [];
  }
}

function Configuration({ artifact }: { artifact: ArtifactType }) {
  const { t } = useTexts();
  const facts = imageFacts(artifact);
  if (!facts) return null;
  const rows: [Message, string][] = [
    ['config.platform', facts.platform],
    ['config.entrypoint', facts.entrypoint],
    ['config.command', facts.command],
    ['config.user', facts.user],
    ['config.directory', facts.workingDirectory],
    ['config.ports', facts.ports.join(', ')],
    ['config.volumes', facts.volumes.join(', ')],
    ['config.author', facts.author],
  ];
  return (
    <section class="card">
      <header>
        <h2>{t('config')}</h2>
      </header>
      <div class="body">
        <dl class="facts">
          {facts.created && (
            <>
              <dt>{t('config.built')}</dt>
              <dd>
                <Time at={facts.created} />
              </dd>
            </>
          )}
          {rows
            .filter(([, value]) => value)
            .map(([name, value]) => (
              <>
                <dt key={name}>{t(name)}</dt>
                <dd>
                  <code>{value}</code>
                </dd>
              </>
            ))}
          {facts.environment.length > 0 && (
            <>
              <dt>{t('config.environment')}</dt>
              <dd>
                {facts.environment.map((one) => (
                  <div key={one}>
                    <code>{one}</code>
                  </div>
                ))}
              </dd>
            </>
          )}
          {facts.labels.map(([name, value]) => (
            <>
              <dt key={name} class="break">
                {name}
              </dt>
              <dd>{value}</dd>
            </>
          ))}
        </dl>
      </div>
    </section>
  );
}

function Annotations({ artifact }: { artifact: ArtifactType }) {
  const { t } = useTexts();
  const rows = pairs(artifact.annotations);
  if (!rows.length) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('annotations')}</h2>
      </header>
      <dl class="body">
        {rows.map(([name, value]) => (
          <div key={name} style={{ marginBottom: '8px' }}>
            <dt class="muted small break">{name}</dt>
            <dd class="break">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Tags({ at, artifact, edit, remove }: { at: At; artifact: ArtifactType; edit: boolean; remove: boolean }) {
  const { t } = useTexts();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string | null>(null);
  const tags = artifact.tags ?? [];
  return (
    <section class="card">
      <header>
        <h2>{t('tags')}</h2>
        <span class="space" />
        {edit && (
          <Button kind="small" icon={TagIcon} onClick={() => setAdding(true)}>
            {t('tag.add')}
          </Button>
        )}
      </header>
      <div class="body row">
        {tags.map((tag) => (
          <span class="badge accent" key={tag.name} style={{ padding: '2px 4px 2px 10px' }}>
            <a href={to.artifact(at.project, at.repository, tag.name)}>{tag.name}</a>
            {remove && !tag.immutable ? (
              <button
                type="button"
                class="badge-button"
                aria-label={t('tag.remove', { tag: tag.name })}
                title={t('tag.remove', { tag: tag.name })}
                onClick={() => setRemoving(tag.name)}
              >
                <X size={12} aria-hidden="true" />
              </button>
            ) : (
              <span style={{ width: '4px' }} />
            )}
          </span>
        ))}
        {!tags.length && <span class="muted">{t('tags.untagged')}</span>}
      </div>
      {adding && <AddTag at={{ ...at, reference: artifact.digest }} onClose={() => setAdding(false)} />}
      {removing !== null && (
        <RemoveTag at={at} artifact={artifact} tag={removing} onClose={() => setRemoving(null)} />
      )}
    </section>
  );
}

function LabelsOf({ at, artifact, edit }: { at: At; artifact: ArtifactType; edit: boolean }) {
  const { t } = useTexts();
  const own = useLabels(artifact.project_id);
  const everywhere = useLabels();
  const set = artifact.labels as Label[];
  const path = pathOf(at);
  const add = useAction(
    (id: number) =>
      api.POST('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels', { params: path, body: { id } }),
    { refresh: ['artifact'] },
  );
  const remove = useAction(
    (id: number) =>
      api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels/{label_id}', {
        params: { path: { ...path.path, label_id: String(id) } },
      }),
    { refresh: ['artifact'] },
  );
  const known = [...(own.data?.rows ?? []), ...(everywhere.data?.rows ?? [])];
  const left = known.filter((label) => !set.some((one) => one.id === label.id));
  const error = add.error ?? remove.error;
  if (!set.length && !(edit && known.length)) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('labels')}</h2>
      </header>
      <div class="body row">
        {error && <Failure error={error} />}
        {set.map((label) => (
          <span class="row" key={label.id} style={{ gap: 0 }}>
            <LabelBadge label={label} />
            {edit && (
              <button
                type="button"
                class="badge-button"
                aria-label={t('labels.remove', { name: label.name })}
                title={t('labels.remove', { name: label.name })}
                onClick={() => remove.mutate(label.id)}
              >
                <X size={12} aria-hidden="true" />
              </button>
            )}
          </span>
        ))}
        {edit && left.length > 0 && (
          <select
            aria-label={t('labels.add')}
            style={{ width: 'auto', minHeight: '28px', padding: '1px 6px' }}
            value=""
            onChange={(event) => add.mutate(Number(event.currentTarget.value))}
          >
            <option value="">{t('labels.add')}</option>
            {left.map((label) => (
              <option key={label.id} value={label.id}>
                {label.name}
              </option>
            ))}
          </select>
        )}
      </div>
    </section>
  );
}

const CONTENT = ['artifact', 'tags', 'repositories', 'accessories'];

function AddTag({ at, onClose }: { at: At; onClose: () => void }) {
  const { t } = useTexts();
  const add = useAction(
    (name: string) =>
      api.POST('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags', {
        params: pathOf(at),
        body: { name },
      }),
    { refresh: CONTENT, done: (name) => t('tag.added', { tag: name }), then: onClose },
  );
  return (
    <FormDialog title={t('tag.add')} verb={t('add')} onClose={onClose} action={add} send={(form) => add.mutate(textOf(form, 'name'))}>
      <TextField label={t('tag')} hint={t('tag.hint')} name="name" required autoFocus pattern="[\w][\w.\-]{0,127}" {...EXACT} />
    </FormDialog>
  );
}

function RemoveTag({ at, artifact, tag, onClose }: { at: At; artifact: ArtifactType; tag: string; onClose: () => void }) {
  const { t } = useTexts();
  const { route } = useLocation();
  const back = useUndo(at, (unit) => unit.kind === 'tag' && unit.tags.includes(tag));
  const remove = useAction(
    () =>
      api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags/{tag_name}', {
        params: { path: { ...pathOf({ ...at, reference: artifact.digest }).path, tag_name: tag } },
      }),
    {
      refresh: CONTENT.slice(1),
      done: t('tag.removed', { tag }),
      undo: () => back.mutate(),
      then: () => {
        onClose();
        route(to.artifact(at.project, at.repository, artifact.digest), true);
      },
    },
  );
  return (
    <Confirm title={t('tag.remove', { tag })} verb={t('remove')} onClose={onClose} action={remove} go={() => remove.mutate()}>
      <p>{t('tag.remove.hint', { tag })}</p>
    </Confirm>
  );
}

interface DeleteProps {
  at: At;
  artifact: ArtifactType;
  onClose: () => void;
  then: () => void;
}

/** Names everything that goes with the artifact before anything goes. */
function DeleteArtifact({ at, artifact, onClose, then }: DeleteProps) {
  const { t, n } = useTexts();
  const accessories = useAccessories(at);
  const back = useUndo(at, (unit) => unit.digest === artifact.digest);
  const remove = useAction(
    () =>
      api.DELETE('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}', {
        params: pathOf(at),
      }),
    {
      refresh: [...CONTENT.slice(1), 'trash'],
      done: t('artifact.deleted', { digest: shortDigest(artifact.digest) }),
      undo: () => back.mutate(),
      then,
    },
  );
  const tags = artifact.tags ?? [];
  const children = artifact.references ?? [];
  const others = accessories.data?.total ?? accessories.data?.rows.length ?? 0;
  return (
    <Confirm
      title={t('artifact.delete', { digest: shortDigest(artifact.digest) })}
      verb={t('delete')}
      onClose={onClose}
      action={remove}
      ready={!accessories.isPending}
      go={() => remove.mutate()}
    >
      <p>{t('artifact.delete.hint')}</p>
      <ul style={{ paddingLeft: '20px' }}>
        <li>
          <code>{shortDigest(artifact.digest)}</code>, <Size of={artifact.size} />
        </li>
        {tags.length > 0 && (
          <li class="break">
            {n('tags.count', tags.length)}: {tags.map((tag) => tag.name).join(', ')}
          </li>
        )}
        {children.length > 0 && <li>{n('artifact.delete.children', children.length)}</li>}
        {others > 0 && <li>{n('artifact.delete.accessories', others)}</li>}
      </ul>
    </Confirm>
  );
}

function Referrers({ at }: { at: At }) {
  const { t, n } = useTexts();
  const accessories = useAccessories(at);
  if (accessories.isError)
    return <Failure error={accessories.error} retry={() => void accessories.refetch()} />;
  const rows = accessories.data?.rows ?? [];
  return (
    <section class="card">
      <header>
        <h2>{t('referrers')}</h2>
        <span class="muted small">{accessories.data && rows.length > 0 && n('referrers.count', accessories.data.total ?? rows.length)}</span>
      </header>
      <div class="body">
        {accessories.isSuccess && rows.length === 0 && <p class="muted">{t('referrers.none')}</p>}
        <Tree at={at} rows={rows} depth={0} />
      </div>
    </section>
  );
}

const KINDS: Record<string, [Message, typeof PenLine]> = {
  'signature.cosign': ['referrer.cosign', PenLine],
  'signature.notation': ['referrer.notation', PenLine],
  'sbom.harbor': ['referrer.sbom', FileText],
  attestation: ['referrer.attestation', FileText],
};
/** What Harbor's API calls a mere accessory, by the type that its manifest names. */
const GUESSES: [RegExp, keyof typeof KINDS][] = [
  [/spdx|cyclonedx|syft/i, 'sbom.harbor'],
  [/in-toto|dsse/i, 'attestation'],
];
const DEEPEST = 4;

function kindOf({ type, artifact_type }: Accessory): [Message, typeof PenLine] {
  const known = KINDS[type] ?? KINDS[GUESSES.find(([pattern]) => pattern.test(artifact_type))?.[1] ?? ''];
  return known ?? ['referrer.other', FileText];
}

function Tree({ at, rows, depth }: { at: At; rows: Accessory[]; depth: number }) {
  return (
    <ul class="tree">
      {rows.map((one) => (
        <Branch key={one.digest} at={at} accessory={one} depth={depth} />
      ))}
    </ul>
  );
}

/** A referrer, and on demand what refers to it in turn. */
function Branch({ at, accessory, depth }: { at: At; accessory: Accessory; depth: number }) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  const [kind, Icon] = kindOf(accessory);
  const own = { ...at, reference: accessory.digest };
  return (
    <li>
      <div class="node">
        {depth < DEEPEST && (
          <button
            type="button"
            class="twist"
            aria-expanded={open}
            aria-label={t('referrers.open', { digest: shortDigest(accessory.digest) })}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight size={14} aria-hidden="true" />
          </button>
        )}
        <span class="with-icon">
          <Icon size={SMALL} aria-hidden="true" />
          {t(kind)}
        </span>
        <span class="muted small">
          <Time at={accessory.creation_time} />
        </span>
        <span class="below">
          <Digest of={accessory.digest} href={to.artifact(at.project, at.repository, accessory.digest)} />
        </span>
      </div>
      {open && <Below at={own} depth={depth + 1} />}
    </li>
  );
}

function Below({ at, depth }: { at: At; depth: number }) {
  const { t } = useTexts();
  const accessories = useAccessories(at);
  if (accessories.isError) return <Failure error={accessories.error} />;
  if (accessories.data?.rows.length === 0)
    return (
      <ul>
        <li class="muted">{t('referrers.none')}</li>
      </ul>
    );
  return <Tree at={at} rows={accessories.data?.rows ?? []} depth={depth} />;
}
