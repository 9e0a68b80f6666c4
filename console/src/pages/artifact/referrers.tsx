import { ChevronRight, FileText, PenLine } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { pathOf } from '../../api/queries';
import type { Accessory } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { shortDigest } from '../../lib/format';
import { to } from '../../lib/place';
import { SMALL } from '../../ui/controls';
import { Coming, Digest, Time } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import { usePages } from '../../ui/listing';
import type { At } from './at';

const PAGE = 20; // referrers

/** What refers to an artifact: signatures, SBOMs and the like. */
function useReferrers(at: At) {
  return usePages<Accessory>(['accessories', at], PAGE, (query) =>
    api.GET('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/accessories', { params: { ...pathOf(at), query } }),
  );
}

export function Referrers({ at }: { at: At }) {
  const { t, n } = useTexts();
  const accessories = useReferrers(at);
  if (accessories.isLoading) return <Coming />;
  if (accessories.isError)
    return <Failure error={accessories.error} retry={() => void accessories.refetch()} />;
  const rows = accessories.data?.rows ?? [];
  return (
    <section class="card">
      <header>
        <h2>{t('referrers')}</h2>
        <span class="muted small">{accessories.data && rows.length > 0 && n('referrers.count', accessories.data.total ?? rows.length)}</span>
      </header>
      <div class="body">
        {accessories.isSuccess && rows.length === 0 && <p class="muted">{t('referrers.none')}</p>}
        <Tree at={at} rows={rows} depth={0} />
      </div>
      {accessories.pager}
    </section>
  );
}

const KINDS: Record<string, [Message, typeof PenLine]> = {
  'signature.cosign': ['referrer.cosign', PenLine],
  'signature.notation': ['referrer.notation', PenLine],
  'sbom.harbor': ['referrer.sbom', FileText],
  attestation: ['referrer.attestation', FileText],
};
/** What Harbor's API calls a mere accessory, by the type that its manifest names. */
const GUESSES: [RegExp, keyof typeof KINDS][] = [
  [/spdx|cyclonedx|syft/i, 'sbom.harbor'],
  [/in-toto|dsse/i, 'attestation'],
];
const DEEPEST = 4;

function kindOf({ type, artifact_type }: Accessory): [Message, typeof PenLine] {
  const known = KINDS[type] ?? KINDS[GUESSES.find(([pattern]) => pattern.test(artifact_type))?.[1] ?? ''];
  return known ?? ['referrer.other', FileText];
}

function Tree({ at, rows, depth }: { at: At; rows: Accessory[]; depth: number }) {
  return (
    <ul class="tree">
      {rows.map((one) => (
        <Branch key={one.digest} at={at} accessory={one} depth={depth} />
      ))}
    </ul>
  );
}

/** A referrer, and on demand what refers to it in turn. */
function Branch({ at, accessory, depth }: { at: At; accessory: Accessory; depth: number }) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  const [kind, Icon] = kindOf(accessory);
  const own = { ...at, reference: accessory.digest };
  return (
    <li>
      <div class="node">
        {depth < DEEPEST && (
          <button
            type="button"
            class="twist"
            aria-expanded={open}
            aria-label={t('referrers.open', { digest: shortDigest(accessory.digest) })}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight size={14} aria-hidden="true" />
          </button>
        )}
        <span class="with-icon">
          <Icon size={SMALL} aria-hidden="true" />
          {t(kind)}
        </span>
        <span class="muted small">
          <Time at={accessory.creation_time} />
        </span>
        <span class="below">
          <Digest of={accessory.digest} href={to.artifact(at.project, at.repository, accessory.digest)} />
        </span>
      </div>
      {open && <Below at={own} depth={depth + 1} />}
    </li>
  );
}

function Below({ at, depth }: { at: At; depth: number }) {
  const { t } = useTexts();
  const accessories = useReferrers(at);
  if (accessories.isError) return <Failure error={accessories.error} />;
  if (accessories.data?.rows.length === 0)
    return (
      <ul>
        <li class="muted">{t('referrers.none')}</li>
      </ul>
    );
  return (
    <>
      <Tree at={at} rows={accessories.data?.rows ?? []} depth={depth} />
      {accessories.pager}
    </>
  );
}
