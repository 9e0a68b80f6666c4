import { api } from '../../api/client';
import { useAction, useOne } from '../../api/queries';
import { useTexts } from '../../i18n';
import { Button } from '../../ui/controls';
import { TextField, textOf } from '../../ui/fields';
import { Failure } from '../../ui/feedback';

const MAX = 255; // characters, as the registry takes them

/** What people say of themselves. */
export function Profile() {
  const { t } = useTexts();
  const found = useOne(['profile'], () => api.GET('/api/v2.0/users/current'));
  const save = useAction(
    ({ email, realname }: { email: string; realname: string }) =>
      api.PUT('/api/v2.0/users/{user}', {
        params: { path: { user: String(found.data?.user_id) } },
        body: { email, realname, comment: found.data?.comment ?? '' },
      }),
    { refresh: ['profile', 'users'], done: t('profile.saved') },
  );
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <span class="skeleton" />;
  return (
    <section class="card narrow">
      <header>
        <h2>{t('profile')}</h2>
      </header>
      <form
        class="body form"
        onSubmit={(event) => {
          event.preventDefault();
          const values = new FormData(event.currentTarget);
          save.mutate({ email: textOf(values, 'email'), realname: textOf(values, 'realname') });
        }}
      >
        {save.isError && <Failure error={save.error} />}
        <TextField label={t('profile.realname')} name="realname" autoComplete="name" maxLength={MAX} defaultValue={found.data.realname} />
        <TextField
          label={t('profile.email')}
          hint={t('profile.email.hint')}
          name="email"
          type="email"
          autoComplete="email"
          maxLength={MAX}
          defaultValue={found.data.email}
        />
        <div>
          <Button type="submit" kind="primary" disabled={save.isPending}>
            {t('save')}
          </Button>
        </div>
      </form>
    </section>
  );
}
