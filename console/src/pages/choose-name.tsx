import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { api, ApiError, dataOf } from '../api/client';
import { changeUser } from '../api/queries';
import { useTexts } from '../i18n';
import { backOf, to } from '../lib/place';
import { Button } from '../ui/controls';
import { Entrance } from '../ui/entrance';
import { Failure } from '../ui/feedback';
import { EXACT, TextField, textOf } from '../ui/fields';

const PATH = '/api/roadstead/v1/sign-in/newcomer';

/** Where somebody whom a provider has signed in for the first time chooses the name of the account. */
export function ChooseName() {
  const { t } = useTexts();
  const { route } = useLocation();
  const client = useQueryClient();
  const newcomer = useQuery({
    queryKey: ['newcomer'],
    queryFn: async () => dataOf(await api.GET(PATH)),
    staleTime: Infinity,
    gcTime: 0,
  });
  const [refused, setRefused] = useState<{ name: string; error: unknown } | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (form: FormData) => {
    const name = textOf(form, 'name');
    setBusy(true);
    setRefused(null);
    try {
      const { user, back_to } = dataOf(await api.POST(PATH, { body: { name } }));
      changeUser(client, user);
      route(backOf(back_to), true);
    } catch (error) {
      setRefused({ name, error });
      setBusy(false);
    }
  };
  const leave = async () => {
    try {
      await api.DELETE(PATH);
      route(to.signIn(), true);
    } catch (error) {
      setRefused({ name: '', error });
    }
  };
  const status = refused?.error instanceof ApiError ? refused.error.status : 0;
  const why = status === 409 ? 'newcomer.taken' : status === 400 ? 'newcomer.malformed' : null;
  const gone = (error: unknown) => error instanceof ApiError && error.status === 401;
  return (
    <Entrance name={t('newcomer')} title={t('newcomer')} onSubmit={submit}>
      {newcomer.isPending && <span class="skeleton" />}
      {newcomer.isError && !gone(newcomer.error) && (
        <Failure error={newcomer.error} retry={() => void newcomer.refetch()} />
      )}
      {gone(newcomer.error) || gone(refused?.error) ? (
        <>
          <p role="alert">{t('newcomer.over')}</p>
          <a class="button primary" href={to.signIn()}>
            {t('signIn')}
          </a>
        </>
      ) : (
        newcomer.data && (
          <>
            <p class="break">{t('newcomer.hint', { provider: newcomer.data.provider })}</p>
            {why ? (
              <p class="danger break" role="alert" id="refused">
                {t(why, { name: refused?.name ?? '' })}
              </p>
            ) : (
              refused && <Failure error={refused.error} />
            )}
            <TextField
              {...EXACT}
              label={t('user')}
              hint={t('newcomer.rule')}
              name="name"
              defaultValue={newcomer.data.name}
              maxLength={64}
              autoComplete="username"
              required
              autoFocus
              aria-invalid={why !== null}
              aria-errormessage={why ? 'refused' : undefined}
            />
            <Button type="submit" kind="primary" disabled={busy}>
              {t('newcomer.create')}
            </Button>
            <Button onClick={() => void leave()}>{t('cancel')}</Button>
          </>
        )
      )}
    </Entrance>
  );
}
