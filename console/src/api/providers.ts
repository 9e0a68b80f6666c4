import type { Configurations } from './types';
import { api, ApiError, dataOf } from './client';

type Key = keyof Configurations | 'ldap_search_password';
/** The configuration by its keys: what is kept, or what stands in a form. */
export type Settings = (key: Key) => string | number | boolean;

/** What a test says: nothing if it passed, else the step that failed, and why. */
export type Verdict = { step: string; reason: string } | null;

function failureOf(message: string): Verdict {
  const [, step = '', reason = message] = /^([a-z-]+): ([\s\S]*)$/.exec(message) ?? [];
  return { step, reason };
}

export async function testOidc(url: string): Promise<Verdict> {
  try {
    await api.POST('/api/v2.0/system/oidc/ping', { body: { url } });
    return null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return failureOf(error.message);
    throw error;
  }
}

/** Tests the directory as it is set up. */
export async function testConfiguredLdap(): Promise<Verdict> {
  const { success, message } = dataOf(await api.POST('/api/v2.0/ldap/ping', { body: {} }));
  return success ? null : failureOf(message ?? '');
}

export async function testLdap(value: Settings): Promise<Verdict> {
  const text = (key: Key) => String(value(key));
  const { success, message } = dataOf(
    await api.POST('/api/v2.0/ldap/ping', {
      body: {
        ldap_url: text('ldap_url'),
        ldap_search_dn: text('ldap_search_dn'),
        ldap_search_password: text('ldap_search_password'),
        ldap_base_dn: text('ldap_base_dn'),
        ldap_filter: text('ldap_filter'),
        ldap_uid: text('ldap_uid'),
        ldap_scope: Number(value('ldap_scope')),
        ldap_connection_timeout: Number(value('ldap_timeout')),
        ldap_verify_cert: Boolean(value('ldap_verify_cert')),
      },
    }),
  );
  return success ? null : failureOf(message ?? '');
}
