import { TriangleAlert } from 'lucide-preact';
import type { Attention } from '../../api/types';
import { useTexts } from '../../i18n';
import { bytes } from '../../lib/format';
import { to } from '../../lib/place';
import { SMALL } from '../../ui/controls';
import { Time } from '../../ui/data';

/** A warning as a sentence that leads to where something can be done. */
export function Warning({ warning }: { warning: Attention }) {
  const { t } = useTexts();
  const [text, href] = useSaid(warning);
  const past = warning.at !== null && new Date(warning.at).getTime() < Date.now();
  const bad = warning.kind === 'collection-failed' || warning.kind === 'webhook' || (warning.kind === 'robot' && past);
  return (
    <li>
      <TriangleAlert size={SMALL} class={bad ? 'danger' : 'warn'} aria-hidden="true" />
      <span class="sentence">
        <a href={href}>{text}</a>
        {warning.detail && <div class="small muted">{warning.detail}</div>}
      </span>
      {warning.at && (
        <span class="muted small" title={t('activity.when')}>
          <Time at={warning.at} />
        </span>
      )}
    </li>
  );
}

function useSaid({ kind, name, project, at, used, limit }: Attention): [text: string, href: string] {
  const { t, language } = useTexts();
  const past = at !== null && new Date(at).getTime() < Date.now();
  switch (kind) {
    case 'quota': {
      const full = (used ?? 0) >= (limit ?? 0);
      const values = { project: project ?? '', used: bytes(used ?? 0, language), limit: bytes(limit ?? 0, language) };
      return [t(full ? 'quotas.full' : 'quotas.near', values), to.project(project ?? '')];
    }
    case 'robot':
      return [t(past ? 'home.robot.expired' : 'home.robot', { name }), project ? to.project(project, 'robots') : to.administration('robots')];
    case 'token':
      return [t('home.token', { name }), to.account()];
    case 'webhook':
      return [t('home.webhook', { name, project: project ?? '' }), to.project(project ?? '', 'webhooks')];
    case 'collection-late':
      return [t('home.collection.late'), to.administration('collector')];
    case 'collection-off':
      return [t('home.collection.off'), to.administration('collector')];
    default:
      return [t('home.collection.failed'), to.administration('collector')];
  }
}
