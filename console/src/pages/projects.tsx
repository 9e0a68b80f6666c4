import { Globe, Lock, Plus } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { useAction, useProjects, useSession, useSystem } from '../api/queries';
import { useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import { to } from '../lib/place';
import { roleName } from '../lib/roles';
import { Button, Sign } from '../ui/controls';
import { Filter, Header, Time } from '../ui/data';
import { FormDialog } from '../ui/dialogs';
import { Empty } from '../ui/feedback';
import { Choices, EXACT, TextField, textOf } from '../ui/fields';
import { Listing } from '../ui/listing';
import { Head } from '../ui/shell';

export function Projects() {
  const { t, language } = useTexts();
  const { query, page } = useAddress();
  const session = useSession();
  const filter = query.get('q');
  const projects = useProjects({ page, filter, sort: query.get('sort') });
  const [creating, setCreating] = useState(false);
  const admin = session.data?.admin ?? false;
  const system = useSystem(Boolean(session.data) && !admin);
  const creates = admin || (session.data !== null && system.data?.project_creation_restriction === 'everyone');
  const create = (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('projects.new')}
    </Button>
  );
  return (
    <>
      <Head title={t('title.projects')}>
        <Filter name="q" label={t('projects.filter')} />
        {creates && create}
      </Head>
      <Listing
        label={t('title.projects')}
        list={projects}
        filtered={filter !== null}
        none={
          <Empty title={t(creates ? 'projects.none.admin' : session.data ? 'projects.none.user' : 'projects.none.public')}>
            <p>{t(creates ? 'projects.none.admin.hint' : session.data ? 'projects.none.user.hint' : 'projects.none.public.hint')}</p>
            {creates && create}
          </Empty>
        }
        head={[
          <Header sort="name" by="name">
            {t('name')}
          </Header>,
          session.data !== null && <Header kind="mid">{t('role')}</Header>,
          <Header kind="mid number">{t('repositories')}</Header>,
          <Header kind="wide" sort="owner" by="name">
            {t('owner')}
          </Header>,
          <Header sort="creation_time" by="name" down>
            {t('created')}
          </Header>,
        ]}
        row={(project) => {
          const open = project.metadata.public === 'true';
          return (
            <tr key={project.project_id}>
              <td>
                <span class="with-icon">
                  <Sign icon={open ? Globe : Lock} label={t(open ? 'public' : 'private')} />
                  <a class="name" href={to.project(project.name)}>
                    {project.name}
                  </a>
                </span>
              </td>
              {session.data !== null && (
                <td class="mid">
                  {project.current_user_role_id ? (
                    t(roleName(project.current_user_role_id))
                  ) : (
                    <span class="muted">{admin ? t('role.system') : '–'}</span>
                  )}
                </td>
              )}
              <td class="mid number">{project.repo_count?.toLocaleString(language) ?? '–'}</td>
              <td class="wide">{project.owner_name || <span class="muted">–</span>}</td>
              <td>
                <Time at={project.creation_time} />
              </td>
            </tr>
          );
        }}
      />
      {creating && <NewProject onClose={() => setCreating(false)} />}
    </>
  );
}

function NewProject({ onClose }: { onClose: () => void }) {
  const { t } = useTexts();
  const { route } = useLocation();
  const [open, setOpen] = useState(false);
  const create = useAction(
    (name: string) =>
      api.POST('/api/v2.0/projects', { body: { project_name: name, metadata: { public: String(open) } } }),
    { refresh: ['projects'], then: (name) => route(to.project(name)) },
  );
  return (
    <FormDialog
      title={t('projects.new')}
      verb={t('create')}
      onClose={onClose}
      action={create}
      send={(form) => create.mutate(textOf(form, 'name'))}
    >
      <TextField label={t('name')} hint={t('projects.name.hint')} name="name" required autoFocus maxLength={255} {...EXACT} />
      <Visibility open={open} onOpen={setOpen} />
    </FormDialog>
  );
}

interface VisibilityProps {
  open: boolean | undefined;
  onOpen: (open: boolean) => void;
  disabled?: boolean;
}

/** Whether anybody may pull from a project. */
export function Visibility({ open, onOpen, disabled }: VisibilityProps) {
  const { t } = useTexts();
  return (
    <Choices
      legend={t('access')}
      quiet
      options={[false, true].map((value) => ({
        value,
        text: t(value ? 'public' : 'private'),
        hint: t(value ? 'public.hint' : 'private.hint'),
      }))}
      value={open}
      onValue={onOpen}
      disabled={disabled}
    />
  );
}
