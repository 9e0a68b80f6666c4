import { Box, Folder, Globe, Layers, Package, Tag } from 'lucide-preact';
import type { Hit, Kind } from '../lib/hits';
import { SMALL } from '../ui/controls';
import { LabelDot } from './labels';

const ICONS: Record<Exclude<Kind, 'label'>, typeof Box> = { project: Folder, repository: Package, tag: Tag, artifact: Box, blob: Layers };

/** The sign of what was found: a label's is its colour. */
export function HitIcon({ hit }: { hit: Hit }) {
  if (hit.kind === 'label') return <LabelDot color={hit.color ?? ''} />;
  const Icon = hit.public ? Globe : ICONS[hit.kind];
  return <Icon size={SMALL} aria-hidden="true" />;
}
