import { CircleCheck, PlugZap } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { testLdap, testOidc, type Verdict } from '../../api/providers';
import { useAction, useSystem } from '../../api/queries';
import { type Message, useTexts } from '../../i18n';
import { en } from '../../i18n/en';
import { type Key, type Kind, Section } from '../../parts/settings';
import { Button, Command, SMALL } from '../../ui/controls';
import { Failure } from '../../ui/feedback';
import { useConfigurations } from './configuration';

const OIDC: [Key, Kind][] = [
  ['oidc_endpoint', 'text'],
  ['oidc_name', 'text'],
  ['oidc_client_id', 'text'],
  ['oidc_client_secret', 'secret'],
  ['oidc_scope', 'text'],
  ['oidc_user_claim', 'text'],
  ['oidc_auto_onboard', 'flag'],
  ['oidc_groups_claim', 'text'],
  ['oidc_group_filter', 'text'],
  ['oidc_admin_group', 'text'],
  ['oidc_extra_redirect_parms', 'text'],
  ['oidc_logout', 'flag'],
];
const LDAP: [Key, Kind][] = [
  ['ldap_url', 'text'],
  ['ldap_verify_cert', 'flag'],
  ['ldap_search_dn', 'text'],
  ['ldap_search_password', 'secret'],
  ['ldap_base_dn', 'text'],
  ['ldap_scope', 'scope'],
  ['ldap_uid', 'text'],
  ['ldap_filter', 'text'],
  ['ldap_timeout', 'number'],
];
const LDAP_GROUPS: [Key, Kind][] = [
  ['ldap_group_base_dn', 'text'],
  ['ldap_group_search_scope', 'scope'],
  ['ldap_group_search_filter', 'text'],
  ['ldap_group_attribute_name', 'text'],
  ['ldap_group_membership_attribute', 'text'],
  ['ldap_group_admin_dn', 'text'],
];

/** How people of a directory, or of an OpenID Connect provider, sign in. */
export function Providers() {
  const { t } = useTexts();
  const found = useConfigurations();
  const origin = useSystem().data?.external_url ?? window.location.origin;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <span class="skeleton" />;
  const values = found.data;
  return (
    <div class="stack narrow">
      <p class="muted">{t('providers.hint')}</p>
      <Section
        title={t('providers.oidc')}
        keys={OIDC}
        values={values}
        beside={(value) => <Test off={!value('oidc_endpoint')} run={() => testOidc(String(value('oidc_endpoint')))} />}
      >
        <div class="commands">
          <span>{t('providers.register')}</span>
          <Command text={`${origin}/c/oidc/callback`} label={t('providers.register.callback')} />
          <Command text={`${origin}/ui`} label={t('providers.register.logout')} />
        </div>
      </Section>
      <Section
        title={t('providers.ldap')}
        keys={LDAP}
        values={values}
        beside={(value) => <Test off={!value('ldap_url')} run={() => testLdap(value)} />}
      />
      <Section title={t('providers.ldapGroups')} keys={LDAP_GROUPS} values={values} />
    </div>
  );
}

/** Tests what stands in the form, saved or not. */
function Test({ run, off }: { run: () => Promise<Verdict>; off: boolean }) {
  const { t } = useTexts();
  const [verdict, setVerdict] = useState<Verdict | undefined>(undefined);
  const test = useAction(async () => {
    setVerdict(undefined);
    setVerdict(await run());
  });
  return (
    <>
      <Button icon={PlugZap} disabled={off || test.isPending} onClick={() => test.mutate()}>
        {t('providers.test')}
      </Button>
      <div role="status" style={{ flexBasis: '100%' }}>
        {test.isPending && <span class="muted">{t('providers.testing')}</span>}
        {verdict === null && (
          <span class="with-icon good">
            <CircleCheck size={SMALL} aria-hidden="true" />
            {t('providers.works')}
          </span>
        )}
        {verdict && (
          <div class="stack" style={{ gap: '4px' }}>
            {verdict.step && (
              <p class="danger">
                <b>{t('providers.failed', { step: verdict.step })}</b>
              </p>
            )}
            <p class="break">{verdict.reason}</p>
            {`providers.step.${verdict.step}` in en && <p class="muted">{t(`providers.step.${verdict.step}` as Message)}</p>}
          </div>
        )}
        {test.isError && <Failure error={test.error} />}
      </div>
    </>
  );
}
