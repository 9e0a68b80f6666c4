import { Lock, Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useRows } from '../../api/queries';
import type { ImmutableRule } from '../../api/types';
import { useTexts } from '../../i18n';
import { Button, IconButton, SMALL } from '../../ui/controls';
import { FormDialog } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { EXACT, Field } from '../../ui/fields';
import type { TabProps } from '../project';
import { Retention } from './retention';

/** What the rules of a project say: what stays, and which tags never move. */
export function Policies({ project, id, may }: TabProps) {
  return (
    <div class="stack">
      <Retention project={project} id={id} edit={may('editRetention')} />
      {may('seeImmutability') && <Immutability project={project} edit={may('editImmutability')} />}
    </div>
  );
}

function Immutability({ project, edit }: { project: string; edit: boolean }) {
  const { t } = useTexts();
  const [adding, setAdding] = useState(false);
  const rules = useRows(['immutability', project], () =>
    api.GET('/api/v2.0/projects/{project}/immutabletagrules', { params: { path: { project }, query: { page_size: 100 } } }),
  );
  const path = (rule: ImmutableRule) => ({ params: { path: { project, rule: String(rule.id) } } });
  const remove = useAction((rule: ImmutableRule) => api.DELETE('/api/v2.0/projects/{project}/immutabletagrules/{rule}', path(rule)), {
    refresh: ['immutability'],
    done: t('immutability.removed'),
  });
  const toggle = useAction(
    (rule: ImmutableRule) =>
      api.PUT('/api/v2.0/projects/{project}/immutabletagrules/{rule}', { ...path(rule), body: { ...rule, disabled: !rule.disabled } }),
    { refresh: ['immutability'] },
  );
  const error = rules.error ?? remove.error ?? toggle.error;
  return (
    <section class="card">
      <header>
        <h2>{t('immutability')}</h2>
        <span class="muted small wide">{t('immutability.hint')}</span>
        <span class="space" />
        {edit && (
          <Button kind="small" icon={Plus} onClick={() => setAdding(true)}>
            {t('rule.add')}
          </Button>
        )}
      </header>
      {error && (
        <div class="body">
          <Failure error={error} />
        </div>
      )}
      {rules.data?.rows.length === 0 && <p class="body muted">{t('immutability.none')}</p>}
      <ul class="rules">
        {rules.data?.rows.map((rule) => (
          <li key={rule.id}>
            <Lock size={SMALL} aria-hidden="true" />
            <span class="sentence">
              <Sentence rule={rule} />
            </span>
            {rule.disabled && <span class="badge warn">{t('robots.off')}</span>}
            {edit && (
              <>
                <Button kind="small" onClick={() => toggle.mutate(rule)} disabled={toggle.isPending}>
                  {t(rule.disabled ? 'robots.turnOn' : 'robots.turnOff')}
                </Button>
                <IconButton icon={Trash2} label={t('rule.remove')} onClick={() => remove.mutate(rule)} />
              </>
            )}
          </li>
        ))}
      </ul>
      {adding && <NewRule project={project} onClose={() => setAdding(false)} />}
    </section>
  );
}

function Sentence({ rule }: { rule: ImmutableRule }) {
  const { t } = useTexts();
  const tag = rule.tag_selectors[0];
  const repository = rule.scope_selectors.repository?.[0];
  return (
    <>
      {t(tag?.decoration === 'excludes' ? 'rule.tags.except' : 'rule.tags')} <code class="pattern">{tag?.pattern}</code>{' '}
      {t(repository?.decoration === 'repoExcludes' ? 'rule.repositories.except' : 'rule.repositories')}{' '}
      <code class="pattern">{repository?.pattern}</code>
    </>
  );
}

function NewRule({ project, onClose }: { project: string; onClose: () => void }) {
  const { t } = useTexts();
  const [tags, setTags] = useState('v*');
  const [repositories, setRepositories] = useState('**');
  const [tagsExcept, setTagsExcept] = useState(false);
  const [repositoriesExcept, setRepositoriesExcept] = useState(false);
  const rule = {
    action: 'immutable' as const,
    template: 'immutable_template' as const,
    tag_selectors: [{ kind: 'doublestar' as const, decoration: tagsExcept ? ('excludes' as const) : ('matches' as const), pattern: tags }],
    scope_selectors: {
      repository: [
        {
          kind: 'doublestar' as const,
          decoration: repositoriesExcept ? ('repoExcludes' as const) : ('repoMatches' as const),
          pattern: repositories,
        },
      ],
    },
  };
  const add = useAction(
    () => api.POST('/api/v2.0/projects/{project}/immutabletagrules', { params: { path: { project } }, body: rule }),
    { refresh: ['immutability'], done: t('immutability.added'), then: onClose },
  );
  return (
    <FormDialog title={t('immutability.new')} verb={t('add')} onClose={onClose} action={add} send={() => add.mutate()}>
      <PatternField label={t('tags')} pattern={tags} setPattern={setTags} except={tagsExcept} setExcept={setTagsExcept} autoFocus />
      <PatternField
        label={t('repositories')}
        pattern={repositories}
        setPattern={setRepositories}
        except={repositoriesExcept}
        setExcept={setRepositoriesExcept}
      />
      <p class="notice-box">
        <Lock size={SMALL} aria-hidden="true" />
        <span>
          <Sentence rule={{ ...rule, id: 0 }} /> {t('immutability.effect')}
        </span>
      </p>
    </FormDialog>
  );
}

interface PatternProps {
  label: string;
  pattern: string;
  setPattern: (pattern: string) => void;
  except: boolean;
  setExcept: (except: boolean) => void;
  autoFocus?: boolean;
}

/** A pattern of names, and whether it means those or all others. */
export function PatternField({ label, pattern, setPattern, except, setExcept, autoFocus }: PatternProps) {
  const { t } = useTexts();
  return (
    <Field label={label} hint={t('rule.pattern.hint')}>
      {(at) => (
        <div class="row" style={{ flexWrap: 'nowrap' }}>
          <select
            aria-label={t('rule.kind', { what: label })}
            style={{ width: 'auto' }}
            value={except ? 'except' : 'only'}
            onChange={(event) => setExcept(event.currentTarget.value === 'except')}
          >
            <option value="only">{t('rule.only')}</option>
            <option value="except">{t('rule.except')}</option>
          </select>
          <input
            {...at}
            class="mono"
            required
            maxLength={256}
            {...EXACT}
            autoFocus={autoFocus}
            value={pattern}
            onInput={(event) => setPattern(event.currentTarget.value)}
          />
        </div>
      )}
    </Field>
  );
}
