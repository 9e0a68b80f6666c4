import { useLocation } from 'preact-iso';
import { useEffect, useId, useRef } from 'preact/hooks';
import { useAddition, useArtifact, useLayers, useTags } from '../api/queries';
import type { Artifact, Layer } from '../api/types';
import { type Message, useTexts } from '../i18n';
import { shortDigest } from '../lib/format';
import { imageFacts, pairs, platformOf } from '../lib/image';
import { to } from '../lib/place';
import { EXACT, Field } from '../ui/fields';
import { Size, Time } from '../ui/data';
import { Empty, Failure } from '../ui/feedback';
import { Head } from '../ui/shell';
import { sizeOf, stepsOf } from './artifact/layers';

interface CompareProps {
  project: string;
  repository: string;
  left: string;
  right: string;
}

/** Two artifacts of a repository, and what differs between them. */
export function Compare({ project, repository, left, right }: CompareProps) {
  const { t } = useTexts();
  const { route } = useLocation();
  const one = useArtifact({ project, repository, reference: left });
  const two = useArtifact({ project, repository, reference: right });
  const tags = useTags(project, repository, { sort: null, prefix: null, after: null });
  const list = useId();
  const error = one.error ?? (right ? two.error : null);
  return (
    <>
      <Head
        title={t('compare.title')}
        crumbs={[
          [t('title.projects'), to.projects()],
          [project, to.project(project)],
          [repository, to.repository(project, repository)],
        ]}
      />
      <datalist id={list}>
        {(tags.data?.rows ?? []).map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <div class="bar">
        <Reference name="compare.left" value={left} list={list} onValue={(value) => route(to.compare(project, repository, value, right), true)} />
        <Reference name="compare.right" value={right} list={list} onValue={(value) => route(to.compare(project, repository, left, value), true)} />
      </div>
      {error ? (
        <Failure error={error} />
      ) : !right ? (
        <div class="card">
          <Empty title={t('compare.second')}>
            <p>{t('compare.second.hint')}</p>
          </Empty>
        </div>
      ) : (
        one.data && two.data && <Differences project={project} repository={repository} left={one.data} right={two.data} />
      )}
    </>
  );
}

interface ReferenceProps {
  name: Message;
  value: string;
  /** The id of what is offered. */
  list: string;
  onValue: (value: string) => void;
}

/** Where a tag or a digest is chosen or typed. */
function Reference({ name, value, list, onValue }: ReferenceProps) {
  const { t } = useTexts();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) input.current.value = value; // the address may change by itself, and typing is not disturbed
  }, [value]);
  return (
    <div style={{ flex: '1 1 220px' }}>
      <Field label={t(name)}>
        {(control) => (
          <input
            {...control}
            {...EXACT}
            ref={input}
            list={list}
            placeholder={t('compare.choose')}
            // The change itself, when somebody has chosen or typed to the end; `onChange` would be each letter.
            onChangeCapture={(event) => {
              const chosen = event.currentTarget.value.trim();
              if (chosen && chosen !== value) onValue(chosen);
            }}
          />
        )}
      </Field>
    </div>
  );
}

interface DifferencesProps {
  project: string;
  repository: string;
  left: Artifact;
  right: Artifact;
}

