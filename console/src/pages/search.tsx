import { Folder, Globe, Package } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import { useSearch } from '../api/queries';
import { useTexts } from '../i18n';
import { splitName, to } from '../lib/place';
import { SMALL } from '../ui/controls';
import { Dialog } from '../ui/dialogs';
import { Failure } from '../ui/feedback';

const PAUSE = 150; // milliseconds
const SHOWN = 8; // of each kind

interface Hit {
  kind: 'project' | 'repository';
  text: string;
  href: string;
  open: boolean;
}

/** Finds projects and repositories by a part of their names. The arrow keys choose, Enter opens. */
export function SearchDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const { route } = useLocation();
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const [chosen, setChosen] = useState(0);
  const found = useSearch(asked);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => setChosen(0), [found.data]);

  const hits: Hit[] = asked
    ? [
        ...(found.data?.project ?? []).slice(0, SHOWN).map((one): Hit => ({
          kind: 'project',
          text: one.name,
          href: to.project(one.name),
          open: one.metadata.public === 'true',
        })),
        ...(found.data?.repository ?? []).slice(0, SHOWN).map((one): Hit => ({
          kind: 'repository',
          text: one.repository_name,
          href: to.repository(...splitName(one.repository_name)),
          open: one.project_public,
        })),
      ]
    : [];
  // What begins with the text stands before what contains it.
  hits.sort((a, b) => Number(!a.text.startsWith(asked)) - Number(!b.text.startsWith(asked)) || Number(a.kind > b.kind) - Number(a.kind < b.kind));
  const go = (hit: Hit | undefined) => {
    if (!hit) return;
    onClose();
    route(hit.href);
  };
  return (
    <Dialog label={t('search.open')} class="search" onClose={onClose}>
      <input
        type="search"
        role="combobox"
        aria-expanded={hits.length > 0}
        aria-controls="search-results"
        aria-activedescendant={hits.length ? `hit-${chosen}` : undefined}
        aria-label={t('search.label')}
        placeholder={t('search.label')}
        autoFocus
        maxLength={255}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (move && hits.length) {
            event.preventDefault();
            setChosen((chosen + move + hits.length) % hits.length);
          } else if (event.key === 'Enter') {
            event.preventDefault();
            go(hits[chosen]);
          }
        }}
      />
      {found.isError && <Failure error={found.error} />}
      {hits.length > 0 && (
        <div class="results" id="search-results" role="listbox" aria-label={t('search.results')}>
          {hits.map((hit, at) => {
            const Icon = hit.kind === 'repository' ? Package : hit.open ? Globe : Folder;
            return (
              <a
                key={hit.href}
                id={`hit-${at}`}
                role="option"
                tabIndex={-1}
                aria-selected={at === chosen}
                href={hit.href}
                onMouseMove={() => setChosen(at)}
                onClick={onClose}
              >
                <Icon size={SMALL} aria-hidden="true" />
                <span class="break">{hit.text}</span>
                <span class="muted small" style={{ marginLeft: 'auto' }}>
                  {t(hit.kind)}
                </span>
              </a>
            );
          })}
        </div>
      )}
      <p class="muted" role="status">
        {!asked ? t('search.hint') : found.isSuccess && !found.isFetching && !hits.length ? t('search.none', { text: asked }) : ''}
      </p>
    </Dialog>
  );
}
