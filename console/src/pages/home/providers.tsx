import { TriangleAlert } from 'lucide-preact';
import { useQuery } from '@tanstack/react-query';
import { testConfiguredLdap, testOidc } from '../../api/providers';
import type { Home } from '../../api/types';
import { useTexts } from '../../i18n';
import { to } from '../../lib/place';
import { SMALL } from '../../ui/controls';

const FRESH = 300_000; // milliseconds for which a provider that worked is not asked again

interface Failing {
  name: string;
  reason: string;
}

/** Providers that are set up and do not work: each is asked once, from the registry, while somebody looks. */
export function useFailingProviders(home: Home | undefined): { asking: boolean; failing: Failing[] } {
  const issuer = home?.providers?.oidc_endpoint ?? '';
  const directory = home?.providers?.ldap_url ?? '';
  const oidc = useQuery({ queryKey: ['provider', 'oidc', issuer], queryFn: () => testOidc(issuer), enabled: issuer !== '', staleTime: FRESH, retry: false });
  const ldap = useQuery({ queryKey: ['provider', 'ldap', directory], queryFn: testConfiguredLdap, enabled: directory !== '', staleTime: FRESH, retry: false });
  const verdicts = [
    ['OpenID Connect', oidc.data],
    ['LDAP', ldap.data],
  ] as const;
  return {
    asking: oidc.isLoading || ldap.isLoading,
    failing: verdicts.flatMap(([name, verdict]) => (verdict ? [{ name, reason: verdict.reason }] : [])),
  };
}

export function ProviderWarning({ name, reason }: Failing) {
  const { t } = useTexts();
  return (
    <li>
      <TriangleAlert size={SMALL} class="danger" aria-hidden="true" />
      <span class="sentence">
        <a href={to.administration('providers')}>{t('home.provider', { name })}</a>
        <div class="small muted">{reason}</div>
      </span>
    </li>
  );
}