function Differences({ project, repository, left, right }: DifferencesProps) {
  const { t, n } = useTexts();
  const history = (artifact: Artifact) => ({
    at: { project, repository, reference: artifact.digest },
    there: 'build_history' in (artifact.addition_links ?? {}),
  });
  const [a, b] = [history(left), history(right)];
  const first = useAddition(a.at, 'build_history', a.there);
  const second = useAddition(b.at, 'build_history', b.there);
  const layersOf = (artifact: Artifact) => ({ project, repository, reference: artifact.digest });
  const single = (artifact: Artifact) => (artifact.references ?? []).length === 0;
  const lower = useLayers(layersOf(left), single(left));
  const upper = useLayers(layersOf(right), single(right));
  const rows = rowsOf(left, right);
  const steps = stepRows(first.data, second.data);
  if (left.digest === right.digest)
    return (
      <div class="card">
        <Empty title={t('compare.same')}>
          <code class="break">{left.digest}</code>
        </Empty>
      </div>
    );
  return (
    <div class="stack">
      <div class="table">
        <table class="differences" aria-label={t('compare.title')}>
          <thead>
            <tr>
              <th>
                <span class="visually-hidden">{t('name')}</span>
              </th>
              <th>{left.tags?.[0]?.name ?? shortDigest(left.digest)}</th>
              <th>{right.tags?.[0]?.name ?? shortDigest(right.digest)}</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <td class="muted">{t('digest')}</td>
              {[left, right].map((one) => (
                <td key={one.digest}>
                  <a href={to.artifact(project, repository, one.digest)}>
                    <code>{shortDigest(one.digest)}</code>
                  </a>
                </td>
              ))}
            </tr>
            <tr>
              <td class="muted">{t('size')}</td>
              <td>
                <Size of={left.size} />
              </td>
              <td>
                <Size of={right.size} />
              </td>
            </tr>
            <tr>
              <td class="muted">{t('pushed')}</td>
              <td>
                <Time at={left.push_time} />
              </td>
              <td>
                <Time at={right.push_time} />
              </td>
            </tr>
            {rows.map(({ name, text, one, two }) => (
              <tr key={`${name}${text}`} class={one === two ? undefined : 'differs'}>
                <td class="muted">{text || (name && t(name))}</td>
                <td class="break">{one || <span class="muted">–</span>}</td>
                <td class="break">{two || <span class="muted">–</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Children project={project} repository={repository} left={left} right={right} />
      {lower.data && upper.data && <LayerDifferences left={lower.data} right={upper.data} />}
      {steps.length > 0 && (
        <section class="card">
          <header>
            <h2>{t('history')}</h2>
            <span class="muted small">{n('compare.steps', steps.filter((step) => step.mark !== ' ').length)}</span>
          </header>
          <ol class="layers" style={{ padding: 0, margin: 0 }}>
            {steps.map((step, index) => (
              <li key={index} class={MARKS[step.mark].kind}>
                <span class="small">{t(MARKS[step.mark].text)}</span>
                <code>{step.text}</code>
              </li>
            ))}
          </ol>
        </section>
      )}
    </div>
  );
}

/** Of two indexes, the images for the same platform, each of which can be compared in turn. */
function Children({ project, repository, left, right }: DifferencesProps) {
  const { t } = useTexts();
  const theirs = new Map((right.references ?? []).map((one) => [platformOf(one.platform), one.child_digest]));
  const pairs = (left.references ?? []).flatMap((one) => {
    const other = theirs.get(platformOf(one.platform));
    return other ? [{ platform: platformOf(one.platform), one: one.child_digest, other }] : [];
  });
  if (!pairs.length) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('platforms')}</h2>
      </header>
      <ul class="rules">
        {pairs.map(({ platform, one, other }) => (
          <li key={one}>
            <span class="sentence name">{platform || t('platforms.none')}</span>
            {one === other ? <span class="muted">{t('compare.same')}</span> : <a href={to.compare(project, repository, one, other)}>{t('compare.layers')}</a>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Layers that both have, which a client pulls once, and those that only one has. */
function LayerDifferences({ left, right }: { left: Layer[]; right: Layer[] }) {
  const { t, n } = useTexts();
  const rows = layerRows(left, right);
  if (!rows.length) return null;
  const shared = rows.filter((row) => row.mark === ' ').map((row) => row.layer);
  return (
    <section class="card">
      <header>
        <h2>{t('layers')}</h2>
        <span class="muted small">
          {n('compare.shared', shared.length)} · <Size of={sizeOf(shared)} />
        </span>
      </header>
      <ol class="layers sized" style={{ padding: 0, margin: 0 }}>
        {rows.map(({ mark, layer }, index) => (
          <li key={index} class={MARKS[mark].kind}>
            <span class="small">{t(MARKS[mark].text)}</span>
            <code>{layer.created_by ? `${shortDigest(layer.digest)}  ${layer.created_by}` : shortDigest(layer.digest)}</code>
            <span class="number">
              <Size of={layer.size} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

type Mark = ' ' | '-' | '+';
const MARKS: Record<Mark, { kind?: string; text: Message }> = {
  ' ': { text: 'compare.kept' },
  '-': { kind: 'removed', text: 'compare.removed' },
  '+': { kind: 'added', text: 'compare.added' },
};

/** The layers of both, the lowest first: what only the left has stands before what only the right has. */
export function layerRows(left: Layer[], right: Layer[]): { mark: Mark; layer: Layer }[] {
  const [there, here] = [new Set(right.map((one) => one.digest)), new Set(left.map((one) => one.digest))];
  const marked = (mark: Mark) => (layer: Layer) => ({ mark, layer });
  return [
    ...left.filter((one) => there.has(one.digest)).map(marked(' ')),
    ...left.filter((one) => !there.has(one.digest)).map(marked('-')),
    ...right.filter((one) => !here.has(one.digest)).map(marked('+')),
  ];
}

interface Row {
  name?: Message;
  text: string;
  one: string;
  two: string;
}

function rowsOf(left: Artifact, right: Artifact): Row[] {
  const [a, b] = [imageFacts(left), imageFacts(right)];
  const platforms = (one: Artifact) => (one.references ?? []).map((child) => platformOf(child.platform)).join(', ');
  const named: [Message, string, string][] = [
    ['platforms', platforms(left) || (a?.platform ?? ''), platforms(right) || (b?.platform ?? '')],
    ['config.entrypoint', a?.entrypoint ?? '', b?.entrypoint ?? ''],
    ['config.command', a?.command ?? '', b?.command ?? ''],
    ['config.user', a?.user ?? '', b?.user ?? ''],
    ['config.directory', a?.workingDirectory ?? '', b?.workingDirectory ?? ''],
    ['config.ports', a?.ports.join(', ') ?? '', b?.ports.join(', ') ?? ''],
  ];
  const variables = (list: string[] | undefined) => new Map((list ?? []).map((one) => [one.split('=')[0] ?? '', one.slice(one.indexOf('=') + 1)]));
  return [
    ...named.filter(([, one, two]) => one || two).map(([name, one, two]): Row => ({ name, text: '', one, two })),
    ...merged(variables(a?.environment), variables(b?.environment)),
    ...merged(new Map(a?.labels), new Map(b?.labels)),
    ...merged(new Map(pairs(left.annotations)), new Map(pairs(right.annotations))),
  ];
}

function merged(left: Map<string, string>, right: Map<string, string>): Row[] {
  return [...new Set([...left.keys(), ...right.keys()])].sort().map((text) => ({ text, one: left.get(text) ?? '', two: right.get(text) ?? '' }));
}

const MOST_STEPS = 500; // above that, comparing would take long

/** The steps of two builds as a difference: kept, removed, added, by their longest common sequence. */
export function stepRows(left: string | undefined, right: string | undefined): { mark: Mark; text: string }[] {
  const texts = (text: string | undefined) => stepsOf(text ?? '[]').map((step) => step.created_by ?? step.comment ?? '').slice(0, MOST_STEPS);
  const [a, b] = [texts(left), texts(right)];
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      (lengths[i] as Uint16Array)[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const rows: { mark: Mark; text: string }[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      rows.push({ mark: ' ', text: a[i] ?? '' });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      rows.push({ mark: '-', text: a[i] ?? '' });
      i += 1;
    } else {
      rows.push({ mark: '+', text: b[j] ?? '' });
      j += 1;
    }
  }
  return rows;
}
