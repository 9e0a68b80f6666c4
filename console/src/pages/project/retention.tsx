import { Play, Plus, X } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { api, ApiError, dataOf } from '../../api/client';
import { useAction, useOne, useRows } from '../../api/queries';
import { finished } from '../../api/trash';
import type { RetentionPolicy, RetentionRule, RetentionVerdict } from '../../api/types';
import { useTexts } from '../../i18n';
import { en } from '../../i18n/en';
import { shortDigest } from '../../lib/format';
import { Button } from '../../ui/controls';
import { Confirm } from '../../ui/dialogs';
import { Coming } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import { RetentionRuns } from './retention-runs';

const TEMPLATES = ['latestPushedK', 'latestPulledN', 'nDaysSinceLastPush', 'nDaysSinceLastPull', 'newestVersionsOfMinor', 'always'] as const;
type Template = (typeof TEMPLATES)[number];
const PAUSE = 500; // milliseconds after the last change until the preview is asked for
const SCHEDULES = { hand: '', daily: '0 0 3 * * *', weekly: '0 0 3 * * 0' } as const;
type Schedule = keyof typeof SCHEDULES;
const SHOWN = 50; // artifacts of a repository in the preview

/** What stays in a project, with what would go and why, before anything goes. */
export function Retention({ project, id, edit }: { project: string; id: number; edit: boolean }) {
  const { t } = useTexts();
  const path = { path: { id: String(id) } };
  const saved = useOne<RetentionPolicy | null>(['retention', id], async () => {
    try {
      return { data: dataOf(await api.GET('/api/v2.0/retentions/{id}', { params: path })) };
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return { data: null };
      throw error;
    }
  });
  const [draft, setDraft] = useState<RetentionPolicy | null>(null);
  const [running, setRunning] = useState(false);
  const policy = draft ?? saved.data ?? emptyPolicy(id);
  const change = (next: Partial<RetentionPolicy>) => setDraft({ ...policy, ...next });
  const setRule = (at: number, rule: RetentionRule | null) =>
    change({ rules: policy.rules.flatMap((one, index) => (index === at ? (rule ? [rule] : []) : [one])) });
  const save = useAction(
    () =>
      saved.data
        ? api.PUT('/api/v2.0/retentions/{id}', { params: path, body: policy })
        : api.POST('/api/v2.0/retentions', { body: policy }),
    { refresh: ['retention', 'project'], done: t('retention.saved'), then: () => setDraft(null) },
  );
  const run = useAction(
    async () => {
      const { response } = await api.POST('/api/v2.0/retentions/{id}/executions', { params: path, body: { dry_run: false } });
      await finished(response);
    },
    { refresh: ['retention', 'retention-runs', 'tags', 'repositories'], done: t('retention.ran'), then: () => setRunning(false) },
  );
  const cron = policy.trigger.settings.cron;
  const schedule = (Object.keys(SCHEDULES) as Schedule[]).find((one) => SCHEDULES[one] === cron);
  if (saved.isPending) return <Coming />; // a rule that is added before the others are known would replace them
  if (saved.isError) return <Failure error={saved.error} retry={() => void saved.refetch()} />;
  return (
    <section class="card">
      <header>
        <h2>{t('retention')}</h2>
        <span class="muted small wide">{t('retention.hint')}</span>
        <span class="space" />
        {edit && (
          <Button kind="small" icon={Plus} onClick={() => change({ rules: [...policy.rules, newRule()] })}>
            {t('rule.add')}
          </Button>
        )}
      </header>
      {policy.rules.length === 0 && <p class="body muted">{t('retention.none')}</p>}
      <ul class="rules">
        {policy.rules.map((rule, at) => (
          <li key={at}>
            <EditRule rule={rule} edit={edit} change={(next) => setRule(at, next)} />
          </li>
        ))}
      </ul>
      {policy.rules.length > 0 && <Preview project={project} policy={policy} first={!draft} />}
      {(policy.rules.length > 0 || draft) && edit && (
        <footer>
          <label class="row">
            <span class="muted">{t('retention.when')}</span>
            <select
              style={{ width: 'auto' }}
              value={schedule ?? cron}
              onChange={(event) => {
                const chosen = event.currentTarget.value;
                change({ trigger: { ...policy.trigger, settings: { cron: chosen in SCHEDULES ? SCHEDULES[chosen as Schedule] : chosen } } });
              }}
            >
              {(Object.keys(SCHEDULES) as Schedule[]).map((one) => (
                <option key={one} value={one}>
                  {t(`retention.${one}`)}
                </option>
              ))}
              {!schedule && <option value={cron}>{cron}</option>}
            </select>
          </label>
          <span style={{ flex: 1 }} />
          {draft && <Button onClick={() => setDraft(null)}>{t('cancel')}</Button>}
          {!draft && saved.data && saved.data.rules.length > 0 && (
            <Button icon={Play} onClick={() => setRunning(true)}>
              {t('retention.run')}
            </Button>
          )}
          <Button kind="primary" disabled={!draft || save.isPending} onClick={() => save.mutate()}>
            {t('save')}
          </Button>
        </footer>
      )}
      {save.isError && (
        <div class="body">
          <Failure error={save.error} />
        </div>
      )}
      <RetentionRuns id={id} there={Boolean(saved.data)} edit={edit} />
      {running && (
        <Confirm title={t('retention.run')} verb={t('retention.run')} onClose={() => setRunning(false)} action={run} go={() => run.mutate()}>
          <p>{t('retention.run.hint')}</p>
        </Confirm>
      )}
    </section>
  );
}

