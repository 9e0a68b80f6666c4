import { type Step, useAddition, useLayers } from '../../api/queries';
import type { Artifact, Layer } from '../../api/types';
import { useTexts } from '../../i18n';
import { Coming, Digest, Size } from '../../ui/data';
import { Failure } from '../../ui/feedback';
import type { At } from './at';

/** A line of the build: a layer with its size, or a setting, which has none. */
interface Line {
  layer: Layer | null;
  text: string;
}

/** The layers of an artifact with their sizes, between the settings that the build made, the lowest first. */
export function Layers({ at, artifact }: { at: At; artifact: Artifact }) {
  const { t, n } = useTexts();
  const layers = useLayers(at, (artifact.references ?? []).length === 0);
  const history = useAddition(at, 'build_history', 'build_history' in (artifact.addition_links ?? {}));
  if (layers.isLoading || history.isLoading) return <Coming />;
  if (layers.isError) return <Failure error={layers.error} retry={() => void layers.refetch()} />;
  const found = layers.data ?? [];
  const lines = linesOf(found, stepsOf(history.data ?? '[]'));
  if (!lines.length) return null;
  const largest = Math.max(...found.map((layer) => layer.size), 1);
  return (
    <section class="card">
      <header>
        <h2>{t('layers')}</h2>
        <span class="muted small">
          {n('layers.count', found.length)} · <Size of={sizeOf(found)} />
        </span>
      </header>
      <ol class="layers sized" style={{ padding: 0, margin: 0 }}>
        {lines.map(({ layer, text }, index) => (
          <li key={index}>
            <span class={`badge${layer ? ' accent' : ''}`} style={{ justifySelf: 'start', alignSelf: 'start' }}>
              {t(layer ? 'history.layer' : 'history.setting')}
            </span>
            <div>
              <code>{text || layer?.media_type}</code>
              {layer && (
                <div class="small muted">
                  <Digest of={layer.digest} />
                </div>
              )}
            </div>
            {layer && (
              <div class="number">
                <Size of={layer.size} />
                <div class="meter" aria-hidden="true">
                  <i style={{ width: `${Math.max(1, (100 * layer.size) / largest)}%` }} />
                </div>
              </div>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

export function sizeOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, layer) => sum + layer.size, 0);
}

/** Joins layers and the steps of the build; where the build does not tell of as many layers, the layers stand alone. */
export function linesOf(layers: Layer[], steps: Step[]): Line[] {
  const making = steps.filter((step) => !step.empty_layer);
  if (making.length !== layers.length) return layers.map((layer) => ({ layer, text: layer.created_by ?? '' }));
  let next = 0;
  return steps.map((step) => ({ layer: step.empty_layer ? null : (layers[next++] ?? null), text: textOf(step) }));
}

/** What a step did, without what the builder puts around it. */
export function textOf(step: Step): string {
  return (step.created_by ?? step.comment ?? '').replace(/^\/bin\/sh -c #\(nop\)\s+/, '');
}

/** The steps of a build; none where the text is not what it should be. */
export function stepsOf(text: string): Step[] {
  try {
    const steps: unknown = JSON.parse(text);
    return Array.isArray(steps) ? steps.filter((one): one is Step => typeof one === 'object' && one !== null) : [];
  } catch {
    return [];
  }
}
