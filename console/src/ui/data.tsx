import { ArrowDown, ArrowUp, Search } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../i18n';
import { absolute, bytes, relative, shortDigest, timeOf } from '../lib/format';
import { useAddress } from '../lib/address';
import { Button, CopyButton, SMALL } from './controls';

interface TimeProps {
  at: string | null | undefined;
  none?: string;
  /** Whether the full time is shown, where it matters to the second. */
  full?: boolean;
}

/** A time as `2 hours ago`, with the full time in the reader's zone on hover; or the other way round. */
export function Time({ at, none = '–', full }: TimeProps) {
  const { t, language } = useTexts();
  const time = timeOf(at);
  if (!time) return <span class="muted">{none}</span>;
  const long = absolute(time, language);
  const short = relative(time, new Date(), language) ?? t('justNow');
  return (
    <time dateTime={time.toISOString()} title={full ? short : long} class="nowrap">
      {full ? long : short}
    </time>
  );
}

const DAY = 86_400_000; // milliseconds
const SOON = 14; // days before an expiry that are pointed out

/** When a secret expires, in seconds since 1970, or never if that is negative. */
export function Until({ at }: { at: number }) {
  const { t } = useTexts();
  if (at < 0) return <span class="muted">{t('never')}</span>;
  const left = (at * 1000 - Date.now()) / DAY;
  return (
    <span class={left < 0 ? 'badge bad' : left < SOON ? 'badge warn' : undefined}>
      <Time at={new Date(at * 1000).toISOString()} />
    </span>
  );
}

export function Size({ of }: { of: number | null | undefined }) {
  const { language } = useTexts();
  return of === null || of === undefined ? <span class="muted">–</span> : <>{bytes(of, language)}</>;
}

/** A digest's first twelve digits, and a button that copies all of it. */
export function Digest({ of, href }: { of: string; href?: string }) {
  const { t } = useTexts();
  const text = <code title={of}>{shortDigest(of)}</code>;
  return (
    <span class="digest">
      {href ? <a href={href}>{text}</a> : text}
      <CopyButton text={of} label={t('copy.digest')} />
    </span>
  );
}

interface HeaderProps {
  children: ComponentChildren;
  kind?: string;
  /** The value of `sort` in ascending order; without it the column does not sort. */
  sort?: string;
  /** The order of the list when the address names none. */
  by?: string;
  /** Whether the first click sorts in descending order. */
  down?: boolean;
}

/** A column's head. One that sorts is a link, so that an order can be shared. */
export function Header({ children, kind, sort, by = '', down = false }: HeaderProps) {
  const { query, hrefWith } = useAddress();
  if (!sort) return <th class={kind}>{children}</th>;
  const now = query.get('sort') ?? by;
  const order = now === sort ? 'ascending' : now === `-${sort}` ? 'descending' : undefined;
  const next = order === 'ascending' || (!order && down) ? `-${sort}` : sort;
  return (
    <th class={kind} aria-sort={order}>
      <a href={hrefWith({ sort: next, page: null, after: null })}>
        {children}
        {order === 'ascending' && <ArrowUp size={13} aria-hidden="true" />}
        {order === 'descending' && <ArrowDown size={13} aria-hidden="true" />}
      </a>
    </th>
  );
}

/** Rows of grey bars as long as the first answer is awaited, as high as the rows that will come. */
export function Waiting({ columns, rows = 6 }: { columns: number; rows?: number }) {
  return (
    <>
      {Array.from({ length: rows }, (_, row) => (
        <tr key={row} aria-hidden="true">
          {Array.from({ length: columns }, (_, column) => (
            <td key={column}>
              <span class="skeleton" style={{ width: `${55 + ((row * 7 + column * 13) % 40)}%` }} />
            </td>
          ))}
        </tr>
      ))}
    </>
  );
}

/** Stands for a card that is still to come; what is below it waits (style.css). */
export function Coming() {
  return (
    <div class="card coming" aria-busy="true">
      <div class="body">
        <span class="skeleton" />
      </div>
    </div>
  );
}

