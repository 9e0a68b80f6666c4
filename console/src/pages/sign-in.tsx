import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';
import { changeUser, useSession, useSystem } from '../api/queries';
import { useTexts } from '../i18n';
import { bannerText } from '../lib/banner';
import { backOf, to } from '../lib/place';
import { Credentials, useSignIn } from '../parts/credentials';
import { Entrance } from '../ui/entrance';

export function SignIn() {
  const { t } = useTexts();
  const { query, route } = useLocation();
  const client = useQueryClient();
  const session = useSession();
  const banner = bannerText(useSystem().data?.banner_message ?? '');
  const { error, busy, submit } = useSignIn((user) => changeUser(client, user));
  const back = backOf(query['back']);

  useEffect(() => {
    if (session.data) route(back, true);
  }, [session.data, back, route]);

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
      {banner && <p class="notice-box break">{banner}</p>}
      {query['ended'] && error === null && <p class="notice-box">{t('signIn.ended')}</p>}
      <Credentials error={error} busy={busy} back={back} />
    </Entrance>
  );
}
