import { useState } from 'preact/hooks';
import { api, ApiError, dataOf } from '../api/client';
import { useProviders, useSystem } from '../api/queries';
import type { Person } from '../api/types';
import { useTexts } from '../i18n';
import { provider } from '../lib/place';
import { Button } from '../ui/controls';
import { EXACT, TextField, textOf } from '../ui/fields';
import { Failure } from '../ui/feedback';

/** Signs in by name and password; `then` is called with who it is. */
export function useSignIn(then: (user: Person) => void) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (form: FormData) => {
    setBusy(true);
    setError(null);
    try {
      const body = { name: textOf(form, 'name'), password: String(form.get('password')) };
      const { user } = dataOf(await api.POST('/api/roadstead/v1/session', { body }));
      if (user) then(user);
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return { error, busy, submit };
}

interface CredentialsProps {
  error: unknown;
  /** Who has been signed in before: only the password is missing. */
  name?: string;
  /** Where providers lead back to. */
  back: string;
  /** Whether providers sign in in a tab of their own. */
  apart?: boolean;
  /** Whether the form is under way. */
  busy: boolean;
}

/** Name and password, and a button of each OpenID Connect provider: what a form has that signs somebody in. */
export function Credentials({ error, busy, name, back, apart }: CredentialsProps) {
  const { t } = useTexts();
  const providers = useProviders().data ?? [];
  const first = useSystem().data?.auth_mode === 'oidc_auth' && providers.length > 0;
  const wrong = error instanceof ApiError && error.status === 401;
  const links = providers.map((one, index) => (
    <a
      key={one.id}
      class={`button ${first && index === 0 ? 'primary' : ''}`}
      href={provider.signIn(one.url, back)}
      target={apart ? '_blank' : undefined}
    >
      {t('signIn.provider', { name: one.name })}
    </a>
  ));
  return (
    <>
      {wrong ? (
        <p class="danger" role="alert" id="wrong">
          {t('signIn.wrong')}
        </p>
      ) : (
        error !== null && <Failure error={error} />
      )}
      {first && links}
      <TextField
        label={t('user')}
        name="name"
        required
        defaultValue={name}
        autoFocus={name === undefined}
        aria-invalid={wrong}
        {...EXACT}
        autoComplete="username"
      />
      <TextField
        label={t('password')}
        name="password"
        type="password"
        autoComplete="current-password"
        required
        autoFocus={name !== undefined}
        aria-invalid={wrong}
        aria-errormessage={wrong ? 'wrong' : undefined}
      />
      <Button type="submit" kind={first ? '' : 'primary'} disabled={busy}>
        {t('signIn')}
      </Button>
      {!first && links}
    </>
  );
}
