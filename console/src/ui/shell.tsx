import { Check, CircleUser, KeyRound, LogIn, LogOut, MonitorCog, Moon, Search, Sun } from 'lucide-preact';
import { useQueryClient } from '@tanstack/react-query';
import type { ComponentChildren } from 'preact';
import { lazy, Suspense } from 'preact/compat';
import { useLocation } from 'preact-iso';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import { changeUser, PROVIDERS } from '../api/queries';
import type { Session } from '../api/types';
import { type Language, LANGUAGES, useTexts } from '../i18n';
import { explanationOf } from '../lib/failures';
import { type Place, provider, to } from '../lib/place';
import { setTheme, theme, type Theme } from '../lib/theme';
import mark from '../mark.svg';
import { Menu, SMALL } from './controls';
import { useToast } from './toast';

const loadSearch = () => import('../pages/search');
const Search_ = lazy(() => loadSearch().then((page) => page.SearchDialog));
const SOON = 1_500; // milliseconds after the first page, when search is fetched so that it opens at once

interface ShellProps {
  /** Who is signed in; undefined if that is not known. */
  user: Session['user'] | undefined;
  place: Place;
  newBuild: boolean;
  children: ComponentChildren;
}

/** What stands around every page: the way around, search, and the account. */
export function Shell({ user, place, newBuild, children }: ShellProps) {
  const { t } = useTexts();
  const { path, url } = useLocation();
  const [searching, setSearching] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setSearching(true);
    };
    document.addEventListener('keydown', open);
    return () => document.removeEventListener('keydown', open);
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => void loadSearch(), SOON);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    setSearching(false);
    // Whoever uses a keyboard or a screen reader goes on where the new page begins.
    if (!first.current && document.activeElement === document.body) main.current?.focus();
    first.current = false;
  }, [path]);
  const inProjects = ['projects', 'project', 'repository', 'artifact', 'compare'].includes(place.page);
  return (
    <>
      <a class="skip" href="#main" onClick={() => main.current?.focus()}>
        {t('skip')}
      </a>
      <header class="top">
        <div>
          <a class="brand" href={user ? to.home() : to.projects()} aria-label="Roadstead">
            <img src={mark} alt="" width={24} height={24} />
            <span>Roadstead</span>
          </a>
          <nav aria-label={t('nav')}>
            {user && (
              <a class="mid" href={to.home()} aria-current={place.page === 'home' ? 'page' : undefined}>
                {t('title.home')}
              </a>
            )}
            <a href={to.projects()} aria-current={inProjects ? 'page' : undefined}>
              {t('title.projects')}
            </a>
            {user?.admin && (
              <a href={to.administration()} aria-current={place.page === 'administration' ? 'page' : undefined}>
                {t('title.administration')}
              </a>
            )}
          </nav>
          <div class="space" />
          <button type="button" class="find" onClick={() => setSearching(true)}>
            <Search size={SMALL} aria-hidden="true" />
            <span>{t('search.open')}</span>
            <kbd aria-hidden="true">{/Mac|iPhone/.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
          </button>
          <Preferences />
          {user ? (
            <AccountMenu name={user.name} />
          ) : (
            user === null && (
              <a class="button small" href={to.signIn(url)}>
                <LogIn size={SMALL} aria-hidden="true" />
                {t('signIn')}
              </a>
            )
          )}
        </div>
        {newBuild && (
          <div class="notice" role="status" style={{ display: 'block', height: 'auto', maxWidth: 'none' }}>
            {t('newBuild')}{' '}
            <a href={window.location.href} onClick={() => window.location.reload()}>
              {t('newBuild.load')}
            </a>
          </div>
        )}
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      {searching && (
        <Suspense fallback={null}>
          <Search_ onClose={() => setSearching(false)} />
        </Suspense>
      )}
    </>
  );
}

function AccountMenu({ name }: { name: string }) {
  const { t } = useTexts();
  const { route } = useLocation();
  const client = useQueryClient();
  const say = useToast();
  const signOut = async () => {
    try {
      const providers = await client.fetchQuery(PROVIDERS);
      if (!providers.length) await api.DELETE('/api/roadstead/v1/session', {});
      changeUser(client, null);
      if (providers.length) window.location.assign(provider.signOut); // which ends the provider's session too, if it began this one
      else route(to.signIn());
    } catch (error) {
      say(t(explanationOf(error)));
    }
  };
  return (
    <Menu label={t('account.menu', { name })} icon={CircleUser} text={<span class="mid">{name}</span>}>
      {(close) => (
        <>
          <a href={to.account()} onClick={close}>
            <KeyRound size={SMALL} aria-hidden="true" />
            {t('title.account')}
          </a>
          <button type="button" onClick={() => void signOut()}>
            <LogOut size={SMALL} aria-hidden="true" />
            {t('signOut')}
          </button>
        </>
      )}
    </Menu>
  );
}

const THEMES: [Theme, typeof Sun][] = [
  ['auto', MonitorCog],
  ['light', Sun],
  ['dark', Moon],
];

/** Light or dark, and the language. */
export function Preferences() {
  const { t, language, choose } = useTexts();
  const [chosen, setChosen] = useState(theme());
  const Icon = THEMES.find(([name]) => name === chosen)?.[1] ?? MonitorCog;
  return (
    <Menu label={t('preferences')} icon={Icon}>
      {(close) => (
        <>
          <div class="title">{t('theme')}</div>
          {THEMES.map(([name, Symbol]) => (
            <button
              type="button"
              key={name}
              aria-pressed={chosen === name}
              onClick={() => {
                setTheme(name);
                setChosen(name);
                close();
              }}
            >
              <Symbol size={SMALL} aria-hidden="true" />
              {t(`theme.${name}`)}
              {chosen === name && <Check class="end" size={SMALL} aria-hidden="true" />}
            </button>
          ))}
          <hr />
          <div class="title">{t('language')}</div>
          {Object.entries(LANGUAGES).map(([tag, name]) => (
            <button
              type="button"
              key={tag}
              lang={tag}
              aria-pressed={language === tag}
              onClick={() => {
                choose(tag as Language);
                close();
              }}
            >
              {name}
              {language === tag && <Check class="end" size={SMALL} aria-hidden="true" />}
            </button>
          ))}
        </>
      )}
    </Menu>
  );
}

interface HeadProps {
  title: ComponentChildren;
  crumbs?: [text: string, href: string][];
  meta?: ComponentChildren;
  children?: ComponentChildren;
}

/** The head of a page: the way here, its title, and what can be done. */
export function Head({ title, crumbs = [], meta, children }: HeadProps) {
  const { t } = useTexts();
  return (
    <>
      {crumbs.length > 0 && (
        <nav aria-label={t('crumbs')}>
          <ol class="crumbs" style={{ margin: '0 0 6px', padding: 0 }}>
            {crumbs.map(([text, href]) => (
              <li key={href}>
                <a href={href}>{text}</a>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <div class="head">
        <h1>{title}</h1>
        <div class="space" />
        {children}
        {meta && <div class="meta">{meta}</div>}
      </div>
    </>
  );
}

export function Tabs({ label, now, tabs }: { label: string; now: string; tabs: [name: string, text: string, href: string][] }) {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    const at = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && at) nav.current.scrollLeft = at.offsetLeft - nav.current.clientWidth / 2 + at.offsetWidth / 2;
  }, [now, tabs.length]);
  return (
    <nav class="tabs" aria-label={label} ref={nav}>
      {tabs.map(([name, text, href]) => (
        <a key={name} href={href} aria-current={now === name ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
