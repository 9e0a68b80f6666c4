import { api } from '../../api/client';
import { useOne } from '../../api/queries';
import type { Costs } from '../../api/types';
import { useTexts } from '../../i18n';
import { dollars } from '../../lib/format';
import { to } from '../../lib/place';
import { Header, Size, Table, Waiting } from '../../ui/data';
import { Failure } from '../../ui/feedback';

/** What a month costs as far as the registry knows: an estimate, not the bill. */
export function Cost() {
  const { t, language } = useTexts();
  const costs = useOne(['costs'], () => api.GET('/api/roadstead/v1/costs', {}));
  if (costs.isError) return <Failure error={costs.error} retry={() => void costs.refetch()} />;
  const found = costs.data;
  const head = (
    <>
      <Header>{t('costs.items')}</Header>
      <Header kind="number mid">{t('costs.quantity')}</Header>
      <Header kind="number">{t('costs.usd')}</Header>
    </>
  );
  if (!found)
    return (
      <Table label={t('costs.items')} head={head} waiting>
        <Waiting columns={3} />
      </Table>
    );
  return (
    <div class="stack">
      <p class="muted">{t('costs.estimate', { date: found.prices_of, region: found.region })}</p>
      <Table label={t('costs.items')} head={head}>
        {found.items.map((one) => (
          <tr key={one.name}>
            <td>
              {t(`costs.item.${one.name}`)}
              {one.name === 'relay' && <div class="small muted">{t(`costs.relay.${found.relay ?? 'unknown'}`)}</div>}
            </td>
            <td class="number mid">
              <Quantity of={one} />
            </td>
            <td class="number">
              {one.usd === null ? <span class="muted">{t('costs.unknown')}</span> : dollars(one.usd, language)}
            </td>
          </tr>
        ))}
        <tr>
          <td>
            <strong>{t('costs.total')}</strong>
          </td>
          <td class="mid" />
          <td class="number">
            <strong>{dollars(found.total_known, language)}</strong>
          </td>
        </tr>
      </Table>
      <Rates found={found} />
      {found.projects.length > 0 && <Projects found={found} />}
    </div>
  );
}

function Quantity({ of }: { of: Costs['items'][number] }) {
  const { language } = useTexts();
  if (of.quantity === null) return <span class="muted">–</span>;
  return of.unit === 'byte' ? <Size of={of.quantity} /> : <>{of.quantity.toLocaleString(language)}</>;
}

/** What nothing counts, by the price of so many. */
function Rates({ found }: { found: Costs }) {
  const { t, language } = useTexts();
  return (
    <>
      <h2>{t('costs.rates')}</h2>
      <p class="muted">{t(found.reads && found.relay ? 'costs.rates.hint' : 'costs.rates.assumed')}</p>
      <Table
        label={t('costs.rates')}
        head={
          <>
            <Header>{t('costs.rate')}</Header>
            <Header kind="number">{t('costs.usd')}</Header>
          </>
        }
      >
        {found.rates.map((one) => (
          <tr key={`${one.name} ${one.a_month}`}>
            <td>{t(`costs.rate.${one.name}`, { count: one.a_month.toLocaleString(language) })}</td>
            <td class="number">{dollars(one.usd, language)}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function Projects({ found }: { found: Costs }) {
  const { t, language } = useTexts();
  const most = found.projects[0]?.bytes ?? 0;
  return (
    <>
      <h2>{t('costs.projects')}</h2>
      <p class="muted">{t('costs.projects.hint')}</p>
      <Table
        label={t('costs.projects')}
        head={
          <>
            <Header>{t('project')}</Header>
            <Header kind="mid">{t('costs.share')}</Header>
            <Header kind="number">{t('costs.stored')}</Header>
            <Header kind="number">{t('costs.usd')}</Header>
          </>
        }
      >
        {found.projects.map((one) => (
          <tr key={one.project}>
            <td>
              <a class="name" href={to.project(one.project)}>
                {one.project}
              </a>
            </td>
            <td class="mid" style={{ width: '30%' }}>
              <div class="meter">
                <i style={{ width: `${(one.bytes / most) * 100}%` }} />
              </div>
            </td>
            <td class="number">
              <Size of={one.bytes} />
            </td>
            <td class="number">{dollars(one.usd, language)}</td>
          </tr>
        ))}
      </Table>
      {found.more && <p class="muted">{t('costs.more', { count: found.projects.length })}</p>}
    </>
  );
}
