import { Pencil } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { PAGE_SIZE, useAction, useRows } from '../../api/queries';
import type { Quota } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { to } from '../../lib/place';
import { Button, Dialog, Field } from '../../ui/controls';
import { Header, Pager, Size, Table, Waiting } from '../../ui/data';
import { Failure } from '../../ui/feedback';

const GIB = 1024 ** 3;

export function Quotas() {
  const { t } = useTexts();
  const { page } = useAddress();
  const [editing, setEditing] = useState<Quota | null>(null);
  const quotas = useRows<Quota>(['quotas', page], () =>
    api.GET('/api/v2.0/quotas', { params: { query: { page, page_size: PAGE_SIZE } } }),
  );
  return (
    <>
      {quotas.isError ? (
        <Failure error={quotas.error} retry={() => void quotas.refetch()} />
      ) : (
        <Table
          label={t('quotas')}
          waiting={quotas.isPlaceholderData}
          head={
            <>
              <Header>{t('project')}</Header>
              <Header kind="mid">{t('quotas.share')}</Header>
              <Header kind="number">{t('quotas.used')}</Header>
              <Header kind="number">{t('quotas.limit')}</Header>
              <th>
                <span class="visually-hidden">{t('actions')}</span>
              </th>
            </>
          }
        >
          {quotas.isPending && <Waiting columns={5} rows={4} />}
          {quotas.data?.rows.map((quota) => (
            <tr key={quota.id}>
              <td>
                <a class="name" href={to.project(quota.ref.name)}>
                  {quota.ref.name}
                </a>
              </td>
              <td class="mid" style={{ width: '30%' }}>
                <Meter used={quota.used.storage} hard={quota.hard.storage} />
              </td>
              <td class="number">
                <Size of={quota.used.storage} />
              </td>
              <td class="number">
                {quota.hard.storage < 0 ? <span class="muted">{t('quotas.none')}</span> : <Size of={quota.hard.storage} />}
              </td>
              <td class="act">
                <Button
                  kind="plain"
                  icon={Pencil}
                  aria-label={t('quotas.edit', { project: quota.ref.name })}
                  title={t('quotas.edit', { project: quota.ref.name })}
                  onClick={() => setEditing(quota)}
                />
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Pager page={page} size={PAGE_SIZE} total={quotas.data?.total ?? null} />
      {editing && <EditQuota quota={editing} onClose={() => setEditing(null)} />}
    </>
  );
}

export function Meter({ used, hard }: { used: number; hard: number }) {
  if (hard <= 0) return null;
  const share = Math.min(1, used / hard);
  return (
    <div class={`meter${share > 0.85 ? ' full' : ''}`}>
      <i style={{ width: `${share * 100}%` }} />
    </div>
  );
}

function EditQuota({ quota, onClose }: { quota: Quota; onClose: () => void }) {
  const { t } = useTexts();
  const [limited, setLimited] = useState(quota.hard.storage >= 0);
  const change = useAction(
    (gibibytes: number) =>
      api.PUT('/api/v2.0/quotas/{id}', {
        params: { path: { id: String(quota.id) } },
        body: { hard: { storage: limited ? Math.round(gibibytes * GIB) : -1 } },
      }),
    { refresh: ['quotas', 'project'], then: onClose },
  );
  return (
    <Dialog title={t('quotas.edit', { project: quota.ref.name })} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(Number(new FormData(event.currentTarget).get('limit') ?? 0));
        }}
      >
        {change.isError && <Failure error={change.error} />}
        <fieldset>
          <legend class="visually-hidden">{t('quotas.limit')}</legend>
          {[false, true].map((value) => (
            <label class="choice" key={String(value)}>
              <input type="radio" name="limited" checked={limited === value} onChange={() => setLimited(value)} />
              <span>{t(value ? 'quotas.limited' : 'quotas.none')}</span>
            </label>
          ))}
        </fieldset>
        {limited && (
          <Field label={t('quotas.gib')} hint={t('quotas.hint')}>
            {(at) => (
              <input
                {...at}
                name="limit"
                type="number"
                min="0.001"
                step="any"
                required
                defaultValue={String(quota.hard.storage > 0 ? Number((quota.hard.storage / GIB).toFixed(3)) : 10)}
              />
            )}
          </Field>
        )}
        <div class="actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={change.isPending}>
            {t('save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
