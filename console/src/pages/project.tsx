import { Globe, Lock } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useProject, useSession } from '../api/queries';
import { type Message, useTexts } from '../i18n';
import { to } from '../lib/place';
import { may, type Right, roleName } from '../lib/roles';
import { SMALL } from '../ui/controls';
import { Time } from '../ui/data';
import { Empty, Failure } from '../ui/feedback';
import { Head, Tabs } from '../ui/shell';
import { Activity } from '../parts/activity';
import { Robots } from '../parts/robots';
import { Members } from './project/members';
import { Policies } from './project/policies';
import { Nowhere } from './nowhere';
import { Repositories } from './project/repositories';
import { QuotaNotice } from './project/quota-notice';
import { ProjectSettings } from './project/settings';
import { Trash } from './project/trash';
import { Webhooks } from './project/webhooks';

export interface TabProps {
  project: string;
  id: number;
  may: (right: Right) => boolean;
}

/** The tabs of a project: name, text, the right that shows it, and what is in it. */
const TABS: [string, Message, Right | null, (props: TabProps) => preact.JSX.Element][] = [
  ['repositories', 'repositories', null, Repositories],
  ['members', 'members', 'listMembers', Members],
  [
    'robots',
    'robots',
    'listRobots',
    ({ project, id, may }) => <Robots project={{ id, name: project }} edit={may('editRobots')} />,
  ],
  ['policies', 'policies', 'seePolicies', Policies],
  ['webhooks', 'webhooks', 'listWebhooks', Webhooks],
  ['trash', 'trash', 'listTrash', Trash],
  ['activity', 'activity', 'seeLog', ({ project }) => <Activity project={project} />],
  ['settings', 'settings', 'editProject', ProjectSettings],
];

export function Project({ project: name, tab }: { project: string; tab: string }) {
  const { t } = useTexts();
  const session = useSession();
  const project = useProject(name);
  if (project.isError) return <Failure error={project.error} retry={() => void project.refetch()} />;
  const role = project.data?.current_user_role_id;
  const has = (right: Right) => may(right, role, session.data?.admin ?? false);
  const shown = TABS.filter(([, , right]) => right === null || (project.isSuccess && has(right)));
  const Tab = shown.find(([one]) => one === tab)?.[3];
  const open = project.data?.metadata.public === 'true';
  const Icon = open ? Globe : Lock;
  return (
    <>
      <Head
        title={name}
        crumbs={[[t('title.projects'), to.projects()]]}
        meta={
          <>
            <span>
              {project.data ? (
                <>
                  <Icon size={SMALL} aria-hidden="true" />
                  {t(open ? 'public' : 'private')}
                </>
              ) : (
                <span class="skeleton" style={{ width: '70px' }} />
              )}
            </span>
            {role !== undefined && role > 0 && <span>{t('project.yourRole', { role: t(roleName(role)) })}</span>}
            {project.data && (
              <span class="mid">
                {t('created')} <Time at={project.data.creation_time} />
              </span>
            )}
          </>
        }
      />
      <Tabs
        label={name}
        now={tab}
        tabs={shown.map(([one, text]) => [one, t(text), to.project(name, one === 'repositories' ? undefined : one)])}
      />
      {project.data && (role || session.data?.admin) && <QuotaNotice project={name} />}
      {Tab && project.data ? <Tab project={name} id={project.data.project_id} may={has} /> : project.isSuccess && !Tab && (TABS.some(([one]) => one === tab) ? <NotForYou /> : <Nowhere />)}
    </>
  );
}

/** A page of the project that others see: somebody has sent its address, or the role has changed. */
function NotForYou() {
  const { t } = useTexts();
  const session = useSession();
  const { url } = useLocation();
  return (
    <Empty title={t('project.notForYou')}>
      <p>{t(session.data ? 'project.notForYou.hint' : 'project.notForYou.signIn')}</p>
      {!session.data && (
        <a class="button primary" href={to.signIn(url)}>
          {t('signIn')}
        </a>
      )}
    </Empty>
  );
}
