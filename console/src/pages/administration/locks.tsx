import { LockOpen } from 'lucide-preact';
import { api } from '../../api/client';
import { useAction, useOne } from '../../api/queries';
import type { LoginLock } from '../../api/types';
import { type Message, useTexts } from '../../i18n';
import { Button } from '../../ui/controls';
import { Header, Time } from '../../ui/data';
import { Empty, Failure } from '../../ui/feedback';
import { Listing } from '../../ui/listing';

const SCOPES: Record<LoginLock['scope'], Message> = {
  name: 'locks.anywhere',
  'name-and-address': 'locks.from',
  address: 'locks.address',
};

/** Names and addresses that failed sign-ins have locked out for now; each lock can be ended. */
export function Locks() {
  const { t } = useTexts();
  const found = useOne(['locks'], () => api.GET('/api/roadstead/v1/login-locks', {}));
  const release = useAction(
    ({ name, robot, address }: LoginLock) =>
      api.POST('/api/roadstead/v1/login-locks/release', { body: name ? { name } : robot ? { robot } : { address } }),
    { refresh: ['locks'], done: (lock) => t('locks.ended', { name: named(lock) }) },
  );
  const list = { ...found, data: found.data && { rows: found.data.locks, total: null, next: null } };
  return (
    <>
      {release.isError && <Failure error={release.error} />}
      <Listing
        label={t('locks')}
        list={list}
        waiting={2}
        none={
          <Empty title={t('locks.none')}>
            <p>{t('locks.hint')}</p>
          </Empty>
        }
        bar={<span class="muted">{found.data?.more ? t('locks.more', { count: found.data.locks.length }) : t('locks.hint')}</span>}
        head={[
          <Header>{t('locks.who')}</Header>,
          <Header kind="mid">{t('locks.from')}</Header>,
          <Header>{t('locks.until')}</Header>,
        ]}
        actions
        row={(lock) => (
          <tr key={`${lock.scope} ${named(lock)} ${lock.address ?? ''}`}>
            <td>
              <span class="name">{named(lock)}</span> {lock.robot && <span class="badge">{t('locks.robot')}</span>}
              {lock.scope !== 'address' && <div class="small muted on-phone mono">{lock.address ?? t('locks.anywhere')}</div>}
            </td>
            <td class="mid">{lock.scope === 'name-and-address' ? <span class="mono">{lock.address}</span> : t(SCOPES[lock.scope])}</td>
            <td>
              <Time at={lock.until} />
            </td>
            <td class="act">
              <Button
                kind="small"
                icon={LockOpen}
                aria-label={t('locks.end.of', { name: named(lock) })}
                disabled={release.isPending}
                onClick={() => release.mutate(lock)}
              >
                {t('locks.end')}
              </Button>
            </td>
          </tr>
        )}
      />
    </>
  );
}

function named(lock: LoginLock): string {
  return lock.name ?? lock.robot ?? lock.address ?? '';
}
