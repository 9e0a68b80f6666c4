import { ListFilter } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import { useSearch } from '../api/queries';
import { useTexts } from '../i18n';
import { hitsOf } from '../lib/hits';
import { to } from '../lib/place';
import { HitIcon } from '../parts/hit';
import { SMALL } from '../ui/controls';
import { Dialog } from '../ui/dialogs';
import { Failure } from '../ui/feedback';

const PAUSE = 150; // milliseconds
const SHOWN = 8; // of each kind

/** Finds by what is typed. The arrow keys choose, Enter opens; the last choice is the page with everything found. */
export function SearchDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const { route } = useLocation();
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const [chosen, setChosen] = useState(0);
  const found = useSearch(asked, SHOWN);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => setChosen(0), [found.data]);

  const hits = asked && found.data ? hitsOf(found.data) : [];
  const count = hits.length ? hits.length + 1 : 0;
  const fresh = asked === text.trim() && !found.isPlaceholderData; // what is shown was found by what is typed
  const go = (at: number) => {
    const href = fresh && at < hits.length ? hits[at]?.href : text.trim() ? to.search(text.trim()) : undefined;
    if (!href) return;
    onClose();
    route(href);
  };
  return (
    <Dialog label={t('search.open')} class="search" onClose={onClose}>
      <input
        type="search"
        role="combobox"
        aria-expanded={count > 0}
        aria-controls="search-results"
        aria-activedescendant={count ? `hit-${chosen}` : undefined}
        aria-label={t('search.label')}
        placeholder={t('search.label')}
        autoFocus
        maxLength={255}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (move && count) {
            event.preventDefault();
            setChosen((chosen + move + count) % count);
          } else if (event.key === 'Enter') {
            event.preventDefault();
            go(chosen);
          }
        }}
      />
      {found.isError && <Failure error={found.error} />}
      {count > 0 && (
        <div class="results" id="search-results" role="listbox" aria-label={t('search.results')}>
          {hits.map((hit, at) => (
            <a
              key={`${hit.kind} ${hit.href}`}
              id={`hit-${at}`}
              role="option"
              tabIndex={-1}
              aria-selected={at === chosen}
              href={hit.href}
              onMouseMove={() => setChosen(at)}
              onClick={onClose}
            >
              <HitIcon hit={hit} />
              <span class="break">{hit.text}</span>
              <span class="muted small end">
                {hit.more && `${hit.more} · `}
                {t(`kind.${hit.kind}`)}
              </span>
            </a>
          ))}
          <a
            id={`hit-${hits.length}`}
            role="option"
            tabIndex={-1}
            aria-selected={chosen === hits.length}
            href={to.search(asked)}
            onMouseMove={() => setChosen(hits.length)}
            onClick={onClose}
          >
            <ListFilter size={SMALL} aria-hidden="true" />
            <span>{t('search.all')}</span>
          </a>
        </div>
      )}
      {count > 0 && found.data && found.data.more.length > 0 && <p class="muted more">{t('search.more')}</p>}
      <p class="muted" role="status">
        {!asked ? t('search.hint') : found.isSuccess && !found.isFetching && !hits.length ? t('search.none', { text: asked }) : ''}
      </p>
    </Dialog>
  );
}
