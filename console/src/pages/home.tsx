import { CircleCheck, TriangleAlert } from 'lucide-preact';
import { api } from '../api/client';
import { useOne, useRows, useSession, useSystem } from '../api/queries';
import type { AuditLog, Repository } from '../api/types';
import { useTexts } from '../i18n';
import { bytes } from '../lib/format';
import { splitName, to } from '../lib/place';
import { Resource, What } from '../parts/activity';
import { SMALL } from '../ui/controls';
import { Time } from '../ui/data';
import { Failure } from '../ui/feedback';
import { FirstPush } from '../ui/first-push';
import { Head } from '../ui/shell';
import { ProviderWarnings } from './home/providers';
import { Warning } from './home/warnings';

const SHOWN = 8; // rows of each list

/** Where somebody begins: what needs attention, what was pushed and done last, and how to push if nothing was. */
export function Home() {
  const { t } = useTexts();
  const session = useSession();
  const admin = session.data?.admin ?? false;
  const pushed = useRows<Repository>(['repositories', 'last'], () =>
    api.GET('/api/v2.0/repositories', { params: { query: { page_size: SHOWN, sort: '-update_time' } } }),
  );
  const empty = pushed.data?.total === 0;
  return (
    <>
      <Head title={t('title.home')} />
      <div class="stack">
        <Figures admin={admin} />
        {session.data && <Attention admin={admin} />}
        {empty && <First />}
        <div class="columns even">
          {!empty && <Pushed list={pushed} />}
          {session.data && <Done />}
        </div>
      </div>
    </>
  );
}

function Figures({ admin }: { admin: boolean }) {
  const { t, language } = useTexts();
  const session = useSession();
  const statistics = useOne(['statistics'], () => api.GET('/api/v2.0/statistics', {}), Boolean(session.data));
  const found = statistics.data;
  if (statistics.isError) return <Failure error={statistics.error} retry={() => void statistics.refetch()} />;
  const number = (value: number | undefined) => value?.toLocaleString(language);
  const figures: [string, string | undefined][] = [
    [t('title.projects'), number(found && found.private_project_count + found.public_project_count)],
    [t('repositories'), number(found && found.private_repo_count + found.public_repo_count)],
  ];
  if (admin) figures.push([t('overview.storage'), found && bytes(found.total_storage_consumption, language)]);
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

/** Warnings, the worst first; that there are none is said too. */
function Attention({ admin }: { admin: boolean }) {
  const { t, n } = useTexts();
  const system = useSystem();
  const found = useOne(['warnings'], () => api.GET('/api/roadstead/v1/warnings', {}));
  const warnings = found.data?.warnings ?? [];
  const readOnly = system.data?.read_only ?? false;
  const seen = found.data?.projects;
  return (
    <section class="card">
      <header>
        <h2>{t('home.attention')}</h2>
        {seen && seen.looked_at < seen.all && (
          <span class="muted small">{n('home.looked', seen.looked_at, { all: seen.all })}</span>
        )}
      </header>
      {found.isError && (
        <div class="body">
          <Failure error={found.error} retry={() => void found.refetch()} />
        </div>
      )}
      <ul class="rules" aria-label={t('home.attention')}>
        {readOnly && (
          <li>
            <TriangleAlert size={SMALL} class="warn" aria-hidden="true" />
            <span class="sentence">{admin ? <a href={to.administration('configuration')}>{t('home.readOnly')}</a> : t('home.readOnly')}</span>
          </li>
        )}
        {admin && <ProviderWarnings />}
        {warnings.map((one) => (
          <Warning key={`${one.kind} ${one.project ?? ''} ${one.name}`} warning={one} />
        ))}
        {found.isPending && (
          <li>
            <span class="skeleton" style={{ width: '60%' }} />
          </li>
        )}
        {found.isSuccess && !warnings.length && !readOnly && (
          <li>
            <CircleCheck size={SMALL} class="good" aria-hidden="true" />
            <span class="sentence muted">{t('home.quiet')}</span>
          </li>
        )}
      </ul>
    </section>
  );
}

function Pushed({ list }: { list: ReturnType<typeof useRows<Repository>> }) {
  const { t, n } = useTexts();
  return (
    <section class="card">
      <header>
        <h2>{t('home.pushed')}</h2>
      </header>
      {list.isError && (
        <div class="body">
          <Failure error={list.error} retry={() => void list.refetch()} />
        </div>
      )}
      <ul class="rules">
        {list.data?.rows.map((one) => (
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
function Done() {
  const { t } = useTexts();
  const entries = useRows<AuditLog>(['activity', 'last'], () => api.GET('/api/v2.0/auditlog-exts', { params: { query: { page_size: SHOWN } } }));
  if (!entries.data?.rows.length) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('home.done')}</h2>
      </header>
      <ul class="rules">
        {entries.data.rows.map((entry) => (
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

const PUSHERS = [1, 4, 2]; // the roles that push

/** Nothing has been pushed: how to, into a project that the reader may push to. */
function First() {
  const { t } = useTexts();
  const session = useSession();
  const projects = useOne(['projects', 'mine'], () => api.GET('/api/v2.0/projects', { params: { query: { page_size: 100 } } }));
  if (!projects.data) return null;
  const admin = session.data?.admin ?? false;
  const mine = projects.data.find((one) => admin || PUSHERS.includes(one.current_user_role_id ?? 0));
  return (
    <div class="card">
      {mine ? (
        <FirstPush name={`${mine.name}/hello-world`} />
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