interface TableProps {
  label: string;
  head: ComponentChildren;
  children: ComponentChildren;
  waiting?: boolean;
}

export function Table({ label, head, children, waiting }: TableProps) {
  return (
    <div class={`table${waiting ? ' waiting' : ''}`} aria-busy={waiting}>
      <table aria-label={label}>
        <thead>
          <tr>{head}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const PAUSE = 250; // milliseconds after the last key until a filter is applied

/** A filter that stands in the address as `name`. `/` moves to it. */
export function Filter({ name, label, reset = [] }: { name: string; label: string; reset?: string[] }) {
  const { query, change } = useAddress();
  const applied = query.get(name) ?? '';
  const [text, setText] = useState(applied);
  const timer = useRef<number>();
  const input = useRef<HTMLInputElement>(null);
  const apply = useRef(change); // to the address as it is then: another filter may have changed it meanwhile
  apply.current = change;
  useEffect(() => setText((now) => (now.trim() === applied ? now : applied)), [applied]);
  useEffect(() => () => clearTimeout(timer.current), []); // or it would lead back from where somebody has gone
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || /^(INPUT|TEXTAREA|SELECT)$/.test((event.target as HTMLElement).tagName)) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener('keydown', focus);
    return () => document.removeEventListener('keydown', focus);
  }, []);
  return (
    <div class="inset" role="search" aria-label={label}>
      <Search size={SMALL} aria-hidden="true" />
      <input
        ref={input}
        type="search"
        value={text}
        placeholder={label}
        aria-label={label}
        maxLength={128}
        onInput={(event) => {
          const value = event.currentTarget.value;
          setText(value);
          clearTimeout(timer.current);
          timer.current = window.setTimeout(() => {
            const rest = Object.fromEntries(reset.map((one) => [one, null]));
            apply.current({ [name]: value.trim() || null, page: null, after: null, ...rest });
          }, PAUSE);
        }}
      />
    </div>
  );
}

interface PagerProps {
  page: number;
  size: number;
  total: number | null;
}

/** A page of a list begins at its first row, not where the page before ended. */
export function toTop(): void {
  window.scrollTo(0, 0);
}

/** Pages by number, for the lists of which the registry tells how long they are. */
export function Pager({ page, size, total }: PagerProps) {
  const { t } = useTexts();
  const { hrefWith } = useAddress();
  return (
    <Span page={page} size={size} total={total}>
      {(more) => (
        <>
          {page > 1 && (
            <a class="button small" rel="prev" href={hrefWith({ page: page > 2 ? String(page - 1) : null })} onClick={toTop}>
              {t('pages.previous')}
            </a>
          )}
          {more && (
            <a class="button small" rel="next" href={hrefWith({ page: String(page + 1) })} onClick={toTop}>
              {t('pages.next')}
            </a>
          )}
        </>
      )}
    </Span>
  );
}

/** The same for a list within a card or a dialog, whose page is not in the address. */
export function Turner({ page, size, total, turn }: PagerProps & { turn: (page: number) => void }) {
  const { t } = useTexts();
  return (
    <Span page={page} size={size} total={total}>
      {(more) => (
        <>
          <Button kind="small" disabled={page === 1} onClick={() => turn(page - 1)}>
            {t('pages.previous')}
          </Button>
          <Button kind="small" disabled={!more} onClick={() => turn(page + 1)}>
            {t('pages.next')}
          </Button>
        </>
      )}
    </Span>
  );
}

/** Which rows of how many are shown; nothing where all of them are. */
function Span({ page, size, total, children }: PagerProps & { children: (more: boolean) => ComponentChildren }) {
  const { t, language } = useTexts();
  if (total === null || (total <= size && page === 1)) return null;
  const from = (page - 1) * size + 1;
  const until = Math.min(page * size, total);
  const number = (value: number) => value.toLocaleString(language);
  return (
    <nav class="pager" aria-label={t('pages')}>
      <span>{t('pages.of', { from: number(from), until: number(until), total: number(total) })}</span>
      <span class="space" />
      {children(until < total)}
    </nav>
  );
}
