import { Download } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, listOf } from '../api/client';
import { like, PAGE_SIZE, useRows, WATCH } from '../api/queries';
import type { AuditLog } from '../api/types';
import { type Message, useTexts } from '../i18n';
import { en } from '../i18n/en';
import { useAddress } from '../lib/address';
import { csv, save } from '../lib/csv';
import { shortDigest } from '../lib/format';
import { splitName, to } from '../lib/place';
import { Button } from '../ui/controls';
import { Filter, Header, Time } from '../ui/data';
import { Failure } from '../ui/feedback';
import { useToast } from '../ui/toast';
import { Listing } from '../ui/listing';

const MOST = 10_000; // entries of a file
const BATCH = 100;
/** What the filter offers, and how the registry is asked for it: a push of an image has layers beside it. */
const ASKED = {
  push: 'event_type=create_artifact',
  create: 'operation=create',
  delete: 'operation=delete',
  update: 'operation=update',
  pull: 'operation=pull',
  login: 'operation=login',
  refuse: 'operation=refuse',
} as const;
const OPERATIONS = Object.keys(ASKED) as (keyof typeof ASKED)[];
// Rarer ones have a name, but no place in the filter.
const NAMED = [
  ...OPERATIONS,
  ...(['start', 'stop', 'retain', 'empty', 'release', 'lock', 'add', 'send', 'warn', 'exceed', 'expire', 'read'] as const),
] as const;

/** The range of days in the reader's zone, both included, as the registry asks for it in UTC. */
export function timesOf(from: string | null, until: string | null): string | undefined {
  const utc = (day: string | null, time: string) => {
    const at = new Date(`${day}T${time}`);
    return day && !Number.isNaN(at.getTime()) ? at.toISOString().slice(0, 19) : '';
  };
  const [first, last] = [utc(from, '00:00:00'), utc(until, '23:59:59')];
  return first || last ? `op_time=[${first}~${last}]` : undefined;
}

/** The audit trail: of a project, or of the registry. */
export function Activity({ project }: { project?: string }) {
  const { t, language } = useTexts();
  const say = useToast();
  const { query, page, change } = useAddress();
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const operation = query.get('operation');
  const [from, until] = [query.get('from'), query.get('until')];
  const terms = [
    like('resource', query.get('q')),
    like('username', query.get('who')),
    ASKED[operation as keyof typeof ASKED],
    timesOf(from, until),
  ];
  const q = terms.filter((term) => term).join(',') || undefined;
  const ask = (at: number, size: number) => {
    const params = { query: { page: at, page_size: size, q } };
    return project
      ? api.GET('/api/v2.0/projects/{project_name}/auditlog-exts', { params: { ...params, path: { project_name: project } } })
      : api.GET('/api/v2.0/auditlog-exts', { params });
  };
  const entries = useRows<AuditLog>(['activity', project, { page, q }], () => ask(page, PAGE_SIZE), {
    watch: () => page === 1 && WATCH,
  });
  const download = async () => {
    setSaving(true);
    setError(null);
    try {
      const rows: AuditLog[] = [];
      for (let at = 1; rows.length < MOST; at += 1) {
        const batch = listOf<AuditLog>(await ask(at, BATCH));
        rows.push(...batch.rows);
        if (batch.rows.length < BATCH) break;
      }
      if (rows.length >= MOST) say(t('activity.csv.cut', { count: MOST.toLocaleString(language) }));
      const fields = ['op_time', 'username', 'operation', 'resource_type', 'resource', 'operation_result', 'operation_description'] as const;
      save(`${project ?? 'registry'}-activity.csv`, csv([...fields], rows.map((row) => fields.map((field) => String(row[field] ?? '')))));
    } catch (refused) {
      setError(refused);
    }
    setSaving(false);
  };
  const day = (name: 'from' | 'until', value: string | null) => (
    <label class="row">
      <span class="muted">{t(`activity.${name}`)}</span>
      <input type="date" style={{ width: 'auto' }} value={value ?? ''} onChange={(event) => change({ [name]: event.currentTarget.value || null, page: null })} />
    </label>
  );
  return (
    <>
      {error !== null && <Failure error={error} />}
      <Listing
        label={t('activity')}
        list={entries}
        bar={
          <>
            <Filter name="q" label={t('activity.filter')} />
            <Filter name="who" label={t('activity.filter.who')} />
            <select
              aria-label={t('activity.operation')}
              style={{ width: 'auto' }}
              value={operation ?? ''}
              onChange={(event) => change({ operation: event.currentTarget.value || null, page: null })}
            >
              <option value="">{t('activity.all')}</option>
              {OPERATIONS.map((one) => (
                <option key={one} value={one}>
                  {t(`activity.${one}`)}
                </option>
              ))}
            </select>
            {day('from', from)}
            {day('until', until)}
            <span class="space" />
            <Button icon={Download} disabled={saving} onClick={() => void download()}>
              {t('activity.csv')}
            </Button>
          </>
        }
        head={[
          <Header kind="mid">{t('activity.when')}</Header>,
          <Header kind="mid">{t('activity.who')}</Header>,
          <Header>{t('activity.what')}</Header>,
          <Header>{t('activity.on')}</Header>,
          <Header kind="wide">{t('activity.detail')}</Header>,
        ]}
        row={(entry) => (
          <tr key={entry.id}>
            <td class="mid">
              <Time at={entry.op_time} full />
            </td>
            <td class="mid break who">{entry.username}</td>
            <td>
              <What entry={entry} />
              <div class="small muted on-phone">
                {entry.username} · <Time at={entry.op_time} full />
              </div>
            </td>
            <td class="break">
              <Resource text={entry.resource} type={entry.resource_type} />
            </td>
            <td class="wide muted small break">{detailOf(entry)}</td>
          </tr>
        )}
      />
    </>
  );
}

/** What was done, to which kind of thing. */
export function What({ entry }: { entry: AuditLog }) {
  const { t } = useTexts();
  const { operation_result, resource_type } = entry;
  const operation = entry.operation === 'create' && ['artifact', 'blob'].includes(resource_type) ? 'push' : entry.operation;
  return (
    <span class={`badge ${operation_result === false ? 'bad' : operation === 'delete' ? 'warn' : ''}`}>
      {NAMED.some((one) => one === operation) ? t(`activity.${operation as 'pull'}`) : operation}
      {operation !== 'login' && <> · {`resource.${resource_type}` in en ? t(`resource.${resource_type}` as Message) : resource_type.replaceAll('_', ' ')}</>}
    </span>
  );
}

/** What an entry says beyond the other columns: the trail writes `operation: resource (details)`. */
function detailOf({ operation_description: text = '', resource }: AuditLog): string {
  const [, details] = text.split(`: ${resource} (`, 2);
  return details?.endsWith(')') ? details.slice(0, -1) : '';
}

const DIGEST = /@sha\d+:[0-9a-f]{32,}$/;

/** What an entry is about, with its digest cut to twelve digits; a link where that has a page. */
export function Resource({ text, type }: { text: string; type: string }) {
  const shown = text.replace(DIGEST, (digest) => `@${shortDigest(digest.slice(1))}`);
  const found = /^([^:@]+)(?:[:@](.+))?$/.exec(text);
  if (!found?.[1]?.includes('/') || !['artifact', 'tag', 'repository'].includes(type)) return <span title={text}>{shown}</span>;
  const [project, repository] = splitName(found[1]);
  const href = found[2] ? to.artifact(project, repository, found[2]) : to.repository(project, repository);
  return (
    <a href={href} title={text}>
      {shown}
    </a>
  );
}
