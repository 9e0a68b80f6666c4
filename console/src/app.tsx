import { useQueryClient } from '@tanstack/react-query';
import type { ComponentChildren } from 'preact';
import { lazy, Suspense } from 'preact/compat';
import { useLocation } from 'preact-iso';
import { useCallback, useEffect, useErrorBoundary, useState } from 'preact/hooks';
import { onNewBuild, onSignedOut } from './api/client';
import { absentUser, beginAbsence, useAbsentUser } from './api/absence';
import { changeUser, knownUser, onOtherTab, takeUser, useSession } from './api/queries';
import type { Session } from './api/types';
import { useTexts } from './i18n';
import { type Place, placeOf, to } from './lib/place';
import { ChooseName } from './pages/choose-name';
import { Projects } from './pages/projects';
import { SignIn } from './pages/sign-in';
import { SignInAgain } from './parts/sign-in-again';
import { Failure, Toasts } from './ui/feedback';
import { Shell } from './ui/shell';

const Project = lazy(() => import('./pages/project').then((page) => page.Project));
const Repository = lazy(() => import('./pages/repository').then((page) => page.Repository));
const Artifact = lazy(() => import('./pages/artifact').then((page) => page.Artifact));
const Compare = lazy(() => import('./pages/compare').then((page) => page.Compare));
const Administration = lazy(() => import('./pages/administration').then((page) => page.Administration));
const Account = lazy(() => import('./pages/account').then((page) => page.Account));
const Home = lazy(() => import('./pages/home').then((page) => page.Home));
const Results = lazy(() => import('./pages/results').then((page) => page.Results));
const Nowhere = lazy(() => import('./pages/nowhere').then((page) => page.Nowhere));

export function App() {
  const { path, url, route } = useLocation();
  const session = useSession();
  const client = useQueryClient();
  const absent = useAbsentUser();
  const [newBuild, setNewBuild] = useState(false);
  const place = placeOf(path);

  useEffect(() => onNewBuild(() => setNewBuild(true)), []);
  const leave = useCallback(
    (ended: boolean) => {
      const back = window.location.pathname + window.location.search;
      if (placeOf(window.location.pathname).page !== 'sign-in') route(ended ? to.signInAgain(back) : to.signIn(back), true);
    },
    [route],
  );
  useEffect(() => {
    onSignedOut(async () => {
      const user = knownUser(client);
      if (user) return beginAbsence(user);
      client.setQueryData(['session'], null);
      leave(false);
      return false;
    });
    return onOtherTab((user) => {
      const waiting = absentUser() !== null;
      if (!takeUser(client, user) && (waiting || !user)) leave(true);
    });
  }, [client, leave]);
  const answer = (user: Session['user']) => {
    const same = user ? changeUser(client, user) : takeUser(client, null); // other tabs may wait on
    if (!same) leave(true);
  };
  const start = session.data === null && (place.page === 'home' || place.page === 'account');
  useEffect(() => {
    if (start) route(to.signIn(place.page === 'home' ? undefined : url), true);
  }, [start, route, place.page, url]);

  if (place.page === 'sign-in') return <SignIn />;
  if (place.page === 'choose-name') return <ChooseName />;
  if (session.isPending || start) return null;
  return (
    <Toasts>
      <Shell user={session.isLoadingError ? undefined : (session.data ?? null)} place={place} newBuild={newBuild}>
        {session.isLoadingError ? (
          <Failure error={session.error} retry={() => void session.refetch()} />
        ) : (
          <Guarded key={keyOf(place, url)}>
            <Suspense fallback={null}>
              <Page place={place} />
            </Suspense>
          </Guarded>
        )}
      </Shell>
      {absent && <SignInAgain user={absent} onUser={answer} />}
    </Toasts>
  );
}

/** Says what failed where a page cannot be shown, such as one of an earlier build; the rest of the console goes on. */
function Guarded({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary();
  if (error === undefined) return children;
  return <Failure error={error} retry={() => window.location.reload()} />;
}

/** Pages of the same thing keep their state; another thing begins anew. */
function keyOf(place: Place, url: string): string {
  switch (place.page) {
    case 'project':
      return `project ${place.project}`;
    case 'repository':
      return `repository ${place.project}/${place.repository}`;
    case 'artifact':
      return `artifact ${place.project}/${place.repository}/${place.reference}`;
    case 'unknown':
      return url;
    default:
      return place.page;
  }
}

function Page({ place }: { place: Place }) {
  const { t } = useTexts();
  useEffect(() => {
    document.title = `${titleOf(place) ?? t(`title.${place.page as 'projects'}`)} · Roadstead`;
  }, [place, t]);
  switch (place.page) {
    case 'home':
      return <Home />;
    case 'projects':
      return <Projects />;
    case 'search':
      return <Results />;
    case 'project':
      return <Project {...place} />;
    case 'repository':
      return <Repository {...place} />;
    case 'artifact':
      return <Artifact {...place} />;
    case 'compare':
      return <Compare {...place} />;
    case 'administration':
      return <Administration tab={place.tab} />;
    case 'account':
      return <Account tab={place.tab} />;
    default:
      return <Nowhere />;
  }
}

function titleOf(place: Place): string | null {
  switch (place.page) {
    case 'project':
      return place.project;
    case 'repository':
      return `${place.project}/${place.repository}`;
    case 'artifact':
      return `${place.repository}${place.reference.includes(':') ? '@' : ':'}${place.reference}`;
    case 'compare':
      return `${place.left} – ${place.right}`;
    default:
      return null;
  }
}
