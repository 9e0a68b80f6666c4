import { useSession } from '../api/queries';
import { useTexts } from '../i18n';
import { registryHost } from '../lib/commands';
import { Command } from './controls';

/** What to type to push a first image, with this registry's host and the reader's own name in it. */
export function FirstPush({ name }: { name: string }) {
  const { t } = useTexts();
  const session = useSession();
  const host = registryHost();
  return (
    <div class="body" style={{ padding: '28px 24px', maxWidth: '720px' }}>
      <h2>{t('first.title')}</h2>
      <p class="muted" style={{ margin: '4px 0 20px' }}>
        {t('first.hint')}
      </p>
      <ol class="steps" style={{ padding: 0, margin: 0 }}>
        <li>
          <b>{t('first.login')}</b>
          <Command text={`docker login -u ${session.data?.name ?? 'NAME'} ${host}`} />
        </li>
        <li>
          <b>{t('first.tag')}</b>
          <Command text="docker pull hello-world" />
          <Command text={`docker tag hello-world ${host}/${name}`} />
        </li>
        <li>
          <b>{t('first.push')}</b>
          <Command text={`docker push ${host}/${name}`} />
        </li>
      </ol>
    </div>
  );
}
