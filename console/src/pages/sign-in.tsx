import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import { api, ApiError, dataOf } from '../api/client';
import { changeUser, useProviders, useSession, useSystem } from '../api/queries';
import { useTexts } from '../i18n';
import { backOf, provider, to } from '../lib/place';
import { bannerText } from '../lib/banner';
import { Button } from '../ui/controls';
import { Entrance } from '../ui/entrance';
import { EXACT, TextField, textOf } from '../ui/fields';
import { Failure } from '../ui/feedback';

export function SignIn() {
  const { t } = useTexts();
  const { query, route } = useLocation();
  const client = useQueryClient();
  const session = useSession();
  const system = useSystem();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const back = backOf(query['back']);

  useEffect(() => {
    if (session.data) route(back, true);
  }, [session.data, back, route]);

  const submit = async (form: FormData) => {
    setBusy(true);
    setError(null);
    try {
      const body = { name: textOf(form, 'name'), password: String(form.get('password')) };
      const { user } = dataOf(await api.POST('/api/roadstead/v1/session', { body }));
      changeUser(client, user);
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  const wrong = error instanceof ApiError && error.status === 401;
  const providers = useProviders().data ?? [];
  const first = system.data?.auth_mode === 'oidc_auth';
  const byProvider = providers.map(({ id, name, url }, index) => (
    <a key={id} class={`button ${first && index === 0 ? 'primary' : ''}`} href={provider.signIn(url, back)}>
      {t('signIn.provider', { name })}
    </a>
  ));
  return (
    <Entrance
      name={t('signIn')}
      title={t('signIn.title')}
      onSubmit={submit}
      foot={
        <a class="button plain" href={to.projects()}>
          {t('signIn.browse')}
        </a>
      }
    >
      {system.data?.banner_message && <p class="notice-box">{bannerText(system.data.banner_message)}</p>}
      {query['ended'] && error === null && <p class="notice-box">{t('signIn.ended')}</p>}
      {wrong ? (
        <p class="danger" role="alert" id="wrong">
          {t('signIn.wrong')}
        </p>
      ) : (
        error !== null && <Failure error={error} />
      )}
      {first && byProvider}
      <TextField label={t('user')} name="name" required autoFocus aria-invalid={wrong} {...EXACT} autoComplete="username" />
      <TextField
        label={t('password')}
        name="password"
        type="password"
        autoComplete="current-password"
        required
        aria-invalid={wrong}
        aria-errormessage={wrong ? 'wrong' : undefined}
      />
      <Button type="submit" kind={first && providers.length ? '' : 'primary'} disabled={busy}>
        {t('signIn')}
      </Button>
      {!first && byProvider}
    </Entrance>
  );
}
