import { type Message, useTexts } from '../i18n';
import { to } from '../lib/place';
import { useSession } from '../api/queries';
import { Failure } from '../ui/feedback';
import { Head, Tabs } from '../ui/shell';
import { ApiError } from '../api/client';
import { Activity } from '../parts/activity';
import { Labels } from '../parts/labels';
import { Robots } from '../parts/robots';
import { Collector } from './administration/collector';
import { Configuration } from './administration/configuration';
import { Cost } from './administration/cost';
import { Groups } from './administration/groups';
import { Locks } from './administration/locks';
import { Overview } from './administration/overview';
import { Providers } from './administration/providers';
import { Quotas } from './administration/quotas';
import { Users } from './administration/users';
import { Nowhere } from './nowhere';

const TABS: [string, Message, () => preact.JSX.Element][] = [
  ['overview', 'overview', Overview],
  ['users', 'users', Users],
  ['groups', 'groups', Groups],
  ['locks', 'locks', Locks],
  ['robots', 'robots', () => <Robots edit />],
  ['quotas', 'quotas', Quotas],
  ['cost', 'costs', Cost],
  ['collector', 'collector', Collector],
  ['labels', 'labels', () => <Labels edit />],
  ['audit', 'audit', () => <Activity />],
  ['providers', 'providers', Providers],
  ['configuration', 'configuration', Configuration],
];

export function Administration({ tab }: { tab: string }) {
  const { t } = useTexts();
  const session = useSession();
  const Tab = TABS.find(([one]) => one === tab)?.[2];
  if (!session.data?.admin) return <Failure error={new ApiError(403, 'FORBIDDEN', '', '')} words={{ FORBIDDEN: 'administration.only' }} />;
  return (
    <>
      <Head title={t('title.administration')} />
      <Tabs
        label={t('title.administration')}
        now={tab}
        tabs={TABS.map(([one, text]) => [one, t(text), to.administration(one)])}
      />
      {Tab ? <Tab /> : <Nowhere />}
    </>
  );
}
