import { GitCompareArrows, Trash2 } from 'lucide-preact';
import { useLocation } from 'preact-iso';
import { useState } from 'preact/hooks';
import { useArtifact, useProject, useSession } from '../api/queries';
import type { Artifact as ArtifactType } from '../api/types';
import { type Message, useTexts } from '../i18n';
import { pullCommands, registryHost } from '../lib/commands';
import { shortDigest } from '../lib/format';
import { platformOf } from '../lib/image';
import { to } from '../lib/place';
import { may, type Right } from '../lib/roles';
import { Button, Command, SMALL } from '../ui/controls';
import { Digest, Size, Time } from '../ui/data';
import { Failure } from '../ui/feedback';
import { Head } from '../ui/shell';
import type { At } from './artifact/at';
import { DeleteArtifact } from './artifact/delete';
import { Additions } from './artifact/additions';
import { Annotations, Configuration } from './artifact/facts';
import { LabelsOf } from './artifact/labels';
import { Layers } from './artifact/layers';
import { Pullers } from './artifact/pullers';
import { Referrers } from './artifact/referrers';
import { Tags } from './artifact/tags';

export function Artifact(at: At) {
  const { t } = useTexts();
  const { route } = useLocation();
  const artifact = useArtifact(at);
  const session = useSession();
  const project = useProject(at.project);
  const [deleting, setDeleting] = useState(false);
  const { project: projectName, repository, reference } = at;
  const has = (right: Right) =>
    project.isSuccess && may(right, project.data.current_user_role_id, session.data?.admin ?? false);
  const crumbs: [string, string][] = [
    [t('title.projects'), to.projects()],
    [projectName, to.project(projectName)],
    [repository, to.repository(projectName, repository)],
  ];
  const byTag = !reference.includes(':');
  if (artifact.isError)
    return (
      <>
        <Head title={byTag ? reference : shortDigest(reference)} crumbs={crumbs} />
        <Failure error={artifact.error} retry={() => void artifact.refetch()} />
      </>
    );
  const found = artifact.data;
  return (
    <>
      <Head
        title={byTag ? reference : shortDigest(reference)}
        crumbs={crumbs}
        meta={
          found ? (
            <>
              <span>{t(TYPES[found.type] ?? 'type.other')}</span>
              <span>
                <Size of={found.size} />
              </span>
              <span>
                {t('pushed')} <Time at={found.push_time} />
              </span>
              <span>
                {t('lastPull')} <Time at={found.pull_time} none={t('never')} />
              </span>
              <Digest of={found.digest} href={to.artifact(projectName, repository, found.digest)} />
            </>
          ) : (
            <span class="skeleton" style={{ width: '260px' }} />
          )
        }
      >
        {found && (
          <>
            <a class="button" href={to.compare(projectName, repository, reference, '')}>
              <GitCompareArrows size={SMALL} aria-hidden="true" />
              {t('compare')}
            </a>
            {has('remove') && (
              <Button kind="harm" icon={Trash2} onClick={() => setDeleting(true)}>
                {t('delete')}
              </Button>
            )}
          </>
        )}
      </Head>
      {found && !project.isPending && (
        <div class="columns">
          <div class="stack">
            <Pull at={at} artifact={found} />
            {(found.references ?? []).length > 0 && <Children at={at} artifact={found} />}
            <Additions at={at} artifact={found} />
            <Layers at={{ ...at, reference: found.digest }} artifact={found} />
            <Configuration artifact={found} />
          </div>
          <div class="stack">
            <Tags at={at} artifact={found} edit={has('push')} remove={has('remove')} />
            <LabelsOf at={{ ...at, reference: found.digest }} artifact={found} edit={has('label')} />
            <Referrers at={{ ...at, reference: found.digest }} />
            {has('seeLog') && <Pullers at={{ ...at, reference: found.digest }} />}
            <Annotations artifact={found} />
          </div>
        </div>
      )}
      {deleting && found && (
        <DeleteArtifact
          at={{ ...at, reference: found.digest }}
          artifact={found}
          onClose={() => setDeleting(false)}
          then={() => route(to.repository(projectName, repository))}
        />
      )}
    </>
  );
}

const TYPES: Record<string, Message> = { IMAGE: 'type.image', CHART: 'type.chart', SBOM: 'type.sbom', WASM: 'type.wasm' };

function Pull({ at, artifact }: { at: At; artifact: ArtifactType }) {
  const { t } = useTexts();
  const [chosen, setChosen] = useState(0);
  const [byDigest, setByDigest] = useState(at.reference.includes(':'));
  const name = `${registryHost()}/${at.project}/${at.repository}`;
  const tag = at.reference.includes(':') ? (artifact.tags?.[0]?.name ?? null) : at.reference;
  const commands = pullCommands(name, byDigest ? null : tag, artifact.digest, artifact.media_type);
  const command = commands[chosen] ?? commands[0];
  return (
    <section class="card">
      <header>
        <h2>{t('pull')}</h2>
        <span class="space" />
        <div class="segments" role="group" aria-label={t('pull.client')}>
          {commands.map(([client], index) => (
            <button type="button" key={client} aria-pressed={command === commands[index]} onClick={() => setChosen(index)}>
              {client}
            </button>
          ))}
        </div>
      </header>
      <div class="body stack" style={{ gap: '10px' }}>
        {command && <Command text={command[1]} />}
        {tag && (
          <label class="choice">
            <input type="checkbox" checked={byDigest} onChange={(event) => setByDigest(event.currentTarget.checked)} />
            <span>
              {t('pull.digest')} <small style={{ display: 'inline' }}>{t('pull.digest.hint')}</small>
            </span>
          </label>
        )}
      </div>
    </section>
  );
}

function Children({ at, artifact }: { at: At; artifact: ArtifactType }) {
  const { t } = useTexts();
  return (
    <section class="card">
      <header>
        <h2>{t('platforms')}</h2>
        <span class="muted small">{t('platforms.hint')}</span>
      </header>
      <table aria-label={t('platforms')}>
        <tbody>
          {(artifact.references ?? []).map((child) => (
            <tr key={child.child_digest}>
              <td class="name">{platformOf(child.platform) || t('platforms.none')}</td>
              <td>
                <Digest of={child.child_digest} href={to.artifact(at.project, at.repository, child.child_digest)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
