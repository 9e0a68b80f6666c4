import { testLdap, testOidc } from '../../api/providers';
import { useSystem } from '../../api/queries';
import { useTexts } from '../../i18n';
import { type Key, type Kind, Section } from '../../parts/settings';
import { Command } from '../../ui/controls';
import { Failure } from '../../ui/feedback';
import { useConfigurations } from './configuration';
import { FurtherProviders } from './further-providers';
import { Test } from './provider-test';

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
      <FurtherProviders origin={origin} />
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