function emptyPolicy(id: number): RetentionPolicy {
  const trigger = { kind: 'Schedule', settings: { cron: '' } };
  return { algorithm: 'or', scope: { level: 'project', ref: id }, trigger, rules: [] };
}

function newRule(): RetentionRule {
  return {
    action: 'retain',
    template: 'latestPushedK',
    params: { latestPushedK: 10 },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**', extras: '{"untagged":true}' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  };
}

interface EditRuleProps {
  rule: RetentionRule;
  edit: boolean;
  change: (rule: RetentionRule | null) => void;
}

function EditRule({ rule, edit, change }: EditRuleProps) {
  const { t } = useTexts();
  const tags = rule.tag_selectors[0];
  const repositories = rule.scope_selectors.repository[0];
  const number = rule.params[rule.template];
  const setTags = (next: object) => tags && change({ ...rule, tag_selectors: [{ ...tags, ...next }] });
  const setRepositories = (next: object) => repositories && change({ ...rule, scope_selectors: { repository: [{ ...repositories, ...next }] } });
  return (
    <fieldset class="rule" disabled={!edit}>
      <legend class="visually-hidden">{t('retention.rule')}</legend>
      <span>{t('retention.keep')}</span>
      <select
        aria-label={t('retention.template')}
        value={rule.template}
        onChange={(event) => {
          const template = event.currentTarget.value as Template;
          change({ ...rule, template, params: template === 'always' ? {} : { [template]: number ?? 10 } });
        }}
      >
        {TEMPLATES.map((one) => (
          <option key={one} value={one}>
            {t(`retention.${one}`)}
          </option>
        ))}
      </select>
      {rule.template !== 'always' && (
        <input
          type="number"
          class="short"
          aria-label={t('retention.number')}
          min={1}
          value={number}
          onInput={(event) => change({ ...rule, params: { [rule.template]: Number(event.currentTarget.value) || 1 } })}
        />
      )}
      <select
        aria-label={t('rule.kind', { what: t('tags') })}
        value={tags?.decoration}
        onChange={(event) => setTags({ decoration: event.currentTarget.value })}
      >
        <option value="matches">{t('retention.tags')}</option>
        <option value="excludes">{t('retention.tags.except')}</option>
      </select>
      <input class="mono" aria-label={t('tags')} value={tags?.pattern} onInput={(event) => setTags({ pattern: event.currentTarget.value })} />
      <select
        aria-label={t('rule.kind', { what: t('repositories') })}
        value={repositories?.decoration}
        onChange={(event) => setRepositories({ decoration: event.currentTarget.value })}
      >
        <option value="repoMatches">{t('rule.repositories')}</option>
        <option value="repoExcludes">{t('rule.repositories.except')}</option>
      </select>
      <input
        class="mono"
        aria-label={t('repositories')}
        value={repositories?.pattern}
        onInput={(event) => setRepositories({ pattern: event.currentTarget.value })}
      />
      {edit && <Button kind="plain" icon={X} aria-label={t('rule.remove')} title={t('rule.remove')} onClick={() => change(null)} />}
    </fieldset>
  );
}

interface PreviewProps {
  project: string;
  policy: RetentionPolicy;
  /** Whether nobody has changed the rules yet. */
  first: boolean;
}

/** What would stay and what would go with these rules, and why: asked for again after each change. */
function Preview({ project, policy, first }: PreviewProps) {
  const { t, n } = useTexts();
  const [asked, setAsked] = useState(policy);
  const text = JSON.stringify(policy);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(JSON.parse(text) as RetentionPolicy), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const preview = useRows(['retention', 'preview', project, asked], () =>
    api.POST('/api/roadstead/v1/projects/{project}/retention/preview', { params: { path: { project } }, body: asked }),
  );
  const rows = preview.data?.rows ?? [];
  const gone = rows.reduce((sum, one) => sum + one.artifacts.filter((artifact) => !artifact.keep).length, 0);
  const kept = rows.reduce((sum, one) => sum + one.artifacts.length, 0) - gone;
  return (
    <div class={`body stack preview${first && preview.isLoading ? ' coming' : ''}`} aria-busy={preview.isFetching}>
      <div class="row" role="status">
        <h3>{t('retention.preview')}</h3>
        {preview.isSuccess && (
          <>
            <span class="badge ok">{n('retention.stay', kept)}</span>
            <span class={`badge ${gone ? 'bad' : ''}`}>{n('retention.go', gone)}</span>
          </>
        )}
      </div>
      {preview.isError && <Failure error={preview.error} />}
      {rows.map((one) => (
        <details key={one.repository} open={one.artifacts.some((artifact) => !artifact.keep)}>
          <summary>
            <b>{one.repository}</b>{' '}
            <span class="muted small">
              {n('retention.stay', one.artifacts.filter((artifact) => artifact.keep).length)} ·{' '}
              {n('retention.go', one.artifacts.filter((artifact) => !artifact.keep).length)}
            </span>
          </summary>
          <Verdicts repository={one.repository} artifacts={one.artifacts} />
        </details>
      ))}
    </div>
  );
}

interface VerdictsProps {
  repository: string;
  artifacts: RetentionVerdict[];
}

/** What would become of each artifact, what goes first; more of them on demand. */
function Verdicts({ repository, artifacts }: VerdictsProps) {
  const { t } = useTexts();
  const [shown, setShown] = useState(SHOWN);
  const sorted = [...artifacts].sort((a, b) => Number(a.keep) - Number(b.keep));
  return (
    <ul class="verdicts" tabIndex={0} aria-label={repository}>
      {sorted.slice(0, shown).map((artifact) => (
        <li key={artifact.digest}>
          <span class={`badge ${artifact.keep ? 'ok' : 'bad'}`}>{t(artifact.keep ? 'retention.stays' : 'retention.goes')}</span>
          <span class="name">{artifact.tags.join(', ') || shortDigest(artifact.digest)}</span>
          <span class="muted small">
            <Why of={artifact} />
          </span>
        </li>
      ))}
      {sorted.length > shown && (
        <li>
          <Button kind="small" onClick={() => setShown(shown + SHOWN)}>
            {t('more', { count: sorted.length - shown })}
          </Button>
        </li>
      )}
    </ul>
  );
}

/** The reasons of a verdict in the reader's language, by their causes; of a registry that knows more causes, its own sentence. */
function Why({ of: { reason, reasons } }: { of: RetentionVerdict }) {
  const { t, language } = useTexts();
  if (!reasons.every(({ cause }) => `retention.why.${cause}` in en)) return <span lang="en">{reason}</span>;
  return reasons.map(({ cause, ...rest }) => {
    const values = Object.entries(rest).map(([name, value]) => [name, value.toLocaleString(language)]);
    return (
      <div key={rest.rule ?? 0} class="break">
        {t(`retention.why.${cause}`, Object.fromEntries(values) as Record<string, string>)}
      </div>
    );
  });
}
