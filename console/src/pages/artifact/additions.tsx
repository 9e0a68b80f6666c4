import { Download } from 'lucide-preact';
import { lazy, Suspense } from 'preact/compat';
import { useAddition } from '../../api/queries';
import type { Artifact } from '../../api/types';
import { useTexts } from '../../i18n';
import { bytes } from '../../lib/format';
import { CopyButton, SMALL } from '../../ui/controls';
import { Coming } from '../../ui/data';
import type { At } from './at';

const Markdown = lazy(() => import('../../ui/markdown').then((one) => one.Markdown));

/** What was extracted of an artifact when it was pushed: texts, what a chart needs, the files of a model, an SBOM. */
export function Additions({ at, artifact }: { at: At; artifact: Artifact }) {
  const { t } = useTexts();
  const links = artifact.addition_links ?? {};
  const readme = useAddition(at, 'readme.md', 'readme.md' in links);
  return (
    <>
      {readme.isLoading && <Coming />}
      {readme.data && (
        <section class="card">
          <header>
            <h2>README</h2>
          </header>
          <div class="body">
            <Suspense fallback={<span class="skeleton coming" />}>
              <Markdown text={readme.data} />
            </Suspense>
          </div>
        </section>
      )}
      <Text at={at} name="values.yaml" title="values.yaml" there={'values.yaml' in links} />
      <Dependencies at={at} there={'dependencies' in links} />
      <Files at={at} there={'files' in links} />
      <Text at={at} name="license" title={t('license')} there={'license' in links} />
      {links['sbom'] && (
        <section class="card">
          <header>
            <h2>SBOM</h2>
            <span class="space" />
            <a class="button small" href={links['sbom'].href} download={`${at.repository.replaceAll('/', '-')}.sbom.json`}>
              <Download size={SMALL} aria-hidden="true" />
              {t('download')}
            </a>
          </header>
        </section>
      )}
    </>
  );
}

function Text({ at, name, title, there }: { at: At; name: string; title: string; there: boolean }) {
  const text = useAddition(at, name, there);
  if (text.isLoading) return <Coming />;
  if (!text.data) return null;
  return (
    <section class="card">
      <header>
        <h2>{title}</h2>
        <span class="space" />
        <CopyButton text={text.data} />
      </header>
      <div class="body">
        <pre class="block" tabIndex={0}>
          {text.data}
        </pre>
      </div>
    </section>
  );
}

interface Dependency {
  name: string;
  version: string;
  repository: string;
}

/** The charts that a chart needs. */
function Dependencies({ at, there }: { at: At; there: boolean }) {
  const { t } = useTexts();
  const found = useAddition(at, 'dependencies', there);
  if (found.isLoading) return <Coming />;
  const rows = parsed<Dependency>(found.data);
  if (!rows.length) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('dependencies')}</h2>
      </header>
      <ul class="rules">
        {rows.map((one) => (
          <li key={`${one.name}${one.version}`}>
            <span class="sentence">
              <span class="name">{one.name}</span> {one.version}
              <div class="small muted">{one.repository}</div>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Entry {
  name: string;
  type: string;
  size?: number;
  children?: Entry[];
}

/** The files of a model. */
function Files({ at, there }: { at: At; there: boolean }) {
  const { t } = useTexts();
  const found = useAddition(at, 'files', there);
  if (found.isLoading) return <Coming />;
  const rows = parsed<Entry>(found.data);
  if (!rows.length) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('files')}</h2>
      </header>
      <div class="body">
        <Tree entries={rows} />
      </div>
    </section>
  );
}

function Tree({ entries }: { entries: Entry[] }) {
  const { language } = useTexts();
  return (
    <ul class="tree">
      {entries.map((one) => (
        <li key={one.name}>
          <div class="node">
            <code class="break">{one.children ? `${one.name}/` : one.name}</code>
            {!one.children && one.size !== undefined && <span class="muted small">{bytes(one.size, language)}</span>}
          </div>
          {one.children && <Tree entries={one.children} />}
        </li>
      ))}
    </ul>
  );
}

/** The list of an addition in JSON; none where the text is not what it should be. */
function parsed<T extends { name: string }>(text: string | undefined): T[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(found) ? found.filter((one): one is T => typeof (one as T | null)?.name === 'string') : [];
  } catch {
    return [];
  }
}
