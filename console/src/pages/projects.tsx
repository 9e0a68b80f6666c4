import { Globe, Lock, Plus } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { PAGE_SIZE, useAction, useProjects, useSession } from '../api/queries';
import { useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import { to } from '../lib/place';
import { roleName } from '../lib/roles';
import { Button, Dialog, Field, SMALL } from '../ui/controls';
import { Filter, Header, Pager, Table, Time, Waiting } from '../ui/data';
import { Empty, Failure } from '../ui/feedback';
import { Head } from '../ui/shell';

export function Projects() {
  const { t, language } = useTexts();
  const { query, page } = useAddress();
  const session = useSession();
  const filter = query.get('q');
  const projects = useProjects({ page, filter, sort: query.get('sort') });
  const [creating, setCreating] = useState(false);
  const admin = session.data?.admin ?? false;
  const create = (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {t('projects.new')}
    </Button>
  );
  return (
    <>
      <Head title={t('title.projects')}>
        <Filter name="q" label={t('projects.filter')} />
        {admin && create}
      </Head>
      {projects.isError ? (
        <Failure error={projects.error} retry={() => void projects.refetch()} />
      ) : projects.data?.total === 0 && !filter ? (
        <div class="card">
          <Empty title={t(admin ? 'projects.none.admin' : session.data ? 'projects.none.user' : 'projects.none.public')}>
            <p>{t(admin ? 'projects.none.admin.hint' : session.data ? 'projects.none.user.hint' : 'projects.none.public.hint')}</p>
            {admin && create}
          </Empty>
        </div>
      ) : (
        <>
          <Table
            label={t('title.projects')}
            waiting={projects.isPlaceholderData}
            head={
              <>
                <Header sort="name" by="name">
                  {t('name')}
                </Header>
                {session.data && <Header kind="mid">{t('role')}</Header>}
                <Header kind="mid number">{t('repositories')}</Header>
                <Header kind="wide" sort="owner" by="name">
                  {t('owner')}
                </Header>
                <Header sort="creation_time" by="name" down>
                  {t('created')}
                </Header>
              </>
            }
          >
            {projects.isPending && <Waiting columns={session.data ? 5 : 4} />}
            {projects.data?.rows.map((project) => {
              const open = project.metadata.public === 'true';
              const Icon = open ? Globe : Lock;
              return (
                <tr key={project.project_id}>
                  <td>
                    <span class="with-icon">
                      <Icon size={SMALL} aria-label={t(open ? 'public' : 'private')} />
                      <a class="name" href={to.project(project.name)}>
                        {project.name}
                      </a>
                    </span>
                  </td>
                  {session.data && (
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
            })}
            {projects.data?.rows.length === 0 && <NothingFound columns={5} />}
          </Table>
          <Pager page={page} size={PAGE_SIZE} total={projects.data?.total ?? null} />
        </>
      )}
      {creating && <NewProject onClose={() => setCreating(false)} />}
    </>
  );
}

export function NothingFound({ columns }: { columns: number }) {
  const { t } = useTexts();
  return (
    <tr>
      <td colSpan={columns} class="muted">
        {t('nothingFound')}
      </td>
    </tr>
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
    <Dialog title={t('projects.new')} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(String(new FormData(event.currentTarget).get('name')).trim());
        }}
      >
        {create.isError && <Failure error={create.error} />}
        <Field label={t('name')} hint={t('projects.name.hint')}>
          {(at) => (
            <input {...at} name="name" required autoFocus autoCapitalize="none" spellcheck={false} maxLength={255} />
          )}
        </Field>
        <fieldset>
          <legend class="visually-hidden">{t('access')}</legend>
          {[false, true].map((value) => (
            <label class="choice" key={String(value)}>
              <input type="radio" name="access" checked={open === value} onChange={() => setOpen(value)} />
              <span>
                {t(value ? 'public' : 'private')}
                <small>{t(value ? 'public.hint' : 'private.hint')}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <div class="actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={create.isPending}>
            {t('create')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
