import { PAGE_SIZE, useRepositories } from '../../api/queries';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { splitName, to } from '../../lib/place';
import { Filter, Header, Pager, Table, Time, Waiting } from '../../ui/data';
import { Empty, Failure } from '../../ui/feedback';
import { FirstPush } from '../../ui/first-push';
import type { TabProps } from '../project';
import { NothingFound } from '../projects';

export function Repositories({ project, may }: TabProps) {
  const { t, language } = useTexts();
  const { query, page } = useAddress();
  const filter = query.get('q');
  const repositories = useRepositories(project, { page, filter, sort: query.get('sort') });
  if (repositories.isError)
    return <Failure error={repositories.error} retry={() => void repositories.refetch()} />;
  if (repositories.data?.total === 0 && !filter)
    return (
      <div class="card">
        {may('push') ? (
          <FirstPush name={`${project}/hello-world`} />
        ) : (
          <Empty title={t('repositories.none')}>
            <p>{t('repositories.none.hint')}</p>
          </Empty>
        )}
      </div>
    );
  return (
    <>
      <div class="bar">
        <Filter name="q" label={t('repositories.filter')} />
      </div>
      <Table
        label={t('repositories')}
        waiting={repositories.isPlaceholderData}
        head={
          <>
            <Header sort="name" by="name">
              {t('name')}
            </Header>
            <Header kind="number mid" sort="artifact_count" by="name" down>
              {t('artifacts')}
            </Header>
            <Header kind="number mid" sort="pull_count" by="name" down>
              {t('pulls')}
            </Header>
            <Header sort="update_time" by="name" down>
              {t('lastPush')}
            </Header>
          </>
        }
      >
        {repositories.isPending && <Waiting columns={4} />}
        {repositories.data?.rows.map((one) => {
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
        })}
        {repositories.data?.rows.length === 0 && <NothingFound columns={4} />}
      </Table>
      <Pager page={page} size={PAGE_SIZE} total={repositories.data?.total ?? null} />
    </>
  );
}
