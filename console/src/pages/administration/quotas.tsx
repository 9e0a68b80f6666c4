import { Pencil } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { PAGE_SIZE, useAction, useRows } from '../../api/queries';
import type { Quota } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { to } from '../../lib/place';
import { IconButton } from '../../ui/controls';
import { Header, Size } from '../../ui/data';
import { FormDialog } from '../../ui/dialogs';
import { Choices, TextField } from '../../ui/fields';
import { Listing } from '../../ui/listing';

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
      <Listing
        label={t('quotas')}
        list={quotas}
        waiting={4}
        head={[
          <Header>{t('project')}</Header>,
          <Header kind="mid">{t('quotas.share')}</Header>,
          <Header kind="number">{t('quotas.used')}</Header>,
          <Header kind="number">{t('quotas.limit')}</Header>,
        ]}
        actions
        row={(quota) => (
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
              <IconButton icon={Pencil} label={t('quotas.edit', { project: quota.ref.name })} onClick={() => setEditing(quota)} />
            </td>
          </tr>
        )}
      />
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
    <FormDialog
      title={t('quotas.edit', { project: quota.ref.name })}
      verb={t('save')}
      onClose={onClose}
      action={change}
      send={(form) => change.mutate(Number(form.get('limit') ?? 0))}
    >
      <Choices
        legend={t('quotas.limit')}
        quiet
        options={[false, true].map((value) => ({ value, text: t(value ? 'quotas.limited' : 'quotas.none') }))}
        value={limited}
        onValue={setLimited}
      />
      {limited && (
        <TextField
          label={t('quotas.gib')}
          hint={t('quotas.hint')}
          name="limit"
          type="number"
          min="0.001"
          step="any"
          required
          defaultValue={String(quota.hard.storage > 0 ? Number((quota.hard.storage / GIB).toFixed(3)) : 10)}
        />
      )}
    </FormDialog>
  );
}
