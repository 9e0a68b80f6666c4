import { CircleCheck, TriangleAlert } from 'lucide-preact';
import { api } from '../api/client';
import { useOne, useSession } from '../api/queries';
import type { AuditLog, Home as Page } from '../api/types';
import { useTexts } from '../i18n';
import { bytes } from '../lib/format';
import { splitName, to } from '../lib/place';
import { Resource, What } from '../parts/activity';
import { SMALL } from '../ui/controls';
import { Time } from '../ui/data';
import { Failure } from '../ui/feedback';
import { FirstPush } from '../ui/first-push';
import { Head } from '../ui/shell';
import { ProviderWarning, useFailingProviders } from './home/providers';
import { Warning } from './home/warnings';

/** Where somebody begins: what needs attention, what was pushed and done last, and how to push if nothing was. */
export function Home() {
  const { t } = useTexts();
  const session = useSession();
  const admin = session.data?.admin ?? false;
  const home = useOne(['home'], () => api.GET('/api/roadstead/v1/home', {}));
  const empty = home.data?.repositories.total === 0;
  return (
    <>
      <Head title={t('title.home')} />
      <div class="stack">
        {home.isError ? (
          <Failure error={home.error} retry={() => void home.refetch()} />
        ) : (
          <>
            {session.data && <Figures found={home.data?.statistics} admin={admin} />}
            {session.data && <Attention home={home.data} admin={admin} />}
            {empty && <First project={home.data?.push_to ?? null} admin={admin} />}
            <div class="columns even">
              {home.data && !empty && <Pushed found={home.data.repositories} />}
              {home.data && home.data.activity.length > 0 && <Done entries={home.data.activity} />}
            </div>
          </>
        )}
      </div>
    </>
  );
}

function Figures({ found, admin }: { found: Page['statistics'] | undefined; admin: boolean }) {
  const { t, language } = useTexts();
  const figures: [string, string | undefined][] = [
    [t('title.projects'), found?.projects.toLocaleString(language)],
    [t('repositories'), found?.repositories.toLocaleString(language)],
  ];
  if (admin) figures.push([t('overview.storage'), found ? bytes(found.storage ?? 0, language) : undefined]);
  return (
    <div class="figures">
      {figures.map(([name, value]) => (
        <div class="card figure" key={name}>
          <span class="muted">{name}</span>
          <strong>{value ?? <span class="skeleton" style={{ width: '80px' }} />}</strong>
        </div>
      ))}
    </div>
  );
}

/** Warnings, the worst first, then providers that fail, once that is known. Says so if there is nothing. */
function Attention({ home, admin }: { home: Page | undefined; admin: boolean }) {
  const { t, n } = useTexts();
  const found = home?.attention;
  const warnings = found?.warnings ?? [];
  const readOnly = home?.read_only ?? false;
  const seen = found?.projects;
  const { asking, failing } = useFailingProviders(home);
  const none = !readOnly && !warnings.length && !failing.length;
  return (
    <section class="card">
      <header>
        <h2>{t('home.attention')}</h2>
        {seen && seen.looked_at < seen.all && (
          <span class="muted small">{n('home.looked', seen.looked_at, { all: seen.all })}</span>
        )}
      </header>
      <ul class="rules" aria-label={t('home.attention')}>
        {readOnly && (
          <li>
            <TriangleAlert size={SMALL} class="warn" aria-hidden="true" />
            <span class="sentence">{admin ? <a href={to.administration('configuration')}>{t('home.readOnly')}</a> : t('home.readOnly')}</span>
          </li>
        )}
        {warnings.map((one) => (
          <Warning key={`${one.kind} ${one.project ?? ''} ${one.name}`} warning={one} />
        ))}
        {found?.more && (
          <li>
            <span class="sentence muted">{t('home.more')}</span>
          </li>
        )}
        {failing.map((one) => (
          <ProviderWarning key={one.name} {...one} />
        ))}
        {none && (!home || asking) && (
          <li>
            <span class="skeleton" style={{ width: '60%' }} />
          </li>
        )}
        {none && home && !asking && (
          <li>
            <CircleCheck size={SMALL} class="good" aria-hidden="true" />
            <span class="sentence muted">{t('home.quiet')}</span>
          </li>
        )}
      </ul>
    </section>
  );
}

function Pushed({ found }: { found: Page['repositories'] }) {
  const { t, n } = useTexts();
  return (
    <section class="card">
      <header>
        <h2>{t('home.pushed')}</h2>
        {found.projects.looked_at < found.projects.all && (
          <span class="muted small">{n('home.looked', found.projects.looked_at, { all: found.projects.all })}</span>
        )}
      </header>
      <ul class="rules">
        {found.last.map((one) => (
          <li key={one.name}>
            <a class="sentence name" href={to.repository(...splitName(one.name))}>
              {one.name}
            </a>
            <span class="muted small mid">{n('pulls.of', one.pull_count)}</span>
            <span class="muted small">
              <Time at={one.update_time} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What was done last, where the reader may see the trail; pulls are left out by the registry unless a setting asks. */
function Done({ entries }: { entries: AuditLog[] }) {
  const { t } = useTexts();
  return (
    <section class="card">
      <header>
        <h2>{t('home.done')}</h2>
      </header>
      <ul class="rules">
        {entries.map((entry) => (
          <li key={entry.id}>
            <span class="sentence">
              <What entry={entry} /> <span class="small muted">{entry.username}</span>
              <div>
                <Resource text={entry.resource} type={entry.resource_type} />
              </div>
            </span>
            <span class="muted small">
              <Time at={entry.op_time} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Nothing has been pushed: how to, into a project that the reader may push to. */
function First({ project, admin }: { project: string | null; admin: boolean }) {
  const { t } = useTexts();
  return (
    <div class="card">
      {project ? (
        <FirstPush name={`${project}/hello-world`} />
      ) : (
        <div class="empty">
          <h2>{t(admin ? 'projects.none.admin' : 'projects.none.user')}</h2>
          <p>{t(admin ? 'projects.none.admin.hint' : 'projects.none.user.hint')}</p>
          {admin && (
            <a class="button primary" href={to.projects()}>
              {t('projects.new')}
            </a>
          )}
        </div>
      )}
    </div>
  );
}
