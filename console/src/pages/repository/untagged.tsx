import { api } from '../../api/client';
import { PAGE_SIZE, useRows } from '../../api/queries';
import type { Artifact } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { platformOf } from '../../lib/image';
import { to } from '../../lib/place';
import { Digest, Header, Size, Time } from '../../ui/data';
import { Empty } from '../../ui/feedback';
import { Listing } from '../../ui/listing';
import { Platforms } from '../repository';

/** Artifacts that have lost their tags, or never had one; platforms of an index are part of it and not among them. */
export function Untagged({ project, repository }: { project: string; repository: string }) {
  const { t } = useTexts();
  const { page } = useAddress();
  const artifacts = useRows<Artifact>(['artifacts', project, repository, 'untagged', page], () =>
    api.GET('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts', {
      params: { path: { project_name: project, repository }, query: { page, page_size: PAGE_SIZE, q: 'tags=nil', with_accessory: false } },
    }),
  );
  return (
    <Listing
      label={t('untagged')}
      list={artifacts}
      words={{ BAD_REQUEST: 'untagged.tooMany' }}
      bar={<span class="muted">{t('untagged.hint')}</span>}
      none={
        <Empty title={t('untagged.none')}>
          <p>{t('untagged.hint')}</p>
        </Empty>
      }
      head={[
        <Header>{t('digest')}</Header>,
        <Header kind="mid">{t('platforms')}</Header>,
        <Header kind="number mid">{t('size')}</Header>,
        <Header>{t('pushed')}</Header>,
        <Header kind="wide">{t('lastPull')}</Header>,
      ]}
      row={(one) => (
        <tr key={one.digest}>
          <td>
            <Digest of={one.digest} href={to.artifact(project, repository, one.digest)} />
          </td>
          <td class="mid">
            <Platforms of={(one.references ?? []).map((child) => platformOf(child.platform)).filter((text) => text)} type={one.type} />
          </td>
          <td class="number mid">
            <Size of={one.size} />
          </td>
          <td>
            <Time at={one.push_time} />
          </td>
          <td class="wide">
            <Time at={one.pull_time} none={t('never')} />
          </td>
        </tr>
      )}
    />
  );
}
