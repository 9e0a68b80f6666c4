import { LogOut, MonitorSmartphone } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client';
import { PAGE_SIZE, useAction, useRows } from '../../api/queries';
import type { OwnSession } from '../../api/types';
import { useTexts } from '../../i18n';
import { useAddress } from '../../lib/address';
import { agentName } from '../../lib/agent';
import { Button, SMALL } from '../../ui/controls';
import { Header, Time } from '../../ui/data';
import { Confirm } from '../../ui/dialogs';
import { Listing } from '../../ui/listing';

const PATH = '/api/roadstead/v1/users/current/sessions';

/** Where one is signed in to the console; one of the others, or all of them, can be ended. */
export function Sessions() {
  const { t } = useTexts();
  const { page } = useAddress();
  const [ending, setEnding] = useState<OwnSession | 'others' | null>(null);
  const sessions = useRows<OwnSession>(['sessions', page], () => api.GET(PATH, { params: { query: { page, page_size: PAGE_SIZE } } }));
  const end = useAction<OwnSession | 'others'>(
    (which) => (which === 'others' ? api.DELETE(PATH, {}) : api.DELETE(`${PATH}/{session}`, { params: { path: { session: which.id } } })),
    {
      refresh: ['sessions'],
      done: (which) => t(which === 'others' ? 'sessions.endedOthers' : 'sessions.ended'),
      then: () => setEnding(null),
    },
  );
  const title = (one: OwnSession) => t('sessions.end.title', { where: agentName(one.user_agent) || t('sessions.unknown') });
  const rows = sessions.data?.rows ?? [];
  const others = (sessions.data?.total ?? 0) > (rows.some((one) => one.current) ? 1 : 0);
  return (
    <>
      <Listing
        label={t('sessions')}
        list={sessions}
        waiting={2}
        bar={
          <>
            <span class="muted">{t('sessions.hint')}</span>
            <span class="space" />
            <Button kind="harm" icon={LogOut} disabled={!others} onClick={() => setEnding('others')}>
              {t('sessions.endOthers')}
            </Button>
          </>
        }
        head={[
          <Header>{t('sessions.where')}</Header>,
          <Header kind="mid">{t('address')}</Header>,
          <Header kind="wide">{t('sessions.began')}</Header>,
          <Header>{t('tokens.used')}</Header>,
        ]}
        actions
        row={(one) => (
          <tr key={one.id}>
            <td>
              <span class="with-icon">
                <MonitorSmartphone size={SMALL} aria-hidden="true" />
                <span>
                  <span class="name" title={one.user_agent}>
                    {agentName(one.user_agent) || t('sessions.unknown')}
                  </span>{' '}
                  {one.current && <span class="badge ok">{t('sessions.current')}</span>}
                  {one.provider !== 'local' && <span class="badge">{one.provider.toUpperCase()}</span>}
                  <div class="small muted on-phone mono">{one.address}</div>
                </span>
              </span>
            </td>
            <td class="mid mono">{one.address}</td>
            <td class="wide">
              <Time at={one.creation_time} />
            </td>
            <td>
              <Time at={one.last_used} />
            </td>
            <td class="act">
              {!one.current && (
                <Button kind="small" aria-label={title(one)} onClick={() => setEnding(one)}>
                  {t('sessions.end')}
                </Button>
              )}
            </td>
          </tr>
        )}
      />
      {ending !== null && (
        <Confirm
          title={ending === 'others' ? t('sessions.endOthers') : title(ending)}
          verb={t('sessions.end')}
          onClose={() => setEnding(null)}
          action={end}
          go={() => end.mutate(ending)}
        >
          <p>{t('sessions.end.hint')}</p>
        </Confirm>
      )}
    </>
  );
}
