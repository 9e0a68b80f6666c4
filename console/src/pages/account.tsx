import { useRef } from 'preact/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'preact-iso';
import { api } from '../api/client';
import { changeUser, useAction, useSession } from '../api/queries';
import { type Message, useTexts } from '../i18n';
import { to } from '../lib/place';
import { Button } from '../ui/controls';
import { TextField } from '../ui/fields';
import { Failure } from '../ui/feedback';
import { Head, Tabs } from '../ui/shell';
import { Profile } from './account/profile';
import { Sessions } from './account/sessions';
import { Tokens } from './account/tokens';
import { Nowhere } from './nowhere';

const TABS: [string, Message, () => preact.JSX.Element][] = [
  ['tokens', 'tokens', Tokens],
  ['sessions', 'sessions', Sessions],
  ['profile', 'profile', Profile],
  ['password', 'password', Password],
];

export function Account({ tab }: { tab: string }) {
  const { t } = useTexts();
  const session = useSession();
  const Tab = session.data ? TABS.find(([one]) => one === tab)?.[2] : undefined;
  return (
    <>
      <Head title={session.data?.name ?? t('title.account')} />
      <Tabs
        label={t('title.account')}
        now={tab}
        tabs={TABS.map(([one, text]) => [one, t(text), to.account(one)])}
      />
      {Tab ? <Tab /> : <Nowhere />}
    </>
  );
}

function Password() {
  const { t } = useTexts();
  const { route } = useLocation();
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const change = useAction(
    async ({ old, now }: { old: string; now: string }) => {
      const { data } = await api.GET('/api/v2.0/users/current');
      return api.PUT('/api/v2.0/users/{user}/password', {
        params: { path: { user: String(data?.user_id) } },
        body: { old_password: old, new_password: now },
      });
    },
    {
      done: t('account.password.changed'),
      then: () => {
        changeUser(client, null);
        route(to.signIn(to.account()));
      },
    },
  );
  return (
    <section class="card narrow">
      <header>
        <h2>{t('account.password')}</h2>
      </header>
      <form
        ref={form}
        class="body form"
        onSubmit={(event) => {
          event.preventDefault();
          const values = new FormData(event.currentTarget);
          change.mutate({ old: String(values.get('old')), now: String(values.get('new')) });
        }}
      >
        {change.isError && <Failure error={change.error} words={{ FORBIDDEN: 'account.password.wrong' }} />}
        <TextField label={t('account.password.old')} name="old" type="password" autoComplete="current-password" required />
        <TextField
          label={t('account.password.new')}
          hint={t('account.password.hint')}
          name="new"
          type="password"
          autoComplete="new-password"
          minLength={8}
          maxLength={128}
          required
        />
        <div>
          <Button type="submit" kind="primary" disabled={change.isPending}>
            {t('account.password.change')}
          </Button>
        </div>
      </form>
    </section>
  );
}
