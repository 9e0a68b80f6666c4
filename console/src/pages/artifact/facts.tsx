import type { Artifact } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { imageFacts, pairs } from '../../lib/image';
import { Time } from '../../ui/data';

export function Configuration({ artifact }: { artifact: Artifact }) {
  const { t } = useTexts();
  const facts = imageFacts(artifact);
  if (!facts) return null;
  const rows: [Message, string][] = [
    ['config.platform', facts.platform],
    ['config.entrypoint', facts.entrypoint],
    ['config.command', facts.command],
    ['config.user', facts.user],
    ['config.directory', facts.workingDirectory],
    ['config.ports', facts.ports.join(', ')],
    ['config.volumes', facts.volumes.join(', ')],
    ['config.author', facts.author],
  ];
  return (
    <section class="card">
      <header>
        <h2>{t('config')}</h2>
      </header>
      <div class="body">
        <dl class="facts">
          {facts.created && (
            <>
              <dt>{t('config.built')}</dt>
              <dd>
                <Time at={facts.created} />
              </dd>
            </>
          )}
          {rows
            .filter(([, value]) => value)
            .map(([name, value]) => (
              <>
                <dt key={name}>{t(name)}</dt>
                <dd>
                  <code>{value}</code>
                </dd>
              </>
            ))}
          {facts.environment.length > 0 && (
            <>
              <dt>{t('config.environment')}</dt>
              <dd>
                {facts.environment.map((one) => (
                  <div key={one}>
                    <code>{one}</code>
                  </div>
                ))}
              </dd>
            </>
          )}
          {facts.labels.map(([name, value]) => (
            <>
              <dt key={name} class="break">
                {name}
              </dt>
              <dd>{value}</dd>
            </>
          ))}
        </dl>
      </div>
    </section>
  );
}

export function Annotations({ artifact }: { artifact: Artifact }) {
  const { t } = useTexts();
  const rows = pairs(artifact.annotations);
  if (!rows.length) return null;
  return (
    <section class="card">
      <header>
        <h2>{t('annotations')}</h2>
      </header>
      <dl class="body">
        {rows.map(([name, value]) => (
          <div key={name} style={{ marginBottom: '8px' }}>
            <dt class="muted small break">{name}</dt>
            <dd class="break">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
