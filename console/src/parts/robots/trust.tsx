import { Plus, Trash2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { useAction, useOne } from '../../api/queries';
import type { Robot } from '../../api/types';
import { useTexts } from '../../i18n';
import { registryHost } from '../../lib/commands';
import { Button } from '../../ui/controls';
import { FormDialog } from '../../ui/dialogs';
import { Failure } from '../../ui/feedback';
import { EXACT, Field } from '../../ui/fields';

const MOST = 20; // rules of one robot

/** A rule as it is typed: claims as `name=text`, one on each line. */
interface Rule {
  issuer: string;
  audience: string;
  claims: string;
}

/** Claims of a text with `name=text` on each line. A line without a sign is a claim without a text, which is refused. */
export function claimsOf(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.trim());
  return Object.fromEntries(
    lines
      .filter((line) => line !== '')
      .map((line) => {
        const at = line.indexOf('=');
        return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
  );
}

export function linesOf(claims: Record<string, string>): string {
  return Object.entries(claims)
    .map(([name, text]) => `${name}=${text}`)
    .join('\n');
}

/** Whose identity tokens a robot takes in place of its secret, so that a build server keeps none. */
export function Trust({ robot, onClose }: { robot: Robot; onClose: () => void }) {
  const { t } = useTexts();
  const path = { params: { path: { robot: String(robot.id) } } };
  const found = useOne(['robots', 'trust', robot.id], () => api.GET('/api/roadstead/v1/robots/{robot}/trust', path));
  const [changed, setChanged] = useState<Rule[] | null>(null);
  const rules = changed ?? found.data?.rules.map((rule) => ({ ...rule, claims: linesOf(rule.claims) })) ?? [];
  const change = (at: number, to: Partial<Rule>) => setChanged(rules.map((one, index) => (index === at ? { ...one, ...to } : one)));
  const save = useAction(
    () =>
      api.PUT('/api/roadstead/v1/robots/{robot}/trust', {
        ...path,
        body: { rules: rules.map((rule) => ({ issuer: rule.issuer.trim(), audience: rule.audience.trim(), claims: claimsOf(rule.claims) })) },
      }),
    { refresh: ['robots'], done: t('robots.saved', { name: robot.name }), then: onClose },
  );
  return (
    <FormDialog title={t('robots.trust.title', { name: robot.name })} verb={t('save')} onClose={onClose} action={save} ready={found.isSuccess} send={() => save.mutate()}>
      <p class="muted">{t('robots.trust.hint')}</p>
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <span class="skeleton" />}
      {rules.map((rule, at) => (
        <fieldset key={at} class="grant">
          <legend class="visually-hidden">{t('robots.trust.rule', { number: at + 1 })}</legend>
          <Field label={t('robots.trust.issuer')} hint={t('robots.trust.issuer.hint')}>
            {(to) => <input {...to} {...EXACT} required value={rule.issuer} onInput={(event) => change(at, { issuer: event.currentTarget.value })} />}
          </Field>
          <Field label={t('robots.trust.audience')}>
            {(to) => <input {...to} {...EXACT} required value={rule.audience} onInput={(event) => change(at, { audience: event.currentTarget.value })} />}
          </Field>
          <Field label={t('robots.trust.claims')} hint={t('robots.trust.claims.hint')}>
            {(to) => (
              <textarea
                {...to}
                class="mono"
                rows={3}
                required
                autoCapitalize="none"
                spellcheck={false}
                placeholder="repository=team/app"
                value={rule.claims}
                onInput={(event) => change(at, { claims: event.currentTarget.value })}
              />
            )}
          </Field>
          <div>
            <Button kind="small" icon={Trash2} onClick={() => setChanged(rules.filter((_, index) => index !== at))}>
              {t('rule.remove')}
            </Button>
          </div>
        </fieldset>
      ))}
      {found.isSuccess && rules.length < MOST && (
        <div>
          <Button kind="small" icon={Plus} onClick={() => setChanged([...rules, { issuer: '', audience: registryHost(), claims: '' }])}>
            {t('rule.add')}
          </Button>
        </div>
      )}
    </FormDialog>
  );
}
