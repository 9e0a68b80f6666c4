import { TriangleAlert } from 'lucide-preact';
import { useQuery } from '@tanstack/react-query';
import { testConfiguredLdap, testOidc } from '../../api/providers';
import { useTexts } from '../../i18n';
import { to } from '../../lib/place';
import { SMALL } from '../../ui/controls';

const FRESH = 300_000; // milliseconds for which a provider that worked is not asked again

/** Providers that are set up and do not work: each is asked once, from the registry, while somebody looks. */
export function ProviderWarnings({ issuer, directory }: { issuer: string; directory: string }) {
  const { t } = useTexts();
  const oidc = useQuery({ queryKey: ['provider', 'oidc', issuer], queryFn: () => testOidc(issuer), enabled: issuer !== '', staleTime: FRESH, retry: false });
  const ldap = useQuery({ queryKey: ['provider', 'ldap', directory], queryFn: testConfiguredLdap, enabled: directory !== '', staleTime: FRESH, retry: false });
  const failing = [
    ['OpenID Connect', oidc.data],
    ['LDAP', ldap.data],
  ] as const;
  return (
    <>
      {failing.map(
        ([name, verdict]) =>
          verdict && (
            <li key={name}>
              <TriangleAlert size={SMALL} class="danger" aria-hidden="true" />
              <span class="sentence">
                <a href={to.administration('providers')}>{t('home.provider', { name })}</a>
                <div class="small muted">{verdict.reason}</div>
              </span>
            </li>
          ),
      )}
    </>
  );
}
