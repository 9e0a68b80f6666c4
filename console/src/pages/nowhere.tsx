import { useTexts } from '../i18n';
import { to } from '../lib/place';

export function Nowhere() {
  const { t } = useTexts();
  return (
    <div class="empty">
      <h1>{t('title.unknown')}</h1>
      <p>{t('nowhere.hint')}</p>
      <a class="button" href={to.projects()}>
        {t('nowhere.projects')}
      </a>
    </div>
  );
}
