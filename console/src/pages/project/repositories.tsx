import { useRepositories } from '../../api/queries';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { splitName, to } from '../../lib/place';
import { Filter, Header, Time } from '../../ui/data';
import { Empty } from '../../ui/feedback';
import { FirstPush } from '../../ui/first-push';
import { Listing } from '../../ui/listing';
import type { TabProps } from '../project';

export function Repositories({ project, may }: TabProps) {
  const { t, language } = useTexts();
  const { query, page } = useAddress();
  const filter = query.get('q');
  const repositories = useRepositories(project, { page, filter, sort: query.get('sort') });
  return (
    <Listing
      label={t('repositories')}
      list={repositories}
      filtered={filter !== null}
      bar={<Filter name="q" label={t('repositories.filter')} />}
      none={
        may('push') ? (
          <FirstPush name={`${project}/hello-world`} />
        ) : (
          <Empty title={t('repositories.none')}>
            <p>{t('repositories.none.hint')}</p>
          </Empty>
        )
      }
      head={[
        <Header sort="name" by="name">
          {t('name')}
        </Header>,
        <Header kind="number mid" sort="artifact_count" by="name" down>
          {t('artifacts')}
        </Header>,
        <Header kind="number mid" sort="pull_count" by="name" down>
          {t('pulls')}
        </Header>,
        <Header sort="update_time" by="name" down>
          {t('lastPush')}
        </Header>,
      ]}
      row={(one) => {
        const [, name] = splitName(one.name);
        return (
          <tr key={one.name}>
            <td>
              <a class="name" href={to.repository(project, name)}>
                {name}
              </a>
            </td>
            <td class="number mid">{one.artifact_count.toLocaleString(language)}</td>
            <td class="number mid">{one.pull_count.toLocaleString(language)}</td>
            <td>
              <Time at={one.update_time} />
            </td>
          </tr>
        );
      }}
    />
  );
}
