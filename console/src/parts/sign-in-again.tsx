import { useEffect, useState } from 'preact/hooks';
import { api, dataOf } from '../api/client';
import { useProviders } from '../api/queries';
import type { Person, Session } from '../api/types';
import { useTexts } from '../i18n';
import { Button } from '../ui/controls';
import { Dialog } from '../ui/dialogs';
import { Credentials, useSignIn } from './credentials';

/** What had the focus last. */
let focused: HTMLElement | null = null;
document.addEventListener('focusin', (event) => {
  focused = event.target as HTMLElement;
});

interface SignInAgainProps {
  /** Whose session has ended. */
  user: Person;
  /** Called with who is signed in now; null if nobody wants to. */
  onUser: (user: Session['user']) => void;
}

/** Asks somebody whose session has ended to sign in again, above the page that they were at. */
export function SignInAgain({ user, onUser }: SignInAgainProps) {
  const { t } = useTexts();
  const { error, busy, submit } = useSignIn(onUser);
  const [elsewhere, setElsewhere] = useState<{ error: unknown } | null>(null);
  const providers = (useProviders().data ?? []).length > 0;
  const [before] = useState(focused);
  useEffect(
    () => () => {
      // A button that was pressed was disabled while its request ran: the browser has forgotten that it had the focus.
      setTimeout(() => document.activeElement === document.body && before?.focus());
    },
    [before],
  );
  const look = async () => {
    setElsewhere(null);
    try {
      const { user: now } = dataOf(await api.GET('/api/roadstead/v1/session'));
      if (now) onUser(now);
      else setElsewhere({ error: null });
    } catch (refused) {
      setElsewhere({ error: refused });
    }
  };
  return (
    <Dialog title={t('signIn.again')} stays onClose={() => onUser(null)}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          setElsewhere(null);
          void submit(new FormData(event.currentTarget));
        }}
      >
        <p class="break">{t('signIn.again.hint', { name: user.name })}</p>
        {elsewhere && elsewhere.error === null && (
          <p class="danger" role="alert">
            {t('signIn.again.notYet')}
          </p>
        )}
        <Credentials
          error={error ?? elsewhere?.error ?? null}
          busy={busy}
          name={user.name}
          back={window.location.pathname + window.location.search}
          apart
        />
        {providers && <p class="small muted">{t('signIn.again.apart')}</p>}
        <div class="actions">
          <Button onClick={() => onUser(null)}>{t('cancel')}</Button>
          {providers && <Button onClick={() => void look()}>{t('signIn.again.done')}</Button>}
        </div>
      </form>
    </Dialog>
  );
}
