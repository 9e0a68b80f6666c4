import { useArtifact } from '../../api/queries';
import { useTexts } from '../../i18n';
import { platformOf } from '../../lib/image';
import { to } from '../../lib/place';
import { Digest } from '../../ui/data';
import { Failure } from '../../ui/feedback';

/** The platforms of an index, below the tag that leads to it. */
export function Children(at: { project: string; repository: string; reference: string }) {
  const { t } = useTexts();
  const index = useArtifact(at);
  if (index.isError) return <Failure error={index.error} retry={() => void index.refetch()} />;
  if (!index.data) return <span class="skeleton" />;
  return (
    <ul class="tree">
      {(index.data.references ?? []).map((child) => (
        <li key={child.child_digest}>
          <div class="node">
            <a class="name" href={to.artifact(at.project, at.repository, child.child_digest)}>
              {platformOf(child.platform) || t('platforms.none')}
            </a>
            <Digest of={child.child_digest} />
          </div>
        </li>
      ))}
    </ul>
  );
}
